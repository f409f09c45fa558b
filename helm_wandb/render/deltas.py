"""Comparisons as tables: what changed, how surely, and what could not be tested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from helm_wandb.model import Comparison, Delta, Report, Verdict
from helm_wandb.render import tables
from helm_wandb.render.quantities import UNKNOWN, difference, in_points, number, size
from helm_wandb.render.tables import Cells, Column, Table
from helm_wandb.report import count_verdicts
from helm_wandb.text.safe_text import Name, plain

_LARGE_EFFECT, _USUAL_EFFECT = 0.3, 0.05
_VERDICTS = {
    Verdict.REGRESSED: "▼ regressed",
    Verdict.IMPROVED: "▲ improved",
    Verdict.NO_CHANGE: "no change",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.UNTESTABLE: "not testable",
}
_DETECTABLE = "Visible from"
_IN_TIME = {"Baseline": "Before", "Candidate": "Now"}
"""Labels of columns, if both sides are of one run."""
_STEPS = "Since the iteration before"


def first_tables(report: Report) -> list[Table]:
    """Return the tables that are shown first."""
    return _existing(flagged(report))


def other_tables(report: Report) -> list[Table]:
    """Return the tables that pages fold."""
    return _existing(unflagged(report), not_comparable(report), remarks(report), steps(report))


def _existing(*candidates: Table | None) -> list[Table]:
    return [table for table in candidates if table is not None]


def leaderboard(report: Report) -> Table:
    """Return the ranking, with what changed of each model that was compared."""
    compared: dict[str, list[Comparison]] = defaultdict(list)
    for one in report.comparisons:
        if one.deltas:
            compared[one.model].append(one)
    if not compared:
        return tables.leaderboard(report)
    return tables.leaderboard(
        report,
        [
            (Column("Δ vs baseline"), lambda row: _overall(compared.get(row.model, []))),
            (Column("Regressed / improved"), lambda row: _counts(compared.get(row.model, []))),
        ],
    )


def _overall(comparisons: Sequence[Comparison]) -> str:
    """Return a model's change overall, if one baseline served all its benchmarks."""
    overall = comparisons[0].overall if len(comparisons) == 1 else None
    return UNKNOWN if overall is None else difference(overall)


def _counts(comparisons: Sequence[Comparison]) -> str:
    """Return how many scores of a model regressed and improved, `1 / 0`."""
    counts = count_verdicts(comparisons)
    numbers = f"{counts[Verdict.REGRESSED]} / {counts[Verdict.IMPROVED]}"
    return numbers if comparisons else UNKNOWN


def flagged(report: Report) -> Table | None:
    """Return regressions, then improvements, the largest first; None without any."""
    rows = flagged_deltas(report)
    if not rows:
        return None
    # A change that is flagged needs no word on what could have been.
    return _table("Changed", rows, report.comparisons, without=_DETECTABLE)


def flagged_deltas(report: Report) -> list[tuple[Comparison, Delta]]:
    """Return the flagged deltas in the order of their table, each with its comparison."""
    rows = [row for row in _rows(report.comparisons) if row[1].verdict.is_flagged]
    return sorted(
        rows, key=lambda row: (row[1].verdict is Verdict.IMPROVED, -abs(row[1].difference))
    )


def unflagged(report: Report) -> Table | None:
    """Return the other deltas, with the smallest change that is detectable; None without any."""
    rows = [row for row in _rows(report.comparisons) if not row[1].verdict.is_flagged]
    return _table("Not marked", rows, report.comparisons) if rows else None


def steps(report: Report) -> Table | None:
    """Return each model's latest iteration compared with its previous one; None without any."""
    rows = [row for row in _rows(report.steps) if row[1].verdict is not Verdict.UNTESTABLE]
    if not rows:
        return None
    if len(report.steps) > 1:
        return _table(_STEPS, rows, report.steps, labels=_IN_TIME, with_iterations=True)
    (only,) = report.steps
    title = f"{_STEPS}, {plain(Name(only.model))}: {_iterations(only)}"
    return _table(title, rows, report.steps, labels=_IN_TIME)


def _iterations(comparison: Comparison) -> str:
    return f"{comparison.iteration} against {comparison.baseline.iteration}"


def not_comparable(report: Report) -> Table | None:
    """Return the scores that can't be compared, with the reason; None without any."""
    rows = tuple(
        (Name(str(key)), Name(comparison.model), why)
        for comparison in report.comparisons
        for key, why in comparison.not_comparable.items()
    )
    return _reasons("Not comparable", rows) if rows else None


def remarks(report: Report) -> Table | None:
    """Return remarks on deltas, such as why one is not testable; None without any."""
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


def _table(  # noqa: PLR0913 -- what the tables of deltas differ in, each by its name
    title: str,
    rows: Sequence[tuple[Comparison, Delta]],
    comparisons: Sequence[Comparison],
    *,
    labels: Mapping[str, str] = MappingProxyType({}),
    without: str = "",
    with_iterations: bool = False,
) -> Table:
    """Return the table of the rows' deltas.

    labels: those that differ from COLUMNS. without: the label of a column that is left out.
    """
    several = len(comparisons) > 1
    heads: list[Cells[tuple[Comparison, Delta]]] = [
        (Column("Metric", numeric=False), lambda row: Name(_metric(row[1]))),
        *([(Column("Model", numeric=False), lambda row: Name(row[0].model))] if several else []),
        *(
            [(Column("Iterations", numeric=False), lambda row: _iterations(row[0]))]
            if with_iterations
            else []
        ),
    ]
    values = [
        (replace(column, label=labels.get(column.label, column.label)), partial(_value, cell))
        for column, cell in COLUMNS
        if column.label != without
    ]
    return tables.tabulate(title, [*heads, *values], rows)


def _value(cell: Callable[[Delta], str], row: tuple[Comparison, Delta]) -> str:
    return cell(row[1])


def _instances(delta: Delta) -> str:
    """Return the number of instances, and of their clusters if these are fewer."""
    if delta.n is None:
        return UNKNOWN
    clustered = delta.clusters is not None and delta.clusters != delta.n
    return f"{delta.n} ({delta.clusters} clusters)" if clustered else str(delta.n)


def _metric(delta: Delta) -> str:
    return f"{delta.key} ↓" if delta.lower_is_better else str(delta.key)


def _better_and_worse(delta: Delta) -> str:
    return UNKNOWN if delta.better is None else f"{delta.better} / {delta.worse}"


def _detectable(delta: Delta) -> str:
    """Return the detectable effect; if it is large, how many questions would show a usual one."""
    if delta.mde is None:
        return UNKNOWN
    shown = size(delta, delta.mde)
    if delta.n is None or not in_points(delta) or delta.mde <= _LARGE_EFFECT:
        return shown
    questions = float(f"{delta.n * (delta.mde / _USUAL_EFFECT) ** 2:.1g}")
    return f"{shown}; about {questions:,.0f} questions would show 5 pp"


def _verdict(delta: Delta) -> str:
    is_warning = delta.warn_only and delta.verdict is Verdict.REGRESSED
    return f"{_VERDICTS[delta.verdict]}{' (warn only)' if is_warning else ''}"


COLUMNS: tuple[Cells[Delta], ...] = (
    (Column("n"), _instances),
    (Column("Baseline"), lambda delta: number(delta.baseline)),
    (Column("Candidate"), lambda delta: number(delta.candidate)),
    (Column("Δ [95 % interval]"), difference),
    (Column("Better / worse"), _better_and_worse),
    (Column(_DETECTABLE), _detectable),
    (Column("Verdict", numeric=False), _verdict),
)
"""Columns of every table of deltas, in all formats."""
