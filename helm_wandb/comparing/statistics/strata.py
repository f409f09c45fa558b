"""Values in strata and clusters, their sums, and HELM's aggregate of them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from operator import sub

from msgspec import Struct

ROUNDING = 1e-9
"""Values that differ by less, relative to the larger, are the same value."""
SMALLEST = 1e-60
"""Smaller differences are none: the fourth powers of their sums underflow."""
_VANISHING = 1e-12
"""A spread below this share of the values is rounding."""


class Stratum(Struct, frozen=True, kw_only=True):
    """Values of one stratum (run and sub-split), in columns of equal length.

    Clusters are nested in strata: a label that stands in two strata means two clusters, since
    HELM numbers the instances of each run from the start.
    """

    value: Sequence[float]
    cluster: Sequence[str]


class PairedStratum(Struct, frozen=True, kw_only=True):
    """Both sides' values of one stratum over the same instances, in columns of equal length."""

    baseline: Sequence[float]
    candidate: Sequence[float]
    cluster: Sequence[str]

    def differences(self) -> Stratum:
        """Return candidate less baseline, an instance each; exactly 0 if only rounding differs."""
        most = max(map(abs, (*self.candidate, *self.baseline)), default=0.0)
        rounding = max(ROUNDING * most, SMALLEST)
        value = [
            change
            if not change or not -rounding <= change <= rounding
            else difference(candidate, baseline)
            for change, candidate, baseline in zip(
                map(sub, self.candidate, self.baseline), self.candidate, self.baseline, strict=True
            )
        ]
        return Stratum(value=value, cluster=self.cluster)


class Sums(Struct, frozen=True, dict=True):
    """A stratum's values, summed by cluster."""

    size: int
    sums: tuple[float, ...]
    sizes: tuple[int, ...]

    @cached_property
    def mean(self) -> float:
        """Mean of the stratum's values."""
        return math.fsum(self.sums) / self.size

    @property
    def degrees_of_freedom(self) -> float:
        """Return the variance's: clusters less one, times their effective share.

        A cluster counts by its size: if one holds most of the instances, the variance rests
        on little else (after Carter, Schnepel and Steigerwald, Rev. Econ. Stat. 99, 2017). With
        clusters of one size it is C - 1.
        """
        return (len(self.sums) - 1) * effective_share(Counter(self.sizes))

    @cached_property
    def residuals(self) -> tuple[float, ...]:
        """Clusters' sums less what their sizes give them of the mean; rounding is exactly 0."""
        vanishing = _VANISHING * max(map(abs, self.sums))
        own = self.mean
        residuals = [total - size * own for total, size in zip(self.sums, self.sizes, strict=True)]
        return tuple(
            [0.0 if -vanishing <= residual <= vanishing else residual for residual in residuals]
        )


class Aggregate(Struct, frozen=True, dict=True):
    """HELM's aggregate of a score: the unweighted mean over strata of the means within."""

    strata: tuple[Sums, ...]

    @classmethod
    def of(cls, strata: Iterable[Stratum]) -> Aggregate:
        """Return the aggregate of these strata; ValueError if one, or their list, is empty."""
        sums = tuple(map(_sums, strata))
        if not sums:
            raise ValueError("there is no stratum to take the mean of")
        return cls(sums)

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

    @property
    def typical_cluster(self) -> float:
        """Size of the cluster that a random instance is in, on average."""
        sizes = [size for stratum in self.strata for size in stratum.sizes]
        return sum(size * size for size in sizes) / sum(sizes)

    @property
    def heaviness(self) -> float:
        """Factor of an unseen change of a cluster's sum, for those that are larger than others."""
        sizes = [size for stratum in self.strata for size in stratum.sizes]
        return 1 / math.sqrt(effective_share(Counter(sizes)))


def effective_share(weights: Mapping[float, int]) -> float:
    """Return the effective number of these weights by their number: 1 if all are alike.

    weights: how many there are of each.
    """
    squares = [(count, weight * weight) for weight, count in weights.items()]
    total = math.fsum(count * square for count, square in squares)
    fourths = math.fsum(count * square * square for count, square in squares)
    return total**2 / fourths / sum(weights.values())


def difference(candidate: float, baseline: float) -> float:
    """Return candidate less baseline; exactly 0 if only rounding differs."""
    change = candidate - baseline
    rounding = max(ROUNDING * max(abs(candidate), abs(baseline)), SMALLEST)
    return change if abs(change) > rounding else 0.0


def _sums(stratum: Stratum) -> Sums:
    if not stratum.value:
        raise ValueError("a stratum must hold an instance")
    if len(set(stratum.cluster)) == len(stratum.value):
        return Sums(len(stratum.value), tuple(stratum.value), (1,) * len(stratum.value))
    members: defaultdict[str, list[float]] = defaultdict(list)
    for value, cluster in zip(stratum.value, stratum.cluster, strict=True):
        members[cluster].append(value)
    sums = tuple(map(_sum, members.values()))
    return Sums(len(stratum.value), sums, tuple(map(len, members.values())))


def _sum(values: Sequence[float]) -> float:
    if len(values) == 1:
        return values[0]
    total = math.fsum(values)
    return total if abs(total) > _VANISHING * math.fsum(map(abs, values)) else 0.0
