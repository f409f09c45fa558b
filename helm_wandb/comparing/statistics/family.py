"""Several comparisons together: p-values adjusted for their number, and the mean difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from msgspec.structs import replace

from .contrast import Contrast
from .estimate import Estimate
from .repeats import average_runs


def adjusted(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return Holm's adjusted p-values, in the order given; None stays None and does not count.

    The k-th smallest of m is multiplied by m - k + 1, is never below the previous one, and never
    above 1 (Holm, Scandinavian Journal of Statistics 6, 1979).
    """
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    steps = (min(1.0, (len(tested) - rank) * p) for rank, (p, _) in enumerate(tested))
    by_place = dict(zip((place for _, place in tested), accumulate(steps, max), strict=True))
    return tuple(by_place.get(place) for place in range(len(p_values)))


def adjusted_families(
    means: Sequence[float | None], deltas: Sequence[float | None]
) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    """Return both families' adjusted p-values, by Holm within each and half of alpha for each.

    If one family is significant throughout, or empty, its alpha passes to the other (Bretz and
    others, Statistics in Medicine 28, 2009).
    """
    families = adjusted(means), adjusted(deltas)
    largest = [max((p for p in one if p is not None), default=0.0) for one in families]
    return (
        tuple(_weighted(p, largest[1]) for p in families[0]),
        tuple(_weighted(p, largest[0]) for p in families[1]),
    )


def _weighted(p: float | None, largest_of_other: float) -> float | None:
    """Return the smallest alpha at which a test is significant.

    It is so alone, or after all tests of the other family.
    """
    return None if p is None else min(1.0, 2 * p, max(p, 2 * largest_of_other))


def overall(estimates: Sequence[Estimate], *, weights: Sequence[float] | None = None) -> Estimate:
    """Return the mean of the differences, with its test, or why there is none.

    The benchmarks are taken as fixed and independent: the interval is about new questions to the
    same benchmarks, not about new benchmarks. Their strata are those of one `Contrast`.
    The mean of one is that one.
    estimates: of pairs, of one benchmark each. weights: all alike if not given.
    Raises ValueError if there is no estimate.
    """
    if not estimates:
        raise ValueError("there is no difference to take the mean of")
    count = len(estimates)
    if count == 1:
        return estimates[0]
    weights = weights or [1.0] * count
    shares = [weight / math.fsum(weights) for weight in weights]
    mean = Estimate(
        difference=math.fsum(
            share * one.difference for share, one in zip(shares, estimates, strict=True)
        ),
        n=sum(one.n for one in estimates),
        clusters=sum(one.clusters for one in estimates),
        changed=sum(one.changed or 0 for one in estimates),
        range=max(one.range for one in estimates),
        runs=average_runs([one.runs for one in estimates], shares),
        latest=overall([one.latest or one for one in estimates], weights=weights)
        if any(one.latest for one in estimates)
        else None,
    )
    contrasts = [one.contrast for one in estimates if one.contrast is not None]
    if len(contrasts) < count:
        lacking = count - len(contrasts)
        return replace(mean, why=f"{lacking} of {count} benchmarks have no interval")
    parts = [
        replace(part, weight=share * part.weight)
        for share, one in zip(shares, contrasts, strict=True)
        for part in one.parts
    ]
    contrast = Contrast.build(parts)
    name = "mid-p" if contrast and contrast.flips else "empirical likelihood"
    return replace(mean, contrast=contrast, method=f"{name} of the mean of {count} differences")
