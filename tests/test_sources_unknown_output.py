"""Paths that no source can read: one message says what is there."""

from __future__ import annotations

import json
import re
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb import cli, sources
from helm_wandb.errors import ArtifactError

from .conftest import ROOT
from .inspect_builders import log, write_eval, write_json
from .lm_eval_builders import write_run

if TYPE_CHECKING:
    from pathlib import Path

GIVE = (
    "Give the folder that helm-run, lm_eval or inspect wrote, a .tar, .tar.gz or .zip of it, a log "
    "of Inspect, or a report JSON."
)
NOTHING = "holds no output of HELM, lm-eval or Inspect"


def lines_on(path: Path) -> list[str]:
    """Return the error's lines on what is at the path, without its parents."""
    with pytest.raises(ArtifactError) as caught:
        sources.first_entries(path, shown_as=path.name)
    return [re.sub(r"\S*/(?=\w)", "", line) for line in caught.value.lines]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is an empty file"),
        (
            b"Dear diary,\n\ntoday nothing happened.",
            "is a text that begins with 'Dear diary, today nothing happened.'",
        ),
        (
            b"project: x\n" * 9,
            "is a text that begins with 'project: x project: x project: x projec…'",
        ),
        (b"\xff\x00\x13", "is a file of an unknown format"),
        (b'{"a": 1}', "is JSON, but neither a log of Inspect nor a report of this tool"),
        (b'{"a": ', "is JSON that was cut short or is damaged (Input data was truncated)"),
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a"])
def test_a_file_is_described_by_its_content(
    content: bytes, expected: str, name: str, tmp_path: Path
) -> None:
    """What each source would have needed is not listed."""
    (tmp_path / name).write_bytes(content)

    assert [f"{name}: {expected}. {GIVE}"] == lines_on(tmp_path / name)


def test_a_folder_is_described_by_its_content(tmp_path: Path) -> None:
    """An archive of it is, too."""
    folder = tmp_path / "out"
    folder.mkdir()
    assert [f"out: is empty. {GIVE}"] == lines_on(folder)

    (folder / "config.json").write_text("{}")
    with tarfile.open(tmp_path / "out.tar", "w") as archive:
        archive.add(folder / "config.json", "config.json")
    for name in ("out", "out.tar"):
        assert [f"{name}: {NOTHING}, only config.json. {GIVE}"] == lines_on(tmp_path / name)


def test_a_folder_in_an_output_ends_in_a_slash(tmp_path: Path) -> None:
    """So it isn't taken for a file."""
    (tmp_path / "out/a").mkdir(parents=True)
    assert [f"out: {NOTHING}, only a/. {GIVE}"] == lines_on(tmp_path / "out")


def test_only_the_source_that_knows_an_output_says_what_is_wrong(tmp_path: Path) -> None:
    """The others would only say that it isn't theirs."""
    write_eval(tmp_path / "logs", log(["C"], status="error"))
    (tmp_path / "old").mkdir()
    (tmp_path / "old/results.json").write_text("{}")
    (tmp_path / "report.json").write_text('{"evaluations": [], "schema_version": 2}')
    (tmp_path / "suites/runs/v1/unfinished").mkdir(parents=True)
    write_run(tmp_path / "new", {"quiz": [1] * 4})
    (results,) = (tmp_path / "new").rglob("results_*.json")

    for path, expected in {
        "logs": "its status is error, with 1 of 1 samples, and only whole runs count",
        "old": "as lm-eval 0.4.2 and older wrote it",
        "report.json": "isn't a report of this tool: $.schema_version: this is 2",
        "suites": "holds no suite with a finished run",
        str(results): "is a results file of lm-eval. Give its folder, which has the samples too",
    }.items():
        (line,) = lines_on(tmp_path / path)
        assert expected in line


def test_a_folder_that_is_called_runs_is_not_always_helms(tmp_path: Path) -> None:
    """The advice to give the folder above is for suites of HELM."""
    write_json(tmp_path / "runs/main", log(["C"]))

    (entry,) = sources.first_entries(tmp_path / "runs/main", shown_as="runs/main")
    assert entry.yaml.startswith("eval_type: inspect\n")


ENTRIES: dict[str, tuple[dict[str, str], str]] = {
    "helm": ({"helm_output_dir": "out", "helm_suite_name": "v1"}, "has neither runs/ nor releases"),
    "lm_eval": ({"lm_eval_output_dir": "out"}, "no results_TIME.json of lm-eval is in it"),
    "inspect": ({"inspect_log_dir": "out"}, "no log of Inspect"),
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_entry_of_another_harness_is_named(
    kind: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error has the line of the path, and how the entry that can read it begins."""
    if kind == "inspect":
        write_run(workspace / "out", {"quiz": [1] * 4})
        other = "eval_type: lm_eval, lm_eval_output_dir: out"
    else:
        write_json(workspace / "out", log(["C"]))
        other = "eval_type: inspect, inspect_log_dir: out"
    keys, expected = ENTRIES[kind]
    config: dict[str, Any] = {"project": "p", "evals": [{"eval_type": kind, **keys}]}
    (workspace / "c.yaml").write_text(json.dumps(config))

    assert 3 == cli.main(["--config", "c.yaml", "--print-only"], root=ROOT)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("error: c.yaml:1:")
    assert expected in first
    assert second.endswith(f": another entry can read it: {other}")
