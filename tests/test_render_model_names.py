"""Models' names on pages."""

from __future__ import annotations

import pytest

from helm_wandb.render import sentences
from helm_wandb.render.comment import LIMIT_BYTES, render
from helm_wandb.render.model_names import common_owner, without_common_owner
from tests import builders


@pytest.mark.parametrize(
    ("names", "owner"),
    [
        (("acme/a", "acme/b"), "acme/"),
        (("acme/chat/a", "acme/chat/b"), "acme/chat/"),
        (("acme/a", "acme/b", "other/c"), ""),
        (("acme/a", "acme-2/b"), ""),
        (("acme/", "acme/b"), ""),
        (("/a", "/b"), "/"),
        (("acme/a",), ""),
        (("a", "b"), ""),
    ],
)
def test_the_owner_of_all_models_is_left_out(names: tuple[str, ...], owner: str) -> None:
    """Only what stands before the last slash of each of several names is; no name is emptied."""
    assert owner == common_owner(builders.report([*map(builders.evaluation, names)]))


def test_a_name_that_stays_is_what_is_compared() -> None:
    """The evaluations, comparisons and ranking of a report name their models alike."""
    report = builders.report(
        [builders.evaluation("acme/a"), builders.evaluation("acme/b")],
        comparisons=[builders.comparison(model="acme/a")],
    )
    short = without_common_owner(report)

    assert {"a", "b"} == {one.model for one in short.evaluations}
    assert {"a", "b"} == {row.model for row in short.leaderboard.rows}
    assert "a" == short.comparisons[0].model == short.comparisons[0].baseline.model


def test_a_page_says_what_its_names_leave_out() -> None:
    """The legend has the owner; the tables have the rest of each name."""
    report = builders.report([*map(builders.evaluation, ("acme/a", "acme/b"))])
    text = render(report, limit_bytes=LIMIT_BYTES)

    assert "<code>a</code>" in text
    assert "<code>acme/a</code>" not in text
    assert "The names of all models begin with acme/, left out here." in (sentences.legend(report))
