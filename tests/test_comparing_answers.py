"""The answers that a report keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from helm_wandb.comparing import answers
from helm_wandb.comparing.answer_columns import answers_of, with_answers
from helm_wandb.comparing.merging import merge_scores
from helm_wandb.model import Evaluation, Score, ScoreKey, SubjectScore, Texts
from tests import builders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helm_wandb.comparing.changed_instances import TextsByPlace

EM = ScoreKey("qa", "EM")
VALUES = {"qa.EM": [1.0, 0.0], "qa.F1": [1.0, 0.5], "imdb.EM": [0.0]}
PLACES = [("only", "id0", 0), ("only", "id1", 0)]


def texts(answer: str, iteration: int = 0) -> TextsByPlace:
    """The same answer to each question of the benchmark qa."""
    return {("alpha", iteration, "qa"): {place: Texts(answer=answer) for place in PLACES}}


def columns(one: Evaluation) -> dict[str, object]:
    """The column of answers of each score."""
    return {key: score.instances and score.instances.answer for key, score in one.scores.items()}


def answered(values: Mapping[str, list[float]], answer: str) -> Evaluation:
    """An evaluation of these values, with the same answer to each question of qa."""
    ((one,), _) = answers.attach_answers([builders.measured(values=values)], texts(answer))
    return one


def test_answers_are_kept_once_a_benchmark() -> None:
    """The first score of a benchmark has them, and a benchmark without any has no column."""
    ((one,), notes) = answers.attach_answers([builders.measured(values=VALUES)], texts("yes"))

    assert {"qa.EM": ("yes", "yes"), "qa.F1": None, "imdb.EM": None} == columns(one)
    assert dict.fromkeys(PLACES, "yes") == answers_of(one, "qa")
    assert () == notes


def test_only_the_latest_iteration_is_requested() -> None:
    """Answers are requested of it alone, and not of benchmarks that have them."""
    both = [builders.measured(iteration=at, values=VALUES) for at in (1, 2)]
    requests = answers.answer_requests(both)
    attached, _ = answers.attach_answers(both, texts("yes", 1) | texts("no", 2))

    assert {("alpha", 2, "qa"), ("alpha", 2, "imdb")} == requests.keys()
    assert frozenset(PLACES) == requests["alpha", 2, "qa"]
    assert [{}, dict.fromkeys(PLACES, "no")] == [answers_of(one, "qa") for one in attached]
    assert {("alpha", 2, "imdb")} == answers.answer_requests(attached).keys()


@pytest.mark.parametrize(("budget", "length"), [(400, 200), (399, 102), (204, 102), (104, 52)])
def test_answers_are_shortened_to_fit(
    budget: int, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All answers of a model are cut alike, so that together they have few enough bytes."""
    monkeypatch.setattr(answers, "MOST_BYTES", budget)
    one = answered(VALUES, "x" * 200)

    assert {length} == {len(text.encode()) for text in answers_of(one, "qa").values()}


def test_too_many_answers_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """If not even short ones fit, there are none, and a note says so."""
    monkeypatch.setattr(answers, "MOST_BYTES", 103)
    before = builders.measured(values=VALUES)
    ((one,), (note,)) = answers.attach_answers([before], texts("x" * 200))

    assert columns(before) == columns(one)
    assert note.startswith("The report has no answers of alpha: even cut to 50 characters each")


def test_secrets_are_removed_from_answers() -> None:
    """A server's refusal that a model's answer repeats may hold the key."""
    ((one,), _) = answers.attach_answers(
        [builders.measured(values=VALUES)],
        texts("bad key"),
        redact=lambda text: text.replace("key", "***"),
    )

    assert {"bad ***"} == set(answers_of(one, "qa").values())


def test_merged_scores_keep_the_answers_of_both() -> None:
    """Matrix jobs that evaluate a subject each give all answers, in whichever order they come."""
    scores = [_of_subject(name) for name in ("a", "b")]
    merged = [merge_scores(order)[0].instances for order in (scores, scores[::-1])]

    assert [("a0", "a1", "b0", "b1")] * 2 == [one and one.answer for one in merged]


def _of_subject(name: str) -> Score:
    score = builders.measured(values={"qa.EM": {name: [1.0, 0.0]}}).scores[EM]
    assert score.instances
    named = {(name, f"id{at}", 0): f"{name}{at}" for at in range(2)}
    return replace(
        score,
        subjects={name: SubjectScore(value=score.value, n=2)},
        instances=with_answers(score.instances, named),
    )


def test_answers_make_no_score_different() -> None:
    """Two readings of one score are equal if only one of them has answers."""
    bare, other = builders.measured(values=VALUES), answered(VALUES, "yes")

    assert bare == other
