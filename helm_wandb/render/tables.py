"""A Report as tables of text cells: the one form that terminal and Markdown show."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helm_wandb.evaluations import by_model
from helm_wandb.render.safe_text import Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from helm_wandb.model import Evaluation, LeaderboardRow, Report, ScoreKey

UNKNOWN = "–"
_COLUMNS_SIDE_BY_SIDE = 8
"""Evaluations that are easier to compare as columns; more of them become rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column."""

    label: str
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table; a cell is a Name where its words are somebody else's."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


def leaderboard(report: Report) -> Table:
    """The ranking: one row a model."""
    columns = (
        Column("Rank"),
        Column("Model", numeric=False),
        Column("Iteration"),
        Column("Tokens"),
        Column("Mean"),
        Column("Mean win rate"),
    )
    rows = tuple(map(_ranking_row, report.leaderboard.rows))
    return _without_unknown(Table("Leaderboard", columns, rows))


def _without_unknown(table: Table) -> Table:
    """The table less the columns of which nothing is known."""
    known = [at for at in range(len(table.columns)) if any(r[at] != UNKNOWN for r in table.rows)]
    return Table(
        table.title,
        tuple(table.columns[at] for at in known),
        tuple(tuple(row[at] for at in known) for row in table.rows),
    )


def _ranking_row(row: LeaderboardRow) -> tuple[str, ...]:
    rank = UNKNOWN if row.rank is None else f"{row.rank} =" if row.tied else str(row.rank)
    return (
        rank,
        Name(row.model),
        str(row.iteration),
        tokens(row.tokens_billions),
        number(row.mean),
        number(row.mean_win_rate),
    )


def scores(report: Report) -> list[Table]:
    """Every score: a curve for each model with several iterations, one table for the others."""
    models = by_model(report.evaluations)
    curves = [
        _grid(
            f"{model} over training",
            [(_iteration(one), one) for one in of_model],
            corner="Iteration (tokens)",
        )
        for model, of_model in models.items()
        if len(of_model) > 1
    ]
    single = [(Name(model), of[0]) for model, of in models.items() if len(of) == 1]
    return [*curves, _grid("Scores", single, corner="Model")] if single else curves


def _iteration(one: Evaluation) -> str:
    if one.tokens_billions is None:
        return str(one.iteration)
    return f"{one.iteration} ({tokens(one.tokens_billions)})"


def _grid(title: str, evaluations: Sequence[tuple[str, Evaluation]], *, corner: str) -> Table:
    """Metrics × evaluations, with the fewer of the two as columns where there are many."""
    keys = list(dict.fromkeys(key for _, one in evaluations for key in one.scores))
    values = {key: [_value(one, key) for _, one in evaluations] for key in keys}
    labels = [label for label, _ in evaluations]
    metrics = [Name(_metric(key, evaluations)) for key in keys]
    if len(labels) <= _COLUMNS_SIDE_BY_SIDE:
        rows = [(metric, *values[key]) for metric, key in zip(metrics, keys, strict=True)]
        return _table(title, "Metric", labels, rows)
    turned = zip(*values.values(), strict=True)
    rows = [(label, *row) for label, row in zip(labels, turned, strict=True)]
    return _table(title, corner, metrics, rows)


def _table(
    title: str, corner: str, labels: Iterable[str], rows: Iterable[tuple[str, ...]]
) -> Table:
    columns = (Column(corner, numeric=False), *map(Column, labels))
    return Table(title, columns, tuple(rows))


def _value(one: Evaluation, key: ScoreKey) -> str:
    return number(one.scores[key].value if key in one.scores else None)


def _metric(key: ScoreKey, evaluations: Iterable[tuple[str, Evaluation]]) -> str:
    lower = any(one.scores[key].lower_is_better for _, one in evaluations if key in one.scores)
    return f"{key} ↓" if lower else str(key)


def missing(report: Report) -> Table | None:
    """What was asked for and is not there, one row a reason; None where nothing is missing."""
    keys_by_who: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (key, why), who in _who_misses(report.evaluations).items():
        everybody = len(who) == len(report.evaluations)
        keys_by_who["all" if everybody else ", ".join(who), why].append(str(key))
    columns = tuple(Column(label, numeric=False) for label in ("Missing", "For", "Reason"))
    rows = tuple(
        (Name(", ".join(keys)), who if who == "all" else Name(who), Name(why))
        for (who, why), keys in keys_by_who.items()
    )
    return Table("Missing", columns, rows) if rows else None


def _who_misses(evaluations: Iterable[Evaluation]) -> Mapping[tuple[ScoreKey, str], list[str]]:
    found: dict[tuple[ScoreKey, str], list[str]] = defaultdict(list)
    for one in evaluations:
        for key, why in one.missing.items():
            found[key, why].append(f"{one.model} @ {one.iteration}")
    return found


def unranked(report: Report) -> Table | None:
    """Models without a rank, with the reason; None where all have one."""
    rows = tuple(
        (Name(row.model), Name(row.unranked)) for row in report.leaderboard.rows if row.unranked
    )
    columns = (Column("Unranked", numeric=False), Column("Reason", numeric=False))
    return Table("Unranked", columns, rows) if rows else None


def ranking_rule(report: Report) -> str:
    """One sentence: what the mean is over, and what the win rate depends on."""
    board = report.leaderboard
    rule = f"Mean: over {len(board.ranking_metrics)} of {len(board.metrics)} metrics."
    for why, keys in _keys_by_reason(board.left_out).items():
        rule += f" Left out ({why}): {', '.join(keys)}."
    if any(row.mean_win_rate is not None for row in board.rows):
        rule += " Mean win rate: as HELM's; it depends on which models are listed."
    return rule


def _keys_by_reason(left_out: Mapping[ScoreKey, str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for key, why in left_out.items():
        found[why].append(str(key))
    return found


def number(value: float | None) -> str:
    """Three decimals within ±1, else four significant digits; a dash where it is unknown."""
    if value is None:
        return UNKNOWN
    text = f"{value:.3f}" if abs(value) <= 1 else f"{value:.4g}"
    return text.removeprefix("-") if float(text) == 0 else text


def tokens(billions: float | None) -> str:
    """`4.2B`, or a dash where the count is unknown."""
    return UNKNOWN if billions is None else f"{billions:.6g}B"
