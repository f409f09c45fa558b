"""The difference of two runs over the same instances."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from . import rule
from .estimate import LEAST_CLUSTERS, LEVEL, Estimate, Noise
from .finding import Finding, by_rates, by_student
from .rates import Difference, Rate
from .strata import Aggregate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .strata import PairedStratum


def paired(strata: Sequence[PairedStratum], *, level: float = LEVEL) -> Estimate:
    """The mean difference, candidate less baseline, with its interval, or why there is none.

    The statistic is HELM's aggregate of the differences. Where clusters changed in numbers, its
    error follows from their sums in each stratum, by Student's t; where few did, from the rates
    of changes up and down. Either gives interval and p-value together, and either allows for a
    change that was not seen.
    level: of the interval, of (0, 1).
    Raises ValueError where a stratum, or the list of them, is empty.
    """
    differences = [stratum.differences() for stratum in strata]
    aggregate = Aggregate.of(differences)
    values = [value for stratum in differences for value in stratum.value]
    found = Estimate(
        difference=aggregate.mean,
        n=aggregate.size,
        clusters=aggregate.clusters,
        better=sum(value > 0 for value in values),
        worse=sum(value < 0 for value in values),
        changed=len(aggregate.moved),
    )
    low, high = _range(strata)
    limit, spread = (1.0, 1.0) if low >= 0 and high <= 1 else (math.inf, high - low)
    size = _unseen_size(aggregate, values) if math.isfinite(limit) else 0.0
    unseen = size * math.sqrt(aggregate.mean_weight(2))
    rates = _rates(aggregate, spread, unseen)
    finding = _finding(aggregate, rates, unseen, level=level, limit=limit)
    if isinstance(finding, str):
        return replace(found, why=finding)
    noise = _noise(aggregate, finding, rates, unseen=unseen, limit=limit)
    return replace(found, interval=finding.interval, p=finding.p, noise=noise)


def _finding(
    aggregate: Aggregate, rates: Difference, unseen: float, *, level: float, limit: float
) -> Finding | str:
    """The finding by the method that is honest here; or why none is."""
    clusters, changed = aggregate.clusters, len(aggregate.moved)
    if clusters < LEAST_CLUSTERS:
        return rule.too_few(clusters)
    terms = aggregate.variance()
    if not rule.is_rare(changed, clusters, effective_share=aggregate.effective_share):
        if not terms:
            return rule.NO_SPREAD
        if any(term.variance for term in terms):
            return by_student(aggregate.mean, terms, unseen=unseen, level=level, what="paired t")
    if not rates.extra.total:
        return rule.NO_RANGE
    what = f"paired mid-p, {changed} of {clusters} clusters changed"
    return by_rates(rates, level=level, limit=limit, degrees_of_freedom=clusters - 1, what=what)


def _range(strata: Iterable[PairedStratum]) -> tuple[float, float]:
    sides = [side for stratum in strata for side in (stratum.baseline, stratum.candidate)]
    return min(map(min, sides)), max(map(max, sides))


def _rates(aggregate: Aggregate, spread: float, least: float) -> Difference:
    """The rates of changes up and down.

    The change that was not seen is as large as those that were typically are, in the stratum
    where it weighs most; where none was seen, all of the largest cluster over all of the range.
    least: what it adds to the score at least.
    """
    ups = [value for value in aggregate.moved if value > 0]
    downs = [-value for value in aggregate.moved if value < 0]
    sizes = Rate.of(aggregate.moved_sums or (aggregate.largest_cluster() * spread,))
    return Difference(
        Rate.of(ups),
        Rate.of(downs),
        Rate.of([max(sizes.typical * max(aggregate.weights), least)]),
    )


def _unseen_size(aggregate: Aggregate, values: Iterable[float]) -> float:
    """What a change of the whole scale 0…1 would be in a cluster, filled as the seen ones are.

    Where the changes that were seen are small, the few large ones that make up for them are
    missed as often as not: without them in the reckoning, a run of 100 would be marked in 20 %
    (simulated).
    """
    sizes = [abs(value) for value in values if value]
    return Rate.of(aggregate.moved_sums).typical / Rate.of(sizes).typical if sizes else 0.0


def _noise(
    aggregate: Aggregate, finding: Finding, rates: Difference, *, unseen: float, limit: float
) -> Noise:
    """What the power follows from: more changes of the sizes seen, in all strata alike."""
    mean, square = aggregate.mean_weight(), aggregate.mean_weight(2)
    sizes = Rate.of(aggregate.moved_sums or (rates.extra.total / max(aggregate.weights),))
    weight = sizes.typical * square / mean
    step = sizes.total / sizes.count * mean
    return Noise(
        variance=finding.variance,
        degrees_of_freedom=finding.degrees_of_freedom,
        spread=finding.seen,
        unseen=2 * unseen * unseen,
        clusters=aggregate.clusters,
        changed=len(aggregate.moved),
        effective_share=aggregate.effective_share,
        growth=weight,
        room=step * (aggregate.clusters - len(aggregate.moved)),
        step=step,
        weight=weight,
        extra=rates.extra.total,
        limit=limit,
    )
