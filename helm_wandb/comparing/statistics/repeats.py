"""Several runs of one checkpoint: the noise between them, as part of an interval and its p-value.

Two sources of noise are independent of each other: the choice of questions, and what another run of
the same checkpoint would answer. The interval of their sum is had from the intervals of both by the
method of variance estimates recovery (Zou and Donner, Statistics in Medicine 27, 2008): its
distance from the difference is the root of the sum of the squares of theirs. The runs' part is
Student's t of the runs' scores. What it covers of the questions' spread, answers that change from
run to run each by itself, is taken out of the questions' part, so that it counts once. If the runs
agree by chance, the interval is that of the questions alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from helm_wandb.model import Repeats, variance

from .special import critical

if TYPE_CHECKING:
    from .contrast import Contrast

Sides = tuple[Repeats | None, Repeats | None]
"""The runs of a score, the candidate's and the baseline's; None for one run."""
_STEPS = 30
_LEAST_P = 1e-12
"""Smaller p-values aren't searched."""


class RunNoise(Struct, frozen=True, kw_only=True):
    """How much a difference, or a score, varies with the runs, whatever the questions."""

    variance: float
    within: float
    """The part of it that the questions' spread holds, too."""
    degrees_of_freedom: int

    def reach(self, p: float) -> float:
        """Return how far the runs alone move a difference, but for this share of them."""
        return critical(p, self.degrees_of_freedom) * math.sqrt(self.variance)

    @property
    def of_whole_runs(self) -> float:
        """Return the part of the variance that the spread of the questions lacks.

        It is a component of variance of questions × runs, both random, by the analysis of variance
        (Searle, Casella and McCulloch, Variance Components, 1992).
        """
        return max(0.0, self.variance - self.within)

    def share_of_questions(self, variance: float) -> float:
        """Return the part of the root of the questions' variance that the runs' doesn't hold."""
        return math.sqrt(max(0.0, 1 - self.within / variance)) if variance else 1.0


def run_noise(candidate: Repeats | None, baseline: Repeats | None) -> RunNoise | None:
    """Return the noise between runs in a difference; None if there is one run on both sides.

    The variance of one run is pooled over both sides' runs. A side with one run takes the other's.
    """
    sides = [side for side in (candidate, baseline) if side]
    degrees = sum(len(side.values) - 1 for side in sides)
    if not degrees:
        return None
    squares = math.fsum(variance(side.values) * (len(side.values) - 1) for side in sides)
    within = math.fsum(side.within * (len(side.values) - 1) for side in sides)
    runs = math.fsum(1 / len(side.values) if side else 1 for side in (candidate, baseline))
    return RunNoise(
        variance=squares / degrees * runs,
        within=within / degrees * runs,
        degrees_of_freedom=degrees,
    )


def noise_of_score(runs: Repeats) -> RunNoise:
    """Return the noise between runs in their mean."""
    count = len(runs.values)
    return RunNoise(
        variance=variance(runs.values) / count,
        within=runs.within / count,
        degrees_of_freedom=count - 1,
    )


def average_runs(scores: Sequence[Sides], weights: Sequence[float]) -> Sides:
    """Return both sides' runs of a weighted mean of scores; None for a side with one run.

    The n-th runs of all scores belong together. A score with one run is the same in all of them.
    """
    candidates, baselines = zip(*scores, strict=True)
    return average(candidates, weights), average(baselines, weights)


def average(side: Sequence[Repeats | None], weights: Sequence[float]) -> Repeats | None:
    """Return the runs of a weighted mean of one side's scores; None if none has several."""
    several = [(one, weight) for one, weight in zip(side, weights, strict=True) if one]
    if not several:
        return None
    by_run = zip(*([weight * value for value in one.values] for one, weight in several))  # noqa: B905
    return Repeats(
        values=tuple(map(math.fsum, by_run)),
        within=math.fsum(one.within * weight * weight for one, weight in several),
    )


def interval(contrast: Contrast, noise: RunNoise, level: float) -> tuple[float, float]:
    """Return the interval of the contrast's difference over new questions and new runs."""
    low, high = (
        contrast.difference + sign * _distance(contrast, noise, sign, 1 - level) for sign in (-1, 1)
    )
    return low, high


def p_value(contrast: Contrast, noise: RunNoise) -> float:
    """Return the p-value at which the interval ends at 0."""
    size = abs(contrast.difference)
    if not size:
        return 1.0
    sign = -1 if contrast.difference > 0 else 1
    low, high = math.log(_LEAST_P), 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        is_outside = _distance(contrast, noise, sign, math.exp(middle)) < size
        low, high = (low, middle) if is_outside else (middle, high)
    return math.exp(high)


def _distance(contrast: Contrast, noise: RunNoise, sign: int, p: float) -> float:
    """Return how far the interval's end in this direction is from the difference."""
    of_questions = abs(contrast.end(sign, 1 - p) - contrast.difference)
    share = noise.share_of_questions(contrast.variance)
    return max(of_questions, math.hypot(share * of_questions, noise.reach(p)))


def detectable(
    least: float, contrast: Contrast, noise: RunNoise, p: float, deviate: float
) -> float:
    """Return the detectable effect with the noise between runs, given that of the questions."""
    reach = noise.reach(p) + deviate * math.sqrt(noise.variance)
    return max(least, math.hypot(noise.share_of_questions(contrast.variance) * least, reach))
