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

import pytest

from helm_wandb import cli
from tests.conftest import DATA

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


def test_all_that_is_wrong_is_told(
    root: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`validate` tells the faults of each file with their lines, and which files are right."""
    (workspace / "bad.yaml").write_text("project: p\nleaderbord: true\n")
    exit_code = cli.main(
        ["validate", "bad.yaml", "configs/llama_example.yaml", "gone.yaml"], root=root
    )
    shown = capsys.readouterr()

    assert 2 == exit_code
    assert "configs/llama_example.yaml: valid\n" == shown.out
    assert "error: bad.yaml:2:1: $.leaderbord: " in shown.err
    assert "error: config 'gone.yaml' cannot be read" in shown.err


@pytest.mark.parametrize("tree", TREES)
def test_first_config_works_as_it_stands(
    tree: str, root: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The config that `init` writes for a folder is valid, and all its scores are found."""
    folder = f"demo/helm/{tree.removesuffix('.tar.gz')}"

    assert 0 == cli.main(["init", folder], root=root)
    assert "" == capsys.readouterr().err
    arguments = ["--config", "helm-wandb.yaml", "--print-only", "--report", "report.json"]
    assert 0 == cli.main(arguments, root=root)
    report = json.loads((workspace / "report.json").read_text())
    assert report["evaluations"]
    assert {} == {key: why for one in report["evaluations"] for key, why in one["missing"].items()}


@pytest.mark.parametrize(
    ("arguments", "exit_code", "shown"),
    [
        (["nothing"], 3, "nothing: is not there. It is looked for in /"),
        (["out/*"], 3, "out/*: is not there. It is a glob"),
        (["~/helm"], 3, "~/helm: is not there. A leading ~ and $NAME are not expanded here"),
        (["demo"], 3, "demo: holds no suite with a finished run. Give the folder that helm-run"),
        (["above"], 3, "run. HELM's output is one folder below: give above/lite.\n"),
        (["demo/helm/lite/runs"], 3, "run. runs/ is a part of HELM's output: give demo/helm/lite,"),
        (["above/lite/runs/v1"], 3, "runs/ is a part of HELM's output: give above/lite, the fol"),
        (["above/lite/releases"], 3, "releases/ is a part of HELM's output: give above/lite, the"),
        (["demo/helm/lite", "--suite", "v9"], 2, "no suite 'v9'. There are: lite-like, v1.0.0"),
        (["demo/helm/lite", "--output", "there.yaml"], 2, "there.yaml is there already"),
        (
            ["demo/helm/lite", "--output", "no/such.yaml"],
            2,
            "no/such.yaml cannot be written: no: No su",
        ),
        (["demo/helm/lite", "--output", "link/x.yaml"], 2, "written: link: it is a link, and noth"),
        (["demo/helm/lite", "--output", "fifo"], 2, "fifo is there already"),
    ],
)
def test_init_tells_what_hinders_it(  # noqa: PLR0913, PLR0917 -- fixtures
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
    assert shown in capsys.readouterr().err
    assert "mine" == (workspace / "there.yaml").read_text()


def test_init_takes_the_suite_that_is_named(root: Path, workspace: Path) -> None:
    """--suite chooses one of several."""
    assert 0 == cli.main(["init", "demo/helm/lite", "--suite", "v1.0.0"], root=root)

    assert "helm_suite_name: v1.0.0\n" in (workspace / "helm-wandb.yaml").read_text()


def test_the_link_to_the_newest_suite_is_no_suite(root: Path, workspace: Path) -> None:
    """HELM's `runs/latest`, a link or a copy of the suite, is never the suite of a config."""
    archive = DATA / "cases/init-latest-link/out.tar.gz"
    with tarfile.open(archive) as tree:
        tree.extraction_filter = getattr(tarfile, "data_filter", None)
        tree.extractall(workspace)  # noqa: S202 -- our own
    shutil.copytree(workspace / "out", workspace / "copied", symlinks=False)

    for number, output in enumerate((str(archive), "out", "copied")):
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
