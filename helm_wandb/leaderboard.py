"""Evaluations → a ranking of models that nobody's arrival can turn around."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from math import fsum
from typing import TYPE_CHECKING

from helm_wandb.evaluations import latest
from helm_wandb.model import Leaderboard, LeaderboardRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from helm_wandb.model import Evaluation, ScoreKey

_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Column:
    """A metric over all models."""

    values: Mapping[str, float]
    """Model → value, of the models that have it."""
    lower_is_better: bool | None
    partial: Mapping[str, str]
    """Model → over what its value is, where that is less than the others' is over."""


def build(
    evaluations: Iterable[Evaluation],
    *,
    metrics: Sequence[ScoreKey],
    excluded_models: frozenset[str],
) -> Leaderboard:
    """One row per model at its greatest iteration, ranked by the mean of what all models have.

    metrics: those to show and rank by; the ones that no model has are left out silently, as
    every evaluation tells what it misses. A model with none of them counts for nothing.
    A metric makes the mean only if all models have it, higher is better, and it stays within
    0…1: so no model's absence or unit moves another's mean.
    """
    models = [one for one in latest(evaluations) if one.model not in excluded_models]
    compared = [one for one in models if any(key in one.scores for key in metrics)]
    columns = {key: _column(key, compared) for key in dict.fromkeys(metrics)}
    shown = {key: column for key, column in columns.items() if column.values}
    left_out = {
        key: why for key, column in shown.items() if (why := _why_left_out(column, compared))
    }
    ranking = tuple(key for key in shown if key not in left_out)
    win_rates = _mean_win_rates(shown.values())
    rows = [
        _row(one, shown=tuple(shown), ranking=ranking, mean_win_rate=win_rates.get(one.model))
        for one in models
    ]
    return Leaderboard(
        metrics=tuple(shown), ranking_metrics=ranking, left_out=left_out, rows=_ranked(rows)
    )


def _column(key: ScoreKey, models: Sequence[Evaluation]) -> _Column:
    scores = {one.model: one.scores[key] for one in models if key in one.scores}
    known = (score.lower_is_better for score in scores.values())
    directions = [direction for direction in known if direction is not None]
    return _Column(
        values={model: score.value for model, score in scores.items()},
        lower_is_better=max(directions, default=None),
        partial={model: score.partial for model, score in scores.items() if score.partial},
    )


def _why_left_out(column: _Column, models: Sequence[Evaluation]) -> str | None:
    if column.lower_is_better:
        return "lower is better"
    if any(not 0 <= value <= 1 for value in column.values.values()):
        return "its values leave 0…1"
    if column.partial:
        model, part = next(iter(column.partial.items()))
        return f"{model} has it {part}"
    lacking = [one.model for one in models if one.model not in column.values]
    if lacking:
        more = ", …" if len(lacking) > _NAMES_SHOWN else ""
        return f"not all models have it: {', '.join(lacking[:_NAMES_SHOWN])}{more}"
    return None


def _mean_win_rates(columns: Iterable[_Column]) -> dict[str, float]:
    """Model → mean over metrics of the share of other models that it beats.

    As HELM since 0.5.4 computes it (presentation/summarize.py,
    compute_aggregate_row_win_rates): a tie is half a win; a metric counts if it has a
    direction and at least two models have it; the mean is over the metrics a model has.
    """
    rates: dict[str, list[float]] = defaultdict(list)
    for column in columns:
        others = len(column.values) - 1
        if column.lower_is_better is None or others < 1:
            continue
        ordered = sorted(column.values.values())
        for model, value in column.values.items():
            lower, not_higher = bisect_left(ordered, value), bisect_right(ordered, value)
            beaten = len(ordered) - not_higher if column.lower_is_better else lower
            ties = not_higher - lower - 1
            rates[model].append((beaten + ties / 2) / others)
    return {model: fsum(of_model) / len(of_model) for model, of_model in rates.items()}


def _row(
    one: Evaluation,
    *,
    shown: Sequence[ScoreKey],
    ranking: Sequence[ScoreKey],
    mean_win_rate: float | None,
) -> LeaderboardRow:
    scores = {key: one.scores[key].value if key in one.scores else None for key in shown}
    ranked = [one.scores[key].value for key in ranking if key in one.scores]
    mean = fsum(ranked) / len(ranked) if ranked and len(ranked) == len(ranking) else None
    return LeaderboardRow(
        rank=None,
        tied=False,
        model=one.model,
        iteration=one.iteration,
        tokens_billions=one.tokens_billions,
        mean=mean,
        mean_win_rate=mean_win_rate,
        scores=scores,
        unranked=None if mean is not None else _why_unranked(one),
    )


def _why_unranked(one: Evaluation) -> str:
    there = sorted(map(str, one.scores))
    if not there:
        return "it has no score of what was asked for"
    more = ", …" if len(there) > _NAMES_SHOWN else ""
    return (
        "no ranking metric can be averaged over all models; this one has: "
        f"{', '.join(there[:_NAMES_SHOWN])}{more}. Name what to rank by under leaderboard_metrics"
    )


def _ranked(rows: Iterable[LeaderboardRow]) -> tuple[LeaderboardRow, ...]:
    """The rows with ranks, best first; equal means share one, and the next rank counts them."""
    order = sorted(rows, key=lambda row: (-_mean_or_least(row), row.model))
    counts = Counter(row.mean for row in order)
    first_of: dict[float, int] = {}
    ranked = []
    for place, row in enumerate(order, 1):
        if row.mean is not None:
            rank = first_of.setdefault(row.mean, place)
            row = replace(row, rank=rank, tied=counts[row.mean] > 1)  # noqa: PLW2901 -- ranked now
        ranked.append(row)
    return tuple(ranked)


def _mean_or_least(row: LeaderboardRow) -> float:
    return float("-inf") if row.mean is None else row.mean
