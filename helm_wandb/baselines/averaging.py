"""Baselines as means over the last reports of the base branch."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from helm_wandb.baselines.matches import BaselineMatch
from helm_wandb.comparing import repeats
from helm_wandb.comparing.verdicts import Partner
from helm_wandb.model import Evaluation, Score, ScoreKey
from helm_wandb.report import name_commit


def average_reports(
    matches: Sequence[BaselineMatch], partners: Sequence[Partner], count: int
) -> list[BaselineMatch]:
    """Return the matches, each score that is compared averaged with those of older ones.

    matches: the nearest first. partners: those of the matches. count: reports of a mean, at most.
    """
    return [_average(match, matches[at + 1 :], partners, count) for at, match in enumerate(matches)]


def _average(
    match: BaselineMatch,
    older: Sequence[BaselineMatch],
    partners: Sequence[Partner],
    count: int,
) -> BaselineMatch:
    """Return the match, which names the others that are in some mean."""
    compared = {
        (one.baseline.model, one.baseline.iteration): one.candidate.scores.keys()
        & one.baseline.scores.keys()
        for one in partners
        if match.is_source_of(one.baseline_label)
    }
    used: set[int] = set()
    evaluations = tuple(
        _average_one(one, compared.get((one.model, one.iteration), ()), older, count, used)
        for one in match.evaluations
    )
    if not used:
        return match
    names = ", ".join(
        name_commit(None, older[at].commit) or older[at].origin for at in sorted(used)
    )
    return replace(match, evaluations=evaluations, origin=f"{match.origin}; averaged with {names}")


def _average_one(
    one: Evaluation,
    keys: Collection[ScoreKey],
    older: Sequence[BaselineMatch],
    count: int,
    used: set[int],
) -> Evaluation:
    scores = dict(one.scores)
    for key in keys:
        others = [_score(match, one, key) for match in older]
        scores[key], places = repeats.average_unmoved(scores[key], others, count=count)
        used.update(places)
    return replace(one, scores=scores)


def _score(match: BaselineMatch, like: Evaluation, key: ScoreKey) -> Score | None:
    """Return the score of the same checkpoint; None if the match lacks it."""
    place = like.model, like.iteration
    same = (one for one in match.evaluations if (one.model, one.iteration) == place)
    return next((one.scores[key] for one in same if key in one.scores), None)
