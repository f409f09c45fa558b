"""Baselines that are means over several reports: a test that holds if the base branch moved.

A mean over reports is less noisy than the latest one, and wrong if the branch has moved since the
older ones. A test finds only large moves, so to leave out reports that differ isn't enough: up to
20% of the runs without a change would be flagged (as by "test-then-pool": Viele and others,
Pharmaceutical Statistics 13, 2014). So a difference from the mean must be significant against the
latest report alone, too, at 1.5 times the error rate. The interval is the hull of both (both tests
must reject: Berger, Technometrics 24, 1982). No matter how the branch moved, that shifts the mean
one way: there the latest report alone bounds the errors, at 3/4 of the rate; the rest is for the
other way, if the older reports were left out. More can't be gained: a test that holds whatever the
older reports are has hardly more power than without them (Kopp-Schneider and others, Biometrical
Journal 62, 2020).
"""

from __future__ import annotations

import math

from .special import DEVIATE, POWER, critical_normal, two_sided_normal

LATEST_RATE = 1.5
"""Error rate of the latest report's test, as a multiple (simulated: 2 flags 7%, 1 gains nothing).
"""
_STEPS = 20
_FAR, _WIDTH = 8.0, 0.05
"""End and width of the steps of the integral over a normal variable."""
_LARGEST_FACTOR = 2.0
_HIGHEST = 1 - 1e-9


def level_of_latest(level: float) -> float:
    """Return the level of the latest report's interval, for a hull that has this level."""
    return 1 - LATEST_RATE * (1 - level)


def p_value(averaged: float, latest: float, *, is_same_direction: bool) -> float:
    """Return the p-value at which the hull of both intervals ends at 0.

    averaged, latest: those of the differences from the mean, and from the latest report.
    """
    twice_one_sided = latest if is_same_direction else 2 - latest
    return max(averaged, min(1.0, twice_one_sided / LATEST_RATE))


def detectable(averaged: float, latest: float, threshold: float) -> float:
    """Return the change that both tests find, each in its direction, with 80% probability.

    averaged, latest: the changes that each finds alone.
    The tests' statistics are taken as normal. The mean is the best estimate, so their correlation
    is the ratio of their errors.
    """
    bounds = critical_normal(threshold), critical_normal(LATEST_RATE * threshold)
    errors = averaged / (bounds[0] + DEVIATE), latest / (bounds[1] + DEVIATE)
    correlation = min(errors[0] / errors[1], _HIGHEST)
    low, high = max(averaged, latest), _LARGEST_FACTOR * max(averaged, latest)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        first, second = (
            bound - middle / error for bound, error in zip(bounds, errors, strict=True)
        )
        is_found = _both_beyond(first, second, correlation) >= POWER
        low, high = (low, middle) if is_found else (middle, high)
    return high


def _both_beyond(first: float, second: float, correlation: float) -> float:
    """Return how probably two standard normal variables both lie beyond their bounds."""
    rest = math.sqrt(1 - correlation * correlation)
    start = max(first, -_FAR)
    places = (start + _WIDTH * (step + 0.5) for step in range(math.ceil((_FAR - start) / _WIDTH)))
    return math.fsum(
        _WIDTH * _density(place) * _share_beyond((second - correlation * place) / rest)
        for place in places
    )


def _density(deviate: float) -> float:
    return math.exp(-deviate * deviate / 2) / math.sqrt(2 * math.pi)


def _share_beyond(bound: float) -> float:
    tail = two_sided_normal(abs(bound)) / 2
    return tail if bound > 0 else 1 - tail
