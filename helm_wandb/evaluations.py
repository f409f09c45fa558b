"""Sets of evaluations: several readings as one, directions, the latest of each model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from helm_wandb.model import Evaluation, Score, ScoreKey


@dataclass(frozen=True, slots=True)
class Merged:
    """All evaluations, one of each model and iteration, in that order."""

    evaluations: tuple[Evaluation, ...]
    conflicts: tuple[str, ...]
    """Values that two readings have for one score; the first one's was kept."""


def merge(evaluations: Iterable[Evaluation]) -> Merged:
    """One evaluation of each model and iteration, holding all scores read of it."""
    merged: dict[tuple[str, int], Evaluation] = {}
    conflicts: list[str] = []
    for later in evaluations:
        place = (later.model, later.iteration)
        if place in merged:
            conflicts += _conflicts(merged[place], later)
            later = _joined(merged[place], later)  # noqa: PLW2901 -- the join takes its place
        merged[place] = later
    return Merged(tuple(merged[place] for place in sorted(merged)), tuple(conflicts))


def _conflicts(first: Evaluation, later: Evaluation) -> list[str]:
    return [
        f"{first.model} at iteration {first.iteration} has two values of {key}: "
        f"{first.scores[key].value} (kept) and {later.scores[key].value}. "
        "Give each score in one entry of evals only."
        for key in first.scores
        if key in later.scores and first.scores[key].value != later.scores[key].value
    ]


def _joined(first: Evaluation, later: Evaluation) -> Evaluation:
    scores = {**later.scores, **first.scores}
    missing = {**later.missing, **first.missing}
    tokens = first.tokens_billions if first.tokens_billions is not None else later.tokens_billions
    return replace(
        first,
        tokens_billions=tokens,
        scores=scores,
        missing={key: why for key, why in missing.items() if key not in scores},
    )


def with_directions(
    evaluations: Iterable[Evaluation], *, lower_is_better: frozenset[ScoreKey]
) -> tuple[Evaluation, ...]:
    """The evaluations, with the named scores marked as better when lower."""
    return tuple(
        replace(evaluation, scores=_directed(evaluation.scores, lower_is_better))
        for evaluation in evaluations
    )


def _directed(
    scores: Mapping[ScoreKey, Score], lower: frozenset[ScoreKey]
) -> dict[ScoreKey, Score]:
    return {
        key: replace(score, lower_is_better=True) if key in lower else score
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
