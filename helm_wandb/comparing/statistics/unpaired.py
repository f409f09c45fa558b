"""The difference of two runs over different instances of the same kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from .contrast import COUNTS_WEIGHT, Contrast, Part
from .estimate import LEAST_CLUSTERS, NO_SPREAD, Estimate, range_of, too_few
from .strata import SMALLEST, Aggregate

if TYPE_CHECKING:
    from .strata import Stratum


def unpaired(candidate: Sequence[Stratum], baseline: Sequence[Stratum]) -> Estimate:
    """Return the difference, candidate less baseline, with its test, or why there is none.

    For runs of the same specs whose instances are not the same. The strata of both sides are
    those of one `Contrast`, the baseline's with a negative weight.
    Raises ValueError if a stratum, or a side, is empty.
    """
    sides = Aggregate.of(candidate), Aggregate.of(baseline)
    values = [value for stratum in (*candidate, *baseline) for value in stratum.value]
    estimate = Estimate(
        difference=sides[0].mean - sides[1].mean,
        range=range_of(values),
        n=min(side.size for side in sides),
        clusters=min(side.clusters for side in sides),
    )
    if estimate.clusters < LEAST_CLUSTERS:
        return replace(estimate, why=too_few(estimate.clusters))
    contrast = contrast_of_sides(*sides, values=values)
    if contrast is None:
        return replace(estimate, why=NO_SPREAD)
    return replace(estimate, contrast=contrast, method="unpaired empirical likelihood")


def contrast_of_sides(*sides: Aggregate, values: Sequence[float]) -> Contrast | None:
    """Return the contrast of a side, or of two, the second with a negative weight.

    None if no stratum holds two clusters. values: the scores of all instances.
    """
    spread = (max(values) - min(values)) or abs(values[0])
    spread = spread if spread > SMALLEST else 1.0
    unseen = spread * max(side.typical_cluster for side in sides)
    heaviness = Aggregate(tuple(stratum for side in sides for stratum in side.strata)).heaviness
    contrast = Contrast.build(
        [
            Part(stratum, sign / len(side.strata), unseen * heaviness)
            for sign, side in zip((1, -1), sides, strict=False)
            for stratum in side.strata
        ]
    )
    if contrast is None or contrast.variance:
        return contrast
    return replace(contrast, unseen_weight=COUNTS_WEIGHT, is_binary=True)
