"""The report as a badge."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from helm_wandb.model import Gate, Verdict
from helm_wandb.render import badge
from helm_wandb.report.headline import INFORMATION, WARNING
from helm_wandb.text.safe_text import Name, plain
from tests import builders
from tests.golden_reports import COMMENTS, DELTAS, REPORTS
from tests.test_text_safe_text import HOSTILE

MEMBERS = {"schemaVersion", "label", "message", "color"}


def badge_of(**changes: Any) -> dict[str, Any]:
    """The badge of one model with a mean of 50%, and these fields of the report."""
    return _decoded(replace(builders.report([builders.evaluation()]), **changes))


def _decoded(report: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(badge.render(report))
    return decoded


def shown(report: Any) -> tuple[str, str, str]:
    """Label, message and color of the report's badge."""
    one = _decoded(report)
    return one["label"], one["message"], one["color"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("curve", ("mymodel", "mean 57.8%", "blue")),
        ("models", ("4 models", "best mean 57.8%", "blue")),
        ("compared", ("mymodel", "mean 60.4%, 2 regressions, 1 improvement", "red")),
        ("compared_not", ("mymodel", "mean 60.4%, not tested", "orange")),
        ("project_only", ("2 models", "best mmlu.EM 70.0%", "blue")),
    ],
)
def test_a_badge_shows_score_and_verdict(name: str, expected: tuple[str, str, str]) -> None:
    """The label is the model, or their number; the message has the mean and what was flagged."""
    assert expected == shown(REPORTS[name])


def test_a_single_metric_is_named() -> None:
    """The score of a model with one metric isn't called a mean."""
    assert ("alpha", "mmlu.EM 50.0%", "blue") == shown(builders.report([builders.evaluation()]))


@pytest.mark.parametrize(
    ("verdict", "at", "expected"),
    [
        (Verdict.INCONCLUSIVE, 3, ("inconclusive", "green")),
        (Verdict.NO_CHANGE, 4, ("no change", "green")),
        (Verdict.IMPROVED, 0, ("1 improvement", "green")),
        (Verdict.UNTESTABLE, 5, ("not tested", "orange")),
    ],
)
def test_each_verdict_has_its_words(verdict: Verdict, at: int, expected: tuple[str, str]) -> None:
    """Each verdict has words, and the color of the comment's heading."""
    one = badge_of(verdict=verdict, comparisons=(builders.comparison(DELTAS[at]),))

    assert expected == (one["message"].removeprefix("mmlu.EM 50.0%, "), one["color"])


def test_a_job_that_fails_without_a_regression_is_red() -> None:
    """A score below its floor fails the job, and the badge says so."""
    one = badge_of(gate=Gate(closed=True, reasons=("mmlu.EM of alpha is below its floor",)))

    assert ("mmlu.EM 50.0%, failed", "red") == (one["message"], one["color"])


@pytest.mark.parametrize("field", ["unread", "contradictions"])
def test_what_could_not_be_read_is_said(field: str) -> None:
    """A badge over a part of the evaluations says that it is incomplete."""
    one = badge_of(**{field: 1})

    assert ("mmlu.EM 50.0%, incomplete", "orange") == (one["message"], one["color"])


def test_a_model_without_a_mean_has_a_message() -> None:
    """Shields refuses an empty message."""
    lower = builders.evaluation(scores={"x.bits": 31.4})

    assert "no mean score" == shown(builders.report([lower]))[1]


@pytest.mark.parametrize("name", [*HOSTILE, '"}\n', "ключ"])
def test_any_name_is_a_label(name: str) -> None:
    """The JSON is ASCII; the label is one short line, without invisible characters."""
    text = badge.render(builders.report([builders.evaluation(name, scores={f"{name}x.y": 0.5})]))
    label = json.loads(text)["label"]

    assert text.isascii()
    assert plain(Name(label)) == label
    assert len(label) <= 40


@pytest.mark.parametrize("name", COMMENTS)
def test_the_color_is_that_of_the_heading(name: str) -> None:
    """Badge and heading agree, and shields gets only members that it knows."""
    colors = {"✅": "green", "❌": "red", WARNING: "orange", INFORMATION: "blue"}
    one = _decoded(COMMENTS[name])

    assert colors[COMMENTS[name].headline.split()[0]] == one["color"]
    assert one.keys() == MEMBERS
