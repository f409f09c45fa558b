"""What a comparison comes to: a difference, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helm_wandb.model import Interval

LEVEL = 0.95
"""Of the intervals that are shown; they are not adjusted for the number of comparisons."""
LEAST_CLUSTERS = 5
"""With fewer, an interval would rest on three degrees of freedom or less."""
FEW_CHANGES = 6
"""With fewer changed clusters nothing is ever called no change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What the same comparison would find, were the true change another: for the power."""

    variance: float
    """Of the difference, by the method that was used."""
    degrees_of_freedom: float
    spread: float
    """Variance that Student's t would go by, of what was seen."""
    unseen: float = 0.0
    """What Student's t adds to it."""
    clusters: int
    changed: int
    """Clusters that changed; all of them where a true change is a shift of all."""
    effective_share: float = 1.0
    """Effective number of clusters by their number; see `Aggregate.effective_share`."""
    growth: float = 0.0
    """Variance that a true change adds, by its size."""
    room: float = 0.0
    """Greatest change that new changes can make; what is beyond is a shift, and adds nothing."""
    step: float = 0.0
    """What one more changed cluster adds to the score, on average."""
    weight: float = 0.0
    """Mean square by mean of what a changed cluster adds: so many of equal weight vary alike."""
    extra: float = 0.0
    """What a change would add that was not seen."""
    limit: float
    """Greatest difference that the score allows; infinite where its range is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A difference, candidate less baseline."""

    difference: float
    """Of HELM's aggregates: the unweighted mean over strata of the means within."""
    n: int
    """Instances; of the smaller side where they are not paired."""
    clusters: int
    """Over all strata; of the smaller side where they are not paired."""
    better: int | None = None
    """Instances whose value rose; None where they are not paired."""
    worse: int | None = None
    """Instances whose value fell; None where they are not paired."""
    changed: int | None = None
    """Clusters whose sum moved; None where they are not paired."""
    interval: Interval | None = None
    """It excludes 0 exactly where p is below one less its level."""
    p: float | None = None
    """Two-sided, of no difference."""
    why: str | None = None
    """Why there is neither interval nor p."""
    noise: Noise | None = None

    @property
    def few_changes(self) -> bool:
        """Too few clusters changed to say that nothing did, however narrow the interval."""
        return self.changed is not None and self.changed < FEW_CHANGES
