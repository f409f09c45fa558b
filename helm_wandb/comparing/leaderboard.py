"""Evaluations → a ranking of models that nobody's arrival can turn around."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from math import fsum
from typing import TYPE_CHECKING

from helm_wandb.comparing.evaluations import latest
from helm_wandb.model import Leaderboard, LeaderboardRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from helm_wandb.model import Evaluation, ScoreKey

_NAMES_SHOWN = 3
_NOT_READ = "print-only reads per-instance scores only with --report FILE or --baseline FILE"


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


def build(  # noqa: PLR0913 -- what a ranking depends on, each by its name
    evaluations: Iterable[Evaluation],
    *,
    metrics: Sequence[ScoreKey],
    excluded_models: frozenset[str],
    guests: Iterable[Evaluation] = (),
    alpha: float = 0.05,
    instances_read: bool = True,
) -> Leaderboard:
    """One row per model at its greatest iteration, ranked by the mean of what all models have.

    metrics: those to show and rank by; the ones that no model has are left out silently, as
    every evaluation tells what it misses. A model with none of them counts for nothing.
    guests: models of other runs. They are ranked by the metrics that this run's own models
    settle; one that lacks one of these is listed without a rank. Without own models, the metrics
    are those that most guests have.
    alpha: the chance of separating models of a rank that are equal.
    instances_read: whether per-instance scores were looked for; where not, it is told how to.
    A metric makes the mean only if all own models have it, higher is better, and it stays within
    0…1: so no model's absence or unit moves another's mean.
    """
    own = [one for one in latest(evaluations) if one.model not in excluded_models]
    names = {one.model for one in own} | excluded_models
    others = [one for one in latest(guests) if one.model not in names]
    models = sorted([*own, *others], key=lambda one: one.model)
    shown = _columns(metrics, own, others)
    left_out = _left_out(shown, own, others)
    ranking = {key: column for key, column in shown.items() if key not in left_out}
    ranked, untested = _ranked(
        _rows(models, shown, ranking),
        {one.model: one for one in models},
        tuple(ranking),
        alpha=alpha,
        instances_read=instances_read,
    )
    return Leaderboard(
        metrics=tuple(shown),
        ranking_metrics=tuple(ranking),
        left_out=left_out,
        rows=ranked,
        untested=untested,
    )


def _columns(
    metrics: Iterable[ScoreKey], own: Sequence[Evaluation], guests: Sequence[Evaluation]
) -> dict[ScoreKey, _Column]:
    """The metrics that any model has."""
    columns = {key: _column(key, own, guests) for key in dict.fromkeys(metrics)}
    return {key: column for key, column in columns.items() if column.values}


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


def _rows(
    models: Iterable[Evaluation],
    shown: Mapping[ScoreKey, _Column],
    ranking: Mapping[ScoreKey, _Column],
) -> list[LeaderboardRow]:
    """A row for each model, without ranks."""
    win_rates = _mean_win_rates(shown.values())
    return [
        _row(one, shown=tuple(shown), ranking=ranking, mean_win_rate=win_rates.get(one.model))
        for one in models
    ]


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
    instances_read: bool,
) -> tuple[tuple[LeaderboardRow, ...], str | None]:
    """The rows with ranks, best first, and which ranks are by the mean alone, and why.

    Models that a paired test does not separate from the best of a rank share it; the next rank
    counts them all. A model that cannot be tested against that best takes the rank of its mean,
    and ends the one above it: else models below it would stand better than it. It shares its own
    only with equal means.
    """
    order = sorted(rows, key=lambda row: (-_mean_or_least(row), row.model))
    listed = [row for row in order if row.mean is not None]
    ranked: list[LeaderboardRow] = []
    strangers: list[tuple[str, str]] = []
    while len(ranked) < len(listed):
        left = listed[len(ranked) :]
        anchor, *others = (models[row.model] for row in left)
        tied, stranger = _tied(anchor, others, ranking, alpha)
        size = max(1 + tied, sum(row.mean == left[0].mean for row in left))
        rank = len(ranked) + 1
        ranked += [replace(row, rank=rank, tied=size > 1) for row in left[:size]]
        if stranger is not None and size == 1 + tied:
            strangers.append((stranger, anchor.model))
    unranked = [row for row in order if row.mean is None]
    ranks_of = [models[row.model] for row in listed]
    told = _untested(ranks_of, strangers, ranking, instances_read=instances_read)
    return (*ranked, *unranked), told


def _untested(
    models: Sequence[Evaluation],
    strangers: Sequence[tuple[str, str]],
    ranking: Sequence[ScoreKey],
    *,
    instances_read: bool,
) -> str | None:
    """Which ranks are by the mean alone, and why; None where none is, or there is no other.

    strangers: models that were asked other questions, each with the best of the rank above it.
    """
    if len(models) == 1:
        return None
    lacking = [one.model for one in models if not _has_instances(one, ranking)]
    if lacking and len(models) - len(lacking) <= 1:
        unread = not instances_read and any(one.origin.source == "helm" for one in models)
        return _NOT_READ if unread else f"no per-instance scores of {lacking[0]} are at hand"
    if len(models) == 1 + len(strangers):
        return "; ".join(f"{one} was asked other questions than {best}" for one, best in strangers)
    some = f"those of {_some(lacking)}, without per-instance scores at hand"
    told = [f"{some}; no tie reaches across them"] if lacking else []
    told += [f"that of {one}, asked other questions than {best}" for one, best in strangers]
    return "; ".join(told) or None


def _has_instances(one: Evaluation, ranking: Sequence[ScoreKey]) -> bool:
    return all(one.scores[key].instances is not None for key in ranking)


def _tied(
    anchor: Evaluation, others: Sequence[Evaluation], ranking: Sequence[ScoreKey], alpha: float
) -> tuple[int, str | None]:
    """How many of the others, best first, a test does not separate from the anchor.

    Each is tested by the mean over the ranking metrics; Holm's adjustment is over these tests.
    The first that is separated, or cannot be tested, ends the rank, whatever stands below it.
    The other result is the model that ended it since it was asked other questions, if one did.
    """
    from helm_wandb.comparing import statistics  # noqa: PLC0415 -- only where there are instances

    if not _has_instances(anchor, ranking):
        return 0, None

    @cache
    def p_value(at: int) -> float | None:
        return _p_value(others[at], anchor, ranking)

    def is_apart(at: int, p: float) -> bool:
        """Whether the adjusted p is under alpha; the other tests are made only if it takes them."""
        if p >= alpha or p * len(others) < alpha:
            return p < alpha
        adjusted = statistics.adjusted(list(map(p_value, range(len(others)))))[at]
        return adjusted is not None and adjusted < alpha

    for at, other in enumerate(others):
        p = p_value(at)
        if p is None:
            return at, other.model if _has_instances(other, ranking) else None
        if is_apart(at, p):
            return at, None
    return len(others), None


def _p_value(one: Evaluation, anchor: Evaluation, ranking: Sequence[ScoreKey]) -> float | None:
    """Of no difference in the mean over the ranking metrics; None where it cannot be tested."""
    from helm_wandb.comparing import pairing, statistics  # noqa: PLC0415 -- only where there are instances

    estimates = []
    for here, there in ((one.scores[key], anchor.scores[key]) for key in ranking):
        if here.instances is None or there.instances is None:
            return None
        pairs = pairing.paired(here.instances, there.instances)
        if pairs.share < pairing.LEAST_SHARE:
            return None
        if not pairs.is_testable:
            return 1.0
        estimates.append(statistics.paired(pairs.strata))
    found = statistics.overall(estimates)
    return 1.0 if found.p is None else found.p


def _mean_or_least(row: LeaderboardRow) -> float:
    return float("-inf") if row.mean is None else row.mean
