"""The table of HELM's schemas, and the command that makes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from zipfile import ZipFile

import msgspec
import pytest

from helm_wandb.comparing.helm_schemas import Boards
from release import boards

from .conftest import DATA, ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel as HELM's, with small schemas and another file."""
    path = tmp_path / "crfm_helm-1.2.3-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        for schema in (DATA / "boards").iterdir():
            archive.write(schema, f"helm/benchmark/static/{schema.name}")
        archive.writestr("helm/benchmark/static/contamination.yaml", "")
    return path


def test_the_table_is_made_of_a_wheel(wheel: Path) -> None:
    """Each schema becomes its benchmarks, metrics, perturbations and groups; classic is first."""
    expected = """\
{
 "helm": "1.2.3",
 "schemas": {
  "classic": {
   "benchmarks": {
    "mmlu": ["exact_match", "test"],
    "copyright_text": ["", "test"]
   },
   "metrics": {
    "exact_match": ["EM", false],
    "edit_similarity": ["Edit sim.", true]
   },
   "perturbations": {
    "robustness": "Robustness"
   },
   "separate_groups": ["ablation_prompts"]
  },
  "lite": {},
  "zoo": {
   "benchmarks": {
    "images": ["edit_similarity", "valid"],
    "cards.zoo.es": ["rougeL", "__all__"]
   },
   "metrics": {
    "edit_similarity": ["Edit sim.", false],
    "rougeL": ["ROUGE-L", null],
    "num_instances": ["num_instances", null]
   },
   "unsplit": ["rougeL"]
  }
 }
}
"""
    assert expected == boards.text_of(boards.boards_of(wheel))


def test_the_committed_table_is_as_the_command_writes_it() -> None:
    """It is read without a fault, nothing in it is unknown, and no byte was changed by hand."""
    text = (ROOT / boards.BOARDS).read_text("utf-8")

    assert text == boards.text_of(msgspec.json.decode(text, type=Boards))


def test_the_committed_table_has_all_boards() -> None:
    """Every schema of the release is there, with benchmarks, and each main metric has a label."""
    schemas = json.loads((ROOT / boards.BOARDS).read_text("utf-8"))["schemas"]

    assert 37 == len(schemas)
    assert 527 == sum(len(one["benchmarks"]) for one in schemas.values())
    assert [("classic", "calibration")] == [
        (name, benchmark)
        for name, one in schemas.items()
        for benchmark, (main, _) in one["benchmarks"].items()
        if main and main not in one["metrics"]
    ]


def test_no_release_is_no_table(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """If pip has no such release, its message and exit code are the command's, nothing is lost."""
    assert boards.main("not-a-version", tmp_path)
    assert "not-a-version" in capfd.readouterr().err
    assert [] == list(tmp_path.iterdir())
