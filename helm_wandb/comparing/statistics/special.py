"""Student's t and the normal distribution."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

POWER = 0.8
"""Of detectable effects."""
DEVIATE = 0.8416212335729143
"""A standard normal variable stays below it with this probability."""
_STEPS = 100
_CLOSE = 1e-13
_MOST_TERMS = 100_000
_PRECISION = 1e-15
_TINY = 1e-300
"""Stands for 0 in a denominator."""
_LARGE = 30.0
"""The series of `_log_ratio_of_gammas` is exact to 1e-15 from here."""


def two_sided(statistic: float, degrees_of_freedom: float) -> float:
    """Probability that Student's t lies at least as far from 0 as the statistic.

    The regularised incomplete beta function (Abramowitz and Stegun 26.7.1), of the end where it
    has no cancellation.
    """
    half = degrees_of_freedom / 2
    odds = statistic * statistic / degrees_of_freedom
    if not odds:
        return 1.0
    share, rest = 1 / (1 + odds), 1 / (1 + 1 / odds)
    log_scale = _log_ratio_of_gammas(half) - half * math.log1p(odds) + math.log(rest / math.pi) / 2
    scale = math.exp(log_scale)
    if share < (half + 1) / (half + 2.5):
        return scale * _fraction(half, 0.5, share) / half
    return 1 - scale * _fraction(0.5, half, rest) / 0.5


def _fraction(a: float, b: float, share: float) -> float:
    """Continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8).

    By Lentz's method (Thompson and Barnett, J. Comput. Phys. 64, 1986).
    """
    ratio, inverse = 1.0, 1 / _or_tiny(1 - (a + b) * share / (a + 1))
    value = inverse
    for term in range(1, _MOST_TERMS):
        place = a + 2 * term
        for part in (
            term * (b - term) * share / ((place - 1) * place),
            -(a + term) * (a + b + term) * share / (place * (place + 1)),
        ):
            inverse = 1 / _or_tiny(1 + part * inverse)
            ratio = _or_tiny(1 + part / ratio)
            value *= inverse * ratio
        if abs(inverse * ratio - 1) < _PRECISION:
            break
    return value


def _or_tiny(value: float) -> float:
    return value or _TINY


def _log_ratio_of_gammas(value: float) -> float:
    """Logarithm of the gamma function of this and a half, by that of this."""
    if value < _LARGE:
        return math.lgamma(value + 0.5) - math.lgamma(value)
    inverse = 1 / value
    square = inverse * inverse
    series = 1 / 8 - square * (1 / 192 - square * (1 / 640 - square * 17 / 14336))
    return math.log(value) / 2 - inverse * series


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


def _density(statistic: float, degrees_of_freedom: float) -> float:
    half = degrees_of_freedom / 2
    shape = (half + 0.5) * math.log1p(statistic * statistic / degrees_of_freedom)
    scale = math.sqrt(math.pi * degrees_of_freedom)
    return math.exp(_log_ratio_of_gammas(half) - shape) / scale


def _climbed(
    start: float, excess: Callable[[float], float], slope: Callable[[float], float]
) -> float:
    """Where the excess is 0, by Newton's method; the slope is how fast it falls."""
    root, step, left = start, math.inf, _STEPS
    while left and abs(step) > _CLOSE:
        step = excess(root) / slope(root)
        root, left = root + step, left - 1
    return root
