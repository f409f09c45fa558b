"""Flagged deltas as tables of the instances whose scores changed: which questions were lost."""

from __future__ import annotations

import re
from dataclasses import replace

from helm_wandb.model import ChangedInstance, Comparison, Delta, Report
from helm_wandb.render import deltas, tables
from helm_wandb.render.tables import Column, Table
from helm_wandb.text.quantities import UNKNOWN
from helm_wandb.text.safe_text import Name, plain

_SPACE = re.compile(r"[^\S\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_COLUMNS = (
    *(Column(label, numeric=False) for label in ("Instance", "Subject")),
    *(Column(label, numeric=False) for label in ("Input", "Reference", "Answer")),
    Column("Score"),
)


def changed(report: Report) -> list[Table]:
    """Return a table for each flagged delta whose instances were read, in their order."""
    several = len(report.comparisons) > 1
    return [
        _table(one, delta, with_model=several)
        for one, delta in deltas.flagged_deltas(report)
        if delta.items
    ]


def _table(comparison: Comparison, delta: Delta, *, with_model: bool) -> Table:
    of = f" of {plain(Name(comparison.model))}" if with_model else ""
    title = f"{plain(Name(str(delta.key)))}{of}: {delta.worse} worse, {delta.better} better"
    table = Table(title, _COLUMNS, tuple(map(_row, delta.items or ())))
    changes = (delta.worse or 0) + (delta.better or 0)
    return replace(tables.without_unknown(table), left_out=changes - len(table.rows))


def _row(item: ChangedInstance) -> tuple[str, ...]:
    trial = f" (trial {item.trial})" if item.trial else ""
    return (
        Name(f"{item.id}{trial}"),
        Name(subject(item)) if subject(item) else UNKNOWN,
        *(_snippet(text) for text in (item.texts.input, item.texts.reference, item.texts.answer)),
        f"{item.before:.3g} → {item.after:.3g}",
    )


def _snippet(text: str | None) -> str:
    if text is None:
        return UNKNOWN
    return Name(on_one_line(text)) if text else "(empty)"


def on_one_line(text: str) -> str:
    """The text with its line ends as marks that can be seen, and plain spaces."""
    return _LINE_END.sub("⏎", _SPACE.sub(" ", text))


def subject(item: ChangedInstance) -> str:
    """Return the instance's part of the benchmark: the run's arguments without the method."""
    arguments = item.stratum.partition(":")[2].split(",")
    return ", ".join(one for one in arguments if not one.startswith("method="))
