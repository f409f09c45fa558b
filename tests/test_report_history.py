"""The history in a report JSON, read from anybody's file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.comparing.history import LONGEST_NAMES, POINTS, SERIES
from helm_wandb.report import baseline_from_json, from_json, to_json
from tests import builders
from tests.golden_reports import HOSTILE_NAMES, REPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

POINT = {"commit": None, "iteration": 0, "value": 0.5, "standard_error": None}
ONE = {"model": "alpha", "metric": "mmlu.EM", "points": [POINT]}


def with_history(history: object) -> bytes:
    """A report with this history."""
    report = json.loads(to_json(builders.report([builders.evaluation()])))
    return json.dumps({**report, "history": history}).encode()


@pytest.mark.parametrize("name", ["history", "hostile"])
def test_a_history_is_read_as_it_was_written(name: str) -> None:
    """Whatever its names are."""
    assert REPORTS[name].history == baseline_from_json(to_json(REPORTS[name])).history


def test_the_longest_history_is_read() -> None:
    """What is written at most can be read: its reader refuses nothing of ours."""
    commits = [f"{at:064x}" for at in range(POINTS)]
    values = [at / 3e-300 for at in range(POINTS)]
    history = tuple(
        builders.history("\U0001f999" * (LONGEST_NAMES - 8), f"b.{at}", values, commits=commits)
        for at in range(SERIES)
    )
    report = builders.report([builders.evaluation()], history=history)

    assert history == baseline_from_json(to_json(report)).history


def test_a_report_without_history_is_a_baseline() -> None:
    """Older versions write none."""
    report = json.loads(with_history([]))
    del report["history"]

    assert () == baseline_from_json(json.dumps(report).encode()).history


@pytest.mark.parametrize(
    ("history", "why"),
    [
        ({}, r"\$.history: expected"),
        ([1], r"\$.history\[0\]: expected"),
        ([{**ONE, "model": ""}], r"\$.history\[0\].model: expected"),
        ([{**ONE, "model": "x" * 1001}], r"\$.history\[0\].model: expected"),
        ([{**ONE, "metric": "mmlu"}], r"\$.history\[0\].metric: 'mmlu' must have"),
        ([{**ONE, "points": []}], r"\$.history\[0\].points: there must be 1 to 20"),
        ([{**ONE, "points": [POINT] * 21}], r"\$.history\[0\].points: there must be 1 to 20"),
        ([{**ONE, "points": [{**POINT, "value": None}]}], r"points\[0\].value: expected"),
        ([{**ONE, "points": [{**POINT, "value": True}]}], r"points\[0\].value: expected"),
        ([{**ONE, "points": [{**POINT, "iteration": -1}]}], r"points\[0\].iteration: expected"),
        ([{**ONE, "points": [{**POINT, "standard_error": -0.1}]}], "standard_error: expected"),
        ([{**ONE, "points": [{**POINT, "commit": "c" * 65}]}], r"points\[0\].commit: expected"),
        ([{**ONE, "points": [{"value": 0.5}]}], r"points\[0\]: object missing"),
        ([ONE, ONE], r"\$.history: there are more than 1,000 metrics, or one is there twice"),
        (
            [{**ONE, "metric": f"b.{at}"} for at in range(SERIES + 1)],
            r"\$.history: there are more than 1,000",
        ),
        ("x" * (9 << 20), r"\$.history: it is larger than 8 MiB"),
    ],
)
def test_another_form_is_refused(history: object, why: str) -> None:
    """A baseline with a history that this tool never writes is none, with the path in it."""
    with pytest.raises(ValueError, match=why):
        baseline_from_json(with_history(history))


def test_infinity_is_refused() -> None:
    """A number that no float holds is none."""
    text = with_history([ONE]).replace(
        b'"value": 0.5, "standard_error"', b'"value": 1e999, "standard_error"'
    )
    with pytest.raises(ValueError, match="history"):
        baseline_from_json(text)


@pytest.mark.parametrize("read", [from_json])
def test_what_an_untrusted_run_wrote_has_no_history(read: Callable[[bytes], Any]) -> None:
    """The reader of published reports and matrix jobs takes the evaluations alone."""
    assert read(with_history([])) == read(with_history("nonsense"))


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_commit_may_be_any_short_text(name: str) -> None:
    """It is shown as somebody else's word."""
    history = [{**ONE, "points": [{**POINT, "commit": name[:64]}]}]
    (found,) = baseline_from_json(with_history(history)).history

    assert name[:64] == found.points[0].commit
