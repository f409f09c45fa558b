"""Scores of the baseline that a regression could hide in, and which of them this run lost."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from helm_wandb.comparing.evaluations import describe_other_settings
from helm_wandb.comparing.pairing import LEAST_SHARE
from helm_wandb.comparing.verdicts import Partner
from helm_wandb.model import Comparison, Delta, Score, ScoreKey, Verdict


class UncheckedScore(Struct, frozen=True):
    """A score of the baseline that can't be compared, or not over all of its instances."""

    key: ScoreKey
    model: str
    why: str
    """The end of a sentence on one score or several, `lost 14 of the baseline's 100 instances`."""
    is_lost: bool
    """Whether this run lacks what the baseline has with the same settings."""


def unchecked_scores(
    comparisons: Sequence[Comparison], partners: Sequence[Partner], *, required: Collection[str]
) -> tuple[UncheckedScore, ...]:
    """Return the scores that a regression could hide in, each once.

    partners: the two sides of each comparison.
    required: the benchmarks that the config names: if one is missing, this run lost it.
    A metric without a direction can't regress.
    """
    return tuple(
        dict.fromkeys(
            one
            for comparison, partner in zip(comparisons, partners, strict=True)
            for one in _unchecked(comparison, partner, required)
        )
    )


def _unchecked(
    comparison: Comparison, partner: Partner, required: Collection[str]
) -> Iterator[UncheckedScore]:
    deltas = {delta.key: delta for delta in comparison.deltas}
    for key, score in partner.baseline.scores.items():
        own = partner.candidate.scores.get(key)
        missing = partner.candidate.missing.get(key) if key.benchmark in required else None
        lost = _loss(own, score) if own else missing and f"went missing: {missing}"
        why = lost or _obstacle(deltas.get(key), comparison.not_comparable.get(key), score)
        if why:
            yield UncheckedScore(key, comparison.model, why, is_lost=lost is not None)


def _loss(score: Score, baseline: Score) -> str | None:
    """Return what a score lacks of the baseline's; None if nothing, or on purpose."""
    if describe_other_settings(score, baseline) is not None:
        return None
    if score.subjects and score.subjects.keys() < baseline.subjects.keys():
        return _lost(len(score.subjects), len(baseline.subjects), "subjects")
    if score.instances is None and baseline.instances is not None:
        why = f": {score.no_instances.removesuffix('.')}" if score.no_instances else ""
        return f"lost the per-instance scores that the baseline has{why}"
    count, all_instances = _count(score), _count(baseline)
    if count < LEAST_SHARE * all_instances:
        return _lost(count, all_instances, "instances")
    return None


def _lost(count: int, all_: int, noun: str) -> str:
    return f"lost {all_ - count} of the baseline's {all_} {noun}"


def _count(score: Score) -> int:
    """Return the number of instances and trials; 0 without per-instance scores."""
    return len(score.instances.id) if score.instances else 0


def _obstacle(delta: Delta | None, not_comparable: str | None, baseline: Score) -> str | None:
    """Return why a regression could not show; None if it could."""
    if delta is None:
        return f"can't be compared: {not_comparable}" if not_comparable else None
    if delta.lower_is_better is None:
        return None
    if delta.verdict is Verdict.UNTESTABLE:
        return f"can't be tested: {delta.why}" if delta.why else "can't be tested"
    if delta.n is not None and delta.n < _count(baseline):
        return _lost(delta.n, _count(baseline), "instances")
    return None
