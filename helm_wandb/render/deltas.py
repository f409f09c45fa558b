"""Comparisons as tables and sentences: what changed, how surely, and what could not be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helm_wandb.model import Verdict
from helm_wandb.render.safe_text import Name
from helm_wandb.render.tables import UNKNOWN, Column, Table, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from helm_wandb.model import Comparison, Delta, Report

_MARKS = {Verdict.REGRESSED: "▼ regressed", Verdict.IMPROVED: "▲ improved"}
_WORDS = {
    Verdict.NO_CHANGE: "no change",
    Verdict.UNCLEAR: "unclear",
    Verdict.UNTESTABLE: "not testable",
}
_RULE = (
    "Δ is the candidate less the baseline, over the same questions, in points (pp) for scores "
    "within 0…1; in brackets its {level} interval. A mark needs a change that is significant "
    "beside all {tests} tests of this run (Holm), and larger than min_effect. The interval is "
    "about the choice of questions; another training run would differ by more, which one run "
    "cannot tell."
)


def first(report: Report) -> list[Table]:
    """What is shown before all else."""
    return _there(marked(report))


def rest(report: Report) -> list[Table]:
    """What is folded away."""
    return _there(unmarked(report), not_comparable(report), remarks(report), steps(report))


def _there(*found: Table | None) -> list[Table]:
    return [table for table in found if table is not None]


def marked(report: Report) -> Table | None:
    """Regressions, then improvements, each sorted by how large they are; None without any."""
    rows = [row for row in _rows(report.comparisons) if row[1].verdict in _MARKS]
    rows.sort(key=lambda row: (row[1].verdict is not Verdict.REGRESSED, -abs(row[1].difference)))
    return _table("Changed", rows, report.comparisons) if rows else None


def unmarked(report: Report) -> Table | None:
    """The other deltas, with the smallest change that would have been seen; None without any."""
    rows = [row for row in _rows(report.comparisons) if row[1].verdict not in _MARKS]
    return _table("Not marked", rows, report.comparisons) if rows else None


def steps(report: Report) -> Table | None:
    """The last iteration of each model against the one before; None without any."""
    rows = [row for row in _rows(report.steps) if row[1].verdict is not Verdict.UNTESTABLE]
    return _table("Since the iteration before", rows, report.steps) if rows else None


def not_comparable(report: Report) -> Table | None:
    """Scores that cannot stand beside each other, with the reason; None without any."""
    rows = tuple(
        (Name(str(key)), Name(comparison.model), why)
        for comparison in report.comparisons
        for key, why in comparison.not_comparable.items()
    )
    columns = tuple(Column(label, numeric=False) for label in ("Metric", "Model", "Reason"))
    return Table("Not comparable", columns, rows) if rows else None


def remarks(report: Report) -> Table | None:
    """Deltas that nothing can be said of, with the reason; None without any."""
    rows = tuple(
        (Name(str(delta.key)), Name(comparison.model), delta.why)
        for comparison, delta in _rows(report.comparisons)
        if delta.why
    )
    columns = tuple(Column(label, numeric=False) for label in ("Metric", "Model", "Reason"))
    return Table("Remarks on the deltas", columns, rows) if rows else None


def sentences(report: Report, limit: int | None = None) -> list[str]:
    """The overall deltas, what the gate does, and how to read the tables.

    limit: of how many models it is told.
    """
    told = [_overall(one) for one in report.comparisons if one.overall][:limit]
    told += [_partner(one) for one in report.comparisons if _differs(one)][:limit]
    if report.gate:
        told += _gate(report)
    tests = sum(delta.p is not None for _, delta in _rows(report.comparisons))
    if tests:
        told.append(_RULE.format(level="95 %", tests=tests))
    return told


def _rows(comparisons: Iterable[Comparison]) -> Iterator[tuple[Comparison, Delta]]:
    for comparison in comparisons:
        for delta in comparison.deltas:
            yield comparison, delta


def _table(
    title: str, rows: Sequence[tuple[Comparison, Delta]], comparisons: Sequence[Comparison]
) -> Table:
    several = len(comparisons) > 1
    columns = (
        Column("Metric", numeric=False),
        *([Column("Model", numeric=False)] if several else []),
        Column("n"),
        Column("Baseline"),
        Column("Candidate"),
        Column("Δ"),
        Column("95 % interval"),
        Column("Better / worse"),
        Column("Visible from"),
        Column("Verdict", numeric=False),
    )
    cells = tuple(
        (
            Name(_metric(delta)),
            *([Name(comparison.model)] if several else []),
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
        change(delta, delta.difference),
        _interval(delta),
        UNKNOWN if delta.better is None else f"{delta.better} / {delta.worse}",
        UNKNOWN if delta.mde is None else change(delta, delta.mde).lstrip("+±"),
        {**_MARKS, **_WORDS}[delta.verdict],
    )


def _counted(delta: Delta) -> str:
    """The instances, and their clusters where these are fewer."""
    clustered = delta.clusters is not None and delta.clusters != delta.n
    return f"{delta.n} ({delta.clusters} clusters)" if clustered else str(delta.n)


def _metric(delta: Delta) -> str:
    return f"{delta.key} ↓" if delta.lower_is_better else str(delta.key)


def change(delta: Delta, value: float) -> str:
    """`+1.2 pp` for a score within 0…1, else four significant digits of its own unit."""
    sign, size = ("−" if value < 0 else "+"), abs(value)
    if _in_points(delta):
        text = f"{100 * size:.1f}"
        return f"{sign if float(text) else '±'}{text} pp"
    text = f"{size:.4g}"
    return f"{sign if float(text) else '±'}{text}"


def _in_points(delta: Delta) -> bool:
    return all(0 <= value <= 1 for value in (delta.baseline, delta.candidate))


def _interval(delta: Delta) -> str:
    if delta.interval is None:
        return UNKNOWN
    low, high = delta.interval.low, delta.interval.high
    return f"[{change(delta, low).removesuffix(' pp')}, {change(delta, high)}]"


def _overall(comparison: Comparison) -> str:
    delta = comparison.overall
    assert delta is not None  # noqa: S101 -- the caller's choice
    surely = {
        Verdict.REGRESSED: "a drop",
        Verdict.IMPROVED: "a rise",
        Verdict.NO_CHANGE: "no change",
    }.get(delta.verdict, "no evidence of a change")
    return (
        f"Mean over the benchmarks that could be tested, {comparison.model}: "
        f"{number(delta.baseline)} → {number(delta.candidate)}, "
        f"Δ {change(delta, delta.difference)} {_interval(delta)}: {surely}."
    )


def _differs(comparison: Comparison) -> bool:
    return comparison.iteration != comparison.baseline.iteration


def _partner(comparison: Comparison) -> str:
    baseline = comparison.baseline
    return (
        f"{comparison.model} at iteration {comparison.iteration} is compared with the baseline's "
        f"iteration {baseline.iteration}, the greatest that it has."
    )


def _gate(report: Report) -> Iterator[str]:
    gate = report.gate
    assert gate is not None  # noqa: S101 -- the caller's choice
    if not gate.reasons:
        return
    told = "; ".join(gate.reasons)
    if gate.accepted_by:
        yield f"The gate stays open, as the label {gate.accepted_by} accepts it: {told}."
    elif gate.closed:
        yield f"The gate is closed: {told}."
    else:
        yield f"The gate is not asked to close (fail-on: never): {told}."
