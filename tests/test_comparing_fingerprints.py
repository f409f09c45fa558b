"""What differs between two ways of asking, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.comparing.fingerprints import describe_difference

FIVE_SHOT = {"max_train_instances": "5", "method": "generation", "scenario subject": ["a", "b"]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"max_train_instances": "0"}, "5-shot here, 0-shot there"),
        (
            {"method": "\n", "output_prefix": "Answer: ", "output_suffix": ""},
            (
                'method generation here, method "\\n" there; no output_prefix here, '
                'output_prefix "Answer: " there; no output_suffix here, output_suffix "" there'
            ),
        ),
        (
            {"scenario subject": ["a", " "]},
            'scenario subject a, b here, scenario subject a, " " there',
        ),
        ({"temperature": "0.7"}, "no temperature here, temperature 0.7 there"),
        (
            {"scenario subject": ["a", "b", "c", "d", "e"]},
            "scenario subject a, b here, scenario subject a, b, c and 2 more there",
        ),
        (
            {"method": "joint", "max_train_instances": "0", "x": "1", "y": "2"},
            (
                "5-shot here, 0-shot there; method generation here, method joint there; "
                "no x here, x 1 there; and 1 more fields"
            ),
        ),
    ],
)
def test_differences_in_words(changes: dict[str, object], words: str | None) -> None:
    """Shots come first and by their name, other fields by theirs, a few of many."""
    assert words == describe_difference(FIVE_SHOT, {**FIVE_SHOT, **changes})


FINGERPRINTS = st.dictionaries(st.text(), st.one_of(st.text(), st.lists(st.text())))


@given(FINGERPRINTS, FINGERPRINTS)
def test_only_equal_fingerprints_do_not_differ(
    here: dict[str, object], there: dict[str, object]
) -> None:
    """Words are found for any difference, and for none where there is none."""
    assert (describe_difference(here, there) is None) == (here == there)


def test_shots_of_lm_eval_are_shots() -> None:
    """The number of examples comes first, whatever the harness calls it."""
    here, there = {"limit": "9", "num_fewshot": "5"}, {"limit": "8", "num_fewshot": "0"}

    assert "5-shot here, 0-shot there; limit 9 here, limit 8 there" == (
        describe_difference(here, there)
    )
