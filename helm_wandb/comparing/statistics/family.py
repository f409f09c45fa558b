"""Several comparisons together: p-values adjusted for their number, and the mean difference."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from .estimate import LEVEL, Estimate, Noise
from .finding import by_student
from .strata import Term

if TYPE_CHECKING:
    from collections.abc import Sequence


def adjusted(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm's adjusted p-values, in the order given; None stays None and does not count.

    The k-th smallest of m is multiplied by m - k + 1, is never below the one before, and never
    above 1 (Holm, Scandinavian Journal of Statistics 6, 1979).
    """
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    steps = (min(1.0, (len(tested) - rank) * p) for rank, (p, _) in enumerate(tested))
    found = dict(zip((place for _, place in tested), accumulate(steps, max), strict=True))
    return tuple(found.get(place) for place in range(len(p_values)))


def overall(estimates: Sequence[Estimate], *, level: float = LEVEL) -> Estimate:
    """The unweighted mean of the differences, with its interval, or why there is none.

    The benchmarks are taken as fixed and independent: it tells of new questions to the same
    benchmarks, and not of new benchmarks. Student's t, with Satterthwaite's degrees of freedom.
    The mean of one is that one, by whatever method.
    estimates: of pairs.
    Raises ValueError where there is no estimate.
    """
    if not estimates:
        message = "there is no difference to take the mean of"
        raise ValueError(message)
    count = len(estimates)
    if count == 1:
        return estimates[0]
    mean = Estimate(
        difference=math.fsum(one.difference for one in estimates) / count,
        n=sum(one.n for one in estimates),
        clusters=sum(one.clusters for one in estimates),
        changed=sum(one.changed or 0 for one in estimates),
    )
    noises = [one.noise for one in estimates if one.noise is not None]
    if len(noises) < count:
        return replace(mean, why=f"{count - len(noises)} of {count} benchmarks have no interval")
    terms = [Term(noise.variance / count**2, noise.degrees_of_freedom) for noise in noises]
    what = f"t of the mean of {count} differences"
    found = by_student(mean.difference, terms, level=level, what=what)
    limit = max(noise.limit for noise in noises)
    noise = Noise(
        variance=found.variance,
        degrees_of_freedom=found.degrees_of_freedom,
        spread=found.variance,
        clusters=mean.clusters,
        changed=mean.clusters,
        limit=limit,
    )
    return replace(mean, interval=found.interval, p=found.p, noise=noise)
