"""The interval of one score."""

from __future__ import annotations

import random

import pytest

from helm_wandb.comparing.statistics import Stratum, mean_interval
from tests import builders


def stratum(values: list[float]) -> Stratum:
    """Return instances that are independent of each other."""
    return Stratum(value=values, cluster=[str(at) for at in range(len(values))])


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [(50, 100, 0.404, 0.596), (900, 1000, 0.880, 0.917), (100, 100, 0.963, 1), (1, 100, 0, 0.054)],
)
def test_interval_is_near_wilsons(right: int, of: int, low: float, high: float) -> None:
    """For right and wrong answers it has the ends of Wilson's interval, to a point."""
    found = mean_interval([stratum(builders.right(right, of=of))])

    assert found is not None
    assert (low, high) == pytest.approx((found.low, found.high), abs=0.012)


def test_interval_covers() -> None:
    """About 95% of the intervals over 40 random answers contain the true share."""
    generator = random.Random(7)  # noqa: S311 -- no secret
    found = [
        mean_interval([stratum([float(generator.random() < 0.7) for _ in range(40)])])
        for _ in range(300)
    ]
    covered = sum(one is not None and one.low <= 0.7 <= one.high for one in found)

    assert 0.92 * 300 <= covered <= 300


def test_too_few_instances_have_no_interval() -> None:
    """Four answers, or one answer in each stratum, say nothing about the others."""
    assert mean_interval([stratum([1.0, 0.0, 1.0, 0.0])]) is None
    assert mean_interval([stratum([float(at % 2)]) for at in range(8)]) is None
