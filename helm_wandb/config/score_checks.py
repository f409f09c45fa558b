"""Problems of a config that only the run's scores show."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from helm_wandb.comparing.evaluations import group_values
from helm_wandb.config.yaml_syntax import shown
from helm_wandb.errors import Problem
from helm_wandb.model import DEFAULT_EFFECT, Config, ConfigName, Evaluation, Policy, Score, ScoreKey
from helm_wandb.text.nearest import nearest_first
from helm_wandb.text.quantities import percent_hint
from helm_wandb.text.words import join_truncated

_MODELS = "excluded_models"
_LARGEST_EFFECT = 0.5
"""Least change of a score within 0–1 that is refused: it was probably meant in points."""


def unmatched_names(config: Config, evaluations: Iterable[Evaluation]) -> tuple[Problem, ...]:
    """Return a problem for each metric or benchmark of the config that no evaluation has.

    A score that is missing with a reason counts as one that the evaluation has. Each problem
    gives the nearest name that exists; without evaluations there are no problems.
    """
    keys = dict.fromkeys(key for one in evaluations for key in (*one.scores, *one.missing))
    return tuple(_unmatched(config.names, keys)) if keys else ()


def _unmatched(names: Iterable[ConfigName], keys: Collection[ScoreKey]) -> Iterator[Problem]:
    benchmarks = list(dict.fromkeys(key.benchmark for key in keys))
    for one in (one for one in names if one.key != _MODELS):
        is_benchmark = one.key == "clusters" or (one.key == "warn_only" and "." not in one.name)
        existing = benchmarks if is_benchmark else list(map(str, keys))
        if one.name not in existing and one.name != DEFAULT_EFFECT:
            nearest = nearest_first(existing, one.name)[0]
            message = f"no evaluation of this run has {shown(one.name)}; the nearest name is "
            yield Problem(one.place, one.path, message + shown(nearest))


def unmatched_models(config: Config, evaluations: Iterable[Evaluation]) -> tuple[Problem, ...]:
    """Return a problem for each name under `excluded_models` that no evaluation has.

    evaluations: of all models that could be ranked; without any there are no problems.
    """
    models = list(dict.fromkeys(one.model for one in evaluations))
    message = "the ranking has no model {} to leave out; the nearest name is {}"
    return tuple(
        Problem(one.place, one.path, message.format(shown(one.name), shown(nearest)))
        for one in config.names
        if one.key == _MODELS and models and one.name not in models
        for nearest in nearest_first(models, one.name)[:1]
    )


def excessive_effects(config: Config, evaluations: Iterable[Evaluation]) -> tuple[Problem, ...]:
    """Return a problem for each `min_effect` that hides almost any change of a score within 0–1."""
    scores = group_values(score for one in evaluations for score in one.scores.items())
    effects = config.compare.min_effects
    hidden = [
        (key if key in effects else DEFAULT_EFFECT, str(key))
        for key, several in scores.items()
        if _are_within_scale(several)
    ]
    mean = [(DEFAULT_EFFECT, "the mean over the benchmarks")] if hidden else []
    hidden_by_name = group_values([*hidden, *mean])
    return tuple(
        Problem(one.place, one.path, _excess(effect, hidden_by_name[one.name]))
        for one in config.names
        if one.key == "min_effect" and one.name in hidden_by_name
        if (effect := _effect(one.name, config.compare)) >= _LARGEST_EFFECT
    )


def floors_outside_scale(config: Config, evaluations: Iterable[Evaluation]) -> tuple[Problem, ...]:
    """Return a problem for each floor outside 0–1 of a metric that is a share of right answers.

    Such a floor fails every run, or none. Other scores may leave 0–1 though none does in this run.
    """
    scores = group_values(score for one in evaluations for score in one.scores.items())
    floors = config.compare.floor
    return tuple(
        Problem(one.place, one.path, _outside(floors[key], key))
        for one in config.names
        if one.key == "floor"
        if not 0 <= floors[key := ScoreKey.parse(one.name)] <= 1
        if _are_shares(scores.get(key, ()))
    )


def _are_shares(scores: Sequence[Score]) -> bool:
    """Return whether all instances are answers that are right or wrong, and both occur."""
    values = {value for one in scores for value in (one.instances.value if one.instances else [-1])}
    return values == {0, 1}


def _outside(floor: float, key: ScoreKey) -> str:
    hint = percent_hint(floor)
    points = f"{hint}; " if hint else ""
    return (
        f"{floor:g} can't be a floor of {shown(str(key))}, whose scores are within 0–1: {points}"
        "give a number within 0–1"
    )


def _effect(name: str, policy: Policy) -> float:
    return policy.min_effect if name == DEFAULT_EFFECT else policy.min_effects[ScoreKey.parse(name)]


def _are_within_scale(scores: Iterable[Score]) -> bool:
    """Return whether all values, those of the instances among them, are within 0–1."""
    return all(
        0 <= value <= 1
        for score in scores
        for value in (score.value, *(score.instances.value if score.instances else ()))
    )


def _excess(effect: float, hidden: Sequence[str]) -> str:
    return (
        f"{effect:g} hides any change of {shown(join_truncated(hidden))}, whose scores are within "
        "0–1: one point is 0.01, or 1pp; give less than 0.5"
    )
