"""Counted nouns, and the first of many names."""

from __future__ import annotations

import pytest

from helm_wandb.text.words import count_noun, join_truncated, keep_units, shorten_middle, truncate


@pytest.mark.parametrize(("number", "words"), [(0, "0 models"), (1, "1 model"), (2, "2 models")])
def test_one_is_singular(number: int, words: str) -> None:
    """Everything but 1 has the plural."""
    assert words == count_noun(number, "model")


@pytest.mark.parametrize(
    ("names", "words"),
    [("", ""), ("a", "a"), ("abc", "a, b, c"), ("abcd", "a, b, c and 1 more")],
)
def test_many_names_are_counted(names: str, words: str) -> None:
    """After the third name there is the number of the others."""
    assert words == join_truncated(list(names))


def test_each_list_has_its_own_form() -> None:
    """Limit, separator and the words around the number can be chosen."""
    assert "a; b; and 2 more fields" == join_truncated(
        "abcd", 2, separator="; ", last="; and ", rest="more fields"
    )
    assert "a, b, c, d" == join_truncated("abcd", None)


def test_the_last_sentence_counts_the_others() -> None:
    """After the third sentence one says how many more there are; three need none."""
    assert ("a", "b", "c", "2 more") == truncate("abcde", lambda more: f"{more} more")
    assert ("a", "b", "c") == truncate("abc", lambda more: f"{more} more")


def test_a_number_stays_with_its_word() -> None:
    """A line may break before a number, and not between it and what it counts; or in a name."""
    assert "b-7 of m2 −13.0\xa0pp (+0.8\xa0pp), 4\xa0inconclusive" == (
        keep_units("b-7 of m2 −13.0 pp (+0.8 pp), 4 inconclusive")
    )


@pytest.mark.parametrize(("text", "shown"), [("a" * 10, "a" * 10), ("abcdefghijk", "abcd…ghijk")])
def test_a_text_is_cut_in_its_middle(text: str, shown: str) -> None:
    """Both ends stay, and together they have the limit's length."""
    assert shown == shorten_middle(text, 10)
