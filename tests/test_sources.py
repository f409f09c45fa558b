"""A source that is added as CONTRIBUTING says, through the whole tool."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb import action, cli, sources
from helm_wandb.errors import UnknownOutputError
from helm_wandb.model import Evaluation, FirstEntry, Origin, Reading, Score, ScoreKey
from helm_wandb.sources import SOURCES, Source
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from helm_wandb.harness.entry import ReadOptions
    from helm_wandb.model import EvalEntry

# The module that a new source is.


def read_toy(entry: EvalEntry, options: ReadOptions) -> Reading:
    """Return the accuracies in a file of lines such as `arithmetic 0.5`."""
    lines = (options.folder / entry.fields["toy_file"]).read_text().splitlines()
    return Reading(
        evaluations=(
            Evaluation(
                model=entry.fields["model_name"],
                iteration=0,
                tokens_billions=entry.fields.get("toy_tokens"),
                origin=Origin(source="toy", suite=None, token_per_iteration=None),
                scores={
                    ScoreKey(task, "accuracy"): Score(
                        value=float(value), n=None, lower_is_better=False, subjects={}
                    )
                    for task, value in map(str.split, lines)
                },
                missing={},
            ),
        )
    )


def toy_entries(path: Path, *, shown_as: str) -> tuple[FirstEntry, ...]:
    """Return the entry that `init` writes for such a file."""
    if path.suffix != ".toy":
        message = f"{shown_as}: isn't a toy"
        raise UnknownOutputError(message)
    entry = f"eval_type: helm\nsource: toy\nmodel_name: mine\ntoy_file: {shown_as}\n"
    return (FirstEntry(name="toy", yaml=entry, score_keys=()),)


# Its part of schema/config.schema.json.


def add_toy(schema: dict[str, Any]) -> None:
    """Add the keys of an entry, the source's name, and which keys belong to the name."""
    definitions = schema["$defs"]
    definitions["toy"] = {
        "required": ["eval_type", "model_name", "toy_file"],
        "additionalProperties": False,
        "properties": {
            "eval_type": {"$ref": "#/$defs/eval_type"},
            "source": {"$ref": "#/$defs/eval/properties/source"},
            "model_name": {"$ref": "#/$defs/model_name"},
            "toy_file": {"description": "Lines of a task and a number.", "type": "string"},
            "toy_tokens": {"description": "Billions of tokens.", "type": "number"},
        },
    }
    definitions["eval"]["properties"]["source"]["enum"].append("toy")
    definitions["eval"]["allOf"].append(
        {
            "if": {"properties": {"source": {"const": "toy"}}, "required": ["source"]},
            "then": {"$ref": "#/$defs/toy"},
        }
    )


@pytest.fixture
def toy_root(
    tmp_path_factory: pytest.TempPathFactory, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The tool's folder with the toy added, for a workspace with a config of it."""
    # Its line in SOURCES.
    toy = Source(read=read_toy, first_entries=toy_entries)
    monkeypatch.setattr(sources, "SOURCES", {**SOURCES, "toy": toy})
    schema = json.loads((ROOT / "schema/config.schema.json").read_text())
    add_toy(schema)
    root = tmp_path_factory.mktemp("root")
    (root / "schema").mkdir()
    (root / "schema/config.schema.json").write_text(json.dumps(schema))
    write_config(workspace)
    (workspace / "scores.toy").write_text("arithmetic 0.5\nspelling 0.75\n")
    return root


def write_config(folder: Path, **changes: str) -> None:
    """Write a config with an entry of the toy."""
    fields = {"eval_type": "helm", "source": "toy", "model_name": "mine", "toy_file": "scores.toy"}
    lines = [f"{key}: {value}" for key, value in (fields | changes).items()]
    (folder / "config.yaml").write_text(f"project: p\nevals: [{{{', '.join(lines)}}}]\n")


def run(root: Path, *arguments: str) -> int:
    """Return the exit code of a run that prints only."""
    return cli.main(["--config", "config.yaml", "--print-only", *arguments], root=root)


def test_its_report_is_a_baseline(toy_root: Path, workspace: Path) -> None:
    """A report with the source's evaluations can be compared with, and fails the job."""
    assert 0 == run(toy_root, "--report", "before.json")
    (workspace / "scores.toy").write_text("arithmetic 0.25\nspelling 0.75\n")

    assert 0 == run(toy_root, "--baseline", "before.json", "--report", "after.json")
    report = json.loads((workspace / "after.json").read_text())
    assert ["toy"] == [one["source"] for one in report["evaluations"]]
    assert [-0.25, 0.0] == [one["delta"] for one in report["comparisons"][0]["deltas"]]


def test_its_report_is_published(toy_root: Path, workspace: Path) -> None:
    """`from-report` publishes it, also with a version that lacks the source."""
    assert 0 == run(toy_root, "--report", "theirs.json")
    summary = workspace / "summary.md"
    summary.touch()
    runner = {
        "INPUT_FROM-REPORT": "theirs.json",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_STEP_SUMMARY": str(summary),
    }

    assert 0 == action.main(runner, root=ROOT)
    assert "arithmetic" in summary.read_text()
    report = json.loads((workspace / "helm-wandb-report.json").read_text())
    assert ["toy"] == [one["source"] for one in report["evaluations"]]


def test_its_report_is_a_source(
    toy_root: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`source: report` reads it, as of another job of a matrix."""
    assert 0 == run(toy_root, "--report", "job.json")
    entry = {"eval_type": "helm", "source": "report", "path": "job.json"}
    (workspace / "config.yaml").write_text(json.dumps({"project": "p", "evals": [entry]}))
    capsys.readouterr()

    assert 0 == run(ROOT, "--json")
    report = json.loads(capsys.readouterr().out)
    assert ["toy"] == [one["source"] for one in report["evaluations"]]


def test_its_keys_are_checked(
    toy_root: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Messages know the source's keys, and a number may have an exponent without a dot."""
    write_config(workspace, toy_fil="x", toy_tokens="1e3")

    assert 2 == run(toy_root)
    assert "did you mean `toy_file`?" in capsys.readouterr().err
    write_config(workspace, toy_tokens="1e3")
    assert 0 == run(toy_root, "--report", "report.json")
    report = json.loads((workspace / "report.json").read_text())
    assert [1000.0] == [one["tokens_billions"] for one in report["evaluations"]]


def test_init_knows_it(toy_root: Path, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`init` writes an entry of the first source that can read what is there, else HELM's error."""
    assert 0 == cli.main(["init", "scores.toy"], root=toy_root)
    assert (
        "    source: toy\n    model_name: mine\n    toy_file: scores.toy\n"
        in (workspace / "helm-wandb.yaml").read_text()
    )
    capsys.readouterr()

    assert 3 == cli.main(["init", "gone"], root=toy_root)
    assert "error: gone: " in capsys.readouterr().err
