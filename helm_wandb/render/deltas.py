"""Comparisons as tables: what changed, how surely, and what could not be told."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from helm_wandb.model import Verdict
from helm_wandb.render import tables
from helm_wandb.render.quantities import UNKNOWN, difference, number, size
from helm_wandb.render.tables import Column, Table
from helm_wandb.report import counted_verdicts
from helm_wandb.text.safe_text import Name, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from helm_wandb.model import Comparison, Delta, Report

_MARKS = {Verdict.REGRESSED: "▼ regressed", Verdict.IMPROVED: "▲ improved"}
_WORDS = {
    Verdict.NO_CHANGE: "no change",
    Verdict.UNCLEAR: "unclear",
    Verdict.UNTESTABLE: "not testable",
}
_SIDES = ("Baseline", "Candidate")
_IN_TIME = ("Before", "Now")
_STEPS = "Since the iteration before"


def first(report: Report) -> list[Table]:
    """What is shown before all else."""
    return _there(marked(report))


def rest(report: Report) -> list[Table]:
    """What is folded away."""
    return _there(unmarked(report), not_comparable(report), remarks(report), steps(report))


def _there(*found: Table | None) -> list[Table]:
    return [table for table in found if table is not None]


def leaderboard(report: Report) -> Table:
    """The ranking, with what changed of each model that was compared."""
    board = tables.leaderboard(report)
    compared: dict[str, list[Comparison]] = defaultdict(list)
    for one in report.comparisons:
        if one.deltas:
            compared[one.model].append(one)
    if not compared:
        return board
    columns = (*board.columns, Column("Δ vs baseline"), Column("Regressed / improved"))
    rows = tuple(
        (*cells, *_beside(compared.get(row.model, [])))
        for cells, row in zip(board.rows, report.leaderboard.rows, strict=True)
    )
    return tables.without_unknown(Table(board.title, columns, rows))


def _beside(comparisons: Sequence[Comparison]) -> tuple[str, str]:
    """A model's change overall, where one baseline served all its benchmarks, and its marks."""
    if not comparisons:
        return UNKNOWN, UNKNOWN
    counts = counted_verdicts(comparisons)
    overall = comparisons[0].overall if len(comparisons) == 1 else None
    return (
        UNKNOWN if overall is None else difference(overall),
        f"{counts[Verdict.REGRESSED]} / {counts[Verdict.IMPROVED]}",
    )


def marked(report: Report) -> Table | None:
    """Regressions, then improvements, each sorted by how large they are; None without any."""
    rows = marked_deltas(report)
    if not rows:
        return None
    # What is seen needs no word on what could have been.
    return _without("Visible from", _table("Changed", rows, report.comparisons))


def marked_deltas(report: Report) -> list[tuple[Comparison, Delta]]:
    """In that order, each with the comparison that it is of."""
    rows = [row for row in _rows(report.comparisons) if row[1].verdict in _MARKS]
    order = {Verdict.REGRESSED: 0, Verdict.IMPROVED: 1}
    return sorted(rows, key=lambda row: (order[row[1].verdict], -abs(row[1].difference)))


def _without(label: str, table: Table) -> Table:
    at = [column.label for column in table.columns].index(label)
    rows = tuple((*row[:at], *row[at + 1 :]) for row in table.rows)
    return Table(table.title, (*table.columns[:at], *table.columns[at + 1 :]), rows)


def unmarked(report: Report) -> Table | None:
    """The other deltas, with the smallest change that would have been seen; None without any."""
    rows = [row for row in _rows(report.comparisons) if row[1].verdict not in _MARKS]
    return _table("Not marked", rows, report.comparisons) if rows else None


def steps(report: Report) -> Table | None:
    """The last iteration of each model against the one before; None without any."""
    rows = [row for row in _rows(report.steps) if row[1].verdict is not Verdict.UNTESTABLE]
    if not rows:
        return None
    if len(report.steps) > 1:
        return _table(_STEPS, rows, report.steps, sides=_IN_TIME, with_iterations=True)
    (only,) = report.steps
    title = f"{_STEPS}, {plain(Name(only.model))}: {_iterations(only)}"
    return _table(title, rows, report.steps, sides=_IN_TIME)


def _iterations(comparison: Comparison) -> str:
    return f"{comparison.iteration} against {comparison.baseline.iteration}"


def not_comparable(report: Report) -> Table | None:
    """Scores that cannot stand beside each other, with the reason; None without any."""
    rows = tuple(
        (Name(str(key)), Name(comparison.model), why)
        for comparison in report.comparisons
        for key, why in comparison.not_comparable.items()
    )
    return _reasons("Not comparable", rows) if rows else None


def remarks(report: Report) -> Table | None:
    """Deltas that nothing can be said of, with the reason; None without any."""
    rows = tuple(
        (Name(str(delta.key)), Name(comparison.model), delta.why)
        for comparison, delta in _rows(report.comparisons)
        if delta.why
    )
    return _reasons("Remarks on the deltas", rows) if rows else None


def _reasons(title: str, rows: tuple[tuple[str, ...], ...]) -> Table:
    columns = tuple(Column(label, numeric=False) for label in ("Metric", "Model", "Reason"))
    return Table(title, columns, rows)


def _rows(comparisons: Iterable[Comparison]) -> Iterator[tuple[Comparison, Delta]]:
    for comparison in comparisons:
        for delta in comparison.deltas:
            yield comparison, delta


def _table(
    title: str,
    rows: Sequence[tuple[Comparison, Delta]],
    comparisons: Sequence[Comparison],
    *,
    sides: tuple[str, str] = _SIDES,
    with_iterations: bool = False,
) -> Table:
    several = len(comparisons) > 1
    columns = (
        Column("Metric", numeric=False),
        *([Column("Model", numeric=False)] if several else []),
        *([Column("Iterations", numeric=False)] if with_iterations else []),
        Column("n"),
        *map(Column, sides),
        Column("Δ [95 % interval]"),
        Column("Better / worse"),
        Column("Visible from"),
        Column("Verdict", numeric=False),
    )
    cells = tuple(
        (
            Name(_metric(delta)),
            *([Name(comparison.model)] if several else []),
            *([_iterations(comparison)] if with_iterations else []),
            *_cells(delta),
        )
        for comparison, delta in rows
    )
    return Table(title, columns, cells)


def _cells(delta: Delta) -> tuple[str, ...]:
    return (
        UNKNOWN if delta.n is None else _counted(delta),
        number(delta.baseline),
        number(delta.candidate),
        difference(delta),
        UNKNOWN if delta.better is None else f"{delta.better} / {delta.worse}",
        UNKNOWN if delta.mde is None else size(delta, delta.mde),
        _MARKS.get(delta.verdict) or _WORDS[delta.verdict],
    )


def _counted(delta: Delta) -> str:
    """The instances, and their clusters where these are fewer."""
    clustered = delta.clusters is not None and delta.clusters != delta.n
    return f"{delta.n} ({delta.clusters} clusters)" if clustered else str(delta.n)


def _metric(delta: Delta) -> str:
    return f"{delta.key} ↓" if delta.lower_is_better else str(delta.key)
