"""The scores of the last runs."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from helm_wandb.comparing.history import LONGEST_NAMES, POINTS, SERIES, extend_history
from helm_wandb.comparing.statistics import Stratum, standard_error
from helm_wandb.model import Repeats, ScoreKey
from tests import builders

HERE = "f" * 40


def test_a_run_adds_its_latest_iteration() -> None:
    """The point of this run has its commit, iteration, value and standard error, and is last."""
    earlier = builders.history("alpha", "mmlu.EM", (0.4, 0.5), error=0.1)
    models = [builders.evaluation("alpha", 1), builders.measured("alpha", 7)]
    (found,) = extend_history([earlier], models, HERE)
    *before, last = found.points

    assert earlier.points == tuple(before)
    assert (HERE, 7, 0.5) == (last.commit, last.iteration, last.value)
    assert math.sqrt(0.25 / 99) == pytest.approx(last.standard_error)


def test_the_oldest_points_are_dropped() -> None:
    """So many are kept, and the last is this run's."""
    values = [at / 100 for at in range(POINTS)]
    earlier = builders.history("alpha", "mmlu.EM", values, commits=[None] * POINTS)
    (found,) = extend_history([earlier], [builders.evaluation("alpha")], HERE)

    assert [*values[1:], 0.5] == [point.value for point in found.points]


def test_a_commit_has_one_point() -> None:
    """A second run of a commit replaces its point; unknown commits are all different."""
    commits = [HERE, None]
    models = [builders.evaluation("alpha", 1000)]
    earlier = builders.history("alpha", "mmlu.EM", (0.1, 0.2), commits=commits)
    for commit, values in ((HERE, [0.2, 0.5]), (None, [0.1, 0.2, 0.5])):
        (found,) = extend_history([earlier], models, commit)
        assert values == [point.value for point in found.points]


def test_iterations_of_one_commit_are_points() -> None:
    """A nightly run evaluates the next checkpoint, often of the same commit."""
    earlier = builders.history("alpha", "mmlu.EM", (0.1, 0.2), commits=[HERE, HERE])
    (found,) = extend_history([earlier], [builders.evaluation("alpha", 2000)], HERE)
    (more,) = extend_history([earlier], [builders.evaluation("alpha", 3000)], HERE)

    assert [(1000, 0.1), (2000, 0.5)] == [(one.iteration, one.value) for one in found.points]
    assert [1000, 2000, 3000] == [one.iteration for one in more.points]


def test_what_a_run_lacks_stays() -> None:
    """A run of some benchmarks, or of another model, loses nothing; its own come first."""
    earlier = [
        builders.history("alpha", "raft.EM", (0.1,)),
        builders.history("alpha", "mmlu.EM", (0.2,)),
        builders.history("beta", "mmlu.EM", (0.3,)),
    ]
    found = extend_history(earlier, [builders.evaluation("alpha")], HERE)

    assert [("alpha", "mmlu.EM", 2), ("alpha", "raft.EM", 1), ("beta", "mmlu.EM", 1)] == [
        (one.model, one.key, len(one.points)) for one in found
    ]


def test_a_history_has_an_end() -> None:
    """More metrics than a reader takes are not written, and no longer names and commits."""
    metrics = {f"b{at}.EM": 0.5 for at in range(SERIES + 5)}
    models = [
        builders.evaluation("x" * LONGEST_NAMES),
        builders.evaluation("y", scores=metrics),
    ]
    found = extend_history([], models, "c" * 100)

    assert [("y", "b0.EM", "c" * 64), ("y", f"b{SERIES - 1}.EM", "c" * 64)] == [
        (one.model, one.key, one.points[0].commit) for one in (found[0], found[-1])
    ]
    assert SERIES == len(found)


def test_scores_without_instances_have_no_error() -> None:
    """The value is kept, and its error is unknown."""
    (found,) = extend_history([], [builders.evaluation("alpha")], HERE)

    assert (0.5, None) == (found.points[0].value, found.points[0].standard_error)


def test_values_that_cannot_be_squared_have_no_error() -> None:
    """A score too large for the test has a point."""
    huge = builders.measured("alpha", values={"x.y": [1e200, -1e200, 1e200]})
    (found,) = extend_history([], [huge], HERE)

    assert found.points[0].standard_error is None


def test_error_is_that_of_the_unweighted_mean_over_strata() -> None:
    """Each stratum counts alike; one of a single cluster leaves the error unknown."""
    whole = Stratum(value=[0.0, 1.0, 1.0, 0.0], cluster=["a", "b", "c", "d"])
    clustered = replace(whole, value=[0.0, 0.0, 1.0, 1.0], cluster=["a", "a", "b", "b"])

    assert math.sqrt(1 / 12) == pytest.approx(standard_error([whole]))
    assert 0.5 == pytest.approx(standard_error([clustered]))
    assert math.sqrt(1 / 12 + 0.25) / 2 == pytest.approx(standard_error([whole, clustered]))
    assert standard_error([whole, replace(whole, value=[1.0], cluster=["a"])]) is None


def test_the_error_of_a_mean_over_runs_has_the_noise_between_them() -> None:
    """The spread of the questions has what moves single answers, and lacks what moves runs."""
    alone = builders.measured("alpha", 7)
    scores = {
        key: replace(score, repeats=Repeats(values=(0.4, 0.5, 0.6), within=0.004))
        for key, score in alone.scores.items()
    }
    (found,) = extend_history([], [replace(alone, scores=scores)], HERE)

    assert math.sqrt(0.25 / 99 + (0.01 - 0.004) / 3) == pytest.approx(
        found.points[0].standard_error
    )


def test_keys_are_compared_as_they_are() -> None:
    """The history's keys are score keys, which the report's JSON names as metrics."""
    (found,) = extend_history([], [builders.evaluation("alpha")], HERE)

    assert ScoreKey("mmlu", "EM") == found.key
