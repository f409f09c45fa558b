"""The change that a run could have found: its own rule, turned round."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from . import rule
from .rates import Difference, Rate, root
from .special import critical, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .estimate import Estimate, Noise

POWER = 0.8
_NODES = 32
_FAR = 6.0
_CLOSE = 1e-5
_LEAST_THRESHOLD = 1e-12
"""p-values that are much smaller are rounding errors; to search for their t takes seconds."""
_MOST_CHANGED = 1_000
"""Changed clusters up to which two rates are used; beyond, Student's t with the rates' variance.

If a few clusters carry the aggregate, any number of the others may change and still count as rare
(`rule.is_rare`). The work grows with the square of their number."""


def minimum_detectable(
    estimate: Estimate, *, alpha: float, tests: int, min_effect: float
) -> float | None:
    """The true change that this run's rule would mark in 80 % of runs like it; above 0.

    None where there is no interval, or where no change within the score's range would be; also
    if alpha/tests is smaller than p-values can be computed.
    The rule: p below alpha/tests, Holm's first step, and a difference beyond min_effect.
    tests: how many p-values Holm counts. min_effect: in the score's unit.

    A true change makes new changes among the clusters that had none, of the weight of those
    that were seen; the noise grows with them. Where everything changes, as with continuous
    scores, it is a shift, and the noise stays.
    """
    noise, threshold = estimate.noise, alpha / max(1, tests)
    if noise is None or threshold < _LEAST_THRESHOLD:
        return None
    chance = _chance(noise, threshold, min_effect)
    start = max(min_effect, math.sqrt(noise.variance))
    found = _least_change(chance, start=start, limit=noise.limit)
    return found if found is not None and math.isfinite(found) else None


def _least_change(chance: Callable[[float], float], *, start: float, limit: float) -> float | None:
    """The change whose chance is POWER; None where it is over the limit."""
    low, high = 0.0, min(start, limit)
    while chance(high) < POWER:
        if high >= limit:
            return None
        low, high = high, min(2 * high, limit)
    return root(lambda change: chance(change) - POWER, low, high, close=_CLOSE)


def _chance(noise: Noise, threshold: float, min_effect: float) -> Callable[[float], float]:
    """Change → probability that the rule marks it, by the method that it would then go by."""
    student = _by_student(noise, threshold, min_effect)
    if not _is_rare(noise, _changed(noise, 0.0)):
        return student
    many = _by_student(replace(noise, unseen=2 * noise.extra**2), threshold, min_effect)
    few = many if noise.changed > _MOST_CHANGED else _by_rates(noise, threshold, min_effect)

    def chance(change: float) -> float:
        changed = _changed(noise, change)
        if not _is_rare(noise, changed):
            return student(change)
        return few(change) if changed <= _MOST_CHANGED else many(change)

    return chance


def _changed(noise: Noise, change: float) -> float:
    """Number of changed clusters if this is the true change."""
    more = change / noise.step if noise.step else 0.0
    return min(noise.changed + more, noise.clusters)


def _is_rare(noise: Noise, changed: float) -> bool:
    return rule.is_rare(changed, noise.clusters, effective_share=noise.effective_share)


def _most_events(noise: Noise) -> int:
    """Number of events beyond which no rate of rare changes has a probability that counts."""
    return _terms(min(_MOST_CHANGED, rule.EXACT_BELOW / noise.effective_share))


def _by_student(noise: Noise, threshold: float, min_effect: float) -> Callable[[float], float]:
    """Change → probability that Student's t marks it.

    The estimated error scatters as the root of chi-square over its degrees of freedom; over
    this scatter the normal probability is averaged. The true variance is taken where the
    estimated one is below it half of the time (Wilson and Hilferty's median of chi-square).
    """
    degrees = noise.degrees_of_freedom
    reach, nodes = critical(threshold, degrees), list(_scatter(degrees))
    unseen = math.sqrt(noise.unseen)
    spread = noise.spread / (1 - 2 / (9 * degrees)) ** 3

    def chance(change: float) -> float:
        error = math.sqrt(spread + noise.growth * min(change, noise.room))
        return math.fsum(
            share
            * normal((change - max(reach * math.hypot(factor * error, unseen), min_effect)) / error)
            for factor, share in nodes
        )

    return chance


def _scatter(degrees_of_freedom: float) -> Iterator[tuple[float, float]]:
    """Values of the root of chi-square over its degrees of freedom, with their probabilities."""
    spread = _FAR / math.sqrt(2 * degrees_of_freedom)
    low, high = max(0.0, 1 - spread), 1 + spread
    values = [low + (high - low) * (place + 0.5) / _NODES for place in range(_NODES)]
    logs = [
        (degrees_of_freedom - 1) * math.log(value) - degrees_of_freedom * value * value / 2
        for value in values
    ]
    shares = [math.exp(log - max(logs)) for log in logs]
    total = math.fsum(shares)
    return ((value, share / total) for value, share in zip(values, shares, strict=True))


def _by_rates(noise: Noise, threshold: float, min_effect: float) -> Callable[[float], float]:
    """Change → probability that the two rates' difference marks it.

    The seen changes fall either way, half and half, and the true change adds to one way; both
    are Poisson numbers of changes of equal weight.
    """
    either = noise.changed * noise.step / noise.weight / 2
    ratio = round(max(1.0, noise.extra / noise.weight), 6)
    most = _most_events(noise)
    beyond = math.floor(min(min_effect / noise.weight, most))
    others = [
        (share, least)
        for number, share in enumerate(_poisson(either))
        for least in [max(_marked_from(number, threshold, ratio, most), number + beyond + 1)]
    ]

    def chance(change: float) -> float:
        terms = list(_poisson(either + change / noise.weight))
        return math.fsum(share * math.fsum(terms[least:]) for share, least in others)

    return chance


def _poisson(mean: float) -> Iterator[float]:
    """Probabilities of 0, 1, 2 … events; the far end, of no weight, is left out."""
    for number in range(_terms(mean)):
        yield (
            math.exp(number * math.log(mean) - mean - math.lgamma(number + 1))
            if mean
            else float(not number)
        )


def _terms(mean: float) -> int:
    """How many of Poisson's probabilities have a weight, from that of 0 events on."""
    return math.ceil(mean + _FAR * math.sqrt(mean) + _FAR)


@lru_cache(maxsize=4096)
def _marked_from(others: int, threshold: float, ratio: float, most: int) -> int:
    """How many changes one way are marked, beside so many the other way; `most`, or more, if none.

    ratio: weight of the change that was not seen, by the weight of those that were. If changes
    are tiny, thousands of them are not marked: numbers of at least `most` are not looked at.
    """
    extra, ones = Rate.of([ratio]), Rate(others, others, others)
    least = max(others, _marked_from(others - 1, threshold, ratio, most)) if others else 0

    def is_marked(number: int) -> bool:
        return Difference(Rate(number, number, number), ones, extra).p() < threshold

    low, high, step = least, least, 1
    while high < most and not is_marked(high):
        low, high, step = high + 1, min(high + step, most), 2 * step
    return low + bisect_left(range(low, high), True, key=is_marked)  # noqa: FBT003 - sought
