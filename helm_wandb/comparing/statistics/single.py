"""The interval of a score that isn't compared with another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from helm_wandb.model import Interval

from . import repeats
from .estimate import LEAST_CLUSTERS, LEVEL
from .strata import Aggregate, Stratum
from .unpaired import contrast_of_sides

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helm_wandb.model import Repeats


def standard_error(strata: Sequence[Stratum], runs: Repeats | None = None) -> float | None:
    """Return the standard error of HELM's aggregate; None if a stratum has a single cluster.

    Its variance is that of the clusters' sums about the stratum's mean. If the score is a mean over
    runs, it has what moves whole runs, too.
    Raises ValueError if a stratum, or the list of them, is empty.
    """
    sums = Aggregate.of(strata).strata
    if any(len(one.sums) == 1 for one in sums):
        return None
    variances = (
        len(one.sums)
        / (len(one.sums) - 1)
        * math.fsum(each * each for each in one.residuals)
        / one.size**2
        for one in sums
    )
    of_questions = math.fsum(variances) / len(sums) ** 2
    return math.sqrt(of_questions + (repeats.noise_of_score(runs).of_whole_runs if runs else 0.0))


def mean_interval(
    strata: Sequence[Stratum], runs: Repeats | None = None, *, level: float = LEVEL
) -> Interval | None:
    """Return the interval of HELM's aggregate, in the score's unit; None if too little is known.

    It is that of the deviations from the aggregate, by the test that differences have too. Scores
    within 0–1 have an interval within 0–1.
    runs: those that the score is the mean of, if there are several, whose noise counts.
    level: of the interval, of (0, 1).
    Raises ValueError if a stratum, or the list of them, is empty.
    """
    mean = Aggregate.of(strata).mean
    sides = Aggregate.of(
        Stratum(value=[value - mean for value in stratum.value], cluster=stratum.cluster)
        for stratum in strata
    )
    if sides.clusters < LEAST_CLUSTERS:
        return None
    values = [value for stratum in strata for value in stratum.value]
    contrast = contrast_of_sides(sides, values=values)
    if contrast is None:
        return None
    if runs:
        ends = repeats.interval(contrast, repeats.noise_of_score(runs), level)
    else:
        ends = contrast.interval(level)
    low, high = (mean + end for end in ends)
    if all(0 <= value <= 1 for value in values):
        low, high = max(low, 0.0), min(high, 1.0)
    return Interval(low=low, high=high, level=level, method="empirical likelihood")
