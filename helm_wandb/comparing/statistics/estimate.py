"""The result of a comparison: a difference, its interval and p-value."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from helm_wandb.model import Interval
from helm_wandb.text.words import count_noun

from . import repeats, reports

if TYPE_CHECKING:
    from .contrast import Contrast

LEVEL = 0.95
"""Level of the intervals that are shown; not adjusted for the number of comparisons."""
LEAST_CLUSTERS = 5
"""With fewer, an interval would rest on three degrees of freedom or less."""
FEW_CHANGES = 6
"""If clusters changed, but fewer, the verdict is never no change."""


NO_SPREAD = "no stratum holds two clusters, so the spread within a stratum is unknown"


def range_of(values: Iterable[float]) -> float:
    """Return the largest difference of scores like these; infinity if it is unknown."""
    return 1.0 if all(0 <= value <= 1 for value in values) else math.inf


def too_few(clusters: int) -> str:
    """Return why there is no interval over so few clusters."""
    counted = count_noun(clusters, "independent cluster")
    return f"too few: {counted}, and an interval needs {LEAST_CLUSTERS}"


class Estimate(Struct, frozen=True, kw_only=True, dict=True):
    """A difference, candidate less baseline."""

    difference: float
    """Difference of HELM's aggregates, the unweighted means over strata of the means within."""
    n: int
    """Instances; of the smaller side if they are not paired."""
    clusters: int
    """Over all strata; of the smaller side if they are not paired."""
    better: int | None = None
    """Instances whose value rose; None if they are not paired."""
    worse: int | None = None
    """Instances whose value fell; None if they are not paired."""
    changed: int | None = None
    """Clusters whose sum moved; None if they are not paired."""
    has_same_answers: bool = False
    """No score differs, and six or more are partly right: only the same answers have the same ones.
    """
    why: str | None = None
    """Why there is neither interval nor p."""
    contrast: Contrast | None = None
    """The test; interval, p and detectable effect are computed from it."""
    method: str = ""
    """The test's name, for people."""
    range: float = math.inf
    """Largest difference that the scores' scale allows: 1 if all of them are within 0–1."""
    runs: repeats.Sides = (None, None)
    latest: Estimate | None = None
    """If the baseline is a mean over reports, the estimate with the latest one alone."""

    @cached_property
    def interval(self) -> Interval | None:
        """Return the interval, which excludes 0 exactly if p is below one less its level."""
        if self.contrast is None:
            return None
        low, high = self.ends(LEVEL)
        low, high = max(low, -self.range), min(high, self.range)
        method = self.method + ", and with the latest report alone" * bool(self.latest)
        return Interval(low=low, high=high, level=LEVEL, method=method)

    @cached_property
    def p(self) -> float | None:
        """Return the two-sided p-value of no difference."""
        if self.contrast is None:
            return None
        p = repeats.p_value(self.contrast, self.noise) if self.noise else self.contrast.p()
        if self.latest is None:
            return p
        of_latest = 1.0 if self.latest.p is None else self.latest.p
        is_same_direction = self.latest.difference * self.difference > 0
        return reports.p_value(p, of_latest, is_same_direction=is_same_direction)

    def ends(self, level: float) -> tuple[float, float]:
        """Return the ends of the interval; infinities if there is no test."""
        if self.contrast is None:
            return -math.inf, math.inf
        if self.noise:
            ends = repeats.interval(self.contrast, self.noise, level)
        else:
            ends = self.contrast.interval(level)
        if self.latest is None:
            return ends
        of_latest = self.latest.ends(reports.level_of_latest(level))
        return min(ends[0], of_latest[0]), max(ends[1], of_latest[1])

    @cached_property
    def noise(self) -> repeats.RunNoise | None:
        """Return the noise between runs; None if both sides have one."""
        return repeats.run_noise(*self.runs)

    @property
    def run_counts(self) -> tuple[int, int] | None:
        """Return both sides' numbers of runs; None if both have one."""
        candidate, baseline = (len(side.values) if side else 1 for side in self.runs)
        return (candidate, baseline) if self.noise else None

    @property
    def few_changes(self) -> bool:
        """Whether some clusters changed, but too few to say that the score didn't."""
        return self.changed is not None and 0 < self.changed < FEW_CHANGES
