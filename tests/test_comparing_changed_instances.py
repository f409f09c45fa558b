"""Flagged deltas → the instances whose scores changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from helm_wandb.comparing import changed_instances
from helm_wandb.comparing.verdicts import Partner, compared
from helm_wandb.model import (
    Baseline,
    ChangedInstance,
    Comparison,
    Delta,
    Policy,
    ScoreKey,
    Texts,
    Verdict,
)
from tests import builders
from tests.builders import right

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tests.builders import Values

KEY = ScoreKey("mmlu", "EM")


def partner(
    candidate: Mapping[str, Values], baseline: Mapping[str, Values], lower: Collection[str] = ()
) -> Partner:
    """Two measurements of one model."""
    there = builders.measured(values=baseline, lower=lower)
    side = Baseline(origin="base.json", model=there.model, iteration=there.iteration)
    return Partner(builders.measured(values=candidate, lower=lower), there, side)


def attach(*partners: Partner, limit: int = changed_instances.LIMIT) -> tuple[Comparison, ...]:
    """The comparisons with their items."""
    return changed_instances.attach_changed_instances(
        compared(partners, Policy()), partners, limit=limit
    )


def changes(delta: Delta) -> list[tuple[str, float, float]]:
    """The items' ids and scores."""
    return [(item.id, item.before, item.after) for item in delta.items or ()]


def test_marked_deltas_have_the_pairs_whose_scores_differ() -> None:
    """As many got worse, and as many better, as the delta itself counts; the others are equal."""
    ((found,),) = (
        one.deltas
        for one in attach(partner({"mmlu.EM": right(50, wrong_first=28)}, {"mmlu.EM": right(80)}))
    )
    after = [item.after - item.before for item in found.items or ()]

    assert Verdict.REGRESSED is found.verdict
    assert (found.worse, found.better) == (after.count(-1), after.count(1))
    assert 30 == len(after)


def test_rounding_is_no_changed_score() -> None:
    """0.1 + 0.2 and 0.3 are the same score, for the items as for the delta's own counts."""
    base, now = [0.3] * 20 + [1.0] * 40, [0.1 + 0.2] * 20 + [0.0] * 40
    ((found,),) = (one.deltas for one in attach(partner({"mmlu.EM": now}, {"mmlu.EM": base})))

    assert (40, 0) == (found.worse, found.better)
    assert 40 == len(found.items or ())


@pytest.mark.parametrize("lower", [False, True])
def test_the_worst_come_first(*, lower: bool) -> None:
    """What got worse goes before what got better, each by how much, by the metric's direction."""
    sign = -1 if lower else 1
    base = [0.0] * 40
    now = [sign * value for value in (0.1, -0.2, 0.0, -0.9, 0.3, *[-0.5] * 35)]
    keys = ["mmlu.EM"] if lower else []
    (one,) = attach(partner({"mmlu.EM": now}, {"mmlu.EM": base}, keys))
    found = changes(one.deltas[0])

    assert ("id3", 0.0, sign * -0.9) == found[0]
    assert [("id5", 0.0, sign * -0.5), ("id6", 0.0, sign * -0.5)] == found[1:3]
    assert [("id1", 0.0, sign * -0.2), ("id4", 0.0, sign * 0.3), ("id0", 0.0, sign * 0.1)] == (
        found[-3:]
    )


def test_unflagged_deltas_have_no_items() -> None:
    """A delta that isn't flagged has no items, though some of its scores differ."""
    (one,) = attach(partner({"mmlu.EM": right(50)}, {"mmlu.EM": right(51)}))

    assert (Verdict.INCONCLUSIVE, None) == (one.deltas[0].verdict, one.deltas[0].items)


def test_items_know_where_they_are_of() -> None:
    """Stratum, id and trial are those of the instance, whose input is no part of it."""
    strata = {"mmlu:subject=a": right(30), "mmlu:subject=b": right(0)}
    (one,) = attach(partner({"mmlu.EM": strata}, {"mmlu.EM": {name: right(60) for name in strata}}))
    places = {item.place for item in one.deltas[0].items or ()}

    assert {("mmlu:subject=a", f"id{at}", 0) for at in range(30, 60)} | {
        ("mmlu:subject=b", f"id{at}", 0) for at in range(60)
    } == places


def test_marks_without_instances_are_left_alone() -> None:
    """A comparison whose sides have no instances, which nothing here makes, is no fault."""
    made = builders.comparison(
        builders.delta("mmlu.EM", 0.5, 0.25, Verdict.REGRESSED),
        builders.delta(None, 0.5, 0.25, Verdict.REGRESSED),
    )
    bare = builders.evaluation(scores={"mmlu.EM": 0.25})
    (one,) = changed_instances.attach_changed_instances(
        [made], [Partner(bare, bare, made.baseline)]
    )

    assert [None, None] == [delta.items for delta in one.deltas]


def test_too_many_items_are_cut_where_they_are_most() -> None:
    """All lists together keep the limit, and the shorter ones stay whole."""
    values = {"mmlu.EM": right(50), "boolq.EM": right(10), "imdb.EM": right(70)}
    against = {key: right(80) for key in values}
    (one,) = attach(partner(values, against), limit=60)

    assert {"mmlu.EM": 25, "boolq.EM": 25, "imdb.EM": 10} == {
        str(delta.key): len(delta.items or ()) for delta in one.deltas
    }
    assert [30, 70, 10] == [delta.worse for delta in one.deltas]


@given(counts=st.lists(st.integers(1, 50), max_size=8), limit=st.integers(0, 120))
def test_the_limit_is_kept_and_no_smaller_than_it_must(counts: list[int], limit: int) -> None:
    """All lists cut at the limit hold no more than allowed; one more for each would be too many."""
    longest = changed_instances._longest_list(counts, limit)  # noqa: SLF001 -- the rule itself
    total = sum(min(count, longest) for count in counts)

    assert total <= limit or not counts
    assert sum(counts) == total or sum(min(count, longest + 1) for count in counts) > limit


def test_texts_are_wanted_of_items_only() -> None:
    """Texts are requested of the changed instances, by model and benchmark."""
    values = {"mmlu.EM": right(50), "boolq.EM": right(80)}
    found = attach(partner(values, {key: right(80) for key in values}))

    assert {
        ("alpha", 0, "mmlu"): frozenset(("only", f"id{at}", 0) for at in range(50, 80))
    } == changed_instances.text_requests(found)


def test_texts_come_to_their_items() -> None:
    """An item has the texts that were found for it; without any it keeps none."""
    texts = Texts(input="Q", reference="R", answer="A")
    plain = ChangedInstance(stratum="s", id="id0", trial=0, before=1.0, after=0.0)
    made = builders.comparison(
        replace(
            builders.delta("mmlu.EM", 0.5, 0.25, Verdict.REGRESSED),
            items=(plain, replace(plain, trial=1)),
        ),
        builders.delta("boolq.EM", 0.5, 0.5, Verdict.INCONCLUSIVE),
    )
    (one,) = changed_instances.attach_texts(
        [made], {("alpha", 0, "mmlu"): {("s", "id0", 1): texts}}
    )
    changed, other = one.deltas

    assert (plain, replace(plain, trial=1, texts=texts)) == changed.items
    assert other.items is None
    assert made == changed_instances.attach_texts([made], {})[0]
