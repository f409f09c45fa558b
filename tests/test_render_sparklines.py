"""Curves that are words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.render.sparklines import BLOCKS, sparkline

SCORES = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], ""),
        ([None, None], "  "),
        ([0.5], "▄"),
        ([0.0, 5e-324], "▄▄"),
        ([-2.0, -2.0, -2.0], "▄▄▄"),
        ([0.0, 0.5, 1.0], "▁▅█"),
        ([0.0, 1, 2, 3, 4, 5, 6, 7], BLOCKS),
        ([0.9, None, 0.1], "█ ▁"),
        ([-0.2, 0.0, -0.1], "▁█▅"),
        ([-1.7e308, 1.7e308], "▁█"),
    ],
)
def test_blocks_are_as_high_as_values(values: list[float | None], expected: str) -> None:
    """The least value is the lowest block, the largest the highest, and the unknown none."""
    assert expected == sparkline(values)


@given(st.lists(st.none() | SCORES))
def test_blocks_are_ordered_as_values(values: list[float | None]) -> None:
    """There is a sign for each value, and none is lower than that of a smaller value."""
    drawn = sparkline(values)
    known = sorted(
        (value, sign) for value, sign in zip(values, drawn, strict=True) if value is not None
    )
    signs = [sign for _, sign in known]

    assert sorted(signs) == signs
    assert set(drawn) <= {" ", *BLOCKS}
