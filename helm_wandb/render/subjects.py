"""Flagged deltas as tables of their subjects: which of MMLU's 57 moved, for example."""

from __future__ import annotations

from msgspec.structs import replace

from helm_wandb.model import Comparison, Delta, Report
from helm_wandb.render import deltas, tables
from helm_wandb.render.tables import Cells, Column, Table
from helm_wandb.text.quantities import UNKNOWN, change, interval, score_change
from helm_wandb.text.safe_text import Name

_EXPLORATORY = (
    "Exploratory: the CI of a subject isn't corrected for the number of subjects, so one in twenty "
    "excludes 0 without any change."
)
_WITHOUT_NOISE = " It leaves out the noise between runs, which is known only of the whole score."


def by_subject(report: Report) -> list[Table]:
    """Return a table for each flagged delta with subjects, in their order."""
    return [
        _table(title(one, delta, report), delta, report)
        for one, delta in deltas.flagged_deltas(report)
        if delta.subjects
    ]


def title(comparison: Comparison, delta: Delta, report: Report) -> str:
    """Return `mmlu.EM by subject`, with the model if there are several."""
    return f"{deltas.metric_title(comparison, delta, report)} by subject"


def _table(heading: str, whole: Delta, report: Report) -> Table:
    columns: tuple[Cells[Delta], ...] = (
        (Column("Change"), lambda one: change(one, one.difference)),
        (Column("Subject", numeric=False), lambda one: Name(one.key.benchmark if one.key else "")),
        (Column(" → ".join(deltas.side_names(report))), score_change),
        (Column("95% CI"), interval),
        (Column("Questions"), lambda one: f"{one.worse} worse, {one.better} better of {one.n}"),
        (Column("Note", numeric=False), lambda one: one.why or UNKNOWN),
    )
    table = tables.without_unknown(tables.tabulate(heading, columns, whole.subjects or ()))
    return replace(table, notes=(_EXPLORATORY + _WITHOUT_NOISE * bool(whole.runs),))
