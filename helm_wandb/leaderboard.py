"""Evaluations → a ranking of models that nobody's arrival can turn around."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
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

    def counts(self, model: str) -> bool:
        """Whether the model's value can be part of a mean."""
        return 0 <= self.values.get(model, -1) <= 1 and model not in self.partial


def build(
    evaluations: Iterable[Evaluation],
    *,
    metrics: Sequence[ScoreKey],
    excluded_models: frozenset[str],
    guests: Iterable[Evaluation] = (),
    alpha: float = 0.05,
) -> Leaderboard:
    """One row per model at its greatest iteration, ranked by the mean of what all models have.

    metrics: those to show and rank by; the ones that no model has are left out silently, as
    every evaluation tells what it misses. A model with none of them counts for nothing.
    guests: models of other runs. They are ranked by the metrics that this run's own models
    settle; one that lacks one of these is listed without a rank. Without own models, the metrics
    are those that most guests have.
    alpha: the chance of separating models of a rank that are equal.
    A metric makes the mean only if all own models have it, higher is better, and it stays within
    0…1: so no model's absence or unit moves another's mean.
    """
    own = [one for one in latest(evaluations) if one.model not in excluded_models]
    names = {one.model for one in own} | excluded_models
    others = [one for one in latest(guests) if one.model not in names]
    models = sorted([*own, *others], key=lambda one: one.model)
    columns = {key: _column(key, own, others) for key in dict.fromkeys(metrics)}
    shown = {key: column for key, column in columns.items() if column.values}
    left_out = _left_out(shown, own, others)
    ranking = {key: column for key, column in shown.items() if key not in left_out}
    win_rates = _mean_win_rates(shown.values())
    rows = [
        _row(one, shown=tuple(shown), ranking=ranking, mean_win_rate=win_rates.get(one.model))
        for one in models
    ]
    by_name = {one.model: one for one in models}
    ranked, untested = _ranked(rows, by_name, tuple(ranking), alpha=alpha)
    return Leaderboard(
        metrics=tuple(shown),
        ranking_metrics=tuple(ranking),
        left_out=left_out,
        rows=ranked,
        untested=untested,
    )


def _column(key: ScoreKey, own: Sequence[Evaluation], guests: Sequence[Evaluation]) -> _Column:
    scores = {one.model: one.scores[key] for one in (*own, *guests) if key in one.scores}
    return _Column(
        values={model: score.value for model, score in scores.items()},
        lower_is_better=_direction(key, own)
        if any(key in one.scores for one in own)
        else _direction(key, guests),
        partial={model: score.partial for model, score in scores.items() if score.partial},
    )


def _direction(key: ScoreKey, models: Sequence[Evaluation]) -> bool | None:
    known = (one.scores[key].lower_is_better for one in models if key in one.scores)
    return max((direction for direction in known if direction is not None), default=None)


def _left_out(
    columns: Mapping[ScoreKey, _Column], own: Sequence[Evaluation], guests: Sequence[Evaluation]
) -> dict[ScoreKey, str]:
    """The metrics that make no mean, with the reason; this run's own models settle it."""

    def with_any(models: Sequence[Evaluation]) -> list[str]:
        return [one.model for one in models if any(key in one.scores for key in columns)]

    settling = with_any(own)
    compared = settling or with_any(guests)
    found = {}
    for key, column in columns.items():
        if column.lower_is_better:
            why: str | None = "lower is better"
        else:
            why = (_why_left_out if settling else _why_rare)(column, compared)
        if why:
            found[key] = why
    return found


def _why_left_out(column: _Column, models: Sequence[str]) -> str | None:
    values = [column.values[model] for model in models if model in column.values]
    if any(not 0 <= value <= 1 for value in values):
        return "its values leave 0…1"
    partial = next((model for model in models if model in column.partial), None)
    if partial is not None:
        return f"{partial} has it {column.partial[partial]}"
    lacking = [model for model in models if model not in column.values]
    return f"not all models have it: {_some(lacking)}" if lacking else None


def _why_rare(column: _Column, models: Sequence[str]) -> str | None:
    counted = sum(column.counts(model) for model in models)
    return None if 2 * counted > len(models) else f"{counted} of {len(models)} models have it"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")


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
    ranking: Mapping[ScoreKey, _Column],
    mean_win_rate: float | None,
) -> LeaderboardRow:
    scores = {key: one.scores[key].value if key in one.scores else None for key in shown}
    lacking = [str(key) for key, column in ranking.items() if not column.counts(one.model)]
    whole = [one.scores[key].value for key in ranking] if ranking and not lacking else []
    mean = fsum(whole) / len(whole) if whole else None
    return LeaderboardRow(
        rank=None,
        tied=False,
        model=one.model,
        iteration=one.iteration,
        tokens_billions=one.tokens_billions,
        mean=mean,
        mean_win_rate=mean_win_rate,
        scores=scores,
        unranked=None if mean is not None else _why_unranked(one, shown, lacking),
    )


def _why_unranked(one: Evaluation, shown: Sequence[ScoreKey], lacking: Sequence[str]) -> str:
    there = sorted(map(str, one.scores))
    if not there:
        return "it has no score of what was asked for"
    if lacking and any(key in one.scores for key in shown):
        return f"missing, partial or not within 0…1, of what the mean is over: {_some(lacking)}"
    return (
        "no ranking metric can be averaged over all models; this one has: "
        f"{_some(there)}. Name what to rank by under leaderboard_metrics"
    )


def _ranked(
    rows: Iterable[LeaderboardRow],
    models: Mapping[str, Evaluation],
    ranking: Sequence[ScoreKey],
    *,
    alpha: float,
) -> tuple[tuple[LeaderboardRow, ...], str | None]:
    """The rows with ranks, best first, and why ranks are by the mean alone, where they are.

    Models that a paired test does not separate from the best of a rank share it; the next rank
    counts them all. Without a test only equal means share one.
    """
    order = sorted(rows, key=lambda row: (-_mean_or_least(row), row.model))
    listed = [row for row in order if row.mean is not None]
    untested = _why_untested([models[row.model] for row in listed], ranking)
    ranked: list[LeaderboardRow] = []
    while len(ranked) < len(listed):
        left = listed[len(ranked) :]
        size = (
            _equal(left) if untested else _tied([models[row.model] for row in left], ranking, alpha)
        )
        rank = len(ranked) + 1
        ranked += [replace(row, rank=rank, tied=size > 1) for row in left[:size]]
    unranked = [row for row in order if row.mean is None]
    return (*ranked, *unranked), untested if len(listed) > 1 else None


def _why_untested(models: Sequence[Evaluation], ranking: Sequence[ScoreKey]) -> str | None:
    lacking = next(
        (one.model for one in models for key in ranking if one.scores[key].instances is None), None
    )
    if lacking is not None:
        return f"no per-instance scores of {lacking} are at hand"
    strangers = (one.model for one in models[1:] if not _same_questions(one, models[0], ranking))
    stranger = next(strangers, None)
    return stranger and f"{stranger} was asked other questions than {models[0].model}"


def _same_questions(one: Evaluation, other: Evaluation, ranking: Sequence[ScoreKey]) -> bool:
    from helm_wandb import pairing  # noqa: PLC0415 -- only where there are instances

    sides = ((one.scores[key].instances, other.scores[key].instances) for key in ranking)
    return all(
        pairing.paired(here, there).share >= pairing.LEAST_SHARE
        for here, there in sides
        if here and there
    )


def _equal(rows: Sequence[LeaderboardRow]) -> int:
    """How many of the rows have the mean of the first."""
    return sum(row.mean == rows[0].mean for row in rows)


def _tied(models: Sequence[Evaluation], ranking: Sequence[ScoreKey], alpha: float) -> int:
    """How many of the models, best first, are not separated from the first.

    Each is tested against it, by the mean over the ranking metrics; Holm's adjustment is over
    these tests. The first that is separated ends the rank, whatever stands below it.
    """
    from helm_wandb import intervals, pairing  # noqa: PLC0415 -- only where there are instances

    anchor, *others = models

    @cache
    def p_value(at: int) -> float | None:
        estimates = []
        for here, there in ((others[at].scores[key], anchor.scores[key]) for key in ranking):
            if here.instances is None or there.instances is None:
                return None
            pairs = pairing.paired(here.instances, there.instances)
            if pairs.share < pairing.LEAST_SHARE or not pairs.is_testable:
                return None
            estimates.append(intervals.paired(pairs.strata))
        return intervals.overall(estimates).p

    def is_apart(at: int) -> bool:
        """Whether the adjusted p is under alpha; the other tests are made only if it takes them."""
        p = p_value(at)
        if p is None or p >= alpha or p * len(others) < alpha:
            return p is not None and p < alpha
        adjusted = intervals.adjusted(list(map(p_value, range(len(others)))))[at]
        return adjusted is not None and adjusted < alpha

    return next((at + 1 for at in range(len(others)) if is_apart(at)), len(models))


def _mean_or_least(row: LeaderboardRow) -> float:
    return float("-inf") if row.mean is None else row.mean
