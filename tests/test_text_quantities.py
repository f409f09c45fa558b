"""Scores, counts and differences as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from helm_wandb.model import ScoreKey
from helm_wandb.text import quantities
from tests.golden_reports import REGRESSION


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0.000"),
        (-0.0, "0.000"),
        (0.5, "0.500"),
        (0.0005, "0.001"),
        (0.0004, "0.0004"),
        (-0.0004, "-0.0004"),
        (1e-9, "1e-09"),
        (5e-324, "5e-324"),
        (1.0, "1.000"),
        (-1.0, "-1.000"),
        (1.5, "1.5"),
        (31.4159, "31.42"),
        (999.95, "1000"),
        (12345.6, "12346"),
        (-12345.6, "-12346"),
        (1e7, "1e+07"),
        (1.7e308, "1.7e+308"),
    ],
)
def test_number_is_legible_at_any_size(value: float | None, text: str) -> None:
    """Scores have three decimals; what is tiny, large or unknown differs from 0."""
    assert text == quantities.number(value)


@given(st.floats(min_value=-1e300, max_value=1e300))
def test_number_is_close_to_its_value(value: float) -> None:
    """No value is shown as 0 that is not, and none is shown further off than its digits say."""
    shown = float(quantities.number(value))

    assert (shown == 0) == (value == 0)
    assert shown == pytest.approx(value, rel=0.5, abs=0.0005)
    assert len(quantities.number(value)) <= len("-1.798e+308")


@pytest.mark.parametrize(
    ("billions", "text"), [(None, "–"), (0.0, "0B"), (4.2, "4.2B"), (1260.0, "1260B")]
)
def test_tokens_are_in_billions(billions: float | None, text: str) -> None:
    """Tokens have their unit, and a dash if they are unknown."""
    assert text == quantities.tokens(billions)


@pytest.mark.parametrize(
    ("value", "others", "text"),
    [
        (0.012, 0.5, "+1.2 pp"),
        (-0.012, 0.5, "−1.2 pp"),
        (0.0, 0.5, "±0.0 pp"),
        (-0.0, 0.5, "±0.0 pp"),
        (0.0004, 0.5, "+<0.1 pp"),
        (-0.0004, 0.5, "−<0.1 pp"),
        (0.00000123, 0.5, "+<0.1 pp"),
        (1e-16, 0.5, "±0.0 pp"),
        (-1e-16, 0.5, "±0.0 pp"),
        (0.0005, 0.5, "+0.1 pp"),
        (1.0, 0.0, "+100.0 pp"),
        (0.5, 27.5, "+0.5"),
        (-3.25, 27.5, "−3.25"),
        (-0.0, 27.5, "±0"),
        (12345.678, 27.5, "+1.235e+04"),
        (1e-9, 27.5, "+1e-09"),
    ],
)
def test_differences_are_in_points_within_0_and_1(value: float, others: float, text: str) -> None:
    """Scores within 0…1 differ by points, others in their own unit, and nothing by −0."""
    delta = replace(REGRESSION, baseline=others, candidate=others)

    assert text == quantities.change(delta, value)


def test_one_score_out_of_range_makes_the_unit_its_own() -> None:
    """Both must be within 0…1 for points."""
    assert "+0.2" == quantities.change(replace(REGRESSION, baseline=0.9, candidate=1.1), 0.2)


@given(st.floats(min_value=-1, max_value=1))
def test_no_difference_is_shown_as_a_zero_with_a_sign(value: float) -> None:
    """Only a difference of rounding is shown as 0, and that without a sign."""
    text = quantities.change(replace(REGRESSION, baseline=0.5, candidate=0.5), value)

    assert ("±" in text) == (abs(value) < 1e-9)
    shown = float(text[1:].removesuffix(" pp").lstrip("<"))
    assert shown == pytest.approx(100 * abs(value), rel=0.5, abs=0.1)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "−13.0 pp (−22.2 to −5.1)"),
        ({"interval": None}, "−13.0 pp"),
        ({"baseline": 27.5}, "−0.13 (−0.222 to −0.051)"),
    ],
)
def test_a_difference_stands_with_its_interval(changes: dict[str, object], text: str) -> None:
    """The unit is shown once, and no bracket if there is no interval."""
    assert text == quantities.difference(replace(REGRESSION, **changes))


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.73, 0.6], ["73.0", "60.0"]),
        ([1.0, 0.0, None], ["100.0", "0.0", "–"]),
        ([0.0002, 0.5], ["<0.1", "50.0"]),
        ([0.5, 27.25], ["0.500", "27.25"]),
        ([None], ["–"]),
    ],
)
def test_scores_of_a_metric_have_one_unit(values: list[float | None], texts: list[str]) -> None:
    """They are percentages if all are within 0–1, else in the metric's own unit."""
    assert texts == quantities.scores_as_text(values)


@pytest.mark.parametrize(
    "metric",
    ["bits_per_byte,none", "BPB", "Bits/byte", "PPL", "logprob_per_byte", "Denoised runtime (s)"],
)
def test_units_are_no_percentages(metric: str) -> None:
    """A metric whose name has a unit keeps it, though its values are within 0–1."""
    key = ScoreKey("wikitext", metric)
    delta = replace(REGRESSION, key=key, baseline=0.871, candidate=0.853, interval=None)

    assert ["0.871", "0.853"] == quantities.scores_as_text([0.871, 0.853], key)
    assert "−0.018" == quantities.change(delta, -0.018)
    assert "0.871 → 0.853" == quantities.score_change(delta)


@pytest.mark.parametrize(
    ("effects", "text"),
    [([], ""), ([0.02], "2.0 pp"), ([0.058, None, 0.02], "2.0–5.8 pp"), ([0.0002], "<0.1 pp")],
)
def test_detectable_effects_are_a_range(effects: list[float | None], text: str) -> None:
    """The smallest and the largest are shown, once if they are equal."""
    assert text == quantities.size_range([replace(REGRESSION, mde=one) for one in effects])
