"""Comparing with a baseline, and what it makes of the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.runner import unpack

if TYPE_CHECKING:
    from tests.e2e.runner import Runner

CONFIG = """
project: p
evals:
  - {eval_type: helm, model_name: assistant, helm_output_dir: TREE, helm_suite_name: nightly,
     helm_model: acme/assistant,
     benchmarks: [{name: boolq, metrics: [EM]}, {name: hellaswag, metrics: [EM]}]}
"""


@pytest.fixture
def pair(runner: Runner) -> Runner:
    """A runner that has the baseline's report already, and the candidate's HELM output."""
    for tree in ("baseline", "candidate"):
        unpack(runner, tree)
        text = CONFIG.replace("TREE", tree)
        (runner.workspace / f"{tree}.yaml").write_text(text, encoding="utf-8")
    step = runner.step(config="baseline.yaml", report="main.json")

    assert (0, "main.json") == (step.exit_code, step.outputs["report-path"])
    return runner


def test_regression_closes_the_gate(pair: Runner) -> None:
    """The step ends with 4, and log, summary and outputs say which score regressed."""
    step = pair.step(config="candidate.yaml", baseline="main.json", fail_on="regression")
    outputs = {name: step.outputs[name] for name in ("verdict", "regressions", "improvements")}

    assert 4 == step.exit_code
    assert {"verdict": "regressed", "regressions": "1", "improvements": "1"} == outputs
    for text in (step.log, step.summary):
        assert "The job failed: boolq.EM of assistant regressed." in text
    assert () == step.changes


def test_accepted_regression_lets_the_job_pass(pair: Runner) -> None:
    """A label of the pull request opens the gate; the verdict stays."""
    labels = [{"name": "accept-regression"}]
    event = {**pair.event, "pull_request": {**pair.event["pull_request"], "labels": labels}}
    step = pair.of(event=event).step(
        config="candidate.yaml",
        baseline="main.json",
        fail_on="regression",
        accept_label="accept-regression",
    )

    assert (0, "regressed") == (step.exit_code, step.outputs["verdict"])
