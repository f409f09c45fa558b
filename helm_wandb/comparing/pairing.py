"""Instances of two sides → pairs of the same questions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from helm_wandb.comparing.statistics import PairedStratum, Stratum
from helm_wandb.model import Instances

LEAST_SHARE = 0.9
"""Share of the instances that must be the same questions on both sides."""
LARGEST = 1e60
"""The largest value that can be tested: the fourth powers of sums of larger ones overflow."""
_Place = tuple[str, str, int, int]
"""Stratum, instance id, train trial, and the number of equal ones before it, which is 0 in HELM's
output."""


class Pair(NamedTuple):
    """One question that both sides have."""

    stratum: str
    id: str
    trial: int
    candidate: float
    baseline: float
    cluster: str
    """The candidate's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The questions that two sides both have."""

    strata: tuple[PairedStratum, ...]
    matched: int
    """Number of pairs."""
    candidate: int
    """Number of the candidate's instances and trials."""
    baseline: int

    @property
    def share(self) -> float:
        """Return the share of the larger side's instances that are paired."""
        return self.matched / max(self.candidate, self.baseline, 1)

    @property
    def is_testable(self) -> bool:
        """Return whether all values are small enough for the test."""
        return _is_testable(side for one in self.strata for side in (one.candidate, one.baseline))


def pair_instances(candidate: Instances, baseline: Instances) -> Pairs:
    """Return the pairs of instances with the same stratum, id, trial and input."""
    strata: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for pair in iter_pairs(candidate, baseline):
        strata[pair.stratum].append((pair.candidate, pair.baseline, pair.cluster))
    return Pairs(
        strata=tuple(_stratum(pairs) for pairs in strata.values()),
        matched=sum(map(len, strata.values())),
        candidate=len(candidate.id),
        baseline=len(baseline.id),
    )


def iter_pairs(candidate: Instances, baseline: Instances) -> Iterator[Pair]:
    """Yield each pair, in the candidate's order. An input without text matches any."""
    others = {place: (text, value) for place, text, value, _ in _rows(baseline)}
    for place, text, value, cluster in _rows(candidate):
        if place in others:
            other_text, other_value = others[place]
            if text is None or other_text is None or text == other_text:
                yield Pair(*place[:3], value, other_value, cluster)


def split_strata(instances: Instances) -> tuple[Stratum, ...] | None:
    """Return one side's strata; None if their values are too large for the test."""
    strata: dict[str, list[tuple[float, str]]] = defaultdict(list)
    columns = zip(instances.stratum, instances.value, instances.cluster, strict=True)
    for stratum, value, cluster in columns:
        strata[stratum].append((value, cluster))
    sides = [tuple(zip(*rows, strict=True)) for rows in strata.values()]
    if not _is_testable(values for values, _ in sides):
        return None
    return tuple(Stratum(value=values, cluster=clusters) for values, clusters in sides)


def _is_testable(sides: Iterable[Sequence[float]]) -> bool:
    return all(min(side) >= -LARGEST and max(side) <= LARGEST for side in sides)


def _rows(instances: Instances) -> Iterator[tuple[_Place, str | None, float, str]]:
    places = _places(instances)
    return zip(places, instances.input, instances.value, instances.cluster, strict=True)


def _places(instances: Instances) -> Iterator[_Place]:
    seen: Counter[tuple[str, str, int]] = Counter()
    for place in zip(instances.stratum, instances.id, instances.trial, strict=True):
        yield (*place, seen[place])
        seen[place] += 1


def _stratum(pairs: Sequence[tuple[float, float, str]]) -> PairedStratum:
    values, others, clusters = zip(*pairs, strict=True)
    return PairedStratum(candidate=values, baseline=others, cluster=clusters)
