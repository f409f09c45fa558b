"""Instances of two sides → pairs of the same questions."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.comparing import statistics
from helm_wandb.comparing.statistics import Estimate, PairedStratum, Sides, Stratum
from helm_wandb.model import Instances, Score

LEAST_SHARE = 0.9
"""Share of the instances that must be the same questions on both sides."""
LARGEST = 1e60
"""The largest value that can be tested: the fourth powers of sums of larger ones overflow."""
WHY_UNTESTABLE = f"values beyond ±{LARGEST:g} cannot be tested"
_Place = tuple[str, str, int, int]
"""Stratum, instance id, train trial and repeat, as in `Pair`."""


class Pair(NamedTuple):
    """One question that both sides have."""

    stratum: str
    id: str
    trial: int
    repeat: int
    """Number of equal places before it, which is 0 in HELM's output."""
    candidate: float
    baseline: float
    cluster: str
    """The candidate's."""


class Pairs(Struct, frozen=True, kw_only=True, dict=True):
    """The questions that two sides both have."""

    sides: tuple[Instances, Instances]
    """The candidate's instances, and the baseline's."""
    runs: Sides = (None, None)
    latest: Pairs | None = None
    """If the baseline is a mean over reports, the pairs with the latest one alone."""

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Return the pairs, in the candidate's order."""
        return tuple(iter_pairs(*self.sides))

    @property
    def matched(self) -> int:
        """Return the number of pairs."""
        return sum(len(stratum.candidate) for stratum in self.strata)

    @property
    def share(self) -> float:
        """Return the share of the larger side's instances that are paired."""
        return self.matched / max(self.candidate, self.baseline, 1)

    @property
    def candidate(self) -> int:
        """Return the number of the candidate's instances and trials."""
        return len(self.sides[0].id)

    @property
    def baseline(self) -> int:
        """Return the number of the baseline's instances and trials."""
        return len(self.sides[1].id)

    @property
    def is_testable(self) -> bool:
        """Return whether all values are numbers small enough for the test."""
        sides = ((stratum.candidate, stratum.baseline) for stratum in self.strata)
        runs = (side.values for side in self.runs if side)
        return _is_testable(chain(chain.from_iterable(sides), runs))

    @cached_property
    def strata(self) -> tuple[PairedStratum, ...]:
        """Return the pairs by stratum."""
        candidate, baseline = self.sides
        if _have_same_places(candidate, baseline):
            return _split(candidate.stratum, candidate.value, baseline.value, candidate.cluster)
        return split_pairs(self.pairs)


def pair_scores(candidate: Score, baseline: Score) -> Pairs | None:
    """Return the questions that two scores both have; None if a side has no instances."""
    if candidate.instances is None or baseline.instances is None:
        return None
    latest = replace(baseline, instances=baseline.latest, latest=None) if baseline.latest else None
    return Pairs(
        sides=(candidate.instances, baseline.instances),
        runs=(candidate.repeats, baseline.repeats),
        latest=pair_scores(candidate, latest) if latest else None,
    )


def estimate(metrics: Sequence[Pairs]) -> Estimate:
    """Return the difference of the mean of these metrics of one benchmark, and its test."""
    averaged = _estimate(metrics)
    if not any(metric.latest for metric in metrics):
        return averaged
    return replace(averaged, latest=_estimate([metric.latest or metric for metric in metrics]))


def _estimate(metrics: Sequence[Pairs]) -> Estimate:
    weights = [1 / len(metrics)] * len(metrics)
    return replace(
        statistics.paired(average_metrics(metrics)),
        runs=statistics.average_runs([metric.runs for metric in metrics], weights),
    )


def average_metrics(metrics: Sequence[Pairs]) -> tuple[PairedStratum, ...]:
    """Return the paired questions of several metrics, each with the mean of its metrics' scores.

    If a metric lacks some of the questions, its other scores count for more: the aggregate is the
    mean of the metrics' aggregates.
    """
    if len(metrics) == 1:
        return metrics[0].strata
    questions: dict[_Place, Pair] = {}
    for metric in metrics:
        questions |= {pair[:4]: pair for pair in metric.pairs if pair[:4] not in questions}
    sizes = Counter(pair.stratum for pair in questions.values())
    sums: defaultdict[_Place, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for metric in metrics:
        own = Counter(pair.stratum for pair in metric.pairs)
        for pair in metric.pairs:
            weight = (
                sizes[pair.stratum] * len(sizes) / (own[pair.stratum] * len(own) * len(metrics))
            )
            candidate, baseline = sums[pair[:4]]
            sums[pair[:4]] = candidate + weight * pair.candidate, baseline + weight * pair.baseline
    return split_pairs(
        pair._replace(candidate=sums[place][0], baseline=sums[place][1])
        for place, pair in questions.items()
    )


def iter_pairs(candidate: Instances, baseline: Instances) -> Iterator[Pair]:
    """Yield each pair, in the candidate's order. An input without text matches any."""
    if _have_same_places(candidate, baseline):
        yield from map(
            Pair,
            candidate.stratum,
            candidate.id,
            candidate.trial,
            _repeats(candidate),
            candidate.value,
            baseline.value,
            candidate.cluster,
        )
        return
    others = {place: (text, value) for place, text, value, _ in iter_rows(baseline)}
    for place, text, value, cluster in iter_rows(candidate):
        if place in others:
            other_text, other_value = others[place]
            if text is None or other_text is None or text == other_text:
                yield Pair(*place, value, other_value, cluster)


def split_strata(instances: Instances) -> tuple[Stratum, ...] | None:
    """Return one side's strata; None if a value is no number, or too large for the test."""
    strata: dict[str, list[tuple[float, str]]] = defaultdict(list)
    columns = zip(instances.stratum, instances.value, instances.cluster, strict=True)
    for stratum, value, cluster in columns:
        strata[stratum].append((value, cluster))
    sides = [tuple(zip(*rows, strict=True)) for rows in strata.values()]
    if not _is_testable(values for values, _ in sides):
        return None
    return tuple(Stratum(value=values, cluster=clusters) for values, clusters in sides)


def _is_testable(sides: Iterable[Sequence[float]]) -> bool:
    # The sum is no number if a value isn't; the least and the largest can miss that.
    return all(
        min(side) >= -LARGEST and max(side) <= LARGEST and not math.isnan(math.fsum(side))
        for side in sides
    )


def iter_rows(instances: Instances) -> Iterator[tuple[_Place, str | None, float, str]]:
    """Yield place, input, value and cluster of each instance."""
    places = _places(instances)
    return zip(places, instances.input, instances.value, instances.cluster, strict=True)


def _have_same_places(one: Instances, other: Instances) -> bool:
    """Whether both sides have the same questions in the same order, as most runs have."""
    return all(
        tuple(getattr(one, column)) == tuple(getattr(other, column))
        for column in ("stratum", "id", "trial", "input")
    )


def _places(instances: Instances) -> Iterator[_Place]:
    return zip(instances.stratum, instances.id, instances.trial, _repeats(instances), strict=True)


def _repeats(instances: Instances) -> Sequence[int]:
    """Return for each instance the number of equal places before it."""
    seen: Counter[tuple[str, str, int]] = Counter()
    places = list(instances.places())
    if len(set(places)) == len(places):
        return [0] * len(places)
    repeats = []
    for place in places:
        repeats.append(seen[place])
        seen[place] += 1
    return repeats


def split_pairs(pairs: Iterable[Pair]) -> tuple[PairedStratum, ...]:
    """Return the pairs by stratum."""
    columns = list(zip(*pairs, strict=True)) or [()] * len(Pair._fields)
    stratum, *_, candidate, baseline, cluster = columns
    return _split(stratum, candidate, baseline, cluster)


def _split(
    stratum: Collection[str],
    candidate: Iterable[float],
    baseline: Iterable[float],
    cluster: Iterable[str],
) -> tuple[PairedStratum, ...]:
    """Return the columns of each stratum."""
    if len(set(stratum)) == 1:
        columns: list[tuple[Any, ...]] = [(tuple(candidate), tuple(baseline), tuple(cluster))]
    else:
        strata: dict[str, list[list[Any]]] = defaultdict(list)
        for name, *row in zip(stratum, candidate, baseline, cluster, strict=True):
            strata[name].append(row)
        columns = [tuple(zip(*rows, strict=True)) for rows in strata.values()]
    return tuple(
        PairedStratum(candidate=after, baseline=before, cluster=clusters)
        for after, before, clusters in columns
    )
