"""Sets of evaluations: several readings as one, directions, the latest of each model."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from helm_wandb.comparing.merging import longest, one_score

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from helm_wandb.model import Evaluation, Origin, Score, ScoreKey


@dataclass(frozen=True, slots=True)
class Merged:
    """All evaluations, one of each model and iteration, in that order."""

    evaluations: tuple[Evaluation, ...]
    conflicts: tuple[str, ...]
    """What two readings tell differently of one score; the first one's was kept."""


def merge(evaluations: Iterable[Evaluation]) -> Merged:
    """One evaluation of each model and iteration, holding all that was read of it.

    Scores of one key over different subjects, as the legs of a matrix give them, become one
    over all of these subjects: their unweighted mean, which is how HELM computes it. The order
    of the evaluations matters only where two of them disagree.
    """
    legs: dict[tuple[str, int], list[Evaluation]] = defaultdict(list)
    for evaluation in evaluations:
        legs[evaluation.model, evaluation.iteration].append(evaluation)
    joined = [_joined(legs[place]) for place in sorted(legs)]
    return Merged(
        evaluations=_marked([evaluation for evaluation, _ in joined]),
        conflicts=tuple(conflict for _, conflicts in joined for conflict in conflicts),
    )


def _marked(evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    """The evaluations, with a mark on scores over fewer subjects than others of their key."""
    subjects: dict[ScoreKey, set[str]] = defaultdict(set)
    for evaluation in evaluations:
        for key, score in evaluation.scores.items():
            subjects[key].update(score.subjects)
    return tuple(
        replace(
            evaluation,
            scores={
                key: replace(score, partial=_partial(score, subjects[key]))
                for key, score in evaluation.scores.items()
            },
        )
        for evaluation in evaluations
    )


def _partial(score: Score, subjects: set[str]) -> str | None:
    if not score.subjects or len(score.subjects) == len(subjects):
        return None
    return f"over {len(score.subjects)} of {len(subjects)} subjects"


def _joined(legs: Sequence[Evaluation]) -> tuple[Evaluation, list[str]]:
    """The legs of one model and iteration as one, and what they disagree about."""
    first = legs[0]
    if len(legs) == 1:
        return first, []
    keys = dict.fromkeys(key for leg in legs for key in leg.scores)
    joined = {
        key: one_score([leg.scores[key] for leg in legs if key in leg.scores]) for key in keys
    }
    missing: dict[ScoreKey, list[str]] = defaultdict(list)
    for key, why in ((key, why) for leg in legs for key, why in leg.missing.items()):
        missing[key].append(why)
    tokens = [leg.tokens_billions for leg in legs if leg.tokens_billions is not None]
    evaluation = replace(
        first,
        tokens_billions=tokens[0] if tokens else None,
        origin=min((leg.origin for leg in legs), key=_origin_order),
        scores={key: score for key, (score, _) in joined.items()},
        missing={key: longest(whys) for key, whys in missing.items() if key not in keys},
    )
    told = _disagreeing_tokens(tokens)
    told += [d.told(key) for key, (_, disagreements) in joined.items() for d in disagreements]
    # Several legs may contradict the first in the same words.
    told = list(dict.fromkeys(told))
    return evaluation, [f"{first.model} at iteration {first.iteration} has {one}" for one in told]


def _disagreeing_tokens(known: Sequence[float]) -> list[str]:
    return [
        f"two token counts: {known[0]} (kept) and {other} billion. "
        "Give the same token_per_iteration or token_num in each entry of evals."
        for other in dict.fromkeys(known)
        if other != known[0]
    ]


def _origin_order(origin: Origin) -> tuple[bool, bool, str, float]:
    """HELM's own output first; then any order that does not depend on who came first."""
    known = (origin.source != "helm", origin.suite is None)
    return (*known, f"{origin.source} {origin.suite}", -(origin.token_per_iteration or 0))


def with_directions(
    evaluations: Iterable[Evaluation],
    *,
    lower_is_better: frozenset[ScoreKey],
    higher_is_better: frozenset[ScoreKey] = frozenset(),
) -> tuple[Evaluation, ...]:
    """The evaluations, with the named scores marked as better when lower, or when higher."""
    directions = dict.fromkeys(higher_is_better, False) | dict.fromkeys(lower_is_better, True)
    return tuple(
        replace(evaluation, scores=_directed(evaluation.scores, directions))
        for evaluation in evaluations
    )


def _directed(
    scores: Mapping[ScoreKey, Score], directions: Mapping[ScoreKey, bool]
) -> dict[ScoreKey, Score]:
    return {
        key: replace(score, lower_is_better=directions[key]) if key in directions else score
        for key, score in scores.items()
    }


def latest(evaluations: Iterable[Evaluation]) -> tuple[Evaluation, ...]:
    """Each model's evaluation at its greatest iteration, in the order of the names."""
    found: dict[str, Evaluation] = {}
    for evaluation in evaluations:
        known = found.get(evaluation.model)
        if known is None or evaluation.iteration > known.iteration:
            found[evaluation.model] = evaluation
    return tuple(found[model] for model in sorted(found))


def by_model(evaluations: Iterable[Evaluation]) -> dict[str, tuple[Evaluation, ...]]:
    """Each model's evaluations, in the order of their iterations."""
    found: dict[str, list[Evaluation]] = {}
    for evaluation in sorted(evaluations, key=lambda one: (one.model, one.iteration)):
        found.setdefault(evaluation.model, []).append(evaluation)
    return {model: tuple(of_model) for model, of_model in found.items()}
