"""JSON with NaN, as Python writes it."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.harness.json_files import without_nan

PARTS = st.sampled_from(["NaN", "-Infinity", "Infinity", '"', "\\", "\n", ": ", ", ", "[", "a"])
TEXTS = st.lists(PARTS, max_size=6).map("".join)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.floats() | TEXTS,
    lambda part: st.lists(part, max_size=4) | st.dictionaries(TEXTS, part, max_size=3),
    max_leaves=12,
)


def emptied(value: Any) -> Any:
    """Return the value with an empty list in place of each number that isn't finite."""
    if isinstance(value, dict):
        return {key: emptied(part) for key, part in value.items()}
    if isinstance(value, list):
        return [emptied(part) for part in value]
    return [] if isinstance(value, float) and not math.isfinite(value) else value


@given(VALUES)
def test_only_numbers_are_replaced(value: Any) -> None:
    """Texts that hold the same words stay, whatever quotes and backslashes are in them."""
    assert emptied(value) == json.loads(bytes(without_nan(json.dumps(value).encode())))
