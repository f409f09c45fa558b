"""Without a key: the leaderboard in log, summary and outputs, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.runner import Runner

OUTPUTS = {
    "report-path": "helm-wandb-report.json",
    "verdict": "no_baseline",
    "regressions": "0",
    "improvements": "0",
    "print-only": "true",
    "baseline": "",
    "wandb-url": "",
    "comment-url": "",
}
READ_ONLY = ("--read-only", "--tmpfs", "/tmp")  # noqa: S108 -- the container's own
SCORES = {
    "mmlu.EM": 0.4385964912280702,
    "imdb.EM": 1.0,
    "boolq.EM": 0.6,
    "narrative_qa.F1": 0.5978712645379312,
    "hellaswag.EM": 0.55,
}
"""Scores of iteration 6000 in HELM's tables."""


def test_outputs_log_summary_and_report_have_the_scores(runner: Runner) -> None:
    """All four places have the model of HELM's files, its latest iteration and its scores."""
    step = runner.step(config="config.yaml")
    (row,) = json.loads(step.outputs["leaderboard"])
    report = json.loads((runner.workspace / "helm-wandb-report.json").read_bytes())

    assert 0 == step.exit_code
    assert OUTPUTS == {name: step.outputs[name] for name in OUTPUTS}
    assert ("toyproj-llama", 6000, SCORES) == (row["model"], row["iteration"], row["scores"])
    assert [row] == report["leaderboard"]["rows"]
    for text in (step.log, step.summary):
        assert [] == [
            part for part in ("toyproj-llama", "6000", "43.9", "63.7") if part not in text
        ]


def test_nothing_is_left_to_compile(runner: Runner) -> None:
    """The container adds no file to the image: all byte code was there."""
    step = runner.step(config="config.yaml")

    assert () == step.changes


def test_neither_network_nor_a_writable_system_is_needed(runner: Runner) -> None:
    """With `--network none --read-only` and a /tmp the step does the same."""
    step = runner.step(*READ_ONLY, network="none", config="config.yaml")

    assert (0, "no_baseline") == (step.exit_code, step.outputs["verdict"])


def test_archives_are_read_in_a_system_that_cannot_be_written(runner: Runner) -> None:
    """What a .tar.gz is unpacked to for the time of reading lies in /tmp, not in the workspace."""
    config = runner.workspace / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(": checkpoints", ": packed.tar.gz"), encoding="utf-8")
    runner.pack("checkpoints", "packed.tar.gz")
    step = runner.step(*READ_ONLY, config="config.yaml")

    assert 0 == step.exit_code, step.log
    assert {"config.yaml", "helm-wandb-report.json", "packed.tar.gz"} == {
        path.name for path in runner.workspace.iterdir()
    }


def test_report_belongs_to_the_runners_user(runner: Runner) -> None:
    """Of a report in new folders nothing is root's, so that the next checkout can delete it."""
    step = runner.step(config="config.yaml", report="reports/main/helm.json")
    report = runner.workspace / "reports/main/helm.json"

    assert 0 == step.exit_code
    assert [] == runner.left_by_root()
    assert runner.workspace.stat().st_uid == report.stat().st_uid


def test_mistakes_of_the_config_are_annotated(runner: Runner) -> None:
    """Each mistake is an error on its line of the file, and the exit code is 2."""
    text = "project: p\nevals:\n- eval_type: helm\n  source: file\nexcluded_runs: [a]\n"
    (runner.workspace / "wrong.yaml").write_text(text, encoding="utf-8")
    step = runner.step(config="wrong.yaml")
    errors = [one for one in step.annotations if one.kind == "error"]
    places = {(one.properties["file"], one.properties["line"]) for one in errors}

    assert 2 == step.exit_code
    assert {("wrong.yaml", "3"), ("wrong.yaml", "5")} == places
    assert any("excluded_models" in one.message for one in errors)
    assert "" == step.outputs["report-path"]
