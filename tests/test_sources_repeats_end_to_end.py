"""Several runs of one checkpoint by real harnesses: seeds, suites, logs, epochs, train trials."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb import cli
from tests.conftest import ROOT
from tests.harness_builders import unpack
from tests.test_cli import write_config
from tests.test_comparing_end_to_end import comparison
from tests.test_sources_inspect import unzipped
from tests.test_sources_inspect_end_to_end import inspect
from tests.test_sources_lm_eval_end_to_end import lm_eval, run

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def outputs(workspace: Path) -> Path:
    """The current folder, with every tree of several runs."""
    return unpack("repeats", workspace)


def helm(suite: str, **keys: Any) -> dict[str, Any]:
    """An entry that reads a suite."""
    benchmarks = [{"name": "custom", "metrics": ["exact_match"]}]
    names = {"helm_output_dir": "helm", "helm_suite_name": suite, "model_name": "toy"}
    return {"eval_type": "helm", **names, "benchmarks": benchmarks, **keys}


def score(report: dict[str, Any], metric: str) -> dict[str, Any]:
    """The score of the only evaluation."""
    (one,) = report["evaluations"]
    found = one["scores"][metric]
    assert isinstance(found, dict)
    return found


# An independent reading, with nothing of this project.


def helm_run(folder: Path, suite: str, name: str) -> Any:
    """A file of a suite's only run."""
    (path,) = folder.glob(f"helm/runs/{suite}/*/{name}.json")
    return json.loads(path.read_text())


def helm_value(folder: Path, suite: str) -> float:
    """The mean that HELM wrote of a suite's run."""
    (mean,) = (
        stat["mean"]
        for stat in helm_run(folder, suite, "stats")
        if stat["name"] == {"name": "exact_match", "split": "test"}
    )
    return float(mean)


def helm_answers(folder: Path, suite: str) -> dict[tuple[str, int], float]:
    """Instance and train trial → the value that HELM wrote."""
    return {
        (entry["instance_id"], entry["train_trial_index"]): stat["sum"]
        for entry in helm_run(folder, suite, "per_instance_stats")
        for stat in entry["stats"]
        if stat["name"]["name"] == "exact_match"
    }


def lm_eval_value(folder: Path, name: str) -> float:
    """The accuracy that lm-eval wrote of the group."""
    (path,) = folder.glob(f"lm_eval/{name}/*/results_*.json")
    return float(json.loads(path.read_text())["groups"]["both"]["acc,none"])


def inspect_log(folder: Path, name: str) -> dict[str, Any]:
    """The only log in a folder."""
    (path,) = folder.glob(f"inspect/{name}/*.eval")
    return unzipped(path)


def inspect_value(folder: Path, name: str) -> float:
    """The accuracy that Inspect wrote of a log."""
    (one,) = inspect_log(folder, name)["results"]["scores"]
    return float(one["metrics"]["accuracy"]["value"])


# Seeds, suites and logs


@pytest.mark.parametrize(
    ("entry", "metric", "names", "value"),
    [
        (
            helm("a-1", repeats=["helm/runs/a-*"]),
            *("custom.exact_match", ("a-1", "a-2", "a-3"), helm_value),
        ),
        (
            lm_eval("lm_eval/before-1", repeats=["lm_eval/before-*"]),
            *("both.acc,none", ("before-1", "before-2", "before-3"), lm_eval_value),
        ),
        (
            inspect("inspect/seed-1", repeats=["inspect/seed-*"]),
            *("sums.match.accuracy", ("seed-1", "seed-2", "seed-3"), inspect_value),
        ),
    ],
    ids=["HELM's suites", "lm-eval's seeds", "Inspect's logs"],
)
def test_runs_of_a_harness_are_averaged(
    outputs: Path,
    entry: dict[str, Any],
    metric: str,
    names: tuple[str, ...],
    value: Callable[[Path, str], float],
) -> None:
    """The score is the mean of the numbers that the harness wrote, each of which the report has."""
    report = run(entry)
    found, own = score(report, metric), [value(outputs, name) for name in names]
    assert 0 == report["exit code"]
    assert len(set(own)) > 1
    assert own == pytest.approx(found["repeats"]["values"])
    assert fmean(own) == pytest.approx(found["value"]) == fmean(found["instances"]["value"])


def test_seeds_of_both_sides_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """The noise of lm-eval's dummy model is in the interval, and the page says so."""
    run(lm_eval("lm_eval/before-1", repeats=["lm_eval/before-*"]), "--report", "before.json")
    capsys.readouterr()
    report = run(
        lm_eval("lm_eval/after-4", repeats=["lm_eval/after-*"]), "--baseline", "before.json"
    )
    found = comparison(report)["deltas"]
    assert {(3, 3)} == {tuple(one["runs"]) for one in found}
    assert {"inconclusive"} == {one["verdict"] for one in found}
    page = " ".join(capsys.readouterr().out.split())
    assert "the noise between runs of one checkpoint (3 here and 3 in the baseline)" in page


def rename_model(folder: Path) -> None:
    """Name the model `rival/other` in an output of HELM or lm-eval, or in a log of Inspect."""
    for path in folder.rglob("*.eval"):
        log = unzipped(path)
        log["eval"]["model"] = "rival/other"
        path.with_suffix(".json").write_text(json.dumps(log))
        path.unlink()
    for path in folder.rglob("*.json"):
        text = path.read_text()
        path.write_text(re.sub('"(toy/alpha|acme/toy)"', '"rival/other"', text))


@pytest.mark.parametrize(
    ("entry", "repeat"),
    [
        (helm("a-1", model_name=None), "helm/runs/a-2"),
        (lm_eval("lm_eval/before-1"), "lm_eval/before-2"),
        (inspect("inspect/seed-1"), "inspect/seed-2"),
    ],
    ids=["HELM", "lm-eval", "Inspect"],
)
def test_another_model_is_never_averaged(outputs: Path, entry: dict[str, Any], repeat: str) -> None:
    """It is exit code 3, and the first run counts alone; `model_name` says that it is the same."""
    entry = {key: value for key, value in entry.items() if value is not None}
    alone = run(entry)["evaluations"]
    rename_model(outputs / repeat)
    report = run({**entry, "repeats": [repeat]})
    assert (3, alone) == (report["exit code"], report["evaluations"])
    assert any("has only rival/other" in one for one in report["notes"])
    named = run({**entry, "repeats": [repeat], "model_name": "mine"})
    assert (0, ["mine"]) == (named["exit code"], [one["model"] for one in named["evaluations"]])
    assert any("'rival/other'" in note for note in named["notes"])


# Settings


@pytest.mark.parametrize(
    ("entry", "repeat"),
    [
        (helm("a-1"), "helm/runs/trials-a"),
        (inspect("inspect/seed-1"), "inspect/epochs"),
    ],
    ids=["HELM's train trials", "Inspect's epochs"],
)
def test_other_settings_are_never_averaged(
    entry: dict[str, Any], repeat: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever outputs the run has, it is exit code 3, and the first run counts alone."""
    shown = []
    for options in ([], ["--report", "report.json"], ["--html", "report.html"]):
        config = write_config(Path(), {**entry, "repeats": [repeat]})
        assert 3 == cli.main(["--print-only", "--config", config, *options], root=ROOT)
        shown.append(capsys.readouterr())
    assert all("is that of the first run alone" in one.err for one in shown)
    assert not any("Means over several runs" in one.out for one in shown)


def test_print_only_shows_the_table_of_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Details are read for it, whichever outputs the run has."""
    config = write_config(Path(), helm("a-1", repeats=["helm/runs/a-*"]))
    assert 0 == cli.main(["--print-only", "--config", config], root=ROOT)
    assert "Means over several runs of a checkpoint" in capsys.readouterr().out


# Epochs and train trials


def test_a_question_has_the_mean_of_its_epochs(outputs: Path) -> None:
    """Epochs are answers of one run: their noise is in that of the questions, and no other."""
    run(inspect("inspect/epochs"), "--report", "before.json")
    report = run(inspect("inspect/epochs-after"), "--baseline", "before.json")
    means = []
    for name in ("epochs", "epochs-after"):
        answers: Counter[int] = Counter()
        for sample in inspect_log(outputs, name)["samples"]:
            answers[sample["id"]] += sample["scores"]["match"]["value"] == "C"
        means.append(answers)
    (delta,) = comparison(report)["deltas"]
    assert "runs" not in delta
    before, after = means
    better = sum(after[one] > before[one] for one in range(16))
    worse = sum(after[one] < before[one] for one in range(16))
    assert (16, better, worse) == (delta["n"], delta["better"], delta["worse"])
    assert (after.total() - before.total()) / (16 * 3) == pytest.approx(delta["delta"])
    assert "regressed" == delta["verdict"]
    flaky = {item["id"] for item in delta["items"] if item["flaky"]}
    assert flaky
    assert flaky <= {str(one) for side in means for one in range(16) if side[one] in {1, 2}}


def test_a_train_trial_is_compared_with_the_same_trial(outputs: Path) -> None:
    """Both have the same examples in their prompts. The trials of a question are a cluster."""
    run(helm("trials-a"), "--report", "before.json")
    report = run(helm("trials-b"), "--baseline", "before.json")
    before, after = (helm_answers(outputs, suite) for suite in ("trials-a", "trials-b"))
    prompts = [
        {
            (one["instance"]["id"], one["train_trial_index"]): one["request"]["prompt"]
            for one in helm_run(outputs, suite, "scenario_state")["request_states"]
        }
        for suite in ("trials-a", "trials-b")
    ]
    (delta,) = comparison(report)["deltas"]
    assert prompts[0] == prompts[1]
    assert helm_value(outputs, "trials-b") == pytest.approx(delta["candidate"])
    assert (3 * 48, 48) == (delta["n"], delta["clusters"])
    better = sum(after[place] > before[place] for place in before)
    worse = sum(after[place] < before[place] for place in before)
    assert (better, worse) == (delta["better"], delta["worse"])
    assert "runs" not in delta
