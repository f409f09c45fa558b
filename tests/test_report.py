"""The report and its JSON form."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from helm_wandb.model import Provenance, Verdict
from helm_wandb.report import leaderboard_rows, to_dict, to_json
from tests import builders
from tests.conftest import ROOT
from tests.golden_reports import REPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = Draft202012Validator(json.loads((ROOT / "schema" / "report.schema.json").read_bytes()))


def _decoded(text: bytes) -> Any:
    def refuse(constant: str) -> None:
        message = f"{constant} is not JSON"
        raise ValueError(message)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("name", REPORTS)
def test_report_is_valid_by_its_schema(name: str) -> None:
    """Every report is what the schema says, and its JSON decodes to its plain data."""
    told = to_dict(REPORTS[name])

    assert [error.message for error in SCHEMA.iter_errors(told)] == []
    assert told == _decoded(to_json(REPORTS[name]))


def test_report_golden(golden: Callable[[str, str], None]) -> None:
    """A report with missing scores looks as in the golden file."""
    golden("missing.report.json", to_json(REPORTS["missing"]).decode())


def test_all_that_is_known_is_told() -> None:
    """Subjects, suites, provenance and links are in the JSON."""
    report = replace(
        builders.report(
            [
                builders.evaluation(
                    subjects={"mmlu.EM": {"anatomy": 0.25}}, missing={"raft.EM": "x"}
                )
            ],
            notes=["a note"],
            provenance=Provenance(tool_version="1", track="pr/7", pull_request=7, attempt=1),
        ),
        links={"W&B": "https://wandb.example"},
    )
    told = to_dict(report)

    (evaluation,) = told["evaluations"]
    assert evaluation["scores"]["mmlu.EM"]["subjects"] == {"anatomy": {"value": 0.25, "n": None}}
    assert evaluation["missing"] == {"raft.EM": "x"}
    assert evaluation["suite"] == "nightly"
    assert told["links"] == {"W&B": "https://wandb.example"}
    assert told["notes"] == ["a note"]
    assert told["provenance"]["pull_request"] == 7
    assert told["verdict"] == Verdict.NO_BASELINE.value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_their_precision(value: float) -> None:
    """A score is in the JSON to the last digit."""
    told = _decoded(to_json(builders.report([builders.evaluation(scores={"mmlu.EM": value})])))

    assert value == told["evaluations"][0]["scores"]["mmlu.EM"]["value"]


@given(st.text(st.characters(), min_size=1))
def test_any_name_can_be_written(model: str) -> None:
    """Any name is in the JSON as it is; a lone surrogate, which UTF-8 lacks, becomes `?`."""
    told = _decoded(to_json(builders.report([builders.evaluation(model)])))

    assert model.encode(errors="replace").decode() == told["evaluations"][0]["model"]


def test_unknown_is_null() -> None:
    """Tokens that nobody knows are null, and so is the mean that could not be made."""
    report = builders.report([builders.evaluation(scores={"other.EM": 0.5})])
    told = _decoded(to_json(report))

    assert told["evaluations"][0]["tokens_billions"] is None
    assert told["leaderboard"]["rows"][0]["mean"] is None
    assert told["leaderboard"]["rows"] == leaderboard_rows(report.leaderboard)


@pytest.mark.parametrize(
    ("places", "headline"),
    [
        ([("a", 0)], "HELM evaluations: 1 model, 1 metric; no baseline to compare with"),
        ([("a", 0), ("b", 0)], "HELM evaluations: 2 models, 1 metric; no baseline to compare with"),
        (
            [("a", 1), ("a", 2), ("b", 0)],
            "HELM evaluations: 2 models, 1 metric, 3 iterations; no baseline to compare with",
        ),
    ],
)
def test_headline_counts(places: list[tuple[str, int]], headline: str) -> None:
    """The headline counts models and metrics, and iterations where a model has several."""
    report = builders.report([builders.evaluation(*place) for place in places])

    assert headline == report.headline
