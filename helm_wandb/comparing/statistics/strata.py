"""What is compared: values in strata and clusters, their sums, and HELM's aggregate of them."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ROUNDING = 1e-9
"""Values that differ by less, relative to 1 or to themselves, are the same value."""
_VANISHING = 1e-12
"""A spread below this share of the values is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Values of one stratum (run and sub-split), in columns of equal length.

    Clusters are nested in strata: a label that stands in two strata means two clusters, since
    HELM numbers its instances anew in each run.
    """

    value: Sequence[float]
    cluster: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedStratum:
    """Both sides' values of one stratum over the same instances, in columns of equal length."""

    baseline: Sequence[float]
    candidate: Sequence[float]
    cluster: Sequence[str]

    def differences(self) -> Stratum:
        """Candidate less baseline, an instance each; exactly 0 where only rounding differs."""
        pairs = zip(self.candidate, self.baseline, strict=True)
        return Stratum(value=[difference(*pair) for pair in pairs], cluster=self.cluster)


class Term(NamedTuple):
    """A part of an estimated variance, and the degrees of freedom that it rests on."""

    variance: float
    degrees_of_freedom: float


@dataclass(frozen=True)
class _Sums:
    """A stratum's values, summed by cluster."""

    size: int
    sums: tuple[float, ...]
    sizes: tuple[int, ...]

    @cached_property
    def mean(self) -> float:
        return math.fsum(self.sums) / self.size

    @property
    def degrees_of_freedom(self) -> float:
        """Of the variance: clusters less one, by the share of them that is effective.

        A cluster counts by its size: where one holds most of the instances, the variance rests
        on little else (after Carter, Schnepel and Steigerwald, Rev. Econ. Stat. 99, 2017). With
        clusters of one size it is C - 1.
        """
        return (len(self.sums) - 1) * _effective_share(self.sizes)

    @property
    def variance(self) -> float:
        """Of the mean; 0 for a single cluster, which tells nothing of it.

        Residuals summed by cluster, with the correction C/(C - 1) for their finite number
        (facts of Miller, arXiv:2411.00640, as inspect_ai computes them).
        """
        count = len(self.sums)
        residuals = [
            total - size * self.mean for total, size in zip(self.sums, self.sizes, strict=True)
        ]
        vanishing = _VANISHING * max(map(abs, self.sums))
        if count == 1 or all(abs(residual) <= vanishing for residual in residuals):
            return 0.0
        squares = math.fsum(residual * residual for residual in residuals)
        return count / (count - 1) * squares / self.size**2


@dataclass(frozen=True)
class Aggregate:
    """HELM's aggregate of a score: the unweighted mean over strata of the means within."""

    strata: tuple[_Sums, ...]

    @classmethod
    def of(cls, strata: Iterable[Stratum]) -> Aggregate:
        """The aggregate of these strata; ValueError where one, or their list, is empty."""
        found = tuple(map(_sums, strata))
        if not found:
            message = "there is no stratum to take the mean of"
            raise ValueError(message)
        return cls(found)

    @cached_property
    def mean(self) -> float:
        """The aggregate itself, in the score's unit."""
        return math.fsum(stratum.mean for stratum in self.strata) / len(self.strata)

    @cached_property
    def size(self) -> int:
        """Instances."""
        return sum(stratum.size for stratum in self.strata)

    @cached_property
    def clusters(self) -> int:
        """Over all strata."""
        return sum(len(stratum.sums) for stratum in self.strata)

    @cached_property
    def weights(self) -> tuple[float, ...]:
        """What a unit of an instance adds to the aggregate, a stratum each."""
        return tuple(1 / (len(self.strata) * stratum.size) for stratum in self.strata)

    @cached_property
    def contributions(self) -> tuple[float, ...]:
        """What each cluster adds to the aggregate."""
        pairs = zip(self.weights, self.strata, strict=True)
        return tuple(weight * total for weight, stratum in pairs for total in stratum.sums)

    @cached_property
    def effective_share(self) -> float:
        """Effective number of clusters by number of clusters, of (0, 1].

        It is 1 where all weigh alike, and small where a few in small strata carry the aggregate.
        """
        pairs = zip(self.weights, self.strata, strict=True)
        return _effective_share(
            [weight * size for weight, stratum in pairs for size in stratum.sizes]
        )

    def variance(self) -> tuple[Term, ...]:
        """Parts of the aggregate's variance, a stratum each; none where no stratum tells any.

        A stratum of a single cluster borrows the variance of a cluster pooled over the others,
        whose parts therefore count more than once.
        """
        degrees = self.clusters - len(self.strata)
        single = sum(len(stratum.sums) == 1 for stratum in self.strata)
        return tuple(
            Term(
                stratum.variance
                * (1 + single * (count - 1) * count / degrees)
                / len(self.strata) ** 2,
                stratum.degrees_of_freedom,
            )
            for stratum in self.strata
            for count in [len(stratum.sums)]
            if count > 1
        )

    @cached_property
    def moved(self) -> tuple[float, ...]:
        """The contributions that are not 0."""
        return tuple(value for value in self.contributions if value)

    @cached_property
    def moved_sums(self) -> tuple[float, ...]:
        """Sizes of the clusters' sums that are not 0, in units of an instance."""
        return tuple(abs(total) for stratum in self.strata for total in stratum.sums if total)

    def largest_cluster(self) -> int:
        """Instances in the largest cluster."""
        return max(size for stratum in self.strata for size in stratum.sizes)

    def mean_weight(self, power: int = 1) -> float:
        """Mean over the clusters of their stratum's weight, raised to the power."""
        pairs = zip(self.weights, self.strata, strict=True)
        total = math.fsum(weight**power * len(stratum.sums) for weight, stratum in pairs)
        return total / self.clusters


def _effective_share(weights: Sequence[float]) -> float:
    """Effective number of these weights by their number, of (0, 1]; 1 where all are alike."""
    squares = [weight * weight for weight in weights]
    return math.fsum(squares) ** 2 / math.fsum(one * one for one in squares) / len(squares)


def difference(candidate: float, baseline: float) -> float:
    """Candidate less baseline; exactly 0 where only rounding differs."""
    found = candidate - baseline
    return found if abs(found) > _ROUNDING * max(1.0, abs(baseline)) else 0.0


def _sums(stratum: Stratum) -> _Sums:
    members: defaultdict[str, list[float]] = defaultdict(list)
    for value, cluster in zip(stratum.value, stratum.cluster, strict=True):
        members[cluster].append(value)
    if not members:
        message = "a stratum must hold an instance"
        raise ValueError(message)
    sums = tuple(map(_sum, members.values()))
    return _Sums(len(stratum.value), sums, tuple(map(len, members.values())))


def _sum(values: Sequence[float]) -> float:
    if len(values) == 1:
        return values[0]
    total = math.fsum(values)
    return total if abs(total) > _VANISHING * math.fsum(map(abs, values)) else 0.0
