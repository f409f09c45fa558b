"""The commands that make and check configs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from helm_wandb import cli
from helm_wandb.report import to_json
from tests import builders
from tests.conftest import DATA, ROOT
from tests.lm_eval_builders import write_run

TREES = sorted(path.name for path in (DATA / "helm").glob("*.tar.gz"))


def test_schema_is_printed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`schema` prints the JSON Schema of configs, for editors and other tools."""
    assert 0 == cli.main(["schema"], root=root)
    printed = json.loads(capsys.readouterr().out)

    assert json.loads((root / "schema/config.schema.json").read_text()) == printed


def test_schema_goes_nowhere_where_nobody_reads(root: Path) -> None:
    """A reader that ends early is no failure; a full disk is one, explained in a sentence."""
    command = [sys.executable, str(root / "wandb_writer.py"), "schema"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert 5 == done.returncode
    assert done.stderr == ("error: standard output cannot be written: No space left on device\n")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)

    assert (0, "") == (done.returncode, done.stderr)


def test_a_fifo_is_no_config(workspace: Path, root: Path) -> None:
    """`validate` does not wait for somebody to write to it."""
    os.mkfifo(workspace / "fifo")

    assert 2 == cli.main(["validate", "fifo"], root=root)


def test_all_that_is_wrong_is_reported(
    root: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`validate` reports the faults of each file with their lines, and which files are right."""
    (workspace / "bad.yaml").write_text("project: p\nleaderbord: true\n")
    exit_code = cli.main(
        ["validate", "bad.yaml", "configs/llama_example.yaml", "gone.yaml"], root=root
    )
    shown = capsys.readouterr()

    assert 2 == exit_code
    valid = "configs/llama_example.yaml: valid. The evaluation output was not checked.\n"
    assert valid == shown.out
    assert "error: bad.yaml:2:1: $.leaderbord: " in shown.err
    assert "error: config 'gone.yaml' cannot be read" in shown.err


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_the_help_of_a_command_says_what_it_does(
    command: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Below the usage is a sentence."""
    with pytest.raises(SystemExit):
        cli.main([command, "--help"], root=root)

    assert re.search(r"\n\n[A-Z][^:]+\.\n\n", capsys.readouterr().out)


@pytest.mark.parametrize("tree", TREES)
def test_first_config_works_as_it_stands(
    tree: str, root: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The config that `init` writes ranks all models, and each score that it names is found."""
    folder = f"demo/helm/{tree.removesuffix('.tar.gz')}"

    assert 0 == cli.main(["init", folder], root=root)
    assert "" == capsys.readouterr().err
    arguments = ["--config", "helm-wandb.yaml", "--print-only", "--report", "report.json"]
    assert 0 == cli.main(arguments, root=root)
    report = json.loads((workspace / "report.json").read_text())
    assert report["evaluations"]
    assert {} == {key: why for one in report["evaluations"] for key, why in one["missing"].items()}
    assert_all_are_ranked(report)


def assert_all_are_ranked(report: dict[str, Any]) -> None:
    """Check that each model of the report has a rank."""
    models = {one["model"] for one in report["evaluations"]}

    assert models
    assert models == {row["model"] for row in report["leaderboard"]["rows"] if row["rank"]}


def run_first_config(root: Path, output: str, *, uncommented: str = "") -> dict[str, Any]:
    """Return the report of a run with the config that `init` writes for HELM's output.

    uncommented: a comment of the config that is made a line of it.
    """
    assert 0 == cli.main(["init", output, "--output", "first.yaml"], root=root)
    path = Path("first.yaml")
    text = path.read_text().replace(f"# {uncommented}\n", f"{uncommented}\n")
    path.unlink()
    Path("config.yaml").write_text(text)
    arguments = ["--config", "config.yaml", "--print-only", "--report", "report.json"]

    assert 0 == cli.main(arguments, root=root)
    report: dict[str, Any] = json.loads(Path("report.json").read_text())
    return report


@pytest.mark.parametrize(
    ("case", "keys"),
    [
        ("init-latest-link", ["mmlu.EM"]),
        ("init-unknown-group", ["medication_qa.medication_qa_accuracy"]),
        ("init-unranked", ["bbq.EM"]),
    ],
)
def test_a_first_config_reads_what_the_runs_have(
    case: str, keys: list[str], root: Path, workspace: Path
) -> None:
    """Boards other than HELM's classic one are read and ranked by their own metrics."""
    assert workspace.is_dir()
    report = run_first_config(root, str(DATA / "cases" / case / "out.tar.gz"))

    assert keys == report["leaderboard"]["metrics"]
    assert all(keys == list(one["scores"]) for one in report["evaluations"])


def test_a_first_config_ranks_models_of_other_boards(root: Path, workspace: Path) -> None:
    """A suite without HELM's core metrics is ranked by those that it has."""
    assert workspace.is_dir()

    assert_all_are_ranked(run_first_config(root, str(DATA / "cases/init-unranked/out.tar.gz")))


def test_models_that_cannot_be_ranked_are_named(
    root: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`init` says if no mean can be built of a suite's metrics, and why."""
    archive = str(DATA / "cases/init-unknown-group/out.tar.gz")

    assert 0 == cli.main(["init", archive], root=root)
    assert "warning: medication_qa.medication_qa_accuracy: its values leave 0…1" in (
        capsys.readouterr().err
    )
    assert (workspace / "helm-wandb.yaml").is_file()


def test_models_that_cannot_be_ranked_share_a_warning(
    root: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`init` gives each reason once, for the models that it is about."""
    with tarfile.open(DATA / "cases/init-unknown-group/out.tar.gz") as tree:
        tree.extraction_filter = getattr(tarfile, "data_filter", None)
        tree.extractall(workspace)  # noqa: S202 -- our own
    (run,) = Path("raw-medication-qa/runs/TEST").iterdir()
    copy = shutil.copytree(run, run.with_name("medication_qa:model=other_model"))
    settings = (copy / "run_spec.json").read_text()
    (copy / "run_spec.json").write_text(re.sub(r"gpt-4o-2024-05-13", "another", settings))

    assert 0 == cli.main(["init", "raw-medication-qa"], root=root)
    assert 1 == capsys.readouterr().err.count("not ranked: ")


@pytest.mark.parametrize(
    ("line", "models"),
    [
        ("helm_model: toyorg/alpha-7b", {"toyorg/alpha-7b"}),
        ("helm_model: simple/model1", {"simple/model1"}),
    ],
)
def test_models_are_named_as_helm_model_matches_them(
    line: str, models: set[str], root: Path, workspace: Path
) -> None:
    """Each `helm_model` that `init` leaves in a comment is one model of the suite."""
    assert workspace.is_dir()
    report = run_first_config(root, "demo/helm/unsummarized", uncommented=line)

    assert models == {one["model"] for one in report["evaluations"]}


def test_no_config_is_written_that_a_run_would_refuse(
    root: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that a config can't hold, and runs without a score, are reported by `init`."""
    for name in ("$SUITE", "empty"):
        shutil.copytree("demo/helm/unsummarized/runs/2026-01-15", f"{name}/runs/{name}")
    for path in Path("empty").rglob("stats.json"):
        path.write_text("[]")

    assert 2 == cli.main(["init", "$SUITE"], root=root)
    assert (
        "helm-wandb.yaml is not written, because it would not be valid" in capsys.readouterr().err
    )
    assert 3 == cli.main(["init", "empty"], root=root)
    assert "is not written, because a run with it would fail" in capsys.readouterr().err
    assert not (workspace / "helm-wandb.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "shown"),
    [
        (["nothing"], 3, "nothing: doesn't exist. It is looked for in /"),
        (["out/*"], 3, "out/*: doesn't exist. It is a glob"),
        (["~/helm"], 3, "~/helm: doesn't exist. A leading ~ and $NAME are not expanded here"),
        (["demo"], 3, "demo: holds no output of HELM, lm-eval or Inspect, only helm. Give the fol"),
        (["above"], 3, "run. HELM's output is one folder below: give above/lite.\n"),
        (["demo/helm/lite/runs"], 3, "run. runs/ is a part of HELM's output: give demo/helm/lite,"),
        (["above/lite/runs/v1"], 3, "runs/ is a part of HELM's output: give above/lite, the fol"),
        (["above/lite/releases"], 3, "releases/ is a part of HELM's output: give above/lite, the"),
        (["demo/helm/lite", "--suite", "v9"], 2, "no suite 'v9'. There are: lite-like, v1.0.0"),
        (["demo/helm/lite", "--output", "there.yaml"], 2, "there.yaml already exists"),
        (
            ["demo/helm/lite", "--output", "no/such.yaml"],
            2,
            "no/such.yaml cannot be written: no: No su",
        ),
        (["demo/helm/lite", "--output", "link/x.yaml"], 2, "written: link: it is a link, and noth"),
        (["demo/helm/lite", "--output", "fifo"], 2, "fifo already exists"),
    ],
)
def test_init_says_what_hinders_it(  # noqa: PLR0913, PLR0917 -- fixtures
    arguments: list[str],
    exit_code: int,
    shown: str,
    root: Path,
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No folder, an unknown suite, and a file in the way are reported; nothing is lost."""
    (workspace / "there.yaml").write_text("mine")
    (workspace / "link").symlink_to("/tmp")  # noqa: S108 -- nothing is written there
    os.mkfifo(workspace / "fifo")
    (workspace / "above/lite/runs/v1").mkdir(parents=True)
    (workspace / "above/lite/releases").mkdir()

    assert exit_code == cli.main(["init", *arguments], root=root)
    printed = capsys.readouterr().err
    assert shown in printed
    assert (arguments == ["demo"]) == ("lm-eval" in printed)
    assert "mine" == (workspace / "there.yaml").read_text()


def test_init_says_that_only_helm_has_suites(
    root: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name of the output itself is no suite that could be given."""
    write_run(workspace / "out", {"quiz": [1] * 4})

    assert 2 == cli.main(["init", "out", "--suite", "v1"], root=root)
    assert (
        "error: --suite: out has no suites, as only HELM's output has. Leave it out.\n"
    ) == capsys.readouterr().err


def test_init_reads_a_report(root: Path, workspace: Path) -> None:
    """Its help says so, and the config that it writes is valid."""
    (workspace / "report.json").write_bytes(to_json(builders.report([builders.measured()])))

    assert 0 == cli.main(["init", "report.json"], root=root)
    assert "source: report" in (workspace / "helm-wandb.yaml").read_text()
    assert "or a report JSON" in config_help("init")


def config_help(name: str) -> str:
    """Return the help of a command, in one line."""
    done = subprocess.run(
        [sys.executable, ROOT / "wandb_writer.py", name, "--help"],
        check=True,
        capture_output=True,
        text=True,
    )
    return " ".join(done.stdout.split())


def test_init_takes_the_suite_that_is_named(root: Path, workspace: Path) -> None:
    """--suite chooses one of several."""
    for name in ("v1.0.0", "releases/v1.0.0"):
        assert 0 == cli.main(["init", "demo/helm/lite", "--suite", name], root=root)

        written = workspace / "helm-wandb.yaml"
        assert "helm_suite_name: v1.0.0\n" in written.read_text()
        written.unlink()


def test_the_link_to_the_newest_suite_is_no_suite(root: Path, workspace: Path) -> None:
    """HELM's `runs/latest`, a link or a copy of the suite, is never the suite of a config."""
    archive = DATA / "cases/init-latest-link/out.tar.gz"
    with tarfile.open(archive) as tree:
        tree.extraction_filter = getattr(tarfile, "data_filter", None)
        tree.extractall(workspace)  # noqa: S202 -- our own
    shutil.copytree(workspace / "out", workspace / "copied", symlinks=False)
    shutil.copytree(workspace / "out", workspace / "moved", symlinks=True)
    (workspace / "moved/runs/latest").unlink()
    (workspace / "moved/runs/latest").symlink_to("/nowhere/out/runs/v1")

    for number, output in enumerate((str(archive), "out", "copied", "moved")):
        assert 0 == cli.main(["init", output, "--output", f"{number}.yaml"], root=root)
        written = (workspace / f"{number}.yaml").read_text()
        assert "helm_suite_name: v1\n" in written
        assert "It also holds" not in written


def test_checkpoints_may_be_revisions(root: Path, workspace: Path, helm_trees: Path) -> None:
    """HELM names revisions of Hugging Face `model@stepN`: they are one model's iterations."""
    renamed = workspace / "renamed"
    old = b"mymodel/toyproj-llama/"
    for path in sorted((helm_trees / "checkpoints").rglob("*.json")):
        name = str(path.relative_to(helm_trees / "checkpoints"))
        new = renamed / re.sub("toyproj-llama_(?=[0-9])", "pythia-70m@step", name)
        new.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_bytes().replace(old, b"EleutherAI/pythia-70m@step")
        new.write_bytes(re.sub(rb"toyproj-llama[_/](?=[0-9])", b"pythia-70m@step", text))

    assert 0 == cli.main(["init", "renamed"], root=root)
    arguments = ["--config", "helm-wandb.yaml", "--print-only", "--report", "report.json"]
    assert 0 == cli.main(arguments, root=root)
    report = json.loads((workspace / "report.json").read_text())
    expected = [("EleutherAI/pythia-70m", iteration) for iteration in range(1000, 7000, 1000)]
    assert expected == [(one["model"], one["iteration"]) for one in report["evaluations"]]


SCHEMAS = json.loads((ROOT / "helm_wandb/comparing/boards.json").read_text("utf-8"))["schemas"]
UNRANKED = ("czech_bank",)
"""Schemas whose only metric is better when lower: it makes no mean, and so no rank."""


def write_raw_suite(output: Path, benchmarks: dict[str, tuple[str, str]]) -> None:
    """Leave runs of two models for each benchmark, as helm-run does, with its main metric."""
    for model, value in (("org/low", 0.25), ("org/high", 0.75)):
        for benchmark, (metric, split) in benchmarks.items():
            folder = output / "runs/raw" / f"{benchmark}:model={model.replace('/', '_')}"
            folder.mkdir(parents=True)
            spec = {
                "name": f"{benchmark}:model={model}",
                "scenario_spec": {"class_name": "helm.Scenario", "args": {}},
                "adapter_spec": {"model": model, "model_deployment": model},
                "groups": [benchmark],
            }
            name = {"name": metric} | ({"split": split} if split else {})
            stats = [{"name": name, "count": 1, "sum": value}]
            (folder / "run_spec.json").write_text(json.dumps(spec))
            (folder / "stats.json").write_text(json.dumps(stats))


def main_metrics(schema: str) -> dict[str, tuple[str, str]]:
    """Return each benchmark's main metric and split; HEIM's schema names no metric."""
    found = {}
    for name, (metric, split) in SCHEMAS[schema]["benchmarks"].items():
        found[name] = (metric or "expected_clip_score", split.removeprefix("__all__"))
    return found


@pytest.mark.parametrize("schema", [name for name in SCHEMAS if name not in UNRANKED])
def test_a_first_config_ranks_a_suite_of_each_schema(
    schema: str, root: Path, workspace: Path
) -> None:
    """Whichever of HELM's boards was run: what `init` writes reads and ranks both models."""
    benchmarks = main_metrics(schema)
    write_raw_suite(workspace / "out", benchmarks)
    report = run_first_config(root, "out")

    assert [len(benchmarks)] * 2 == [len(one["scores"]) for one in report["evaluations"]]
    assert_all_are_ranked(report)


@pytest.mark.parametrize("schema", UNRANKED)
def test_init_says_that_a_suite_cannot_be_ranked(
    schema: str, root: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both models are still read, with the metric's direction, and the run passes."""
    write_raw_suite(workspace / "out", main_metrics(schema))
    report = run_first_config(root, "out")

    assert ["org/high", "org/low"] == [row["model"] for row in report["leaderboard"]["rows"]]
    assert [0.0, 1.0] == [row["mean_win_rate"] for row in report["leaderboard"]["rows"]]
    assert "error_rate: lower is better" in capsys.readouterr().err


def test_a_report_is_no_config(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One error says what it is and how it is read, not that each of its keys is unknown."""
    scores = {"eval_type": "helm", "source": "file", "eval_result": {"boolq": {"EM": 0.5}}}
    config = {"project": "p", "evals": [{**scores, "model_name": "a"}]}
    (workspace / "config.yaml").write_text(json.dumps(config))
    assert 0 == cli.main(
        ["--config", "config.yaml", "--print-only", "--report", "report.json"], root=root
    )
    capsys.readouterr()
    assert 2 == cli.main(["validate", "report.json"], root=root)
    assert capsys.readouterr().err == (
        "error: report.json:1:1: $: this is a report, not a config. Read it with an entry with "
        "`source: report`, or compare with it: compare BEFORE AFTER, or --baseline FILE\n"
    )
