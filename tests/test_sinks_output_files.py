"""No output replaces what a run reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from helm_wandb.errors import InputError
from helm_wandb.model import EvalEntry, Place
from helm_wandb.render import badge, comment
from helm_wandb.render.html import html_report
from helm_wandb.report import json_pieces
from helm_wandb.sinks.output_files import BADGE, COMMENT, HTML, REPORT, OutputFile, refuse_unsafe
from tests import builders

PLACE = Place("config.yaml", 3, 5)


def entry(source: str, **fields: object) -> EvalEntry:
    """An entry with these keys."""
    return EvalEntry(source=source, fields=fields, path="$.evals[0]", place=PLACE)


HELM = entry("helm", helm_output_dir="out", helm_suite_name="v1", repeats=["more/*"])
REPORTS = entry("report", path="reports/**/*.json")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with an evaluation's output and a link to it."""
    monkeypatch.chdir(tmp_path)
    for name in ("out/runs/v1", "more/seed-2", "reports"):
        Path(name).mkdir(parents=True)
        Path(name, "stats.json").write_text("[]")
    Path("link").symlink_to("out")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("out/runs/v1/stats.json", "out"),
        ("link/runs/v1/../v1/stats.json", "out"),
        ("more/seed-2/stats.json", "more/seed-2"),
    ],
)
def test_a_file_of_an_evaluation_is_not_replaced(name: str, read: str) -> None:
    """Also if a link leads to it, or only a repeat has it."""
    with pytest.raises(InputError) as caught:
        refuse_unsafe([OutputFile(name, HTML)], [], [HELM])
    assert str(caught.value) == (
        f"{name}: {read} is read as an evaluation, and this file of it would be replaced. "
        "Give another file."
    )


@pytest.mark.parametrize("text", ["", '{\n "schema_version": 1'])
def test_an_earlier_report_is_replaced_in_an_output(text: str) -> None:
    """So are empty files; a new file may be written there too."""
    Path("out/report.json").write_text(text)
    refuse_unsafe([OutputFile("out/report.json", REPORT)], [], [HELM])
    refuse_unsafe([OutputFile("out/new.json", REPORT)], [], [HELM])


@pytest.mark.parametrize("name", ["reports/all.json", "reports/a/b/all.json"])
def test_no_output_is_read_by_the_next_run(name: str) -> None:
    """An entry whose glob matches the path would read what this run writes."""
    with pytest.raises(InputError) as caught:
        refuse_unsafe([OutputFile(name, REPORT)], [], [REPORTS])
    assert str(caught.value) == (
        f"{name}: 'reports/**/*.json' of config.yaml:3:5 matches it, so it would be read as an "
        "evaluation. Write it to another folder."
    )


@pytest.mark.parametrize("name", ["all.json", "reports/all.html", "reports/.hidden/all.json"])
def test_other_paths_are_free(name: str) -> None:
    """The glob doesn't match these."""
    refuse_unsafe([OutputFile(name, REPORT)], [], [REPORTS])


def test_every_output_begins_as_its_files_are_recognized_by() -> None:
    """So a second run can replace the first one's."""
    one = builders.report([])
    assert b"".join(json_pieces(one)).startswith(REPORT)
    assert html_report.render(one).encode().startswith(HTML)
    assert badge.render(one).encode().startswith(BADGE)
    assert comment.render(one, limit_bytes=comment.LIMIT_BYTES).encode().startswith(COMMENT)
