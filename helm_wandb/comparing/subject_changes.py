"""A flagged delta → which of the benchmark's subjects moved."""

from __future__ import annotations

from collections.abc import Sequence

from helm_wandb.comparing import pairing, statistics
from helm_wandb.comparing.evaluations import group_values
from helm_wandb.comparing.pairing import Pair
from helm_wandb.comparing.verdicts import Partner
from helm_wandb.model import Delta, ScoreKey, Verdict, mean

LIMIT = 500
"""Subjects of a delta, at most: MMLU has 57."""


def subject_name(stratum: str) -> str:
    """Return the stratum's part of the benchmark: the run's arguments without the method."""
    arguments = stratum.partition(":")[2].split(",")
    return ", ".join(one for one in arguments if not one.startswith("method="))


def subject_changes(delta: Delta, partner: Partner) -> tuple[Delta, ...] | None:
    """Return the change of each subject, the largest first; None if there are no two.

    The intervals are exploratory: they are not adjusted for the number of subjects.
    """
    if delta.key is None:
        return None
    key = delta.key
    pairs = pairing.pair_scores(partner.candidate.scores[key], partner.baseline.scores[key])
    if pairs is None:
        return None
    # A task of lm-eval has no arguments.
    subjects = group_values(
        (subject_name(pair.stratum) or pair.stratum, pair) for pair in pairs.pairs
    )
    if len(subjects) == 1:
        return None
    changes = (_change(ScoreKey(name, key.metric), own, delta) for name, own in subjects.items())
    return tuple(sorted(changes, key=lambda one: -abs(one.difference)))[:LIMIT]


def _change(key: ScoreKey, pairs: Sequence[Pair], whole: Delta) -> Delta:
    estimate = statistics.paired(pairing.split_pairs(pairs))
    counts = estimate.better, estimate.worse
    better, worse = reversed(counts) if whole.lower_is_better else counts
    baseline = mean([pair.baseline for pair in pairs])
    return Delta(
        key=key,
        baseline=baseline,
        candidate=baseline + estimate.difference,
        difference=estimate.difference,
        interval=estimate.interval,
        n=estimate.n,
        clusters=estimate.clusters,
        better=better,
        worse=worse,
        verdict=Verdict.UNTESTABLE,
        lower_is_better=whole.lower_is_better,
        why=estimate.why,
    )
