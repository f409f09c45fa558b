"""Names in the order of their likeness to another one."""

from __future__ import annotations

import pytest

from helm_wandb.text.nearest import almost_same, nearest_first


def test_the_name_that_is_meant_comes_first() -> None:
    """Case doesn't count, and the others follow by their likeness."""
    names = ["imdb.EM", "boolq.F1", "boolq.EM"]

    assert ["boolq.EM", "boolq.F1", "imdb.EM"] == nearest_first(names, "BOOLQ.em")


def test_nothing_is_nearest_to_nothing() -> None:
    """Without names there is no nearest one."""
    assert [] == nearest_first([], "boolq.EM")


def test_many_long_names_are_all_there() -> None:
    """Of many names, some are compared, and all are returned."""
    names = [f"{at}{'x' * 10_000}" for at in range(3_000)]

    assert sorted(names) == sorted(nearest_first(names, "y" * 10_000))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("em", "EM"), ("EMM", "EM"), ("mmlu_pro", None), ("MMLU", "mmlu"), ("exact_match", None)],
)
def test_only_a_slip_is_almost_the_same(wanted: str, expected: str | None) -> None:
    """Another case or another letter is a slip; a longer name is another name."""
    assert expected == almost_same(["EM", "mmlu", "F1"], wanted)
    assert almost_same([], wanted) is None
