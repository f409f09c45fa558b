"""Evaluations → a ranking of models that doesn't depend on which other models are in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from math import fsum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.comparing.evaluations import latest, parts_of_others, with_directions
from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.model import Config, Evaluation, Leaderboard, LeaderboardRow, ScoreKey

if TYPE_CHECKING:
    from helm_wandb.comparing.pairing import Pairs

_NAMES_SHOWN = 3
_NOT_READ = "print-only reads per-instance scores only with --report FILE or --baseline FILE"


class _Column(Struct, frozen=True):
    """A metric over all models."""

    values: Mapping[str, float]
    """Value of each model that has the metric."""
    lower_is_better: bool | None
    partial: Mapping[str, str]
    """For each model whose value covers fewer subjects than the others': which it covers."""

    def is_averageable(self, model: str) -> bool:
        """Return whether the model's value can be part of a mean."""
        return 0 <= self.values.get(model, -1) <= 1 and model not in self.partial


def rank_models(
    evaluations: Iterable[Evaluation],
    guests: Iterable[Evaluation],
    config: Config,
    *,
    instances_read: bool = True,
) -> Leaderboard:
    """Return the ranking of this run's models and of the project's others, as the config says.

    evaluations: with the config's directions. The other arguments are those of `build`.
    """
    return build(
        evaluations,
        guests=with_directions(guests, config.compare),
        metrics=config.leaderboard_metrics,
        excluded_models=config.excluded_models,
        alpha=config.compare.alpha,
        instances_read=instances_read,
    )


def build(  # noqa: PLR0913 -- what a ranking depends on, each by its name
    evaluations: Iterable[Evaluation],
    *,
    metrics: Sequence[ScoreKey],
    excluded_models: frozenset[str],
    guests: Iterable[Evaluation] = (),
    alpha: float = 0.05,
    instances_read: bool = True,
) -> Leaderboard:
    """Return one row per model at its latest iteration, ranked by the mean of common metrics.

    metrics: metrics to show and rank by. A metric that no model has is left out silently, since
    each evaluation says which scores it lacks. A model without any of them doesn't count. If none
    of the core metrics can rank, those that this run's evaluations requested take their place.
    guests: models of other runs, ranked by the metrics that all of this run's models have; a guest
    that lacks one of these has no rank. Without own models, the metrics are those that most guests
    have.
    alpha: the probability of separating equal models of a rank.
    instances_read: whether per-instance scores were read; if not, a sentence says how to do it.
    A metric is part of the mean only if all own models have it, higher is better, and its values
    are within 0…1: so no model's absence or unit changes another's mean. If no metric is left by
    this rule, those that most own models have rank, and the others are unranked.
    """
    own = [one for one in latest(evaluations) if one.model not in excluded_models]
    names = {one.model for one in own} | excluded_models
    others = [one for one in latest(guests) if one.model not in names]
    models = sorted([*own, *others], key=lambda one: one.model)
    shown, left_out = _choose_columns(metrics, own, others)
    ranking = {key: column for key, column in shown.items() if key not in left_out}
    ranked, untested = _rank(
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


def _choose_columns(
    metrics: Sequence[ScoreKey], own: Sequence[Evaluation], guests: Sequence[Evaluation]
) -> tuple[dict[ScoreKey, _Column], dict[ScoreKey, str]]:
    """Return the metrics to show, and those of them that are not in the mean, with the reason."""
    requested = tuple(dict.fromkeys(key for one in own for key in (*one.scores, *one.missing)))
    last = requested if requested and tuple(metrics) == CORE_METRICS else metrics
    shown: dict[ScoreKey, _Column] = {}
    left_out: dict[ScoreKey, str] = {}
    for keys, is_strict in ((metrics, True), (last, True), (last, False)):
        if len(left_out) == len(shown):
            shown = _columns(keys, own, guests)
            left_out = _excluded_metrics(shown, own, guests, is_strict=is_strict)
    return shown, left_out


def _columns(
    metrics: Iterable[ScoreKey], own: Sequence[Evaluation], guests: Sequence[Evaluation]
) -> dict[ScoreKey, _Column]:
    """Return the metrics that any model has."""
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
    directions = (one.scores[key].lower_is_better for one in models if key in one.scores)
    return max((direction for direction in directions if direction is not None), default=None)


def _excluded_metrics(
    columns: Mapping[ScoreKey, _Column],
    own: Sequence[Evaluation],
    guests: Sequence[Evaluation],
    *,
    is_strict: bool,
) -> dict[ScoreKey, str]:
    """Return the metrics that are not in the mean, with the reason; own models decide.

    is_strict: a metric that one of the own models lacks is not in it.
    """

    def names_with_scores(models: Sequence[Evaluation]) -> list[str]:
        return [one.model for one in models if any(key in one.scores for key in columns)]

    deciding = names_with_scores(own)
    compared = deciding or names_with_scores(guests)
    excluded = {}
    for key, column in columns.items():
        if column.lower_is_better:
            why: str | None = "lower is better"
        else:
            rule = _why_excluded if deciding and is_strict else _why_rare
            why = rule(column, compared)
        if why:
            excluded[key] = why
    counted = {
        key: score
        for one in own or guests
        for key, score in one.scores.items()
        if key in columns and key not in excluded
    }
    parts = parts_of_others(counted).items()
    return excluded | {part: f"part of {whole.benchmark}" for part, whole in parts}


def _why_excluded(column: _Column, models: Sequence[str]) -> str | None:
    values = [column.values[model] for model in models if model in column.values]
    if any(not 0 <= value <= 1 for value in values):
        return "its values leave 0…1"
    partial = next((model for model in models if model in column.partial), None)
    if partial is not None:
        return f"{partial} has it {column.partial[partial]}"
    lacking = [model for model in models if model not in column.values]
    return f"not all models have it: {_join_names(lacking)}" if lacking else None


def _why_rare(column: _Column, models: Sequence[str]) -> str | None:
    if column.values and not any(0 <= value <= 1 for value in column.values.values()):
        return "its values leave 0…1"
    counted = sum(column.is_averageable(model) for model in models)
    return None if 2 * counted > len(models) else f"{counted} of {len(models)} models have it"


def _join_names(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")


def _mean_win_rates(columns: Iterable[_Column]) -> dict[str, float]:
    """Return for each model the mean over metrics of the share of other models that it beats.

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
    return {model: fsum(shares) / len(shares) for model, shares in rates.items()}


def _rows(
    models: Iterable[Evaluation],
    shown: Mapping[ScoreKey, _Column],
    ranking: Mapping[ScoreKey, _Column],
) -> list[LeaderboardRow]:
    """Return a row for each model, without ranks."""
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
    lacking = [key for key, column in ranking.items() if not column.is_averageable(one.model)]
    values = [one.scores[key].value for key in ranking] if ranking and not lacking else []
    mean = fsum(values) / len(values) if values else None
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


def _why_unranked(one: Evaluation, shown: Sequence[ScoreKey], lacking: Sequence[ScoreKey]) -> str:
    if not one.scores:
        return "it has no score of the requested metrics"
    if not any(key in one.scores for key in shown):
        return (
            f"it has none of the ranking metrics, only {_join_names(sorted(map(str, one.scores)))}"
        )
    if not lacking:
        return "no metric can be averaged over most models"
    reasons = [f"{key} ({_why_lacking(one, key)})" for key in lacking]
    return f"it lacks metrics of the mean: {_join_names(reasons)}"


def _why_lacking(one: Evaluation, key: ScoreKey) -> str:
    score = one.scores.get(key)
    if score is None:
        return "missing"
    return score.partial or f"{score.value:g} is not within 0…1"


def _rank(
    rows: Iterable[LeaderboardRow],
    models: Mapping[str, Evaluation],
    ranking: Sequence[ScoreKey],
    *,
    alpha: float,
    instances_read: bool,
) -> tuple[tuple[LeaderboardRow, ...], str | None]:
    """Return the rows with ranks, best first, and which ranks are by the mean alone, and why.

    Models that a paired test doesn't separate from the best of a rank share it; the next rank
    counts them all. A model that can't be tested against that best gets the rank of its mean and
    ends the one above it: otherwise models below it would rank better. It shares its rank only
    with equal means.
    """
    order = sorted(rows, key=lambda row: (row.mean is None, -(row.mean or 0), row.model))
    listed = [row for row in order if row.mean is not None]
    ranked: list[LeaderboardRow] = []
    reasons: list[tuple[str, str]] = []
    while len(ranked) < len(listed):
        rest = listed[len(ranked) :]
        anchor, *others = (models[row.model] for row in rest)
        tied, untestable = _count_tied(anchor, others, ranking, alpha)
        size = max(1 + tied, sum(row.mean == rest[0].mean for row in rest))
        rank = len(ranked) + 1
        ranked += [replace(row, rank=rank, tied=size > 1) for row in rest[:size]]
        if untestable is not None and size == 1 + tied:
            reasons.append(untestable)
    unranked = [row for row in order if row.mean is None]
    evaluations = [models[row.model] for row in listed]
    untested = _why_untested(evaluations, reasons, ranking, instances_read=instances_read)
    return (*ranked, *unranked), untested


def _why_untested(
    models: Sequence[Evaluation],
    reasons: Sequence[tuple[str, str]],
    ranking: Sequence[ScoreKey],
    *,
    instances_read: bool,
) -> str | None:
    """Return which ranks are by the mean alone, and why; None if none is, or there is one model.

    reasons: models that can't be tested against the best of the rank above them, and why.
    """
    if len(models) == 1:
        return None
    without = _without_instances(models, ranking)
    lacking = [_name_lacking(model, metrics, ranking) for model, metrics in without.items()]
    if lacking and len(models) - len(lacking) <= 1:
        first, *others = without.values()
        is_of_metrics = len(first) < len(ranking) and others and all(one == first for one in others)
        names = _join_names(first) if is_of_metrics else lacking[0]
        return f"no per-instance scores of {names} are at hand" if instances_read else _NOT_READ
    if len(models) == 1 + len(reasons):
        return "; ".join(f"{model} {why}" for model, why in reasons)
    names = f"those of {_join_names(lacking)}, without per-instance scores at hand"
    parts = [f"{names}; no tie reaches across them"] if lacking else []
    parts += [f"that of {model}, which {why}" for model, why in reasons]
    return "; ".join(parts) or None


def _without_instances(
    models: Sequence[Evaluation], ranking: Sequence[ScoreKey]
) -> dict[str, list[str]]:
    """Return the models without per-instance scores of some metrics, and these metrics."""
    lacking = {
        one.model: [str(key) for key in ranking if one.scores[key].instances is None]
        for one in models
    }
    return {model: metrics for model, metrics in lacking.items() if metrics}


def _name_lacking(model: str, metrics: Sequence[str], ranking: Sequence[ScoreKey]) -> str:
    return model if len(metrics) == len(ranking) else f"{model} (for {_join_names(metrics)})"


def _count_tied(
    anchor: Evaluation, others: Sequence[Evaluation], ranking: Sequence[ScoreKey], alpha: float
) -> tuple[int, tuple[str, str] | None]:
    """Return how many of the others, best first, a test doesn't separate from the anchor.

    Each is tested by the mean over the ranking metrics; Holm's adjustment is over these tests.
    The first that is separated, or can't be tested, ends the rank, whatever follows. The other
    result is the model that can't be tested though it has per-instance scores, and why.
    """
    if _without_instances([anchor], ranking):
        return 0, None

    @cache
    def test(at: int) -> float | str | None:
        return _test(others[at], anchor, ranking)

    def p_value(at: int) -> float | None:
        result = test(at)
        return result if isinstance(result, float) else None

    for at, other in enumerate(others):
        p = p_value(at)
        if p is None:
            why = test(at)
            return at, (other.model, why) if isinstance(why, str) else None
        if is_apart(p, p_value, len(others), alpha):
            return at, None
    return len(others), None


def is_apart(p: float, p_value: Callable[[int], float | None], count: int, alpha: float) -> bool:
    """Return whether one of so many p-values, adjusted, is under alpha.

    Other tests run only if it needs them, those of the lowest means first. The p-values that are
    under alpha by their number pass Holm's first steps, whatever the others are.
    """
    if p >= alpha or p * count < alpha:
        return p < alpha
    passed = 0
    for at in reversed(range(count)):
        other = p_value(at)
        passed += other is not None and other * count < alpha
        if (count - passed) * p < alpha:
            return True
    from helm_wandb.comparing import statistics  # noqa: PLC0415 -- only if there are instances

    p_values = [p_value(at) for at in range(count)]
    adjusted = statistics.adjusted(p_values)[p_values.index(p)]
    return adjusted is not None and adjusted < alpha


def _test(one: Evaluation, anchor: Evaluation, ranking: Sequence[ScoreKey]) -> float | str | None:
    """Return the p-value for the mean over the ranking metrics, or why it can't be tested.

    None if per-instance scores are lacking. Metrics of one benchmark are over the same questions.
    """
    from helm_wandb.comparing import pairing, statistics  # noqa: PLC0415 -- only if there are instances

    benchmarks: dict[str, list[Pairs]] = defaultdict(list)
    for key in ranking:
        pairs = _pair(key, one, anchor)
        if not isinstance(pairs, pairing.Pairs):
            return pairs
        benchmarks[key.benchmark].append(pairs)
    estimates = {name: pairing.estimate(metrics) for name, metrics in benchmarks.items()}
    for name, estimate in estimates.items():
        if estimate.why:
            return f"can't be tested against {anchor.model}: {name}: {estimate.why}"
    weights = [len(metrics) for metrics in benchmarks.values()]
    return statistics.overall(list(estimates.values()), weights=weights).p


def _pair(key: ScoreKey, one: Evaluation, anchor: Evaluation) -> Pairs | str | None:
    """Return the questions of both models, or why they can't be tested, as `_test` does."""
    from helm_wandb.comparing import pairing  # noqa: PLC0415 -- only if there are instances

    pairs = pairing.pair_scores(one.scores[key], anchor.scores[key])
    if pairs is None:
        return None
    if pairs.share < pairing.LEAST_SHARE:
        return f"has other questions than {anchor.model}"
    if not pairs.is_testable:
        return f"can't be tested against {anchor.model}: {key}: {pairing.WHY_UNTESTABLE}"
    return pairs
