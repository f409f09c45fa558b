"""Which method is honest, and why there is none: the same rule, paired or not."""

from __future__ import annotations

from .estimate import LEAST_CLUSTERS

EXACT_BELOW = 25
"""Effective number of changed clusters from which on Student's t is honest (simulated)."""
RARE_CHANGES = 0.8
"""Share of clusters up to which changes are taken as events, where runs are paired."""
RARE_MISSES = 0.2
"""The same for values away from an end of the scale, where runs are not paired."""
_DIGITS = 6
NO_SPREAD = "no stratum holds two clusters, so the spread within a stratum is unknown"
NO_RANGE = "all values are the same, and the range of the score is unknown"


def too_few(clusters: int) -> str:
    """Why there is no interval over so few clusters."""
    return f"too few: {clusters} independent clusters, and an interval needs {LEAST_CLUSTERS}"


def is_rare(
    changed: float, clusters: int, *, effective_share: float, most: float = RARE_CHANGES
) -> bool:
    """Whether so few clusters changed that Student's t would not be honest.

    effective_share: see `Aggregate.effective_share`. most: the greatest share of clusters.
    """
    return round(changed * effective_share, _DIGITS) < EXACT_BELOW and changed <= most * clusters
