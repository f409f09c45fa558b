"""A difference as the mean of contributions, one a cluster; its test and its interval.

Right and wrong answers without clusters are compared by McNemar's mid-p, over strata too. All else
is by the empirical likelihood ratio (Owen, Biometrika 75, 1988) of the contributions and of two
that no instance showed: one up, one down, each as large as the range of the scores, of a small
weight. So a few large changes that would make up for many small ones are allowed for before they
are seen, at next to no cost once the data speak. A result must pass Student's t too, which is the
stricter one if a few heavy clusters carry the score. Nothing depends on the unit of the scores.
The interval of the mid-p is that of the ratio, whose root is scaled to have the same p-value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from operator import mul, truediv
from typing import TYPE_CHECKING

from msgspec import Struct

from .binary import mid_p_of_strata
from .special import critical, critical_normal, two_sided, two_sided_normal
from .strata import effective_share

if TYPE_CHECKING:
    from .strata import Sums

UNSEEN_WEIGHT, UNEVEN_WEIGHT = 1 / 32, 1 / 4
"""Weight of each contribution that was not seen, if all clusters weigh the same, and at most.

1 is the weight of a cluster (simulated)."""
COUNTS_WEIGHT = 0.5
"""Weight of each among right and wrong answers, which makes the ratio's p nearly the mid-p, and if
nothing changed: the bound is then 3.4 changes, near the rule of three."""
_LEAST_P = 1e-300
_STEPS = 100
_CLOSE = 1e-9
_CLOSE_TILT = 1e-5
"""Of a step of Newton's method: the error after it is the square of this, and the likelihood ratio,
which is greatest there, is as exact as a float."""
_FAR = 700.0
"""Its exponential is still a float."""


class Part(Struct, frozen=True):
    """A stratum's share of a difference."""

    stratum: Sums
    weight: float
    """Weight of the stratum's mean."""
    unseen: float
    """Size of a change of a cluster's sum that was not seen."""
    is_binary: bool = False
    """Whether all clusters are single answers, right or wrong."""


class Contrast(Struct, frozen=True, kw_only=True, dict=True):
    """A difference, and all that its test depends on."""

    difference: float
    points: tuple[tuple[float, float, float], ...]
    """Number, residual and shift of equal clusters: with the true difference θ, each contributes
    residual + shift · (difference - θ)."""
    unseen: float
    """Size of the contributions that were not seen."""
    unseen_weight: float
    clusters: int
    variance: float
    """Variance of the difference, without unseen contributions."""
    degrees_of_freedom: float
    """Satterthwaite's: a stratum that carries the noise can't hide behind the others' clusters."""
    strata_degrees: float
    """Sum of the strata's."""
    limit: float
    """Greatest difference that scores like these can have, if it is known."""
    parts: tuple[Part, ...]
    flips: tuple[tuple[float, int, int], ...] = ()
    """Sizes of the changes of right and wrong answers, and how many went up and down."""
    is_binary: bool = False
    """Whether the likelihood alone decides, by the normal distribution."""

    @cached_property
    def changes(self) -> tuple[float, ...]:
        """Sizes of the contributions of those clusters that changed."""
        factors = [self.clusters * part.weight / part.stratum.size for part in self.parts]
        return tuple(
            [
                abs(factor * total)
                for factor, part in zip(factors, self.parts, strict=True)
                for total in part.stratum.sums
                if total
            ]
        )

    @property
    def unchanged(self) -> int:
        """Clusters that did not change."""
        return self.clusters - len(self.changes)

    @cached_property
    def is_single(self) -> bool:
        """Whether each cluster is a single instance."""
        return all(len(part.stratum.sums) == part.stratum.size for part in self.parts)

    @property
    def is_even(self) -> bool:
        """Whether each instance is a cluster, and all weigh the same."""
        weights = {part.weight / part.stratum.size for part in self.parts}
        return self.is_single and len(weights) == 1

    @property
    def guarded_variance(self) -> float:
        """Variance of the difference with the contributions that were not seen."""
        unseen = self.unseen / self.clusters
        return self.variance + 2 * self.unseen_weight * unseen * unseen

    @classmethod
    def build(cls, parts: Sequence[Part], *, limit: float = math.inf) -> Contrast | None:
        """Return the contrast of strata's means, each with its weight; None if no spread is known.

        A stratum of a single cluster borrows the variance of a cluster pooled over the others,
        whose residuals therefore count more than once. If the difference were another, the
        strata would share that in proportion to their variances.
        """
        strata = [part.stratum for part in parts]
        clusters = sum(len(stratum.sums) for stratum in strata)
        if clusters == len(parts):
            return None
        factors = _factors(parts, clusters)
        squares = [
            factor**2 * math.fsum(map(mul, stratum.residuals, stratum.residuals))
            for factor, stratum in zip(factors, strata, strict=True)
        ]
        flips = _flips(parts)
        is_binary = bool(flips) or not any(any(stratum.sums) for stratum in strata)
        return cls(
            difference=math.fsum(part.weight * part.stratum.mean for part in parts),
            points=_points(strata, factors, squares),
            unseen=_unseen(parts, clusters),
            unseen_weight=COUNTS_WEIGHT if is_binary else _unseen_weight(parts),
            clusters=clusters,
            limit=limit,
            parts=tuple(parts),
            flips=flips,
            is_binary=is_binary,
            variance=math.fsum(squares) / (clusters * (clusters - 1)),
            degrees_of_freedom=_satterthwaite(strata, squares),
            strata_degrees=math.fsum(stratum.degrees_of_freedom for stratum in strata),
        )

    def p(self) -> float:
        """Return the two-sided p-value of no difference."""
        if self.flips:
            return mid_p_of_strata(self.flips)
        if self.is_binary:
            return two_sided_normal(math.sqrt(self._log_ratio(0.0)[0]))
        if not self.difference:
            return 1.0
        error = math.sqrt(self.variance)
        by_student = two_sided(self.difference / error, self.strata_degrees) if error else 0.0
        statistic = self.likelihood_statistic()
        by_likelihood = (
            two_sided(statistic, self.degrees_of_freedom) if math.isfinite(statistic) else 0.0
        )
        return max(by_student, by_likelihood)

    def interval(self, level: float) -> tuple[float, float]:
        """Return the differences that the test doesn't reject, and the difference itself."""
        return self.end(-1, level), self.end(1, level)

    def end(self, sign: int, level: float) -> float:
        """Return the end of the interval in this direction."""
        end = self._end(sign, level)
        if self.is_binary:
            return end
        reach = critical(1 - level, self.strata_degrees) * math.sqrt(self.variance)
        return sign * max(sign * end, sign * self.difference + reach)

    def likelihood_statistic(self) -> float:
        """Student's statistic that would have the same likelihood ratio, were scores normal."""
        total = self._total
        share = self._log_ratio(0.0)[0] / total
        return math.sqrt((total - 1) * math.expm1(share)) if share < _FAR else math.inf

    @cached_property
    def _total(self) -> float:
        return self.clusters + 2 * self.unseen_weight

    @cached_property
    def _scale(self) -> float:
        """Factor of the root of the likelihood ratio that makes its p-value the mid-p."""
        p = mid_p_of_strata(self.flips) if self.flips else 1.0
        if p == 1:
            return 1.0
        return critical_normal(max(p, _LEAST_P)) / math.sqrt(self._log_ratio(0.0)[0])

    def _bound(self, sign: int, level: float) -> float:
        """Greatest root of the likelihood ratio that the interval holds in this direction.

        The mid-p is of no difference. So if strata differ, only the end next to 0 is scaled up.
        """
        reach = critical(1 - level, self.degrees_of_freedom)
        by_student = math.sqrt(self._total * math.log1p(reach * reach / (self._total - 1)))
        if not self.is_binary:
            return by_student
        bound = critical_normal(1 - level)
        if len(self.flips) > 1 and sign * self.difference >= 0:
            return max(bound / min(1.0, self._scale), by_student)
        return bound / self._scale

    def _end(self, sign: int, level: float) -> float:
        """Find the end of the interval, by Newton's method on the root of the likelihood ratio."""
        bound = self._bound(sign, level)
        inside, outside = self.difference, sign * self._edge(sign)
        place = inside + sign * min(
            bound * math.sqrt(self.guarded_variance), abs(outside - inside) / 2
        )
        tilt = 0.0
        for _ in range(_STEPS):
            log_ratio, tilt, slope = self._log_ratio(place, tilt)
            root = math.sqrt(log_ratio)
            if root > bound:
                outside = place
            else:
                inside = place
            step = (bound - root) * 2 * root / slope if slope and math.isfinite(root) else math.inf
            new = place + step
            if not min(inside, outside) < new < max(inside, outside):
                new = (inside + outside) / 2
            if abs(new - place) <= _CLOSE * self._size:
                return new
            tilt *= (new - self.difference) / (place - self.difference)
            place = new
        return place

    def _edge(self, sign: int) -> float:
        """Return the largest difference that is possible in this direction."""
        seen = [
            sign * (self.difference + residual / shift)
            for _, residual, shift in self.points
            if shift > 0
        ]
        return max(self.unseen, *seen)

    @cached_property
    def _counts_and_shifts(self) -> tuple[list[float], list[float]]:
        """Numbers and shifts of the points, and of the two changes that were not seen."""
        counts = [count for count, _, _ in self.points]
        shifts = [shift for _, _, shift in self.points]
        return [*counts, self.unseen_weight, self.unseen_weight], [*shifts, 1.0, 1.0]

    @cached_property
    def _size(self) -> float:
        return max(abs(self.difference), math.sqrt(self.guarded_variance))

    def _log_ratio(self, truth: float, start: float = 0.0) -> tuple[float, float, float]:
        """Return the log likelihood ratio of a true difference, its tilt, and its derivative.

        The tilt is that which gives the contributions the mean 0.
        """
        away = self.difference - truth
        values = [residual + shift * away for _, residual, shift in self.points]
        values += [self.unseen - truth, -self.unseen - truth]
        counts, shifts = self._counts_and_shifts
        least, most = min(values), max(values)
        if least >= 0 or most <= 0:
            return math.inf, 0.0, 0.0
        tilt = _tilt(values, counts, start=start, low=-1 / most, high=-1 / least)
        parts = [1 + tilt * value for value in values]
        log_ratio = max(0.0, 2 * sum(map(mul, counts, map(math.log, parts))))
        slope = -2 * tilt * sum(map(truediv, map(mul, counts, shifts), parts))
        return log_ratio, tilt, slope


def _flips(parts: Sequence[Part]) -> tuple[tuple[float, int, int], ...]:
    """Return sizes and numbers of the changes; none if not all are of right and wrong answers."""
    if not all(part.is_binary for part in parts):
        return ()
    ups: Counter[float] = Counter()
    downs: Counter[float] = Counter()
    for part in parts:
        sums = part.stratum.sums
        size = part.weight / part.stratum.size * max(map(abs, sums))
        ups[size] += sum([total > 0 for total in sums])
        downs[size] += sum([total < 0 for total in sums])
    return tuple((size, ups[size], downs[size]) for size in ups if ups[size] + downs[size])


def _factors(parts: Sequence[Part], clusters: int) -> list[float]:
    """Return what the residuals of each stratum are multiplied by."""
    single = sum(len(part.stratum.sums) == 1 for part in parts)
    return [
        clusters
        * part.weight
        / part.stratum.size
        * _correction(len(part.stratum.sums), clusters, single=single, strata=len(parts))
        for part in parts
    ]


def _satterthwaite(strata: Sequence[Sums], squares: Sequence[float]) -> float:
    """Return the degrees of freedom of the strata's squares, each with its own."""
    degrees = [stratum.degrees_of_freedom for stratum in strata]
    total = math.fsum(squares)
    if not total:
        return math.fsum(degrees)
    by_stratum = [(square, own) for square, own in zip(squares, degrees, strict=True) if own]
    return total**2 / math.fsum(square**2 / own for square, own in by_stratum)


def _unseen(parts: Sequence[Part], clusters: int) -> float:
    """Return the size of the contributions that were not seen."""
    squares = (
        len(part.stratum.sums) * (part.weight / part.stratum.size * part.unseen) ** 2
        for part in parts
    )
    return math.sqrt(clusters * math.fsum(squares))


def _unseen_weight(parts: Sequence[Part]) -> float:
    weights: Counter[float] = Counter()
    for part in parts:
        for size, count in Counter(part.stratum.sizes).items():
            weights[part.weight / part.stratum.size * size] += count
    return min(UNEVEN_WEIGHT, UNSEEN_WEIGHT / effective_share(weights) ** 2)


def _points(
    strata: Sequence[Sums], factors: Sequence[float], squares: Sequence[float]
) -> tuple[tuple[float, float, float], ...]:
    """Return number, residual and shift of equal clusters, as in `Contrast.points`.

    factors: those of the strata's residuals. squares: the sums of the squares of the products.
    """
    clusters = sum(len(stratum.sums) for stratum in strata)
    total, instances = math.fsum(squares), sum(stratum.size for stratum in strata)
    points: list[tuple[float, float, float]] = []
    for stratum, factor, square in zip(strata, factors, squares, strict=True):
        share = square / total if total else stratum.size / instances
        shift = clusters * share / stratum.size
        rows = Counter(zip(stratum.residuals, stratum.sizes, strict=True)).items()
        points += [(count, factor * residual, shift * size) for (residual, size), count in rows]
    return tuple(points)


def _correction(count: int, clusters: int, *, single: int, strata: int) -> float:
    """Factor of a stratum's residuals, for the finite number of its clusters."""
    if count == 1:
        return 0.0
    borrowed = 1 + single * (count - 1) * count / (clusters - strata)
    return math.sqrt(count / (count - 1) * borrowed * (clusters - 1) / clusters)


def _tilt(
    values: Sequence[float], counts: Sequence[float], *, start: float, low: float, high: float
) -> float:
    """Find where the tilted mean of the values is 0, by Newton's method between two bounds."""
    tilt = start if low < start < high else 0.0
    for _ in range(_STEPS):
        shares = [value / (1 + tilt * value) for value in values]
        weighted = list(map(mul, shares, counts))
        mean = float(sum(weighted))
        fall = float(sum(map(mul, weighted, shares)))
        low, high = (tilt, high) if mean > 0 else (low, tilt)
        new = tilt + mean / fall
        if not low < new < high:
            new = (low + high) / 2
        if abs(new - tilt) <= _CLOSE_TILT * abs(new):
            return new
        tilt = new
    return tilt
