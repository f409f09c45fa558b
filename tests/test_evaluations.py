"""Sets of evaluations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.evaluations import by_model, latest, merge, with_directions
from helm_wandb.model import ScoreKey
from tests import builders

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


def test_first_of_two_values_is_kept_and_told() -> None:
    """Two values of one score are a conflict that says both; the same value twice is none."""
    first = builders.evaluation(scores={"mmlu.EM": 0.1, "raft.EM": 0.5})
    later = builders.evaluation(scores={"mmlu.EM": 0.2, "raft.EM": 0.5})
    merged = merge([first, later])

    assert merged.evaluations[0].scores[MMLU].value == 0.1
    (conflict,) = merged.conflicts
    assert conflict == (
        "alpha at iteration 0 has two values of mmlu.EM: 0.1 (kept) and 0.2. "
        "Give each score in one entry of evals only."
    )


def test_known_tokens_complete_unknown_ones() -> None:
    """Either reading may know the token count; 0 is known."""
    unknown, zero, four = (builders.evaluation(tokens_billions=count) for count in (None, 0.0, 4.0))

    assert merge([unknown, four]).evaluations[0].tokens_billions == 4
    assert merge([zero, four]).evaluations[0].tokens_billions == 0


def test_directions_by_the_users_word_go_first() -> None:
    """Named scores are better when lower; the others stay as they were read."""
    one = builders.evaluation(scores={"mmlu.EM": 0.1, "raft.EM": 0.2}, lower=["raft.EM"])
    (directed,) = with_directions([one], lower_is_better=frozenset({MMLU}))

    assert {key: score.lower_is_better for key, score in directed.scores.items()} == {
        MMLU: True,
        RAFT: True,
    }
    assert (one,) == with_directions([one], lower_is_better=frozenset())


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), unique=True))
def test_latest_is_the_greatest_iteration_of_each_model(places: list[tuple[str, int]]) -> None:
    """In any order of reading, a model's latest evaluation has its greatest iteration."""
    found = latest([builders.evaluation(*place) for place in places])

    assert [(one.model, one.iteration) for one in found] == sorted(dict(sorted(places)).items())


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), unique=True))
def test_by_model_keeps_all_in_order(places: list[tuple[str, int]]) -> None:
    """No evaluation is lost, and each model's are in the order of their iterations."""
    found = by_model([builders.evaluation(*place) for place in places])

    listed = [(model, one.iteration) for model, of_model in found.items() for one in of_model]
    assert sorted(places) == listed
