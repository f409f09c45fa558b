"""Sets of evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.comparing.evaluations import group_by_model, latest, merge, with_directions
from helm_wandb.model import Policy, ScoreKey
from tests import builders

if TYPE_CHECKING:
    from random import Random

    from helm_wandb.model import Evaluation

MMLU = ScoreKey("mmlu", "EM")
RAFT = ScoreKey("raft", "EM")


def test_nothing_merges_to_nothing() -> None:
    """Without evaluations there are none."""
    assert merge([]).evaluations == ()


def test_evaluations_are_ordered_by_model_and_iteration() -> None:
    """Iterations are in the order of their numbers, not of their digits."""
    given_ = [builders.evaluation(*place) for place in (("b", 0), ("a", 10), ("a", 9))]

    places = [(one.model, one.iteration) for one in merge(given_).evaluations]
    assert places == [("a", 9), ("a", 10), ("b", 0)]


def test_two_readings_of_a_model_become_one() -> None:
    """Scores of both are there, and what one misses and the other has is not missing."""
    first = builders.evaluation(
        scores={"mmlu.EM": 0.1}, missing={"raft.EM": "no table", "quac.F1": "no table"}
    )
    later = builders.evaluation(scores={"raft.EM": 0.2}, missing={"mmlu.EM": "no table"})
    merged = merge([first, later])

    (one,) = merged.evaluations
    assert merged.conflicts == ()
    assert {key: score.value for key, score in one.scores.items()} == {MMLU: 0.1, RAFT: 0.2}
    assert one.missing == {ScoreKey("quac", "F1"): "no table"}


def test_first_of_two_values_is_kept_and_reported() -> None:
    """Two values of one score are a conflict that says both; the same value twice is none."""
    first = builders.evaluation(scores={"mmlu.EM": 0.1, "raft.EM": 0.5})
    later = builders.evaluation(scores={"mmlu.EM": 0.2, "raft.EM": 0.5})
    merged = merge([first, later])

    assert merged.evaluations[0].scores[MMLU].value == 0.1
    (conflict,) = merged.conflicts
    assert conflict == (
        "alpha at iteration 0 has two values of mmlu.EM: 0.1 (kept) and 0.2. "
        "Give each score in one entry of evals only; further runs of it, such as other seeds, "
        "belong under its key repeats."
    )


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (["a.json", "b.json", "c.json"], "b.json and c.json: alpha at"),
        (["a.json", "b.json", "b.json"], "b.json: alpha at"),
        ([], "alpha at"),
    ],
)
def test_a_contradiction_names_both_readings(places: list[str], expected: str) -> None:
    """A reading without the score is not one of them."""
    readings = [
        builders.evaluation(scores={key: value})
        for key, value in (("raft.EM", 0.5), ("mmlu.EM", 0.1), ("mmlu.EM", 0.2))
    ]
    (conflict,) = merge(readings, places).conflicts
    assert conflict.startswith(f"{expected} iteration 0 has two values of mmlu.EM: 0.1 (kept)")


def test_a_contradiction_is_reported_once() -> None:
    """Several readings that contradict the first in the same words are one conflict."""
    first, *later = (builders.evaluation(scores={"mmlu.EM": value}) for value in (0.1, 0.2, 0.2))

    assert merge([first, *later[:1]]).conflicts == merge([first, *later]).conflicts


def test_known_tokens_complete_unknown_ones() -> None:
    """Either reading may know the token count; 0 is known."""
    unknown, zero, four = (builders.evaluation(tokens_billions=count) for count in (None, 0.0, 4.0))

    assert merge([unknown, four]).evaluations[0].tokens_billions == 4
    assert merge([unknown, four]).conflicts == ()
    assert merge([zero, four]).evaluations[0].tokens_billions == 0
    (conflict,) = merge([zero, unknown, four, four]).conflicts
    assert conflict == (
        "alpha at iteration 0 has two token counts: 0.0 (kept) and 4.0 billion. "
        "Give the same token_per_iteration or token_num in each entry of evals."
    )


def test_reason_that_says_most_is_kept() -> None:
    """Of two reasons for a score that no reading has, the longer one is kept, in any order."""
    jobs = [
        builders.evaluation(missing={"raft.EM": why})
        for why in ("no table of it", "groups/raft.json: line 3: a comma is missing")
    ]

    for order in (jobs, jobs[::-1]):
        (one,) = merge(order).evaluations
        assert {RAFT: "groups/raft.json: line 3: a comma is missing"} == one.missing


def test_origin_is_helms_own_output() -> None:
    """Among scores from elsewhere, the suite that HELM wrote is the origin, in any order."""
    helm = builders.evaluation(scores={"mmlu.EM": 0.1}, suite="b", token_per_iteration=2.0)
    others = [
        builders.evaluation(scores={"raft.EM": 0.1}, source="file", suite=None),
        builders.evaluation(scores={"quac.F1": 0.1}, suite="b"),
        builders.evaluation(scores={"imdb.EM": 0.1}, suite="c"),
    ]

    for jobs in ([helm, *others], [*others, helm]):
        assert helm.origin == merge(jobs).evaluations[0].origin


JOBS = st.lists(
    st.builds(
        builders.evaluation,
        model=st.sampled_from("ab"),
        iteration=st.integers(0, 1),
        scores=st.dictionaries(
            st.sampled_from(["mmlu.EM", "raft.EM", "quac.F1"]), st.just(0.5), min_size=1
        ),
        missing=st.dictionaries(st.sampled_from(["mmlu.EM", "imdb.EM"]), st.sampled_from("xyz")),
        tokens_billions=st.none() | st.just(1.5),
        source=st.sampled_from(["helm", "file"]),
        suite=st.none() | st.sampled_from("st"),
    ).filter(lambda one: not one.scores.keys() & one.missing.keys()),
    max_size=6,
)


@given(JOBS, JOBS, st.randoms())
def test_order_and_grouping_of_evaluations_change_nothing(
    first: list[Evaluation], later: list[Evaluation], random: Random
) -> None:
    """Merged in any order, all at once or some before others, evaluations become the same."""
    at_once = merge(first + later)
    shuffled = random.sample(first + later, len(first + later))

    assert at_once.conflicts == ()
    assert at_once == merge(shuffled)
    assert at_once == merge([*merge(first).evaluations, *merge(later).evaluations])
    assert at_once == merge(at_once.evaluations * 2)


def test_directions_by_the_users_word_go_first() -> None:
    """Named scores are better when lower; the others stay as they were read."""
    one = builders.evaluation(scores={"mmlu.EM": 0.1, "raft.EM": 0.2}, lower=["raft.EM"])
    (directed,) = with_directions([one], Policy(lower_is_better=frozenset({MMLU})))

    assert {key: score.lower_is_better for key, score in directed.scores.items()} == {
        MMLU: True,
        RAFT: True,
    }
    assert (one,) == with_directions([one], Policy())
    (directed,) = with_directions([one], Policy(higher_is_better=frozenset({RAFT})))
    assert [False, False] == [score.lower_is_better for score in directed.scores.values()]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), unique=True))
def test_latest_is_the_latest_iteration_of_each_model(places: list[tuple[str, int]]) -> None:
    """In any order of reading, a model's latest evaluation has its latest iteration."""
    found = latest([builders.evaluation(*place) for place in places])

    assert [(one.model, one.iteration) for one in found] == sorted(dict(sorted(places)).items())


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), unique=True))
def test_by_model_keeps_all_in_order(places: list[tuple[str, int]]) -> None:
    """No evaluation is lost, and each model's are in the order of their iterations."""
    found = group_by_model([builders.evaluation(*place) for place in places])

    listed = [(model, one.iteration) for model, of_model in found.items() for one in of_model]
    assert sorted(places) == listed
