"""Student's t, from mpmath; loaded at the first call, since most starts need none of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

_STEPS = 100
_CLOSE = 1e-13


def two_sided(statistic: float, degrees_of_freedom: float) -> float:
    """Probability that Student's t lies at least as far from 0 as the statistic.

    The regularised incomplete beta function (Abramowitz and Stegun 26.7.1), which has no
    cancellation in the tails.
    """
    import mpmath  # type: ignore[import-untyped]  # noqa: PLC0415 - untyped; 30 ms to load

    share = degrees_of_freedom / (degrees_of_freedom + statistic * statistic)
    return float(mpmath.betainc(degrees_of_freedom / 2, 0.5, 0, share, regularized=True))


def two_sided_normal(deviate: float) -> float:
    """Probability that a standard normal variable lies at least as far from 0 as the deviate."""
    return math.erfc(deviate / math.sqrt(2))


@lru_cache(maxsize=4096)
def critical_normal(probability: float) -> float:
    """The deviate that a standard normal variable exceeds, either way, with this probability."""
    return _climbed(
        0.0,
        lambda value: two_sided_normal(value) - probability,
        lambda value: math.sqrt(2 / math.pi) * math.exp(-value * value / 2),
    )


@lru_cache(maxsize=4096)
def critical(probability: float, degrees_of_freedom: float) -> float:
    """The value that |t| exceeds with this probability.

    Right of 0 the tail is convex, so from its left Newton climbs: from the normal's value, with
    the first term by which Student's exceeds it (Abramowitz and Stegun 26.7.5).
    """
    normal_value = critical_normal(probability)
    excess = (normal_value**2 + 1) / (4 * degrees_of_freedom)
    return _climbed(
        normal_value * (1 + excess),
        lambda value: two_sided(value, degrees_of_freedom) - probability,
        lambda value: 2 * _density(value, degrees_of_freedom),
    )


def normal(deviate: float) -> float:
    """Probability that a standard normal variable is below the deviate."""
    return math.erfc(-deviate / math.sqrt(2)) / 2


def _density(statistic: float, degrees_of_freedom: float) -> float:
    half = (degrees_of_freedom + 1) / 2
    scale = math.lgamma(half) - math.lgamma(half - 0.5)
    shape = half * math.log1p(statistic * statistic / degrees_of_freedom)
    return math.exp(scale - shape) / math.sqrt(math.pi * degrees_of_freedom)


def _climbed(
    start: float, excess: Callable[[float], float], slope: Callable[[float], float]
) -> float:
    """Where the excess is 0, by Newton's method; the slope is how fast it falls."""
    root, step, left = start, math.inf, _STEPS
    while left and abs(step) > _CLOSE:
        step = excess(root) / slope(root)
        root, left = root + step, left - 1
    return root
