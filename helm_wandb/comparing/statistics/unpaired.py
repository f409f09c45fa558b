"""The difference of two runs over different instances of the same kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import rule
from .estimate import LEAST_CLUSTERS, LEVEL, Estimate
from .finding import Finding, by_rates, by_student
from .rates import Difference, Rate
from .strata import Aggregate, Stratum

if TYPE_CHECKING:
    from collections.abc import Sequence


def unpaired(
    candidate: Sequence[Stratum], baseline: Sequence[Stratum], *, level: float = LEVEL
) -> Estimate:
    """The difference, candidate less baseline, with its interval, or why there is none.

    For runs of the same specs whose instances are not the same. The errors of both sides add
    up, by Student's t with Satterthwaite's degrees of freedom over all strata of both (Welch's
    test, for one stratum each). Scores of 0...1 that nearly all lie at one end, as where both
    sides have nearly all right, are compared by the rates of what does not.
    level: of the interval, of (0, 1).
    Raises ValueError where a stratum, or a side, is empty.
    """
    sides = Aggregate.of(candidate), Aggregate.of(baseline)
    found = Estimate(
        difference=sides[0].mean - sides[1].mean,
        n=min(side.size for side in sides),
        clusters=min(side.clusters for side in sides),
    )
    if found.clusters < LEAST_CLUSTERS:
        return replace(found, why=rule.too_few(found.clusters))
    ends = _ends(candidate, baseline)
    finding = _by_ends(*ends, level=level) if ends else None
    if finding is None:
        terms = [term for side in sides for term in side.variance()]
        if not any(term.variance for term in terms):
            return replace(found, why=rule.NO_RANGE if terms else rule.NO_SPREAD)
        finding = by_student(found.difference, terms, level=level, what="unpaired t")
    return replace(found, interval=finding.interval, p=finding.p)


def _ends(
    candidate: Sequence[Stratum], baseline: Sequence[Stratum]
) -> tuple[Aggregate, Aggregate] | None:
    """What adds to the difference and what takes from it, counted from the nearer end of 0...1.

    That is what the baseline misses of 1, and the candidate; or what they have above 0. None
    where values leave 0...1.
    """
    values = [value for stratum in (*candidate, *baseline) for value in stratum.value]
    if min(values) < 0 or max(values) > 1:
        return None
    if sum(values) < len(values) / 2:
        return Aggregate.of(candidate), Aggregate.of(baseline)
    return Aggregate.of(map(_missing, baseline)), Aggregate.of(map(_missing, candidate))


def _missing(stratum: Stratum) -> Stratum:
    return Stratum(value=[1 - value for value in stratum.value], cluster=stratum.cluster)


def _by_ends(ups: Aggregate, downs: Aggregate, *, level: float) -> Finding | None:
    """By the rates of what is away from the end; None where that is no rare event."""
    away = len(ups.moved) + len(downs.moved)
    clusters = ups.clusters + downs.clusters
    share = min(ups.effective_share, downs.effective_share)
    if not rule.is_rare(away, clusters, effective_share=share, most=rule.RARE_MISSES):
        return None
    return by_rates(
        _rates(ups, downs),
        level=level,
        limit=1.0,
        degrees_of_freedom=clusters - 2,
        what=f"unpaired mid-p, {away} of {clusters} clusters away from the end of the scale",
    )


def _rates(ups: Aggregate, downs: Aggregate) -> Difference:
    """The two sides' rates; what was not seen is as for pairs."""
    largest = max(ups.largest_cluster(), downs.largest_cluster())
    sizes = Rate.of((*ups.moved_sums, *downs.moved_sums) or (largest,))
    extra = Rate.of([sizes.typical * max(*ups.weights, *downs.weights)])
    return Difference(Rate.of(ups.moved), Rate.of(downs.moved), extra)
