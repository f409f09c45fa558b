"""What closes the gate, and what keeps it open."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from helm_wandb.comparing.gate import GatePolicy, gate
from helm_wandb.model import Gate, ScoreKey, Verdict
from tests import builders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from helm_wandb.model import Comparison, Evaluation

BOOLQ = builders.delta("boolq.EM", 0.7, 0.6, Verdict.REGRESSED, within=(-0.2, -0.05))
REGRESSED = [builders.comparison(BOOLQ)]
QUIET = [
    builders.comparison(
        *(
            replace(BOOLQ, verdict=verdict)
            for verdict in Verdict
            if verdict not in (Verdict.REGRESSED, Verdict.NO_BASELINE)
        )
    )
]
MMLU = ScoreKey("mmlu", "EM")
ASKED = GatePolicy(on_regression=True)


def found(
    policy: GatePolicy,
    comparisons: Sequence[Comparison] = (),
    *evaluations: Evaluation,
    floor: Mapping[ScoreKey, float] | None = None,
) -> Gate:
    """The gate of comparisons and evaluations."""
    return gate(policy, evaluations=evaluations, comparisons=comparisons, floor=floor or {})


def floored(floor: float, *evaluations: Evaluation) -> tuple[str, ...]:
    """What is said of a floor on mmlu.EM; it closes the gate if anything is."""
    told = found(ASKED, (), *evaluations, floor={MMLU: floor})

    assert told.closed == bool(told.reasons)
    return told.reasons


def test_a_regression_closes_it_where_it_is_asked_to() -> None:
    """fail-on: regression closes it; never tells the same and leaves it open."""
    reasons = ("boolq.EM of alpha regressed",)

    assert Gate(closed=True, reasons=reasons) == found(ASKED, REGRESSED)
    assert Gate(closed=False, reasons=reasons) == found(GatePolicy(), REGRESSED)


def test_nothing_but_regressions_closes_it() -> None:
    """Improvements and whatever could not be told or tested close nothing."""
    assert Gate(closed=False, reasons=()) == found(ASKED, QUIET)


def test_overall_and_scores_that_cannot_be_compared_close_nothing() -> None:
    """The mean's own verdict and what stands apart are shown and close no gate."""
    overall = replace(BOOLQ, key=None)
    told = [builders.comparison(overall=overall, not_comparable={"mmlu.EM": "5-shot here"})]

    assert Gate(closed=False, reasons=()) == found(ASKED, told)


def test_every_regression_has_its_sentence() -> None:
    """Two regressions of two models are two sentences in the order of the comparisons."""
    both = [*REGRESSED, builders.comparison(BOOLQ, replace(BOOLQ, key=MMLU), model="beta")]

    assert (
        "boolq.EM of alpha regressed",
        "boolq.EM of beta regressed",
        "mmlu.EM of beta regressed",
    ) == found(ASKED, both).reasons


def test_one_sentence_for_a_score_beside_two_baselines() -> None:
    """A score that regressed beside each of two baselines of its model is told once."""
    assert ("boolq.EM of alpha regressed",) == found(ASKED, [*REGRESSED, *REGRESSED]).reasons


@pytest.mark.parametrize(("value", "closed"), [(0.29, True), (0.3, False), (0.31, False)])
def test_a_floor_is_the_least_that_is_accepted(value: float, *, closed: bool) -> None:
    """A score at its floor is not below it."""
    one = builders.evaluation(scores={"mmlu.EM": value})
    expected = (f"mmlu.EM of alpha is {value}, below its floor of 0.3",) if closed else ()

    assert expected == floored(0.3, one)


@pytest.mark.parametrize(("value", "closed"), [(0.29, False), (0.3, False), (0.31, True)])
def test_where_lower_is_better_the_floor_is_the_greatest(value: float, *, closed: bool) -> None:
    """A metric that is better when lower must not exceed its limit."""
    one = builders.evaluation(scores={"mmlu.EM": value}, lower=["mmlu.EM"])
    expected = (f"mmlu.EM of alpha is {value}, above its limit of 0.3",) if closed else ()

    assert expected == floored(0.3, one)


def test_without_a_direction_a_floor_is_a_floor() -> None:
    """What nothing says the direction of is read as the word floor says."""
    one = builders.evaluation(scores={"mmlu.EM": 0.2})
    score = replace(one.scores[MMLU], lower_is_better=None)

    assert floored(0.3, replace(one, scores={MMLU: score}))


def test_a_value_just_below_is_not_told_as_the_floor_itself() -> None:
    """0.3 is never said to be below 0.3: where four digits are too few there are all."""
    (told,) = floored(0.3, builders.evaluation(scores={"mmlu.EM": 0.29999999}))

    assert "mmlu.EM of alpha is 0.29999999, below its floor of 0.3" == told


@pytest.mark.parametrize("limit", [0.0, -0.0, -1.0])
def test_a_floor_of_nothing(limit: float) -> None:
    """Zero is not below zero, with either sign."""
    assert () == floored(limit, builders.evaluation(scores={"mmlu.EM": -0.0}))


def test_floors_are_asked_of_the_greatest_iteration() -> None:
    """Earlier checkpoints may be below the floor."""
    weak = builders.evaluation("alpha", 1000, {"mmlu.EM": 0.1})

    assert () == floored(0.3, weak, builders.evaluation("alpha", 2000, {"mmlu.EM": 0.4}))


def test_a_missing_score_does_not_hold_its_floor() -> None:
    """What was asked for and is not there is below its floor: else deleting it would open."""
    one = builders.evaluation(scores={"raft.EM": 0.5}, missing={"mmlu.EM": "no table"})

    assert ("mmlu.EM of alpha is missing, and its floor is 0.3",) == floored(0.3, one)


def test_a_floor_of_what_nobody_asked_for_closes_it() -> None:
    """A floor that no model of the run has to do with is told, and is not held."""
    other = builders.evaluation(scores={"raft.EM": 0.5})

    assert ("no model of this run has mmlu.EM, whose floor is 0.3",) == floored(0.3, other)


def test_floors_are_asked_only_of_models_with_the_metric() -> None:
    """A model that never had to do with a metric, beside one that has it, is no fault."""
    one, other = (
        builders.evaluation("a", scores={"mmlu.EM": 0.5}),
        builders.evaluation("b", scores={"raft.EM": 0.5}),
    )

    assert () == floored(0.3, one, other)


def test_floors_leave_the_gate_open_where_it_is_never_asked_to_close() -> None:
    """With fail-on: never a floor is told and closes nothing."""
    told = found(
        GatePolicy(), (), builders.evaluation(scores={"mmlu.EM": 0.1}), floor={MMLU: math.inf}
    )

    assert (False, 1) == (told.closed, len(told.reasons))


@pytest.mark.parametrize("on_regression", [True, False])
def test_no_baseline_closes_it_where_it_is_asked_to(*, on_regression: bool) -> None:
    """on-missing-baseline: fail closes it, whatever fail-on says; warn does not."""
    fails = GatePolicy(on_missing_baseline=True, on_regression=on_regression)

    asked = GatePolicy(on_regression=on_regression)
    expected = Gate(closed=True, reasons=("there is no baseline to compare with",))
    assert expected == found(fails, (), builders.evaluation())
    assert Gate(closed=False, reasons=()) == found(asked, (), builders.evaluation())
    assert Gate(closed=False, reasons=()) == found(fails, QUIET)


def test_a_ranking_of_the_project_alone_lacks_no_baseline() -> None:
    """Where this run has no model, there is nothing that could be compared."""
    told = found(GatePolicy(on_missing_baseline=True), ())

    assert not told.closed


def test_what_closes_it_is_not_told_beside_what_does_not() -> None:
    """With fail-on: never, a missing baseline closes it alone, and a floor is no reason."""
    one = builders.evaluation(scores={"mmlu.EM": 0.1})
    told = found(GatePolicy(on_missing_baseline=True), (), one, floor={MMLU: 0.3})

    assert Gate(closed=True, reasons=("there is no baseline to compare with",)) == told


@pytest.mark.parametrize(
    ("label", "labels", "accepted"),
    [
        ("accept", {"accept"}, "accept"),
        ("Accept", {"bug", "aCCept"}, "aCCept"),
        ("ACCEPT", {"accepted"}, None),
        ("accept", set(), None),
        (None, {"accept", "None", ""}, None),
    ],
)
def test_a_label_keeps_it_open(label: str | None, labels: set[str], accepted: str | None) -> None:
    """The label opens it in any case of letters, as GitHub's names have; others do not."""
    policy = GatePolicy(on_regression=True, accept_label=label, labels=labels)

    assert Gate(
        closed=accepted is None,
        reasons=("boolq.EM of alpha regressed",),
        accepted_by=accepted,
    ) == found(policy, REGRESSED)


@pytest.mark.parametrize(
    ("policy", "comparisons"),
    [
        (GatePolicy(accept_label="ok", labels={"ok"}), REGRESSED),
        (GatePolicy(on_regression=True, accept_label="ok", labels={"ok"}), QUIET),
    ],
)
def test_a_label_is_not_told_where_nothing_closes(
    policy: GatePolicy, comparisons: list[Comparison]
) -> None:
    """A label on a run that passes anyway accepts nothing."""
    assert found(policy, comparisons).accepted_by is None


def test_a_label_accepts_a_missing_baseline() -> None:
    """The label turns every reason of the gate into a notice."""
    policy = GatePolicy(on_missing_baseline=True, accept_label="ok", labels={"ok"})
    told = found(policy, (), builders.evaluation())

    assert (False, "ok") == (told.closed, told.accepted_by)
