"""Scores of the baseline that a regression could hide in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from msgspec.structs import replace

from helm_wandb.comparing.unchecked import unchecked_scores
from helm_wandb.comparing.verdicts import Partner, compared
from helm_wandb.model import Baseline, Evaluation, Policy, ScoreKey
from tests import builders

BOOLQ = ScoreKey("boolq", "EM")
FULL = builders.measured(values={"boolq.EM": builders.right(70)})


def findings(
    candidate: Evaluation, baseline: Evaluation = FULL, *, required: Collection[str] = ()
) -> list[tuple[str, bool]]:
    """Each sentence, and whether this run lost the score."""
    partners = [Partner(candidate, baseline, Baseline(origin="b", model="alpha", iteration=0))]
    found = unchecked_scores(compared(partners, Policy()), partners, required=required)
    return [(f"{one.key} of {one.model} {one.why}", one.is_lost) for one in found]


def changed(evaluation: Evaluation, **fields: Any) -> Evaluation:
    """The evaluation with other fields of its one score."""
    score = replace(evaluation.scores[BOOLQ], **fields)
    return replace(evaluation, scores={BOOLQ: score})


def test_a_score_that_is_compared_in_full_is_checked() -> None:
    """The same instances on both sides hide nothing."""
    assert [] == findings(FULL)
    assert [] == findings(builders.measured(values={"boolq.EM": builders.right(40)}))


def test_instances_that_left_the_denominator_are_lost() -> None:
    """With fewer than 90% of the baseline's instances, the score is lost."""
    fewer = builders.measured(values={"boolq.EM": builders.right(70, 86)})

    assert [("boolq.EM of alpha lost 14 of the baseline's 100 instances", True)] == findings(fewer)


def test_a_few_instances_less_are_compared() -> None:
    """From 90% on, the others are compared, and the number shows."""
    fewer = builders.measured(values={"boolq.EM": builders.right(70, 95)})
    sentence = "boolq.EM of alpha lost 5 of the baseline's 100 instances"

    assert [(sentence, False)] == findings(fewer)


def test_instances_that_the_baseline_lacks_are_not_lost() -> None:
    """What only this run has is no fault of it."""
    fewer = builders.measured(values={"boolq.EM": builders.right(70, 86)})
    ((sentence, is_lost),) = findings(FULL, fewer)

    assert sentence.startswith("boolq.EM of alpha can't be compared: only 86 of 100 instances are")
    assert not is_lost
    assert [] == findings(FULL, builders.measured(values={"boolq.EM": builders.right(70, 95)}))


@pytest.mark.parametrize("side", ["candidate", "baseline"])
def test_per_instance_scores_are_lost_by_this_run_alone(side: str) -> None:
    """Without them a score can't be tested; only this run's lack of them is its fault."""
    without = changed(FULL, instances=None, no_instances="the file is damaged.")
    sides = (without, FULL) if side == "candidate" else (FULL, without)
    why = {
        "candidate": "lost the per-instance scores that the baseline has: the file is damaged",
        "baseline": "can't be tested: no per-instance scores there: the file is damaged.",
    }

    assert [(f"boolq.EM of alpha {why[side]}", side == "candidate")] == findings(*sides)


def test_a_missing_score_is_lost_if_the_config_names_it() -> None:
    """A benchmark that the config names, and the artifacts lack, is lost; else it only shows."""
    missing = builders.evaluation(scores={"raft.EM": 0.5}, missing={"boolq.EM": "no run of it"})
    why = "only the baseline has it; in the candidate: no run of it"
    shown = f"boolq.EM of alpha can't be compared: {why}"

    assert [("boolq.EM of alpha went missing: no run of it", True)] == findings(
        missing, required={"boolq"}
    )
    assert [(shown, False)] == findings(missing)


def test_a_score_that_is_no_longer_evaluated_is_not_lost() -> None:
    """A benchmark that the config left out shows, and fails nothing."""
    without = builders.evaluation(scores={"raft.EM": 0.5})
    ((sentence, is_lost),) = findings(without)

    assert sentence == "boolq.EM of alpha can't be compared: only the baseline has it"
    assert not is_lost


def test_a_score_of_this_run_alone_hides_nothing() -> None:
    """A new benchmark can't have regressed."""
    both = {"boolq.EM": builders.right(70), "raft.EM": builders.right(50)}

    assert [] == findings(builders.measured(values=both))


def test_other_settings_are_no_loss() -> None:
    """Settings are changed on purpose, also if there are fewer instances with them."""
    fewer, whole = (
        builders.measured(values={"boolq.EM": builders.right(9, of)}, fingerprint={"shots": shots})
        for of, shots in ((10, 0), (100, 5))
    )
    ((sentence, is_lost),) = findings(fewer, whole)

    assert sentence.startswith("boolq.EM of alpha can't be compared: ")
    assert not is_lost


def test_subjects_that_are_missing_are_lost() -> None:
    """A score over fewer subjects than the baseline's is lost; over more, it is not."""
    part = builders.evaluation(scores={"boolq.EM": 0.5}, subjects={"boolq.EM": {"a": 0.5}})
    whole = builders.evaluation(
        scores={"boolq.EM": 0.5}, subjects={"boolq.EM": {"a": 0.5, "b": 0.5}}
    )

    assert [("boolq.EM of alpha lost 1 of the baseline's 2 subjects", True)] == findings(
        part, whole
    )
    assert [False] == [is_lost for _, is_lost in findings(whole, part)]


def test_a_metric_without_a_direction_is_not_among_them() -> None:
    """What can't regress can't hide a regression."""
    assert [] == findings(changed(FULL, lower_is_better=None))
