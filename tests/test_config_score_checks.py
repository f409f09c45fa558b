"""Problems of a config that only the run's scores show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helm_wandb.config.score_checks import (
    excessive_effects,
    floors_outside_scale,
    unmatched_models,
    unmatched_names,
)
from tests import builders
from tests.test_config import config_of

if TYPE_CHECKING:
    from helm_wandb.model import Evaluation

RUN = [builders.evaluation(scores={"boolq.EM": 0.7, "imdb.EM": 0.9}, missing={"raft.EM": "gone"})]


def unmatched(text: str, *evaluations: Evaluation) -> list[str]:
    """The problems of the names in a config, for the evaluations of a run."""
    config = config_of(f"project: p\nleaderboard: true\n{text}\n".encode())
    return [str(one) for one in unmatched_names(config, evaluations or RUN)]


def excessive(effect: str, *evaluations: Evaluation) -> list[str]:
    """The problems of a `min_effect`, for the evaluations of a run."""
    config = config_of(f"project: p\nleaderboard: true\ncompare: {{min_effect: {effect}}}".encode())
    return [str(one) for one in excessive_effects(config, evaluations or RUN)]


@pytest.mark.parametrize(
    ("text", "path", "name", "nearest"),
    [
        (
            "compare: {min_effect: {boolq.em: 1pp}}",
            '.min_effect["boolq.em"]',
            "boolq.em",
            "boolq.EM",
        ),
        ("compare: {lower_is_better: [boolq.Em]}", ".lower_is_better[0]", "boolq.Em", "boolq.EM"),
        ("compare: {higher_is_better: [imbd.EM]}", ".higher_is_better[0]", "imbd.EM", "imdb.EM"),
        ("compare: {clusters: {bolq: instance}}", ".clusters.bolq", "bolq", "boolq"),
        ("compare: {floor: {boolq.F1: 0.5}}", '.floor["boolq.F1"]', "boolq.F1", "boolq.EM"),
        ("compare: {warn_only: [Raft]}", ".warn_only[0]", "Raft", "raft"),
        ("compare: {warn_only: [raft.F1]}", ".warn_only[0]", "raft.F1", "raft.EM"),
    ],
)
def test_each_name_under_compare_is_checked(text: str, path: str, name: str, nearest: str) -> None:
    """A name that no evaluation has is a problem at its place, with the nearest that exists."""
    (problem,) = unmatched(text)

    assert problem.startswith("config.yaml:3:")
    assert problem.endswith(
        f": $.compare{path}: no evaluation of this run has {name}; the nearest name is {nearest}"
    )


def test_names_of_the_leaderboard_are_checked() -> None:
    """A ranking metric that no evaluation has is a problem."""
    assert [
        (
            "config.yaml:3:33: $.leaderboard_metrics[1]: no evaluation of this run has bolq.EM; "
            "the nearest name is boolq.EM"
        )
    ] == unmatched("leaderboard_metrics: [boolq.EM, bolq.EM]")


@pytest.mark.parametrize(
    "text",
    [
        "compare: {min_effect: {default: 1pp, boolq.EM: 0.1}, floor: {raft.EM: 0.1}}",
        "compare: {clusters: {raft: instance}, warn_only: [boolq, imdb.EM]}",
        "leaderboard_metrics: [raft.EM]",
        "compare: {min_effect: 0.1}",
        "excluded_models: [nobody]",
    ],
)
def test_names_that_the_run_has_are_no_problem(text: str) -> None:
    """Names of scores, also of missing ones, and of benchmarks are as they should be."""
    assert [] == unmatched(text)


def test_the_default_ranking_metrics_are_not_checked() -> None:
    """The 16 core metrics, which the config does not name, are nobody's slip."""
    assert [] == unmatched("excluded_models: []")


def test_models_to_leave_out_are_checked() -> None:
    """A name that no model has is a problem at its place, with the nearest that exists."""
    config = config_of(b"project: p\nleaderboard: true\nexcluded_models: [toy/alpha-13, toy/beta]")
    models = [builders.evaluation(name) for name in ("toy/beta", "toy/alpha-13b")]

    assert [
        (
            "config.yaml:3:19: $.excluded_models[0]: the ranking has no model toy/alpha-13 to "
            "leave out; the nearest name is toy/alpha-13b"
        )
    ] == list(map(str, unmatched_models(config, models)))


def test_without_evaluations_nothing_is_checked() -> None:
    """If nothing was read, other messages say so."""
    config = config_of(
        b"project: p\nleaderboard: true\ncompare: {floor: {a.b: 1}}\nexcluded_models: [a]"
    )

    assert () == (*unmatched_names(config, []), *unmatched_models(config, []))


@pytest.mark.parametrize("effect", ["1", "0.5", "{default: 2}", "{boolq.EM: 1}"])
def test_an_effect_that_hides_every_change_is_a_problem(effect: str) -> None:
    """Half of the scale 0–1 and more is refused, with what a point is."""
    (problem,) = excessive(effect)

    assert problem.endswith(
        "whose scores are within 0–1: one point is 0.01, or 1pp; give less than 0.5"
    )
    assert "boolq.EM" in problem
    assert ("imdb.EM" in problem) == ("boolq.EM" not in effect)


@pytest.mark.parametrize("effect", ["0.49", "49.9pp", "{default: 0.01, raft.EM: 1}"])
def test_smaller_effects_are_no_problem(effect: str) -> None:
    """An effect below half of the scale, or of a metric without a score, hides nothing."""
    assert [] == excessive(effect)


def test_effects_beyond_the_scale_are_in_the_metrics_unit() -> None:
    """A metric is within 0–1 only if all its values are, those of the instances too."""
    seconds = builders.measured(values={"mine.seconds": [0.1, 1.4]})
    percent = builders.evaluation(scores={"mine.percent": 45.0})
    other = builders.evaluation(iteration=1, scores={"mine.percent": 0.5})

    assert [] == excessive("1", seconds)
    assert [] == excessive("1", percent, other)


def test_the_default_is_the_means_own() -> None:
    """The default must be below half also if each metric has its own: it is the mean's."""
    both = "{default: 5, boolq.EM: 1pp, imdb.EM: 0.5pp}"
    (problem,) = excessive(both)

    assert "$.compare.min_effect.default: 5 hides any change of the mean over the bench" in problem
    assert [] == excessive(both.replace("default: 5, ", ""))


def outside(floor: str, *evaluations: Evaluation) -> list[str]:
    """The problems of a floor of `boolq.EM`, for the evaluations of a run."""
    config = config_of(
        f"project: p\nleaderboard: true\ncompare: {{floor: {{boolq.EM: {floor}}}}}".encode()
    )
    return [str(one) for one in floors_outside_scale(config, evaluations)]


@pytest.mark.parametrize(
    ("floor", "advice"),
    [
        ("30", "30% is 0.3; give a number within 0–1"),
        ("-1", "give a number within 0–1"),
        ("300", "give a number within 0–1"),
    ],
)
def test_a_floor_outside_the_scale_of_right_answers_is_a_problem(floor: str, advice: str) -> None:
    """It fails every run or none, so it is refused at its place, with the right unit."""
    (problem,) = outside(floor, builders.measured(values={"boolq.EM": builders.right(60)}))

    assert problem == (
        f'config.yaml:3:19: $.compare.floor["boolq.EM"]: {floor} can\'t be a floor of boolq.EM, '
        f"whose scores are within 0–1: {advice}"
    )


def test_a_floor_that_scores_might_reach_is_no_problem() -> None:
    """Scores between 0 and 1, or without instances, may be in any unit, and 0 and 1 are ends."""
    answers = builders.measured(values={"boolq.EM": builders.right(60)})
    partial = builders.measured(values={"boolq.EM": [0.0, 0.4, 1.0]})
    broken = builders.measured("beta", values={"boolq.EM": [0.0] * 9})

    assert [] == outside("30", partial)
    assert [] == outside("30", broken)
    assert [] == outside("30", answers, builders.evaluation("beta", scores={"boolq.EM": 0.6}))
    assert [] == outside("30", builders.measured(values={"imdb.EM": builders.right(60)}))
    assert [[], []] == [outside(end, answers) for end in "01"]
