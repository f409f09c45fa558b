"""Inspect's logs through the whole tool: config, comparison, baseline, report, `init`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from subprocess import run as start
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb import cli
from tests.conftest import ROOT

from .inspect_builders import log, unpack_inspect, write_eval, write_json
from .lm_eval_builders import unpack_lm_eval
from .test_cli import helm
from .test_sources_inspect import TREES, sample_numbers, whole_logs
from .test_sources_lm_eval_end_to_end import deltas, lm_eval, run

if TYPE_CHECKING:
    from collections.abc import Mapping

RIGHT = ["C"] * 200
WORSE = ["I"] * 40 + ["C"] * 160


@pytest.fixture
def outputs(workspace: Path) -> Path:
    """The current folder, with every tree of real logs."""
    return unpack_inspect(workspace)


def inspect(logs: str, **keys: Any) -> dict[str, Any]:
    """Return an entry that reads logs."""
    return {"eval_type": "inspect", "inspect_log_dir": logs, **keys}


def numbers(folder: Path, task: str, name: str, reducer: str | None) -> Mapping[Any, float]:
    """Return the numbers of a score's samples, read with nothing of this project."""
    return next(
        sample_numbers(content, score)
        for content in whole_logs(folder)
        if content["eval"]["task"] == task
        for score in content["results"]["scores"]
        if (score["name"], score.get("reducer")) == (name, reducer)
    )


@pytest.mark.parametrize(
    ("metric", "place"),
    [
        ("plain.match.accuracy", ("plain", "match", None)),
        ("plain.closeness.mean", ("plain", "closeness", None)),
        ("plain.gap.mean", ("plain", "gap", None)),
        ("repeated.near.mean,pass_at_2", ("repeated", "near", "pass_at_2")),
        ("unreduced.match.accuracy", ("unreduced", "match", None)),
        ("chats.choice.accuracy", ("chats", "choice", None)),
    ],
)
def test_two_runs_are_compared_by_their_questions(
    metric: str, place: tuple[str, str, str | None], outputs: Path
) -> None:
    """A report is the baseline of the other run: counts are those of the raw samples."""
    run(inspect("before", model_name="m"), "--report", "before.json")
    found = deltas(run(inspect("after", model_name="m"), "--baseline", "before.json"))[metric]
    before, after = (numbers(outputs / tree, *place) for tree in ("before", "after"))
    changes = [after[one] - before[one] for one in before.keys() & after.keys()]

    assert (len(changes), sum(one > 0 for one in changes), sum(one < 0 for one in changes)) == (
        found["n"],
        found["better"],
        found["worse"],
    )
    assert abs(found["delta"] - sum(changes) / len(changes)) < 1e-9


def test_a_regression_fails_the_job_and_shows_its_questions(workspace: Path) -> None:
    """The questions that the candidate lost stand in the report, with their texts."""
    write_eval(workspace / "one", log(RIGHT))
    write_json(workspace / "two", log(WORSE))
    run(inspect("one"), "--report", "one.json")
    report = run(inspect("two"), "--baseline", "one.json", "--fail-on", "regression")
    (delta,) = deltas(report).values()

    assert (4, "regressed") == (report["exit code"], delta["verdict"])
    assert 40 == len(delta["items"])
    assert ("Story 0. What is 0 + 1?", "1", "0") == tuple(
        delta["items"][0][name] for name in ("input", "reference", "answer")
    )


def test_other_settings_are_explained(workspace: Path) -> None:
    """Another argument of the task is another question."""
    write_eval(workspace / "one", log(RIGHT, task_args={"level": "easy"}))
    write_eval(workspace / "two", log(WORSE, task_args={"level": "hard"}))
    run(inspect("one"), "--report", "one.json")
    (comparison,) = run(inspect("two"), "--baseline", "one.json")["comparisons"]

    assert {"sums.match.accuracy"} == comparison["not_comparable"].keys()
    assert "task level hard here, task level easy there" in str(comparison["not_comparable"])


@pytest.mark.usefixtures("outputs")
def test_a_run_that_is_not_whole_is_exit_code_3() -> None:
    """What could be read is published."""
    report = run(inspect("before"))

    assert 3 == report["exit code"]
    assert report["evaluations"]


def test_reports_are_evaluations_again(outputs: Path) -> None:
    """`source: report` reads what another job evaluated, as it was."""
    first = run(inspect("after"), "--report", "job.json")
    again = run({"eval_type": "inspect", "source": "report", "path": "job.json"})

    assert outputs == Path.cwd()
    assert first["evaluations"] == again["evaluations"]


def test_a_model_has_the_scores_of_three_harnesses(outputs: Path) -> None:
    """Evaluated with all of them under one name, its scores stand next to each other."""
    unpack_lm_eval(outputs / "lm")
    report = run(
        [
            helm("candidate", "nightly", model_name="mine"),
            lm_eval("lm/nameless", model_name="mine"),
            inspect("scores_only", model_name="mine"),
            {
                "eval_type": "inspect",
                "source": "file",
                "model_name": "mine",
                "eval_result": {"plain": {"f1": 0.5}},
            },
        ]
    )

    (evaluation,) = report["evaluations"]
    expected = {"mmlu.EM", "even_a.acc,none", "plain.match.accuracy", "plain.f1"}
    assert expected <= evaluation["scores"].keys()


@pytest.mark.usefixtures("outputs")
@pytest.mark.parametrize("tree", TREES)
def test_init_writes_a_config_that_ranks(tree: str) -> None:
    """It recognizes the logs by itself; what it writes runs and ranks every model."""
    assert 0 == cli.main(["init", tree, "--output", "first.yaml"], root=ROOT)
    code = cli.main(["--print-only", "--config", "first.yaml", "--report", "r.json"], root=ROOT)
    report = json.loads(Path("r.json").read_text())

    assert (3 if tree == "before" else 0) == code
    assert [1] == [row["rank"] for row in report["leaderboard"]["rows"]]
    assert f"inspect_log_dir: {tree}" in Path("first.yaml").read_text()


@pytest.mark.usefixtures("outputs")
def test_init_names_scorers_and_reducers(golden: Any) -> None:
    """Every score has its benchmark; standard errors are left out."""
    assert 0 == cli.main(["init", "after", "--output", "first.yaml"], root=ROOT)

    golden("init_inspect.yaml", Path("first.yaml").read_text())


@pytest.mark.parametrize("kind", ["eval", "json"])
def test_init_reads_one_log(kind: str, outputs: Path) -> None:
    """A log that somebody sent is enough."""
    (path,) = (outputs / ("before" if kind == "eval" else "after")).glob("*_chats_*")
    path = path.rename(outputs / f"sent.{kind}")

    assert 0 == cli.main(["init", path.name, "--output", "first.yaml"], root=ROOT)
    assert f"inspect_log_dir: sent.{kind}" in Path("first.yaml").read_text()


@pytest.mark.parametrize(("suffix", "expected"), [("eval", "True"), ("json", "False")])
def test_zstandard_is_loaded_only_for_logs_that_have_it(
    suffix: str, expected: str, workspace: Path
) -> None:
    """Nobody else waits for the library."""
    write = write_eval if suffix == "eval" else write_json
    write(workspace / "logs", log(RIGHT))
    code = (
        "import sys; from pathlib import Path; from helm_wandb.sources import first_entries; "
        "first_entries(Path('logs'), shown_as='logs'); "
        "print(any(name.endswith('zstd') for name in sys.modules))"
    )
    done = start(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert expected == done.stdout.strip()
