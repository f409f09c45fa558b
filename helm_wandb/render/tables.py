"""A Report as tables of text cells, which all formats show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import isfinite, sqrt
from typing import TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.comparing.evaluations import group_by_model, group_values, latest
from helm_wandb.model import Evaluation, LeaderboardRow, Report, ScoreKey, mean, variance
from helm_wandb.render.sparklines import sparkline
from helm_wandb.text.quantities import UNKNOWN, Unknown, score, scores_as_text, tokens
from helm_wandb.text.safe_text import Name, OwnName, plain
from helm_wandb.text.words import count_noun, join_truncated

_T = TypeVar("_T")
VERDICT = "Verdict"
"""Label of a column that is shown first, though another one names the row."""
INSTANCE = "Instance"
"""Label of a column that names the row, though others stand before it."""
_COLUMNS_SIDE_BY_SIDE = 8
"""Evaluations that are easier to compare as columns; more of them become rows."""


class Column(Struct, frozen=True):
    """The head of a column."""

    label: str
    numeric: bool = True


Cells: TypeAlias = tuple[Column, Callable[[_T], str]]
"""A column, and what makes its cell of a row."""


class Table(Struct, frozen=True):
    """A table; a cell is a Name where it is a short word of somebody else, shown as code."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0
    """Rows that are not shown."""
    is_counted: bool = True
    """Whether the number of its rows belongs to its title."""
    notes: tuple[str, ...] = ()
    """Sentences below the table, in place of a column that would be too wide."""


def tabulate(title: str, columns: Sequence[Cells[_T]], rows: Iterable[_T]) -> Table:
    """Return the table of the rows, whose columns are made by a function each."""
    cells = tuple(tuple(cell(row) for _, cell in columns) for row in rows)
    return Table(title, tuple(column for column, _ in columns), cells)


def cut(table: Table, limit: int | None) -> Table:
    """Return the table's first rows, and count those that are left out."""
    rows = table.rows[:limit]
    left_out = table.left_out + len(table.rows) - len(rows)
    return replace(table, rows=rows, left_out=left_out, notes=table.notes[:limit])


def leaderboard(report: Report, more: Sequence[Cells[LeaderboardRow]] = ()) -> Table:
    """Return the ranking, one row a model, without the columns of which nothing is known.

    more: columns after the others.
    """
    own = {one.model for one in report.evaluations}
    all_own = all(row.model in own for row in report.leaderboard.rows)
    has_iterations = any(row.iteration for row in report.leaderboard.rows)

    def model(row: LeaderboardRow) -> Name:
        return (OwnName if row.model in own and not all_own else Name)(row.model)

    columns: tuple[Cells[LeaderboardRow], ...] = (
        (Column("Rank"), _rank),
        (Column("Model", numeric=False), model),
        *([(Column("Iteration"), lambda row: str(row.iteration))] if has_iterations else []),
        (Column("Tokens"), lambda row: tokens(row.tokens_billions)),
        (Column("Mean"), lambda row: score(row.mean)),
        (Column("Mean win rate"), lambda row: score(row.mean_win_rate)),
        *more,
    )
    table = without_unknown(tabulate("Leaderboard", columns, report.leaderboard.rows))
    return replace(table, notes=tuple(_tie_rule(report)))


def _tie_rule(report: Report) -> Iterator[str]:
    """Yield what a tie is, if there is one."""
    if any(row.tied for row in report.leaderboard.rows):
        alike = "the means are equal, or " if report.leaderboard.untested else ""
        yield f"Tied: {alike}the difference from the first model of the rank isn't significant."


def without_unknown(table: Table) -> Table:
    """Return the table without the columns of which nothing is known."""
    if not table.rows:
        return table
    known = [
        at
        for at in range(len(table.columns))
        if not all(isinstance(row[at], Unknown) for row in table.rows)
    ]
    return replace(
        table,
        columns=tuple(table.columns[at] for at in known),
        rows=tuple(tuple(row[at] for at in known) for row in table.rows),
    )


def _rank(row: LeaderboardRow) -> str:
    if row.rank is None:
        return UNKNOWN
    return f"{row.rank} tied" if row.tied else str(row.rank)


def details(report: Report) -> list[Table]:
    """Return the tables below the leaderboard, without empty ones."""
    candidates = (
        *scores(report),
        means_over_runs(report),
        guests(report),
        unranked(report),
        missing(report),
    )
    return [table for table in candidates if table is not None]


def scores(report: Report) -> list[Table]:
    """Return every score that isn't compared: a table for each curve, and one for the others."""
    models = group_by_model(report.evaluations)
    compared: set[tuple[str, ScoreKey | None]]
    compared = {(one.model, delta.key) for one in report.comparisons for delta in one.deltas}
    curves = [_curve(model, of_model) for model, of_model in models.items() if len(of_model) > 1]
    single = [
        (Name(model), of[0])
        for model, of in models.items()
        if len(of) == 1 and not {(model, key) for key in of[0].scores or [None]} <= compared
    ]
    title = "Scores of the other models" if curves else "Scores"
    return [*curves, _grid(title, single, corner="Model")] if single else curves


def means_over_runs(report: Report) -> Table | None:
    """Return the scores that are means over several runs, with the spread; None if none is."""
    rows = [
        (one, key, score.repeats.values)
        for one in latest(report.evaluations)
        for key, score in one.scores.items()
        if score.repeats
    ]
    if not rows:
        return None
    labels = ("Runs", "Mean", "Lowest", "Highest", "Standard deviation")
    columns = (*text_columns("Metric", "Model"), *map(Column, labels))
    cells = tuple(
        (
            _metric(key, [("", one)]),
            Name(one.model) if len(report.evaluations) > 1 else UNKNOWN,
            str(len(values)),
            *_spread(values, key),
        )
        for one, key, values in rows
    )
    return without_unknown(Table("Means over several runs of a checkpoint", columns, cells))


def _spread(runs: Sequence[float], key: ScoreKey) -> list[str]:
    """Return mean, lowest, highest, and the standard deviation, in one unit."""
    deviation = sqrt(variance(runs))
    known = deviation if isfinite(deviation) else None
    return scores_as_text([mean(runs), min(runs), max(runs), known], key)


def guests(report: Report) -> Table | None:
    """The leaderboard's scores of models that are ranked, and were evaluated by other runs."""
    own = {one.model for one in report.evaluations}
    others = [row for row in report.leaderboard.rows if row.model not in own]
    if not others:
        return None
    metrics = report.leaderboard.metrics
    columns = [scores_as_text([row.scores.get(key) for row in others], key) for key in metrics]
    rows = [(Name(row.model), *cells) for row, *cells in zip(others, *columns, strict=True)]
    title = "Scores of the project's other models" if own else "Scores"
    return _table(title, "Model", [Name(str(key)) for key in metrics], rows)


def _curve(model: str, of_model: Sequence[Evaluation]) -> Table:
    known = any(one.tokens_billions is not None for one in of_model)
    corner = "Iteration (tokens)" if known else "Iteration"
    title = f"{plain(Name(model))} by {corner.lower()}"
    return _grid(title, [(_iteration(one), one) for one in of_model], corner=corner, trend=True)


def _iteration(one: Evaluation) -> str:
    if one.tokens_billions is None:
        return str(one.iteration)
    return f"{one.iteration} ({tokens(one.tokens_billions)})"


def _grid(
    title: str,
    evaluations: Sequence[tuple[str, Evaluation]],
    *,
    corner: str,
    trend: bool = False,
) -> Table:
    """Metrics × evaluations, with the fewer of the two as columns where there are many.

    trend: draw each metric's curve behind its values.
    """
    keys = list(dict.fromkeys(key for _, one in evaluations for key in one.scores))
    values = {
        key: scores_as_text([_value(one, key) for _, one in evaluations], key) for key in keys
    }
    labels = [label for label, _ in evaluations]
    metrics = [_metric(key, evaluations) for key in keys]
    if len(labels) <= _COLUMNS_SIDE_BY_SIDE:
        rows = [(metric, *values[key]) for metric, key in zip(metrics, keys, strict=True)]
        table = _table(title, "Metric", labels, rows)
        return _with_trends(table, keys, evaluations) if trend else table
    rows = [(label, *(values[key][at] for key in keys)) for at, label in enumerate(labels)]
    return _table(title, corner, metrics, rows)


def _with_trends(
    table: Table, keys: Sequence[ScoreKey], evaluations: Sequence[tuple[str, Evaluation]]
) -> Table:
    curves = (trend(key, [_value(one, key) for _, one in evaluations]) for key in keys)
    rows = tuple((*row, curve) for row, curve in zip(table.rows, curves, strict=True))
    return replace(table, columns=(*table.columns, Column("Trend", numeric=False)), rows=rows)


def trend(key: ScoreKey, values: Sequence[float | None]) -> str:
    """Return the curve, with the range that its height shows."""
    known = [value for value in values if value is not None]
    ends = scores_as_text([min(known), max(known)], key) if known else [UNKNOWN]
    return f"{sparkline(values)} {'–'.join(dict.fromkeys(ends))}"


def _table(
    title: str, corner: str, labels: Iterable[str], rows: Iterable[tuple[str, ...]]
) -> Table:
    columns = (Column(corner, numeric=False), *map(Column, labels))
    return Table(title, columns, tuple(rows), is_counted=False)


def _value(one: Evaluation, key: ScoreKey) -> float | None:
    return one.scores[key].value if key in one.scores else None


def _metric(key: ScoreKey, evaluations: Iterable[tuple[str, Evaluation]]) -> Name:
    scores = (one.scores[key] for _, one in evaluations if key in one.scores)
    return metric_name(key, is_lower_better=any(score.lower_is_better for score in scores))


def metric_name(key: ScoreKey, *, is_lower_better: bool | None) -> Name:
    """Return the metric, with an arrow if lower is better."""
    return Name(f"{key} ↓" if is_lower_better else str(key))


def text_columns(*labels: str) -> tuple[Column, ...]:
    """Return columns that hold no numbers."""
    return tuple(Column(label, numeric=False) for label in labels)


def missing(report: Report) -> Table | None:
    """Return the scores that are missing, one row a reason; None if none is.

    The title counts scores, or metrics if no evaluation has any of them.
    """
    models = group_by_model(report.evaluations)
    misses = group_values((miss, one) for one in report.evaluations for miss in one.missing.items())
    keys_by_who = group_values(
        ((_who(several, models), why), str(key)) for (key, why), several in misses.items()
    )
    if not keys_by_who:
        return None
    # The longest cell is last: nothing stands behind it, however wide it is.
    columns = text_columns("Model", "Reason", "Metrics")
    rows = tuple((who, why, ", ".join(keys)) for (who, why), keys in keys_by_who.items())
    count, reasons = sum(map(len, misses.values())), {why for _, why in keys_by_who}
    if len(reasons) > 1:
        return Table(f"{count} missing scores", columns, rows, is_counted=False)
    (reason,) = reasons
    shown = tuple((who, keys) for who, _, keys in rows)
    is_everywhere = count == len(misses) * len(report.evaluations)
    counted = count_noun(len(misses), "metric") if is_everywhere else count_noun(count, "score")
    title = f"{counted}: {reason}"
    return Table(title, (columns[0], columns[2]), shown, is_counted=False)


def _who(misses: Sequence[Evaluation], models: Mapping[str, Sequence[Evaluation]]) -> str:
    """Return `all models`, or the models by name, with the iterations if some are not missing."""
    if len(models) > 1 and len(misses) == sum(map(len, models.values())):
        return "all models"
    names = []
    for model, of_model in group_by_model(misses).items():
        iterations = ", ".join(str(one.iteration) for one in of_model)
        names.append(model if len(of_model) == len(models[model]) else f"{model} at {iterations}")
    return "; ".join(names)


def unranked(report: Report) -> Table | None:
    """Return the models without a rank, one row for each reason; None if all have one."""
    models_by_reason = group_values(
        (row.unranked, row.model) for row in report.leaderboard.rows if row.unranked
    )
    total = len(report.leaderboard.rows)
    rows = tuple(
        ("all models" if len(models) == total > 1 else Name(", ".join(models)), why)
        for why, models in models_by_reason.items()
    )
    columns = text_columns("Model", "Reason")
    return Table("Unranked", columns, rows, is_counted=False) if rows else None


def ranking_rule(report: Report) -> str:
    """Return what the mean is over, what it leaves out, and what the win rate depends on."""
    board = report.leaderboard
    if not board.rows:
        return "All models are excluded by excluded_models of the config."
    rule = mean_rule(report)
    listed = {row.model for row in board.rows}
    excluded = dict.fromkeys(one.model for one in report.evaluations if one.model not in listed)
    if excluded:
        names = join_truncated([plain(Name(model)) for model in excluded])
        rule += f" Not listed: {names} (excluded_models)."
    if board.untested:
        rule += f" Ranks are by the mean alone: {board.untested}."
    if any(row.mean_win_rate is not None for row in board.rows):
        rule += (
            " Mean win rate: the share of the other models that a model beats, averaged over "
            "metrics as in HELM 0.5.4 and newer (older versions count ties differently); it "
            "depends on which models are listed."
        )
    return rule


def mean_rule(report: Report) -> str:
    """Return which metrics the mean is over, and why it leaves out others."""
    board = report.leaderboard
    evaluated = dict.fromkeys(key for one in report.evaluations for key in one.scores)
    left_out = {
        **board.left_out,
        **{key: "not in leaderboard_metrics" for key in evaluated if key not in board.metrics},
    }
    ranking = len(board.ranking_metrics)
    if not ranking:
        rule = "No metric could be averaged over most models."
    elif ranking == 1:
        rule = f"The mean is the value of {board.ranking_metrics[0]}."
    else:
        total = f"{ranking} of {ranking + len(left_out)}" if left_out else f"all {ranking}"
        rule = f"The mean is over {total} metrics."
    keys_by_reason = group_values((why, str(key)) for key, why in left_out.items())
    reasons = (f"{join_truncated(keys)} ({why})" for why, keys in keys_by_reason.items())
    return f"{rule} Left out: {'; '.join(reasons)}." if left_out else rule
