"""Names in W&B, as written and as read again."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helm_wandb.model import ScoreKey
from helm_wandb.wandb_runs.layout_names import (
    MARK,
    digest,
    kept_name,
    original_name,
    parse_score_name,
    score_name,
)


@pytest.mark.parametrize(
    ("benchmark", "name"),
    [
        ("mmlu", "mmlu"),
        ("summary (benchmark)", "summary (benchmark)"),
        ("100%", "100%"),
        ("iteration", "benchmark iteration"),
        ("tokens_billions", "benchmark tokens_billions"),
        ("helm_wandb", "benchmark helm_wandb"),
        ("_step", "benchmark _step"),
        ("_", "benchmark _"),
        ("", "benchmark "),
        ("a.b", "benchmark a%2Eb"),
        ("benchmark a.b%2E", "benchmark benchmark a%2Eb%252E"),
    ],
)
def test_a_benchmark_has_a_name_that_wandb_keeps(benchmark: str, name: str) -> None:
    """Its own, unless W&B, this tool or a dot has another use for it."""
    assert (name, benchmark) == (
        kept_name(benchmark),
        original_name(name),
    )


NAMES = st.lists(
    st.sampled_from(["benchmark ", "_", "_step", "iteration", "summary", ".", "%", "%2E", "%25"])
    | st.text(max_size=2)
).map("".join)


@given(NAMES)
@example("%252E.")
def test_no_two_benchmarks_share_a_name(benchmark: str) -> None:
    """From the name comes the benchmark, so no other one has it; no name has a use besides."""
    name = kept_name(benchmark)

    assert benchmark == original_name(name)
    assert "." not in name
    assert not name.startswith("_")
    assert name not in {"", MARK, "iteration", "tokens_billions", "summary", "leaderboard"}


@given(NAMES.filter(bool), st.text("a.%_ ", min_size=1, max_size=4))
def test_a_score_is_read_by_the_name_that_was_written(benchmark: str, metric: str) -> None:
    """Writer and reader agree on the name of each score."""
    key = ScoreKey(benchmark, metric)

    assert key == parse_score_name(score_name(key))


def test_a_digest_is_short_and_lasts() -> None:
    """20 hex digits that no later version may change: runs in W&B hold them."""
    found = digest(["pr/7", "alpha", "summary"])

    assert re.fullmatch("[0-9a-f]{20}", found)
    assert "9865ae198c8105fd0604" == found
