"""The change that a run could have found: its own test, inverted."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from . import repeats, reports
from .binary import binomial, mid_p
from .special import DEVIATE, POWER, critical, critical_normal

if TYPE_CHECKING:
    from .contrast import Contrast
    from .estimate import Estimate

_STEPS = 40
_CLOSE = 1e-5
_LEAST_THRESHOLD = 1e-12
"""p-values that are much smaller are rounding errors; to search for their t takes seconds."""
_MOST_COUNTED = 60
"""Changed answers up to which the probabilities of all their numbers are added up."""
_GROUPS = 32
"""Sizes of changes beyond this number are taken in groups: the work is bounded."""
_NEGLIGIBLE = 1e-7
"""Probability that changes nothing."""


def minimum_detectable(
    estimate: Estimate, *, alpha: float, tests: int, min_effect: float
) -> float | None:
    """The true change that this run's rule would flag in 80 % of runs like it; above 0.

    None if there is no interval, or if no change within the score's range would be; also
    if alpha/tests is smaller than p-values can be computed.
    The rule: p below alpha/tests, Holm's first step, and a difference beyond min_effect.
    tests: how many p-values Holm counts. min_effect: in the score's unit.

    A true change makes new changes, of the sizes of those that were seen: of any instance, or among
    the clusters that had none. If everything changes, as with continuous scores, it is a shift.
    """
    threshold = alpha / max(1, tests)
    if threshold < _LEAST_THRESHOLD:
        return None
    least = _detectable(estimate, threshold, min_effect)
    if least is None or estimate.latest is None or estimate.contrast is None:
        return least
    of_latest = _detectable(estimate.latest, reports.LATEST_RATE * threshold, 0.0)
    both = of_latest and reports.detectable(least, of_latest, threshold)
    return both if both and both <= estimate.contrast.limit else None


def _detectable(estimate: Estimate, threshold: float, min_effect: float) -> float | None:
    """Return the detectable effect, whatever the latest report alone says."""
    contrast = estimate.contrast
    if contrast is None:
        return None
    changed = (estimate.better or 0) + (estimate.worse or 0)
    if contrast.is_binary and contrast.is_even and changed <= _MOST_COUNTED:
        is_detected = _counting(estimate.n, changed, contrast.limit, threshold, min_effect)
    else:
        is_detected = _expecting(contrast, threshold, min_effect)
    least = _least(is_detected, contrast.limit)
    if least is None or estimate.noise is None:
        return least
    with_noise = repeats.detectable(least, contrast, estimate.noise, threshold, DEVIATE)
    return with_noise if with_noise <= contrast.limit else None


def _least(is_found: Callable[[float], bool], limit: float) -> float | None:
    """The least change that is found; None if not even the greatest is."""
    if not math.isfinite(limit) or not is_found(limit):
        return None
    low, high = 0.0, limit
    for _ in range(_STEPS):
        if high - low <= _CLOSE * high:
            break
        middle = (low + high) / 2
        low, high = (low, middle) if is_found(middle) else (middle, high)
    return high


def _counting(
    size: int, changed: int, unit: float, threshold: float, min_effect: float
) -> Callable[[float], bool]:
    """Whether a change is found, by the probabilities of all numbers of changed answers.

    The seen changes fall either way, half and half; the true change adds to one way.
    """
    beyond = math.floor(min(min_effect / unit, 1.0) * size * (1 + _CLOSE))
    either = changed / size / 2
    ups = [
        (number, share)
        for number, share in enumerate(binomial(size, either))
        if share > _NEGLIGIBLE
    ]
    least = [
        max(_least_significant(number, size, threshold), number + beyond + 1) for number, _ in ups
    ]

    def is_found(change: float) -> bool:
        down = min(1.0, (either + change / unit) / (1 - either))
        chances = (
            share * (1 - math.fsum(binomial(size - number, down, stop=first)))
            for (number, share), first in zip(ups, least, strict=True)
        )
        return math.fsum(chances) >= POWER

    return is_found


def _least_significant(ups: int, size: int, threshold: float) -> int:
    """Fewest answers that turned the other way for a significant change; `size + 1` if none."""
    numbers = range(ups, size - ups + 1)
    return ups + bisect_left(numbers, True, key=lambda downs: mid_p(ups, downs) < threshold)  # noqa: FBT003 - sought


def _expecting(contrast: Contrast, threshold: float, min_effect: float) -> Callable[[float], bool]:
    """Whether a change is found, by the test of the data that are expected with it.

    The statistic scatters as noncentral t does (Johnson and Welch, Biometrika 31, 1940).
    """
    sizes = _groups(contrast)
    typical = _typical(sizes)

    def bound_and_mean(degrees: float) -> tuple[float, float]:
        """Return the critical value, and the mean of a statistic that exceeds it often enough."""
        bound = critical(threshold, degrees)
        scatter = math.sqrt(1 + bound * bound / (2 * degrees))
        return bound, bound * (1 - 1 / (4 * degrees)) + DEVIATE * scatter

    bound, mean = bound_and_mean(contrast.degrees_of_freedom)
    _, by_student = bound_and_mean(contrast.strata_degrees)

    def is_found(change: float) -> bool:
        points = tuple(_points(contrast, sizes, typical, change))
        squares = math.fsum(count * value * value for count, value, _ in points)
        error = math.sqrt(squares / contrast.clusters / (contrast.clusters - 1))
        beyond = change - DEVIATE * error
        if contrast.flips:
            error_of_signs = math.sqrt(
                squares / contrast.clusters**2 + change * change / contrast.clusters
            )
            return beyond > min_effect and beyond >= critical_normal(threshold) * error_of_signs
        often = replace(contrast, difference=change * bound / mean, points=points)
        return (
            beyond > min_effect
            and change >= by_student * error
            and often.likelihood_statistic() >= bound
        )

    return is_found


def _groups(contrast: Contrast) -> list[tuple[float, float]]:
    """Number and size of the changes that were seen, in groups of similar size.

    If nothing changed, of no change, of the size of one that was not seen; if everything did,
    what is left of them without the difference.
    """
    if not contrast.changes:
        return [(0.0, contrast.unseen)]
    changes = (
        [(size, 1.0) for size in contrast.changes]
        if contrast.unchanged
        else [(abs(residual), count) for count, residual, _ in contrast.points]
    )
    sizes = sorted(changes)
    step = math.ceil(len(sizes) / _GROUPS)
    return [_group(sizes[place : place + step]) for place in range(0, len(sizes), step)]


def _group(sizes: Sequence[tuple[float, float]]) -> tuple[float, float]:
    total = math.fsum([count for _, count in sizes])
    squares = math.fsum([count * size * size for size, count in sizes])
    return total, math.sqrt(squares / total)


def _typical(sizes: Sequence[tuple[float, float]]) -> float:
    """Return the mean size of a change; groups without changes count once."""
    weights = [count or 1.0 for count, _ in sizes]
    total = math.fsum([weight * size for weight, (_, size) in zip(weights, sizes, strict=True)])
    return total / math.fsum(weights)


def _points(
    contrast: Contrast, sizes: Sequence[tuple[float, float]], typical: float, change: float
) -> Iterator[tuple[float, float, float]]:
    """Return each cluster's contribution with this change, less the change itself."""
    rest = contrast.unchanged
    seen = contrast.clusters - rest
    most = 1.0 if contrast.is_single else rest / contrast.clusters
    hit = min(most, change / typical) if rest else 0.0
    lost = hit if contrast.is_single else 0.0
    shift = change - hit * typical
    for count, size in sizes:
        weight = count or 1.0
        either, new = (1 - lost) * count / 2, hit * contrast.clusters * weight / (seen or 1.0)
        yield either, -size + shift - change, 1.0
        yield either + new, size + shift - change, 1.0
    yield rest - hit * contrast.clusters + lost * seen, shift - change, 1.0
