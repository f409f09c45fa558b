"""Tests of a difference from a mean over several reports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped] # no types published

from helm_wandb.comparing.statistics.reports import LATEST_RATE, detectable, p_value


@given(st.floats(0.3, 1.2), st.sampled_from([0.05, 0.01, 0.05 / 16]))
def test_both_tests_find_the_detectable_effect_with_80_percent(ratio: float, alpha: float) -> None:
    """Their statistics are normal, with the ratio of the errors as their correlation."""
    bounds = stats.norm.isf(alpha / 2), stats.norm.isf(LATEST_RATE * alpha / 2)
    errors = ratio, 1.0
    deviate = stats.norm.ppf(0.8)
    alone = [(bound + deviate) * error for bound, error in zip(bounds, errors, strict=True)]
    effect = detectable(alone[0], alone[1], alpha)
    correlation = min(ratio, 1 - 1e-6)
    power = stats.multivariate_normal.cdf(
        [effect / error - bound for bound, error in zip(bounds, errors, strict=True)],
        cov=[[1, correlation], [correlation, 1]],
    )
    assert 0.8 == pytest.approx(power, abs=0.005)


def test_the_latest_report_is_tested_in_the_direction_of_the_mean() -> None:
    """Its p-value counts two thirds; in the other direction, no difference is significant."""
    assert 0.04 == p_value(0.04, 0.06, is_same_direction=True)
    assert 0.06 == pytest.approx(p_value(0.04, 0.09, is_same_direction=True))
    assert 1.0 == p_value(1e-9, 0.4, is_same_direction=False)
