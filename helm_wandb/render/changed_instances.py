"""Flagged deltas as tables of the instances whose scores changed: which questions were lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from helm_wandb.comparing.subject_changes import subject_name
from helm_wandb.model import ChangedInstance, Comparison, Delta, Report
from helm_wandb.render import deltas, tables
from helm_wandb.render.tables import Cells, Column, Table
from helm_wandb.text.quantities import UNKNOWN
from helm_wandb.text.safe_text import Name
from helm_wandb.text.words import count_noun

_SPACE = re.compile(r"[^\S\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNKNOWN_ANSWERS = (
    "The baseline's answers are unknown: its report has none of this benchmark. It is from an "
    "older version, or its answers were more than a report keeps."
)


def changed(report: Report) -> list[Table]:
    """Return a table for each flagged delta whose instances were read, in their order."""
    return [
        _table(one, delta, report) for one, delta in deltas.flagged_deltas(report) if delta.items
    ]


def _table(comparison: Comparison, delta: Delta, report: Report) -> Table:
    metric = deltas.metric_title(comparison, delta, report)
    worse = count_noun(delta.worse or 0, "question")
    title = f"{metric}: {worse} got worse, {delta.better} better"
    items = delta.items or ()
    has_subjects = len({subject_name(one.stratum) for one in items}) > 1
    columns = _columns(*deltas.side_names(report))
    table = tables.tabulate(title, columns if has_subjects else columns[:-1], items)
    changes = (delta.worse or 0) + (delta.better or 0)
    is_known = any(one.baseline_answer is not None for one in items)
    return replace(
        tables.without_unknown(table),
        left_out=changes - len(table.rows),
        notes=() if is_known else (_UNKNOWN_ANSWERS,),
    )


def _columns(baseline: str, candidate: str) -> tuple[Cells[ChangedInstance], ...]:
    """Return the columns: those first that show what changed, as a narrow screen has no others."""

    def text(label: str, text_of: Callable[[ChangedInstance], str | None]) -> Cells[Any]:
        return Column(label, numeric=False), lambda item: _snippet(text_of(item))

    return (
        (Column("Score"), lambda item: f"{item.before:.3g} → {item.after:.3g}"),
        (Column("Runs", numeric=False), lambda item: "flaky" if item.flaky else UNKNOWN),
        text(f"{baseline}'s answer", lambda item: item.baseline_answer),
        text(f"{candidate}'s answer", lambda item: item.texts.answer),
        text("Reference", lambda item: item.texts.reference),
        text("Question", lambda item: item.texts.input),
        (Column(tables.INSTANCE, numeric=False), _instance),
        (Column("Subject", numeric=False), lambda item: _name(subject_name(item.stratum))),
    )


def _instance(item: ChangedInstance) -> Name:
    return Name(f"{item.id}{f' (trial {item.trial})' if item.trial else ''}")


def _name(text: str) -> str:
    return Name(text) if text else UNKNOWN


def _snippet(text: str | None) -> str:
    if text is None:
        return UNKNOWN
    return Name(on_one_line(text)) if text else "(empty)"


def on_one_line(text: str) -> str:
    """The text with its line ends as marks that can be seen, and plain spaces."""
    return _LINE_END.sub("⏎", _SPACE.sub(" ", text))
