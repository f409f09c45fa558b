"""What closes the gate, and what keeps it open."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from helm_wandb.comparing.gate import GatePolicy, gate
from helm_wandb.comparing.unchecked import UncheckedScore
from helm_wandb.model import Gate, Policy, ScoreKey, UnmatchedModels, Verdict
from tests import builders

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

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
FAILING = GatePolicy(on_regression=True)


def decide(  # noqa: PLR0913 -- what a run comes to, each part by its name
    policy: GatePolicy,
    comparisons: Sequence[Comparison] = (),
    *evaluations: Evaluation,
    floor: Mapping[ScoreKey, float] | None = None,
    warn_only: Collection[str] = (),
    unchecked: Sequence[UncheckedScore] = (),
    unmatched: UnmatchedModels | None = None,
) -> Gate:
    """The gate of comparisons and evaluations."""
    return gate(
        policy,
        evaluations=evaluations,
        comparisons=comparisons,
        compare=Policy(floor=floor or {}, warn_only=frozenset(warn_only)),
        unchecked=unchecked,
        unmatched=unmatched,
    )


def reasons_of(floor: float, *evaluations: Evaluation) -> tuple[str, ...]:
    """What is said of a floor on mmlu.EM; it closes the gate if anything is."""
    result = decide(FAILING, (), *evaluations, floor={MMLU: floor})

    assert result.closed == bool(result.reasons)
    return result.reasons


def test_a_regression_fails_the_job_if_fail_on_says_so() -> None:
    """With `fail-on: regression` the job fails; with `never` it passes, with the same reasons."""
    reasons = ("boolq.EM of alpha regressed",)

    assert Gate(closed=True, reasons=reasons) == decide(FAILING, REGRESSED)
    assert Gate(closed=False, reasons=reasons) == decide(GatePolicy(), REGRESSED)


def test_nothing_but_regressions_closes_it() -> None:
    """Improvements, inconclusive changes and untestable scores fail nothing."""
    assert Gate(closed=False, reasons=()) == decide(FAILING, QUIET)


def test_scores_that_cannot_be_compared_fail_nothing() -> None:
    """A score with other settings is shown and fails nothing."""
    result = [builders.comparison(not_comparable={"mmlu.EM": "5-shot here"})]

    assert Gate(closed=False, reasons=()) == decide(FAILING, result)


def test_a_mean_that_regressed_fails_the_job() -> None:
    """The mean over several benchmarks counts like one; that of a single one is not named twice."""
    mean = replace(BOOLQ, key=None, better=None, worse=None)
    single = replace(BOOLQ, key=None, better=2, worse=9)
    reasons = ("the mean of alpha regressed",)

    assert Gate(closed=True, reasons=reasons) == decide(
        FAILING, [builders.comparison(overall=mean)]
    )
    assert Gate(closed=False, reasons=()) == decide(FAILING, [builders.comparison(overall=single)])


def test_every_regression_has_its_sentence() -> None:
    """Two regressions of two models are two sentences in the order of the comparisons."""
    both = [*REGRESSED, builders.comparison(BOOLQ, replace(BOOLQ, key=MMLU), model="beta")]

    assert (
        "boolq.EM of alpha regressed",
        "boolq.EM of beta regressed",
        "mmlu.EM of beta regressed",
    ) == decide(FAILING, both).reasons


def test_the_largest_regression_is_first() -> None:
    """Regressions of all models stand in the order of the pages' first table."""
    models = [
        builders.comparison(replace(BOOLQ, difference=size), model=model)
        for model, size in (("a", -0.1), ("b", -0.3), ("c", -0.2))
    ]

    assert decide(FAILING, models).reasons == tuple(
        f"boolq.EM of {model} regressed" for model in "bca"
    )


def test_one_sentence_for_a_score_with_two_baselines() -> None:
    """A score that regressed compared with each of two baselines is one reason."""
    assert ("boolq.EM of alpha regressed",) == decide(FAILING, [*REGRESSED, *REGRESSED]).reasons


@pytest.mark.parametrize(("value", "closed"), [(0.29, True), (0.3, False), (0.31, False)])
def test_a_floor_is_the_least_that_is_accepted(value: float, *, closed: bool) -> None:
    """A score at its floor is not below it."""
    one = builders.evaluation(scores={"mmlu.EM": value})
    expected = (f"mmlu.EM of alpha is {value}, below its floor of 0.3",) if closed else ()

    assert expected == reasons_of(0.3, one)


@pytest.mark.parametrize(("value", "closed"), [(0.29, False), (0.3, False), (0.31, True)])
def test_where_lower_is_better_the_floor_is_the_greatest(value: float, *, closed: bool) -> None:
    """A metric that is better when lower must not exceed its limit."""
    one = builders.evaluation(scores={"mmlu.EM": value}, lower=["mmlu.EM"])
    expected = (f"mmlu.EM of alpha is {value}, above its limit of 0.3",) if closed else ()

    assert expected == reasons_of(0.3, one)


def test_without_a_direction_a_floor_is_a_floor() -> None:
    """What nothing says the direction of is read as the word floor says."""
    one = builders.evaluation(scores={"mmlu.EM": 0.2})
    score = replace(one.scores[MMLU], lower_is_better=None)

    assert reasons_of(0.3, replace(one, scores={MMLU: score}))


def test_a_value_just_below_is_not_shown_as_the_floor_itself() -> None:
    """0.3 is never said to be below 0.3: where four digits are too few there are all."""
    (result,) = reasons_of(0.3, builders.evaluation(scores={"mmlu.EM": 0.29999999}))

    assert "mmlu.EM of alpha is 0.29999999, below its floor of 0.3" == result


@pytest.mark.parametrize(
    ("value", "limit", "hint"),
    [(0.6, 30, " (30% is 0.3)"), (0.6, 300, ""), (0.6, 1, ""), (0, 30, ""), (25.0, 30, "")],
)
def test_a_floor_in_percent_of_a_score_within_0_to_1_has_a_hint(
    value: float, limit: float, hint: str
) -> None:
    """Only such a floor may have been meant as a share."""
    (result,) = reasons_of(limit, builders.evaluation(scores={"mmlu.EM": value}))

    assert result.endswith(f", below its floor of {limit}{hint}")


@pytest.mark.parametrize("limit", [0.0, -0.0, -1.0])
def test_a_floor_of_nothing(limit: float) -> None:
    """Zero is not below zero, with either sign."""
    assert () == reasons_of(limit, builders.evaluation(scores={"mmlu.EM": -0.0}))


def test_floors_hold_for_the_latest_iteration() -> None:
    """Earlier checkpoints may be below the floor."""
    weak = builders.evaluation("alpha", 1000, {"mmlu.EM": 0.1})

    assert () == reasons_of(0.3, weak, builders.evaluation("alpha", 2000, {"mmlu.EM": 0.4}))


def test_a_missing_score_does_not_hold_its_floor() -> None:
    """A missing score is below its floor: otherwise deleting it would pass."""
    one = builders.evaluation(scores={"raft.EM": 0.5}, missing={"mmlu.EM": "no table"})

    assert ("mmlu.EM of alpha is missing, and its floor is 0.3",) == reasons_of(0.3, one)


def test_a_floor_of_what_nobody_evaluated_fails_the_job() -> None:
    """A floor of a score that no model has is a reason, and isn't met."""
    other = builders.evaluation(scores={"raft.EM": 0.5})

    assert ("no model of this run has mmlu.EM, whose floor is 0.3",) == reasons_of(0.3, other)


def test_floors_hold_only_for_models_with_the_metric() -> None:
    """A model that never had to do with a metric is no fault if another one has it."""
    one, other = (
        builders.evaluation("a", scores={"mmlu.EM": 0.5}),
        builders.evaluation("b", scores={"raft.EM": 0.5}),
    )

    assert () == reasons_of(0.3, one, other)


def test_floors_fail_no_job_if_fail_on_is_never() -> None:
    """With fail-on: never a missed floor is a reason, and fails nothing."""
    result = decide(
        GatePolicy(), (), builders.evaluation(scores={"mmlu.EM": 0.1}), floor={MMLU: math.inf}
    )

    assert (False, 1) == (result.closed, len(result.reasons))


@pytest.mark.parametrize("on_regression", [True, False])
def test_no_baseline_fails_the_job_if_the_input_says_so(*, on_regression: bool) -> None:
    """on-missing-baseline: fail closes it, whatever fail-on says; warn does not."""
    fails = GatePolicy(on_missing_baseline=True, on_regression=on_regression)

    policy = GatePolicy(on_regression=on_regression)
    expected = Gate(closed=True, reasons=("there is no baseline to compare with",))
    assert expected == decide(fails, (), builders.evaluation())
    assert Gate(closed=False, reasons=()) == decide(policy, (), builders.evaluation())
    assert Gate(closed=False, reasons=()) == decide(fails, QUIET)


def test_a_ranking_of_the_project_alone_lacks_no_baseline() -> None:
    """If this run has no model, there is nothing that could be compared."""
    result = decide(GatePolicy(on_missing_baseline=True), ())

    assert not result.closed


def test_what_fails_the_job_is_reported_without_the_warnings() -> None:
    """With fail-on: never, a missing baseline closes it alone, and a floor is a warning."""
    one = builders.evaluation(scores={"mmlu.EM": 0.1})
    result = decide(GatePolicy(on_missing_baseline=True), (), one, floor={MMLU: 0.3})

    assert (
        Gate(
            closed=True,
            reasons=("there is no baseline to compare with",),
            warnings=("mmlu.EM of alpha is 0.1, below its floor of 0.3",),
        )
        == result
    )


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
    ) == decide(policy, REGRESSED)


@pytest.mark.parametrize(
    ("policy", "comparisons"),
    [
        (GatePolicy(accept_label="ok", labels={"ok"}), REGRESSED),
        (GatePolicy(on_regression=True, accept_label="ok", labels={"ok"}), QUIET),
    ],
)
def test_a_label_is_not_reported_if_nothing_fails(
    policy: GatePolicy, comparisons: list[Comparison]
) -> None:
    """A label on a run that passes anyway accepts nothing."""
    assert decide(policy, comparisons).accepted_by is None


def test_a_label_accepts_a_missing_baseline() -> None:
    """The label turns every reason of the gate into a notice."""
    policy = GatePolicy(on_missing_baseline=True, accept_label="ok", labels={"ok"})
    result = decide(policy, (), builders.evaluation())

    assert (False, "ok") == (result.closed, result.accepted_by)


# What only warns, and what could hide a regression


@pytest.mark.parametrize("name", ["boolq", "boolq.EM"])
@pytest.mark.parametrize("policy", [FAILING, GatePolicy()])
def test_a_regression_under_warn_only_is_a_warning(name: str, policy: GatePolicy) -> None:
    """A benchmark or metric under warn_only never fails the job, whatever fail-on is."""
    warning = "boolq.EM of alpha regressed (warn_only)"

    assert Gate(closed=False, reasons=(), warnings=(warning,)) == decide(
        policy, REGRESSED, warn_only=[name]
    )


def test_a_floor_under_warn_only_is_a_warning() -> None:
    """A score below its floor never fails the job if its benchmark only warns."""
    one = builders.evaluation(scores={"mmlu.EM": 0.1})
    result = decide(FAILING, (), one, floor={MMLU: 0.3}, warn_only=["mmlu"])

    assert (False, 1) == (result.closed, len(result.warnings))


LOST = UncheckedScore(MMLU, "alpha", "lost 14 of the baseline's 100 instances", is_lost=True)


def test_a_score_that_this_run_lost_fails_as_a_regression_does() -> None:
    """What this run lost of a baseline's score could hide a regression."""
    reasons = ("mmlu.EM of alpha lost 14 of the baseline's 100 instances",)

    assert Gate(closed=True, reasons=reasons) == decide(FAILING, QUIET, unchecked=[LOST])
    assert Gate(closed=False, reasons=reasons) == decide(GatePolicy(), QUIET, unchecked=[LOST])


def test_a_score_that_the_baseline_lacks_is_a_warning() -> None:
    """What the pull request can't repair never fails it, and shows."""
    one = replace(LOST, why="can't be tested: no per-instance scores there", is_lost=False)
    warnings = ("mmlu.EM of alpha can't be tested: no per-instance scores there",)

    assert Gate(closed=False, reasons=(), warnings=warnings) == decide(
        FAILING, QUIET, unchecked=[one]
    )


def test_scores_with_the_same_reason_share_a_sentence() -> None:
    """A baseline without per-instance scores is one sentence for all its benchmarks and models."""
    why = "can't be tested: no per-instance scores there"
    many = [
        UncheckedScore(ScoreKey(f"b{at}", "EM"), model, why, is_lost=False)
        for model in ("alpha", "beta")
        for at in range(16)
    ]

    assert (f"b0.EM, b1.EM, b2.EM and 13 more of alpha, beta {why}",) == (
        decide(FAILING, QUIET, unchecked=many).warnings
    )


RENAMED = UnmatchedModels(models=("b",), baseline_models=("a",), origin="base.json")


@pytest.mark.parametrize("comparisons", [(), QUIET])
def test_a_model_that_the_baseline_lacks_has_no_baseline(
    comparisons: Sequence[Comparison],
) -> None:
    """It counts as a missing baseline, also if other models have one; else it is a warning."""
    sentence = "b isn't in the baseline (base.json), which has only a"
    evaluation = builders.evaluation()
    fails = GatePolicy(on_missing_baseline=True)

    assert Gate(closed=True, reasons=(sentence,)) == decide(
        fails, comparisons, evaluation, unmatched=RENAMED
    )
    warned = decide(GatePolicy(), comparisons, evaluation, unmatched=RENAMED)
    assert (False, (sentence,)) == (warned.closed, warned.warnings)


def test_a_partial_score_does_not_hold_its_floor() -> None:
    """The floor of a score over fewer subjects than other models' can't be checked."""
    one = builders.evaluation(scores={"mmlu.EM": 0.5})
    partial = replace(one.scores[MMLU], partial="over 2 of 3 subjects")

    assert ("mmlu.EM of alpha is over 2 of 3 subjects only, and its floor is 0.3",) == reasons_of(
        0.3, replace(one, scores={MMLU: partial})
    )
