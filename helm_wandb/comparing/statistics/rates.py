"""Two rates of rare events, and what is known of their difference: exact where events weigh alike.

The events are changes for the better and changes for the worse; a change's weight is what it adds
to the score. Of each rate a confidence distribution is known: Poisson's for equal weights
(Garwood's limits), Fay and Feuer's gamma for unequal ones (Statistics in Medicine 16, 1997). The
difference of two such independent distributions is "melded" (Fay, Proschan and Brittain,
Biometrics 71, 2015), in its mid-p form, half the lower and half the upper. For equal weights its
tail at 0 is the mid-p of McNemar's test, exactly: with b and c changes, the gamma variables
compare as a beta variable with 1/2. So test and interval are read off one distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_CLOSE = 1e-9
_STEPS = 200
"""Of a search; it takes a tenth of them, and an error in its input must not make it endless."""
_LOG_LEAST = -700.0
"""Smaller logarithms are of numbers that a float may hold no more as 0."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The events that were seen: their number, and the sum and the squares of their weights."""

    count: int
    total: float
    squares: float

    @classmethod
    def of(cls, weights: Sequence[float]) -> Rate:
        """The rate of events of these weights, all above 0."""
        return cls(
            len(weights), math.fsum(weights), math.fsum(weight * weight for weight in weights)
        )

    @property
    def typical(self) -> float:
        """Mean square by mean of the weights; 0 without events.

        Events of this weight, and as heavy in all, would vary as much.
        """
        return self.squares / self.total if self.total else 0.0

    def more(self, extra: Rate) -> Rate:
        """The rate with the other's events too."""
        return Rate(
            self.count + extra.count, self.total + extra.total, self.squares + extra.squares
        )


@dataclass(frozen=True, slots=True)
class _Erlang:
    """Sum of `shape` exponential variables of mean `scale`; 0 where the shape is."""

    probability: float
    shape: int
    scale: float


@dataclass(frozen=True)
class Difference:
    """The confidence distribution of (rate of ups - rate of downs)."""

    ups: Rate
    downs: Rate
    extra: Rate
    """The event that was not seen and could have been: mean weight, mean square."""

    @property
    def variance(self) -> float:
        """The distribution's variance."""
        return self.ups.squares + self.downs.squares + 2 * self.extra.squares

    def p(self) -> float:
        """Two-sided p-value of no difference."""
        above = self.above(0.0)
        return min(1.0, max(0.0, 2 * min(above, 1 - above)))

    def above(self, value: float) -> float:
        """Confidence that the difference exceeds the value."""
        return math.fsum(share * tail(value) for share, tail in self._tails)

    def quantile(self, above: float) -> float:
        """The value that the difference exceeds with this confidence."""
        centre, spread = self.ups.total - self.downs.total, math.sqrt(self.variance)
        sign = 1 if above < self.above(centre) else -1
        far = centre + sign * 2 * spread
        for _ in range(_STEPS):
            if (self.above(far) > above) != (sign > 0):
                break
            far += sign * 2 * spread
        return root(lambda value: self.above(value) - above, centre, far)

    @cached_property
    def _tails(self) -> tuple[tuple[float, Callable[[float], float]], ...]:
        sides = (
            (self.ups, self.downs.more(self.extra)),
            (self.ups.more(self.extra), self.downs),
        )
        return tuple(
            (up.probability * down.probability / len(sides), _tail(up, down))
            for ups, downs in sides
            for up, down in product(_erlangs(ups), _erlangs(downs))
        )


def _erlangs(rate: Rate) -> Iterator[_Erlang]:
    """A mixture of at most two Erlang distributions with the rate's mean and variance.

    It stands in for the gamma distribution with these moments, whose shape need not be whole;
    of one shape more and one less, both with the same mean (Tijms, Stochastic Models, 1994).
    """
    if rate.total <= 0:
        yield _Erlang(1.0, 0, 0.0)
        return
    shape = rate.total * rate.total / rate.squares
    whole = max(1, math.floor(shape * (1 + _CLOSE)))
    lower = min(1.0, whole * ((whole + 1) / shape - 1))
    yield _Erlang(lower, whole, rate.total / whole)
    if lower < 1 - _CLOSE:
        yield _Erlang(1 - lower, whole + 1, rate.total / (whole + 1))


def _tail(up: _Erlang, down: _Erlang) -> Callable[[float], float]:
    """Value → probability that the difference of the two exceeds it."""
    right, left = _right_tail(up, down), _right_tail(down, up)
    return lambda value: right(value) if value >= 0 else 1 - left(-value)


def _right_tail(up: _Erlang, down: _Erlang) -> Callable[[float], float]:
    """Value of at least 0 → probability that up - down exceeds it.

    An Erlang variable exceeds x if a Poisson variable of mean x stays below its shape. Here x is
    the value plus the other variable, which turns Poisson into negative binomial: a finite sum
    of positive terms.
    """
    if not up.shape:
        return lambda _: 0.0
    stay = list(accumulate(_negative_binomial(up, down)))

    def tail(value: float) -> float:
        total = 0.0
        for count, term in enumerate(_poisson(value / up.scale, up.shape)):
            total += term * stay[up.shape - 1 - count]
        return total

    return tail


def _poisson(mean: float, count: int) -> Iterator[float]:
    """Probabilities of 0, 1 … count - 1 events."""
    return _series(math.exp(-mean), -mean, (mean / number for number in range(1, count + 1)))


def _negative_binomial(up: _Erlang, down: _Erlang) -> Iterator[float]:
    """Probabilities of 0, 1 … up.shape - 1 events of `up` within the time of `down`."""
    both = up.scale + down.scale
    chance = down.scale / both
    factors = (
        chance * (down.shape + count) / (count + 1)  # of the next term
        for count in range(up.shape)
    )
    log_first = down.shape * (math.log(up.scale) - math.log(both))
    return _series((1 - chance) ** down.shape, log_first, factors)


def _series(first: float, log_first: float, factors: Iterable[float]) -> Iterator[float]:
    """As many terms as factors, each the last one times its factor.

    By logarithms where a float holds the first term as 0: the largest terms come much later.
    """
    if log_first >= _LOG_LEAST:
        for factor in factors:
            yield first
            first *= factor
    else:
        for factor in factors:
            yield math.exp(log_first)
            log_first += math.log(factor)


def root(
    function: Callable[[float], float], one: float, other: float, *, close: float = _CLOSE
) -> float:
    """Where the function is 0, between two places where its signs differ (Illinois method).

    close: the error that is allowed, as a share of their distance.
    """
    enough = close * abs(other - one)
    at_one, at_other = function(one), function(other)
    for _ in range(_STEPS):
        if abs(other - one) <= enough or not at_other:
            break
        place = other - at_other * (other - one) / (at_other - at_one)
        at_place = function(place)
        if (at_place > 0) != (at_other > 0):
            one, at_one = other, at_other
        else:
            at_one /= 2
        other, at_other = place, at_place
    return other
