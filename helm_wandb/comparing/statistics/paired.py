"""The difference of two runs over the same instances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from .contrast import Contrast, Part
from .estimate import FEW_CHANGES, LEAST_CLUSTERS, NO_SPREAD, Estimate, range_of, too_few
from .strata import SMALLEST, Aggregate

if TYPE_CHECKING:
    from .strata import PairedStratum, Sums


def paired(strata: Sequence[PairedStratum]) -> Estimate:
    """Return the mean difference, candidate less baseline, and its test or why it has none.

    The statistic is HELM's aggregate of the differences.
    Raises ValueError if a stratum, or the list of them, is empty.
    """
    differences = [stratum.differences() for stratum in strata]
    aggregate = Aggregate.of(differences)
    values = [value for stratum in differences for value in stratum.value]
    changes = [value for value in values if value]
    sums = [total for stratum in aggregate.strata for total in stratum.sums if total]
    estimate = Estimate(
        difference=aggregate.mean,
        n=aggregate.size,
        clusters=aggregate.clusters,
        better=sum(value > 0 for value in changes),
        worse=sum(value < 0 for value in changes),
        changed=len(sums),
        range=range_of(value for side in _sides(strata) for value in side),
        has_same_answers=not changes and _has_partial_scores(strata),
    )
    if estimate.clusters < LEAST_CLUSTERS:
        return replace(estimate, why=too_few(estimate.clusters))
    size = aggregate.typical_cluster
    if sums and estimate.clusters < estimate.n:
        size = _typical(sums) / _typical(changes)
    spread = _spread(strata, unchanged=1 - len(changes) / len(values))
    unseen = max(1.0, size) * spread * aggregate.heaviness
    weight = 1 / len(aggregate.strata)
    contrast = Contrast.build(
        [
            Part(sums, weight, unseen, _is_binary(stratum, sums, spread))
            for sums, stratum in zip(aggregate.strata, strata, strict=True)
        ],
        limit=spread,
    )
    if contrast is None:
        return replace(estimate, why=NO_SPREAD)
    name = "mid-p" if contrast.flips else "empirical likelihood"
    method = f"paired {name}, {estimate.changed} of {estimate.clusters} clusters changed"
    return replace(estimate, contrast=contrast, method=method)


def _typical(sizes: Iterable[float]) -> float:
    """Return mean square by mean: changes of this size, and as heavy in all, vary as much."""
    every = [abs(size) for size in sizes]
    return sum(size * size for size in every) / sum(every)


def _spread(strata: Iterable[PairedStratum], *, unchanged: float) -> float:
    """Return the range of the scores; 0 counts for the share of the instances without a change.

    These say nothing of the size of changes. 1 if all are 0.
    """
    sides = _sides(strata)
    low, high = min(map(min, sides)), max(map(max, sides))
    spread = high - low
    spread += unchanged * (max(high, 0.0) - min(low, 0.0) - spread)
    return spread if spread > SMALLEST else 1.0


def _sides(strata: Iterable[PairedStratum]) -> list[Sequence[float]]:
    return [side for stratum in strata for side in (stratum.baseline, stratum.candidate)]


def _has_partial_scores(strata: Iterable[PairedStratum]) -> bool:
    """Whether several scores are neither the lowest nor the highest."""
    scores = [score for stratum in strata for score in stratum.baseline]
    low, high = min(scores), max(scores)
    return sum(low < score < high for score in scores) >= FEW_CHANGES


def _is_binary(stratum: PairedStratum, sums: Sums, spread: float) -> bool:
    """Whether all scores are single, and one of two that are as far apart as a change can be."""
    values = {*stratum.baseline, *stratum.candidate}
    is_single = len(sums.sums) == sums.size
    return is_single and len(values) <= 2 and max(values) - min(values) in {0.0, spread}  # noqa: PLR2004 - bi-nary
