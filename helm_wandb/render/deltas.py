"""Comparisons as tables: what changed, how surely, and what could not be tested."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from msgspec.structs import replace

from helm_wandb.comparing.evaluations import group_values
from helm_wandb.model import Comparison, Delta, Report, Verdict
from helm_wandb.render import tables
from helm_wandb.render.tables import Cells, Column, Table
from helm_wandb.report.headline import VERDICT_WORDS, count_verdicts, sort_flagged
from helm_wandb.text.quantities import (
    UNKNOWN,
    change,
    difference,
    in_points,
    interval,
    is_of_shared,
    score_change,
    size,
)
from helm_wandb.text.safe_text import Name, plain
from helm_wandb.text.words import join_truncated

_LARGE_EFFECT, _USUAL_EFFECT = 0.3, 0.05
_LEAST_P = 0.001
_MARKS = {Verdict.REGRESSED: "▼ ", Verdict.IMPROVED: "▲ "}
_STEPS = "Since the previous checkpoint"
_SCORES = "Baseline → candidate"
_CHANGE = "Change"
_METRIC, _MODEL, _ITERATIONS = "Metric", "Model", "Iterations"
_VERDICT = tables.VERDICT
_NOTE = "Note"
_DETECTABLE, _P = "Detectable effect", "Adjusted p"
_Row = tuple[Comparison, Delta]
_T = TypeVar("_T")


def first_tables(report: Report, *, is_wide: bool = True) -> list[Table]:
    """Return the tables that are shown first. is_wide: whether there is room for all columns."""
    return _existing(flagged(report, is_wide=is_wide))


def other_tables(report: Report, *, is_wide: bool = True) -> list[Table]:
    """Return the tables that pages fold. is_wide: as above."""
    found = _existing(*unflagged(report), not_comparable(report), steps(report))
    return found if is_wide else list(map(_notes_below, found))


def _existing(*candidates: Table | None) -> list[Table]:
    return [table for table in candidates if table is not None]


def ranking(report: Report) -> list[Table | str]:
    """Return the leaderboard and its rule, if there is more than one model to rank."""
    if len(report.leaderboard.rows) == 1:
        return []
    return [leaderboard(report), tables.ranking_rule(report)]


def leaderboard(report: Report) -> Table:
    """Return the ranking, with what changed of each model."""
    compared = group_values((one.model, one) for one in report.comparisons if one.deltas)
    if not compared:
        return tables.leaderboard(report)
    return tables.leaderboard(
        report,
        [
            (Column("Change vs. baseline"), lambda row: _overall(compared.get(row.model, []))),
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


def _compared(report: Report) -> Sequence[Comparison]:
    """Return the comparisons with the baseline, or else with the previous checkpoints."""
    return report.comparisons or report.steps


def flagged(report: Report, *, is_wide: bool = True) -> Table | None:
    """Return regressions, then improvements, the largest first; None without any.

    The first columns say all: a phone shows no others.
    """
    compared = _compared(report)
    # A sentence has the mean of the only comparison.
    rows = [row for row in sort_flagged(compared) if row[1].key or len(compared) > 1]
    if not rows:
        return None
    if is_wide:
        return _changes_first("Changed", rows, report, without=[_DETECTABLE])
    without = [_DETECTABLE, _VERDICT, _P]
    return _notes_below(_changes_first("Changed", rows, report, without=without))


def metric_title(comparison: Comparison, delta: Delta, report: Report) -> str:
    """Return `mmlu.EM`, or `mmlu.EM of alpha` if several models are compared."""
    of = f" of {plain(Name(comparison.model))}" if len(report.comparisons) > 1 else ""
    return f"{plain(Name(str(delta.key)))}{of}"


def flagged_deltas(report: Report) -> list[_Row]:
    """Return the flagged deltas in the order of their table, each with its comparison."""
    return [row for row in sort_flagged(report.comparisons) if row[1].key]


def unflagged(report: Report) -> list[Table]:
    """Return a table of each other verdict that some delta has."""
    rows = list(_rows(_compared(report)))
    return [
        _table(words.capitalize(), group, report, without=[_VERDICT])
        for verdict, words in VERDICT_WORDS.items()
        if not verdict.is_flagged
        if (group := [row for row in rows if row[1].verdict is verdict])
    ]


def steps(report: Report) -> Table | None:
    """Return the changes since the previous checkpoints; None if there is no more to compare."""
    rows = [row for row in _rows(report.steps) if row[1].verdict is not Verdict.UNTESTABLE]
    if not rows or not report.comparisons:
        return None
    table = _changes_first(_STEPS, rows, report)
    if len(report.steps) > 1:
        return table
    (only,) = report.steps
    title = f"{_STEPS}: {plain(Name(only.model))}, iteration {_iterations(only)}"
    return replace(table, title=title)


def _iterations(comparison: Comparison) -> str:
    return f"{comparison.baseline.iteration} → {comparison.iteration}"


def not_comparable(report: Report) -> Table | None:
    """Return the scores that can't be compared, with the reason; None without any."""
    sides = (("", report.comparisons), ("with the previous checkpoint: ", report.steps))
    rows = tuple(
        (Name(str(key)), Name(comparison.model), f"{side}{why}")
        for side, comparisons in sides
        for comparison in comparisons
        for key, why in comparison.not_comparable.items()
    )
    columns = tables.text_columns("Metric", "Model", "Reason")
    return Table("Not comparable", columns, rows) if rows else None


def _rows(comparisons: Iterable[Comparison]) -> Iterator[_Row]:
    for comparison in comparisons:
        for delta in comparison.deltas:
            yield comparison, delta


def _table(
    title: str,
    rows: Sequence[_Row],
    report: Report,
    *,
    without: Sequence[str] = (),
) -> Table:
    """Return the table of the rows' deltas, without the columns of which nothing is known.

    without: labels of others that are left out.
    """
    is_of_run = not report.comparisons or title == _STEPS
    has_several = len(report.steps if is_of_run else report.comparisons) > 1
    left_out = {
        *without,
        *([] if has_several else [_MODEL]),
        *([] if has_several and is_of_run else [_ITERATIONS]),
    }
    sides = _sides(report, is_of_run=is_of_run)
    shown = [
        (replace(column, label=sides) if column.label == _SCORES else column, cell)
        for column, cell in COLUMNS
        if column.label not in left_out
    ]
    return tables.without_unknown(tables.tabulate(title, shown, rows))


def _changes_first(
    title: str, rows: Sequence[_Row], report: Report, *, without: Sequence[str] = ()
) -> Table:
    """Return the table with the change, and its mark, as the first column."""
    table = _table(title, rows, report, without=without)
    at = [column.label for column in table.columns].index(_CHANGE)

    def first(row: Sequence[_T]) -> tuple[_T, ...]:
        return (row[at], *row[:at], *row[at + 1 :])

    return replace(table, columns=first(table.columns), rows=tuple(map(first, table.rows)))


def _notes_below(table: Table) -> Table:
    """Return the table with each of its notes once, as a sentence that names the metrics."""
    labels = [column.label for column in table.columns]
    if _NOTE not in labels:
        return table
    at = labels.index(_NOTE)
    names = [labels.index(label) for label in (_METRIC, _MODEL) if label in labels]
    names_by_note = group_values(
        (row[at], " of ".join(plain(row[name]) for name in names))
        for row in table.rows
        if row[at] is not UNKNOWN
    )
    return replace(
        table,
        columns=(*table.columns[:at], *table.columns[at + 1 :]),
        rows=tuple((*row[:at], *row[at + 1 :]) for row in table.rows),
        notes=tuple(f"{join_truncated(of)}: {note}." for note, of in names_by_note.items()),
    )


def _sides(report: Report, *, is_of_run: bool) -> str:
    """Return `main → this PR`: what is compared, as the head of a column."""
    return "Previous → latest" if is_of_run else " → ".join(side_names(report))


def side_names(report: Report) -> tuple[str, str]:
    """Return `main` and `this PR`: the baseline and the candidate, as heads of columns."""
    refs = {(one.baseline.ref or "").removeprefix("refs/heads/") for one in report.comparisons}
    baseline = plain(Name(refs.pop())) if len(refs) == 1 else ""
    provenance = report.provenance
    candidate = "this run" if provenance.is_job else "candidate"
    return baseline or "baseline", "this PR" if provenance.pull_request else candidate


def _questions(delta: Delta) -> str:
    """Return `15 worse, 2 better of 100 (92 clusters)`, as far as it is known.

    `of 98 shared` says why the change isn't that of the two scores.
    """
    if delta.n is None:
        return UNKNOWN
    is_clustered = delta.clusters is not None and delta.clusters != delta.n
    of_all = (
        f"{delta.n:,}{' shared' * is_of_shared(delta)}"
        f"{f' ({delta.clusters:,} clusters)' if is_clustered else ''}"
    )
    if delta.better is None:
        return of_all
    return f"{delta.worse:,} worse, {delta.better:,} better of {of_all}"


def _metric(delta: Delta) -> str:
    if delta.key is None:
        return "mean"
    return tables.metric_name(delta.key, is_lower_better=delta.lower_is_better)


def _detectable(delta: Delta) -> str:
    return UNKNOWN if delta.mde is None else size(delta, delta.mde)


def _detects_nothing(delta: Delta) -> bool:
    """Whether not even the largest change that the score's range has room for would be flagged."""
    return delta.mde is None and delta.interval is not None and in_points(delta)


def _p(delta: Delta) -> str:
    p = delta.p_adjusted
    if p is None:
        return UNKNOWN
    return f"<{_LEAST_P}" if p < _LEAST_P else f"{p:.3f}"


def _note(delta: Delta) -> str:
    """Return what else to know of a delta: how many questions would do, and its remark."""
    is_open = delta.verdict is Verdict.INCONCLUSIVE
    notes = [_too_few(delta) if is_open else None, delta.why]
    return "; ".join(filter(None, notes)) or UNKNOWN


def _too_few(delta: Delta) -> str | None:
    """Return how many questions would show a usual effect; None if that is near what they are."""
    if _detects_nothing(delta):
        if delta.runs:
            return "too few runs to flag any change"
        return "too few questions to flag any change"
    if delta.runs:
        return None
    if not delta.mde or not delta.n or not in_points(delta) or delta.mde <= _LARGE_EFFECT:
        return None
    questions = float(f"{delta.n * (delta.mde / _USUAL_EFFECT) ** 2:.1g}")
    return f"too few questions: about {questions:,.0f} would show 5 pp"


def verdict_label(delta: Delta) -> str:
    """Return `▼ regressed`, the verdict with the mark of a significant change."""
    is_warning = delta.warn_only and delta.verdict is Verdict.REGRESSED
    mark, words = _MARKS.get(delta.verdict, ""), VERDICT_WORDS[delta.verdict]
    return f"{mark}{words}{' (warn only)' if is_warning else ''}"


def _marked_change(delta: Delta) -> str:
    """Return `▼ −13.0 pp`."""
    remark = " (warn only)" if delta.warn_only and delta.verdict is Verdict.REGRESSED else ""
    return f"{_MARKS.get(delta.verdict, '')}{change(delta, delta.difference)}{remark}"


COLUMNS: tuple[Cells[_Row], ...] = (
    (Column(_METRIC, numeric=False), lambda row: _metric(row[1])),
    (Column(_MODEL, numeric=False), lambda row: Name(row[0].model)),
    (Column(_ITERATIONS, numeric=False), lambda row: _iterations(row[0])),
    (Column(_CHANGE), lambda row: _marked_change(row[1])),
    (Column(_SCORES), lambda row: score_change(row[1])),
    (Column("95% CI"), lambda row: interval(row[1])),
    (Column("Questions"), lambda row: _questions(row[1])),
    (Column(_VERDICT, numeric=False), lambda row: verdict_label(row[1])),
    (Column(_DETECTABLE), lambda row: _detectable(row[1])),
    (Column(_P), lambda row: _p(row[1])),
    (Column(_NOTE, numeric=False), lambda row: _note(row[1])),
)
"""Columns of every table of deltas, in all formats."""
