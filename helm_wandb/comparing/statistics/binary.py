"""Right and wrong answers to the same questions: McNemar's mid-p, over strata too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, lru_cache

_CLOSE = 1e-9
"""Sums of changes that differ by less, relative to what all could add up to, are one sum."""
_MOST_SUMS = 1_000
"""Sums of the largest changes that are counted one by one; the rest are taken as normal."""


@lru_cache(maxsize=4096)
def mid_p(ups: int, downs: int) -> float:
    """Return McNemar's exact two-sided p-value less half the probability of what was seen."""
    if ups == downs:
        return 1.0
    return min(1.0, _tail(min(ups, downs), ups + downs))


def mid_p_of_strata(changes: Sequence[tuple[float, int, int]]) -> float:
    """Return the mid-p of the sum of changes that all could have gone the other way.

    changes: their size, and how many went up and down; a size each.
    """
    several = sorted((one for one in changes if one[1] + one[2]), reverse=True)
    if len(several) == 1:
        return mid_p(*several[0][1:])
    total = abs(math.fsum(size * (ups - downs) for size, ups, downs in several))
    close = _CLOSE * math.fsum(size * (ups + downs) for size, ups, downs in several)
    if total <= close:
        return 1.0
    sums, variance = [(0.0, 1.0)], 0.0
    for size, ups, downs in several:
        count = ups + downs
        if variance or len(sums) * (count + 1) > _MOST_SUMS:
            variance += count * size * size
            continue
        steps = [
            (size * (2 * number - count), share)
            for number, share in enumerate(binomial(count, 0.5))
        ]
        sums = [(value + step, part * share) for value, part in sums for step, share in steps]
    error = math.sqrt(variance)
    return min(
        1.0, 2 * math.fsum(part * _above(total - value, error, close) for value, part in sums)
    )


def _above(distance: float, error: float, close: float) -> float:
    """Probability that a normal variable is above the distance; half if it can't but be as far."""
    if error:
        return math.erfc(distance / error / math.sqrt(2)) / 2
    return 0.5 if abs(distance) <= close else float(distance < 0)


def _tail(least: int, total: int) -> float:
    """Probability of less, twice, and of as many once, of so many tosses of a coin."""
    *less, same = binomial(total, 0.5, stop=least + 1)
    return math.fsum((*(2 * chance for chance in less), same))


def binomial(total: int, chance: float, *, stop: int | None = None) -> list[float]:
    """Return the probabilities of 0, 1 … `stop` - 1 events among so many; of all without a stop."""
    log, log_rest = (math.log(share) if share else -math.inf for share in (chance, 1 - chance))
    logs = _log_factorials(total.bit_length())
    ways = logs[total]
    return [
        math.exp(
            (ways - logs[number] - logs[total - number])
            + ((number and number * log) + (number < total and (total - number) * log_rest))
        )
        for number in range(min(total + 1, stop or total + 1))
    ]


@cache
def _log_factorials(bits: int) -> tuple[float, ...]:
    """Return the logarithms of the factorials of all numbers with so many bits or fewer."""
    return tuple(map(math.lgamma, range(1, 2**bits + 1)))
