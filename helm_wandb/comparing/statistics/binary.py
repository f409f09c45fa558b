"""Right and wrong answers to the same questions: McNemar's test in its mid-p form."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .special import critical_normal

_MOST_WEIGHT = 1.0
_CLOSE = 1e-15
_LEAST = 1e-300


def mid_p(ups: int, downs: int) -> float:
    """Return McNemar's exact two-sided p-value less half the probability of what was seen."""
    if ups == downs:
        return 1.0
    return min(1.0, _tail(min(ups, downs), ups + downs))


def weight_of_mid_p(ups: int, downs: int) -> float:
    """Weight of an unseen change each way with which the likelihood ratio has the mid-p.

    It is between 0.5 and 0.61.
    """
    p = mid_p(ups, downs)
    if p == 1.0:
        return _MOST_WEIGHT / 2
    bound = critical_normal(max(p, _LEAST)) ** 2
    low, high = 0.0, _MOST_WEIGHT
    while high - low > _CLOSE:
        weight = (low + high) / 2
        low, high = (weight, high) if _log_ratio(ups, downs, weight) > bound else (low, weight)
        if weight in {low, high} and not low < (low + high) / 2 < high:
            break
    return low


def _tail(least: int, total: int) -> float:
    """Probability of less, twice, and of as many once, of so many tosses of a coin."""
    *less, same = binomial(total, 0.5, stop=least + 1)
    return math.fsum((*(2 * chance for chance in less), same))


def binomial(total: int, chance: float, *, stop: int | None = None) -> Iterator[float]:
    """Probabilities of 0, 1 … `stop` - 1 events among so many; of all numbers without a stop."""
    log, log_rest = (math.log(share) if share else -math.inf for share in (chance, 1 - chance))
    for number in range(min(total + 1, stop or total + 1)):
        ways = math.lgamma(total + 1) - math.lgamma(number + 1) - math.lgamma(total - number + 1)
        either = (number and number * log) + (number < total and (total - number) * log_rest)
        yield math.exp(ways + either)


def _log_ratio(ups: int, downs: int, weight: float) -> float:
    half = (ups + downs) / 2 + weight
    return 2 * math.fsum(_term(one + weight, half) for one in (ups, downs))


def _term(count: float, expected: float) -> float:
    return count * math.log(count / expected) if count else 0.0
