"""Interval and p-value together, by one of two methods, so that they cannot contradict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helm_wandb.model import Interval

from .special import critical, two_sided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rates import Difference
    from .strata import Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An interval and the p-value of the same test."""

    interval: Interval
    p: float
    variance: float
    """Of the difference."""
    seen: float
    """What of it the instances show."""
    degrees_of_freedom: float


def by_student(
    difference: float, terms: Sequence[Term], *, level: float, what: str, unseen: float = 0.0
) -> Finding:
    """By Student's t, where the parts of the variance are not all 0.

    Degrees of freedom: for one stratum clusters less one, fewer where they are of unequal size
    (`Aggregate.variance`); for several Satterthwaite's, which
    match the mean and variance of a sum of independent parts, V² / Σ(part² / its own degrees)
    (Biometrics Bulletin 2, 1946). So a stratum that carries the noise cannot hide behind the
    clusters of the others.
    what: the method's name, for the interval.
    unseen: what a change that no instance showed would add. Its square counts twice, for one up
    and one down, as in the rates of changes; the degrees of freedom take no notice of it.
    """
    seen = math.fsum(term.variance for term in terms)
    degrees = seen**2 / math.fsum(term.variance**2 / term.degrees_of_freedom for term in terms)
    variance = seen + 2 * unseen * unseen
    error = math.sqrt(variance)
    reach = critical(1 - level, degrees) * error
    return Finding(
        interval=Interval(
            low=difference - reach,
            high=difference + reach,
            level=level,
            method=f"{what}, {degrees:.4g} degrees of freedom",
        ),
        p=two_sided(difference / error, degrees),
        variance=variance,
        seen=seen,
        degrees_of_freedom=degrees,
    )


def by_rates(
    rates: Difference, *, level: float, limit: float, degrees_of_freedom: float, what: str
) -> Finding:
    """By the confidence distribution of the difference of two rates of rare events.

    limit: the greatest difference that the score's range allows; nothing beyond it is shown.
    """
    outside = (1 - level) / 2
    return Finding(
        interval=Interval(
            low=max(-limit, rates.quantile(1 - outside)),
            high=min(limit, rates.quantile(outside)),
            level=level,
            method=what,
        ),
        p=rates.p(),
        variance=rates.variance,
        seen=rates.ups.squares + rates.downs.squares,
        degrees_of_freedom=degrees_of_freedom,
    )
