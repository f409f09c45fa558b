"""Sets of evaluations: merged from several readings, directed, the latest of each model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, groupby, repeat
from operator import attrgetter
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.comparing import fingerprints
from helm_wandb.comparing.merging import longest_reason, merge_scores
from helm_wandb.model import Evaluation, Origin, Policy, Score, ScoreKey
from helm_wandb.text.words import join_truncated

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Merged(Struct, frozen=True):
    """All evaluations, one of each model and iteration, in that order."""

    evaluations: tuple[Evaluation, ...]
    conflicts: tuple[str, ...]
    """Scores on which two readings disagree; the first one's was kept."""


def merge(evaluations: Iterable[Evaluation], places: Sequence[str] = ()) -> Merged:
    """Return one evaluation of each model and iteration, with all scores that were read of it.

    Scores of one key over different subjects, as matrix jobs give them, become one score over all
    of these subjects: their unweighted mean, which is how HELM computes it. The order of the
    evaluations matters only if two of them disagree.
    places: where each evaluation was read, which a conflict names.
    """
    located = zip(evaluations, chain(places, repeat("")), strict=False)
    readings = group_values(((one.model, one.iteration), (one, at)) for one, at in located)
    joined = [_merge_one(readings[key]) for key in sorted(readings)]
    return Merged(
        evaluations=_with_partial([evaluation for evaluation, _ in joined]),
        conflicts=tuple(conflict for _, conflicts in joined for conflict in conflicts),
    )


def join(readings: Sequence[Evaluation]) -> Evaluation:
    """Return readings of one model and iteration as one; if two disagree, the first counts."""
    return _merge_one([(one, "") for one in readings])[0]


def _with_partial(evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    """Return the evaluations; scores over fewer subjects than others of their key are partial."""
    subjects: dict[ScoreKey, set[str]] = defaultdict(set)
    for evaluation in evaluations:
        for key, score in evaluation.scores.items():
            subjects[key].update(score.subjects)
    return tuple(
        map_scores(one, lambda key, score: replace(score, partial=_partial(score, subjects[key])))
        for one in evaluations
    )


def _partial(score: Score, subjects: set[str]) -> str | None:
    if not score.subjects or len(score.subjects) == len(subjects):
        return None
    return f"over {len(score.subjects)} of {len(subjects)} subjects"


def _merge_one(located: Sequence[tuple[Evaluation, str]]) -> tuple[Evaluation, list[str]]:
    """Return the readings of one model and iteration as one, and what they disagree about.

    located: each reading, and its place; that is empty if unknown.
    """
    readings = [one for one, _ in located]
    first = readings[0]
    if len(readings) == 1:
        return first, []
    keys = dict.fromkeys(key for one in readings for key in one.scores)
    holders = {key: [at for at, one in enumerate(readings) if key in one.scores] for key in keys}
    joined = {key: merge_scores([readings[at].scores[key] for at in holders[key]]) for key in keys}
    missing = group_values(reason for one in readings for reason in one.missing.items())
    tokens = [one.tokens_billions for one in readings if one.tokens_billions is not None]
    evaluation = replace(
        first,
        tokens_billions=tokens[0] if tokens else None,
        origin=min((one.origin for one in readings), key=_origin_order),
        scores={key: score for key, (score, _) in joined.items()},
        missing={key: longest_reason(whys) for key, whys in missing.items() if key not in keys},
    )
    conflicts = [
        (_describe_tokens(tokens[0], other), at)
        for other in dict.fromkeys(tokens)
        if other != tokens[0]
        for one, at in located
        if one.tokens_billions in {tokens[0], other}
    ]
    for key, (_, several) in joined.items():
        for conflict in several:
            sentence = conflict.sentence(key)
            conflicts += [(sentence, located[holders[key][at]][1]) for at in conflict.scores]
    # Several readings may contradict the first in the same words.
    name = f"{first.model} at iteration {first.iteration}"
    return evaluation, [
        f"{_list_places(where)}{name} has {sentence}"
        for sentence, where in group_values(conflicts).items()
    ]


def _list_places(places: Sequence[str]) -> str:
    """Return `a.json and b.json: `; empty if no place is known."""
    distinct = list(dict.fromkeys(filter(None, places)))
    return f"{join_truncated(distinct, 2, separator=' and ')}: " if distinct else ""


def _describe_tokens(kept: float, other: float) -> str:
    return (
        f"two token counts: {kept} (kept) and {other} billion. "
        "Give the same token_per_iteration or token_num in each entry of evals."
    )


def _origin_order(origin: Origin) -> tuple[bool, str, float]:
    """Return the sort key: suites first; never depends on which was read first."""
    name = f"{origin.source} {origin.suite}"
    return origin.suite is None, name, -(origin.token_per_iteration or 0)


def with_directions(evaluations: Iterable[Evaluation], policy: Policy) -> tuple[Evaluation, ...]:
    """Return the evaluations, the named scores as better when lower, or when higher."""
    directions = {
        **dict.fromkeys(policy.higher_is_better, False),
        **dict.fromkeys(policy.lower_is_better, True),
    }

    def directed(key: ScoreKey, score: Score) -> Score:
        return replace(score, lower_is_better=directions.get(key, score.lower_is_better))

    return tuple(map_scores(one, directed) for one in evaluations)


def map_scores(evaluation: Evaluation, change: Callable[[ScoreKey, Score], Score]) -> Evaluation:
    """Return the evaluation with what `change` makes of each score."""
    scores = {key: change(key, score) for key, score in evaluation.scores.items()}
    return replace(evaluation, scores=scores)


def describe_other_settings(
    candidate: Score, baseline: Score, *, with_seeds: bool = True
) -> str | None:
    """Return how the settings of two scores differ; None if they don't, or one's are unknown.

    with_seeds: whether another seed is another setting. If a side has several runs, it never is:
    the noise between runs is known.
    """
    if candidate.fingerprint is None or baseline.fingerprint is None:
        return None
    sides = candidate.fingerprint, baseline.fingerprint
    if not with_seeds or candidate.repeats or baseline.repeats:
        return fingerprints.describe_difference(*map(fingerprints.without_seeds, sides))
    return fingerprints.describe_difference(*sides)


def parts_of_others(scores: Mapping[ScoreKey, Score]) -> dict[ScoreKey, ScoreKey]:
    """Return each score whose benchmark is a subject of another one, and a score of that.

    A task and the group that it is in, for example: a mean over both would count its questions
    twice.
    """
    wholes = {name: key for key, score in scores.items() for name in score.subjects}
    return {key: wholes[key.benchmark] for key in scores if key.benchmark in wholes}


def latest(evaluations: Iterable[Evaluation]) -> tuple[Evaluation, ...]:
    """Return each model's evaluation at its latest iteration, in the order of the names."""
    return tuple(
        max(several, key=attrgetter("iteration"))
        for several in group_by_model(evaluations).values()
    )


def only_model(several: Iterable[Evaluation]) -> str | None:
    """Return the model of all evaluations; None if they have several."""
    models = {one.model for one in several}
    return models.pop() if len(models) == 1 else None


def group_by_model(evaluations: Iterable[Evaluation]) -> dict[str, tuple[Evaluation, ...]]:
    """Return each model's evaluations, in the order of their iterations."""
    ordered = sorted(evaluations, key=lambda one: (one.model, one.iteration))
    return {model: tuple(several) for model, several in groupby(ordered, attrgetter("model"))}


def group_values(pairs: Iterable[tuple[_Key, _Value]]) -> dict[_Key, list[_Value]]:
    """Return the values of each key, in their order."""
    groups: defaultdict[_Key, list[_Value]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return dict(groups)
