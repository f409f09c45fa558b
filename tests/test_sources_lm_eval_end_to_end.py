"""lm-eval's output through the whole tool: config, comparison, baseline, report, `init`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb import cli
from tests.conftest import ROOT

from .lm_eval_builders import unpack_lm_eval, write_run
from .test_cli import helm, write_config
from .test_comparing_end_to_end import SCHEMA, comparison
from .test_sources_lm_eval import TREES, sample_values

if TYPE_CHECKING:
    from collections.abc import Sequence

RIGHT = [1] * 200
WORSE = [0] * 40 + [1] * 160


@pytest.fixture
def outputs(workspace: Path) -> Path:
    """The current folder, with every tree of real output."""
    return unpack_lm_eval(workspace)


def lm_eval(output: str, **keys: Any) -> dict[str, Any]:
    """Return an entry that reads an output."""
    return {"eval_type": "lm_eval", "lm_eval_output_dir": output, **keys}


def run(entries: dict[str, Any] | Sequence[dict[str, Any]], *arguments: str) -> dict[str, Any]:
    """Return the valid report of a run, and its exit code in it."""
    several = [entries] if isinstance(entries, dict) else entries
    config = write_config(Path(), *several)
    given = arguments if "--report" in arguments else ("--report", "report.json", *arguments)
    code = cli.main(["--print-only", "--config", config, *given], root=ROOT)
    report: dict[str, Any] = json.loads(Path(given[given.index("--report") + 1]).read_text())
    assert [] == [error.message for error in SCHEMA.iter_errors(report)]
    return {**report, "exit code": code}


def deltas(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Metric → delta."""
    return {one["metric"]: one for one in comparison(report)["deltas"]}


def test_two_runs_are_compared_by_their_questions(outputs: Path) -> None:
    """A report is the baseline of the other run: counts are those of the raw samples."""
    run(lm_eval("before"), "--report", "before.json")
    found = deltas(run(lm_eval("after"), "--baseline", "before.json"))
    paths = [next((outputs / name).rglob("results_*")) for name in ("before", "after")]
    before, after = (sample_values(path, "parity", "acc,none") for path in paths)
    changed = [after[document] - before[document] for document in before]

    assert {
        "parity.acc,none",
        "parity.acc_norm,none",
        "parity_generated.exact_match,strict-match",
        "parity_generated.exact_match,flexible-extract",
        "parity_group.acc,none",
    } == found.keys()
    for name in ("parity.acc,none", "parity_group.acc,none"):
        assert (40, changed.count(1), changed.count(-1)) == (
            found[name]["n"],
            found[name]["better"],
            found[name]["worse"],
        )
        assert abs(found[name]["delta"] - sum(changed) / 40) < 1e-9


def test_a_regression_fails_the_job_and_shows_its_questions(workspace: Path) -> None:
    """The questions that the candidate lost stand in the report, with both texts."""
    write_run(workspace / "one/m", {"t": RIGHT, "u": RIGHT})
    write_run(workspace / "two/m", {"t": WORSE, "u": RIGHT})
    run(lm_eval("one"), "--report", "one.json")
    report = run(lm_eval("two"), "--baseline", "one.json", "--fail-on", "regression")
    items = deltas(report)["t.acc,none"]["items"]

    assert 4 == report["exit code"]
    assert {"t.acc,none": "regressed", "u.acc,none": "inconclusive"} == {
        name: one["verdict"] for name, one in deltas(report).items()
    }
    assert 40 == len(items)
    assert ("Passage 0. Is 0 an even number?\nAnswer:", "yes", "no") == tuple(
        items[0][name] for name in ("input", "reference", "answer")
    )


def test_without_samples_nothing_is_tested(workspace: Path) -> None:
    """The values are compared, and the reason says how to get what a test needs."""
    write_run(workspace / "one/m", {"t": RIGHT})
    write_run(workspace / "two/m", {"t": WORSE}, has_samples=False)
    run(lm_eval("one"), "--report", "one.json")
    (delta,) = deltas(run(lm_eval("two"), "--baseline", "one.json")).values()

    assert ("untestable", -0.2) == (delta["verdict"], round(delta["delta"], 9))
    assert (
        "no per-instance scores here: lm-eval wrote no samples of t: run it with --log_samples"
        == delta["why"]
    )


@pytest.mark.usefixtures("outputs")
def test_a_group_and_its_tasks_count_once_in_the_mean(capsys: pytest.CaptureFixture[str]) -> None:
    """The mean is over the group and what is in no group; the rest is shown."""
    run(lm_eval("before"), "--report", "before.json")
    report = run(lm_eval("after"), "--baseline", "before.json")
    left_out = report["leaderboard"]["left_out"]

    assert {
        "parity.acc,none": "part of parity_group",
        "parity.acc_norm,none": "part of parity_group",
    } == left_out
    assert abs(comparison(report)["overall"]["baseline"] - 0.65 / 2) < 1e-9
    assert "Mean of 2 of 3 benchmarks: 32.5 → 28.7" in capsys.readouterr().out


def test_reports_are_evaluations_again(outputs: Path) -> None:
    """`source: report` reads what another job evaluated, as it was."""
    first = run(lm_eval("checkpoints"), "--report", "job.json")
    again = run({"eval_type": "lm_eval", "source": "report", "path": "job.json"})

    assert outputs == Path.cwd()
    assert first["evaluations"] == again["evaluations"]
    assert first["leaderboard"] == again["leaderboard"]


def test_a_model_has_the_scores_of_both_harnesses(outputs: Path) -> None:
    """Evaluated with HELM and lm-eval under one name, its scores stand next to each other."""
    report = run(
        [
            helm("candidate", "nightly", model_name="mine"),
            lm_eval("nameless", model_name="mine"),
        ]
    )

    assert outputs == Path.cwd()
    (evaluation,) = report["evaluations"]
    assert {"mmlu.EM", "even_a.acc,none"} <= evaluation["scores"].keys()


@pytest.mark.usefixtures("outputs")
@pytest.mark.parametrize("tree", TREES)
def test_init_writes_a_config_that_ranks(tree: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It recognizes the output by itself; what it writes runs and ranks every model."""
    assert 0 == cli.main(["init", tree, "--output", "first.yaml"], root=ROOT)
    assert 0 == cli.main(
        ["--print-only", "--config", "first.yaml", "--report", "report.json"], root=ROOT
    )
    report = json.loads(Path("report.json").read_text())

    assert [1] == [row["rank"] for row in report["leaderboard"]["rows"]]
    assert "lm_eval_output_dir: " + tree in Path("first.yaml").read_text()
    capsys.readouterr()


@pytest.mark.usefixtures("outputs")
def test_init_leaves_the_parts_of_groups_to_them(golden: Any) -> None:
    """A group's tasks are its subjects; the config says so, and how to name the model."""
    assert 0 == cli.main(["init", "checkpoints", "--output", "first.yaml"], root=ROOT)

    golden("init_lm_eval.yaml", Path("first.yaml").read_text())


def test_init_reads_archives(outputs: Path) -> None:
    """A packed output needs no unpacking."""
    shutil.make_archive("packed", "zip", outputs, "before")

    assert 0 == cli.main(["init", "packed.zip", "--output", "first.yaml"], root=ROOT)
    assert "lm_eval_output_dir: packed.zip" in Path("first.yaml").read_text()
