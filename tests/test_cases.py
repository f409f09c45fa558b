"""HELM output and configs as people have them, from the config to the report."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from helm_wandb import cli

from .conftest import DATA, ROOT
from .test_sources_helm import copied

CASES = DATA / "cases"
"""Configs and the suites that they read."""


def report_of(config: Path, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    """The report of a run that reads the config's folder."""
    report = config.parent / "report.json"
    options = ["--print-only", "--config", str(config), "--report", str(report), *arguments]
    assert exit_code == cli.main(options, root=ROOT)
    return dict(json.loads(report.read_text()))


def copied_case(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The case's files in a folder, which is the current one."""
    case = folder / name
    shutil.copytree(CASES / name, case)
    monkeypatch.chdir(case)
    return case


@pytest.mark.parametrize("config", ["c.yaml", "c2.yaml"])
def test_a_partial_model_alone_is_unranked(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of five models with one metric, the one that lacks two subjects of it has no rank."""
    case = copied_case("partial-only-metric", tmp_path, monkeypatch)

    rows = report_of(case / config)["leaderboard"]["rows"]

    assert [(1, 0.731), (2, 0.646), (3, 0.546), (4, 0.381), (None, None)] == [
        (row["rank"], row["mean"] and round(row["mean"], 3)) for row in rows
    ]
    assert "groq/llama3-70b-8192" == rows[-1]["model"]
    assert (
        "it lacks metrics of the mean: mmlu.EM (over 55 of 57 subjects)" == (rows[-1]["unranked"])
    )


def test_an_upgrade_of_helm_changes_no_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HELM of 2023 against 0.5 of 2025: the same answers to the same questions are compared."""
    case = copied_case("helm-upgrade", tmp_path, monkeypatch)
    report_of(case / "before.yaml")
    (case / "report.json").rename(case / "before.json")

    (compared,) = report_of(case / "after.yaml", "--baseline", "before.json")["comparisons"]
    (delta,) = compared["deltas"]

    assert {} == compared["not_comparable"]
    assert ("mmlu.EM", 9, 0, 0) == tuple(delta[key] for key in ("metric", "n", "better", "worse"))


@pytest.mark.parametrize("metric", ["Jury Score", "medication_qa_accuracy"])
def test_runs_have_the_metrics_of_their_board(
    metric: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MedHELM's label, which stands for dozens of metrics, and the metric's name are one score."""
    case = copied_case("init-unknown-group", tmp_path, monkeypatch)
    benchmarks = [{"name": "medication_qa", "metrics": [metric]}]
    entry = {"eval_type": "helm", "helm_output_dir": "out.tar.gz", "helm_suite_name": "TEST"}
    config = {"project": "p", "evals": [{**entry, "benchmarks": benchmarks}]}
    (case / "c.yaml").write_text(json.dumps(config))
    (one,) = report_of(case / "c.yaml")["evaluations"]

    assert [(f"medication_qa.{metric}", 4.544)] == [
        (name, round(score["value"], 3)) for name, score in one["scores"].items()
    ]


@pytest.mark.parametrize(
    ("config", "is_lower_better"),
    [("editsim", False), ("eo", True), ("ppl", True), ("tox", True), ("wer", True)],
)
def test_scores_in_a_config_have_the_directions_of_the_benchmarks_schema(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_lower_better: bool
) -> None:
    """The better model wins, the floor is kept, and only metrics to maximize make a mean."""
    case = copied_case("directions-of-file-scores", tmp_path, monkeypatch)
    report = report_of(case / f"{config}.yaml", "--fail-on", "regression")
    board = report["leaderboard"]

    assert [is_lower_better] * 2 == [
        score["lower_is_better"]
        for one in report["evaluations"]
        for score in one["scores"].values()
    ]
    assert [("better", 1.0), ("worse", 0.0)] == [
        (row["model"], row["mean_win_rate"]) for row in board["rows"]
    ]
    assert [None if is_lower_better else 1] == [row["rank"] for row in board["rows"][:1]]


def test_runs_have_the_labels_and_directions_of_each_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A metric is found by the label of every schema, and has the direction of the benchmark's."""
    case = copied_case("raw-labels-and-directions", tmp_path, monkeypatch)
    with tarfile.open(case / "runs.tar.gz") as tree:
        tree.extraction_filter = getattr(tarfile, "data_filter", None)
        tree.extractall(case)  # noqa: S202 -- our own
    (one,) = report_of(case / "c.yaml", "--fail-on", "regression")["evaluations"]

    assert {
        "math_chain_of_thought.Equivalent (CoT)": (0.4, False),
        "math_chain_of_thought.Equivalent (chain of thought)": (0.4, False),
        "math_chain_of_thought.math_equiv_chain_of_thought": (0.4, False),
        "image2latex.Edit sim.": (0.8, False),
        "image2latex.edit_similarity": (0.8, False),
    } == {name: (score["value"], score["lower_is_better"]) for name, score in one["scores"].items()}


def name_revisions(text: str) -> str:
    """The text with Hugging Face's revisions in place of the checkpoints' names."""
    text = re.sub(r"(mymodel/)?toyproj-llama/(\d+)", r"EleutherAI/pythia-70m@step\2", text)
    return re.sub(r"toyproj-llama_(\d+)", r"EleutherAI_pythia-70m@step\1", text)


def test_revisions_are_iterations(
    helm_trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HELM names a revision model@step1000: steps of one model, with all that they had before."""
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "config.yaml"
    output = {"helm_output_dir": "checkpoints", "helm_suite_name": "toyproj-toyllama"}
    config.write_text(json.dumps({"project": "p", "evals": [{"eval_type": "helm", **output}]}))
    suite = copied(helm_trees, "checkpoints", tmp_path) / "runs/toyproj-toyllama"
    before = report_of(config)["evaluations"]
    for path in suite.rglob("*.json"):
        path.write_text(name_revisions(path.read_text()))
    for path in list(suite.iterdir()):
        path.rename(suite / name_revisions(path.name))

    after = report_of(config)["evaluations"]

    assert [n * 1000 for n in range(1, 7)] == [one["iteration"] for one in after]
    assert [{**one, "model": "EleutherAI/pythia-70m"} for one in before] == after


TYPOS: dict[str, Any] = {
    "min_effect": {"default": 0.2, "boolq.em": 0.01},
    "lower_is_better": ["boolq.Em"],
    "clusters": {"bolq": "instance"},
}


@pytest.mark.parametrize(
    ("compare", "messages"),
    [
        (TYPOS, [f"has {name}; the nearest name is boolq" for name in ("boolq.em", "boolq.Em")]),
        (TYPOS, ["has bolq; the nearest name is boolq"]),
        ({"min_effect": 1}, ["one point is 0.01, or 1pp; give less than 0.5"]),
    ],
    ids=["metrics", "benchmark", "point"],
)
def test_a_slip_under_compare_passes_no_regression(
    compare: dict[str, Any],
    messages: list[str],
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Names that no model has, and a point written as the whole scale, are exit code 2."""
    output = {"helm_output_dir": "demo/helm/candidate", "helm_suite_name": "nightly"}
    config = {"project": "p", "evals": [{"eval_type": "helm", **output}], "compare": compare}
    (workspace / "config.yaml").write_text(json.dumps(config))
    options = ["--print-only", "--config", "config.yaml", "--fail-on", "regression"]

    assert 2 == cli.main(options, root=ROOT)
    shown = capsys.readouterr().err
    assert [] == [message for message in messages if message not in shown]


@pytest.mark.parametrize(
    ("own", "warnings"), [({}, 1), ({"leaderboard": True}, 0)], ids=["own models", "project"]
)
def test_a_slip_in_excluded_models_is_a_warning(
    own: dict[str, Any], warnings: int, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The job goes on; if models of the project weren't read, the name may be one of theirs."""
    output = {"helm_output_dir": "demo/helm/candidate", "helm_suite_name": "nightly"}
    evals = [{"eval_type": "helm", **output}]
    config = {"project": "p", "evals": evals, "excluded_models": ["nobody"], **own}
    (workspace / "config.yaml").write_text(json.dumps(config))

    assert 0 == cli.main(["--print-only", "--config", "config.yaml"], root=ROOT)
    message = "the ranking has no model nobody to leave out; the nearest name is "
    assert warnings == capsys.readouterr().err.count(message)
