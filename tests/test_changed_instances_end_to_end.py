"""Which questions were lost, from HELM's own files to the report JSON and the pages."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from helm_wandb import cli
from tests.conftest import ROOT
from tests.test_cli import write_config
from tests.test_comparing_end_to_end import against, comparison, runs, trees

__all__ = ["trees"]

pytestmark = pytest.mark.usefixtures("trees")


def changed_deltas(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Metric → delta, of those that have items."""
    return {one["metric"]: one for one in comparison(report)["deltas"] if "items" in one}


def texts(report: dict[str, Any], metric: str) -> list[tuple[str | None, ...]]:
    """The texts of a metric's items."""
    items = changed_deltas(report)[metric]["items"]
    return [tuple(item[name] for name in ("input", "reference", "answer")) for item in items]


def notes(report: dict[str, Any]) -> list[str]:
    """Notes about texts."""
    return [note for note in report["notes"] if note.startswith("Texts of changed instances")]


def states(tree: str, name: str) -> dict[str, Any]:
    """Instance id → the first request state of a run."""
    (run,) = runs(tree, name)
    found = json.loads((run / "scenario_state.json").read_text())["request_states"]
    return {state["instance"]["id"]: state for state in reversed(found)}


def test_flagged_benchmarks_name_their_questions() -> None:
    """Of the real pair: as many items as changed, the worst first, with the files' own texts."""
    found = changed_deltas(against("candidate", "baseline"))
    boolq, hellaswag = found["boolq.EM"], found["hellaswag.EM"]
    instances = states("candidate", "boolq")

    assert {"boolq.EM", "hellaswag.EM"} == found.keys()
    assert [(2, 15), (16, 1)] == [
        (
            sum(item["after"] > item["before"] for item in one["items"]),
            sum(item["after"] < item["before"] for item in one["items"]),
        )
        for one in (boolq, hellaswag)
    ]
    assert [(2, 15), (16, 1)] == [(one["better"], one["worse"]) for one in (boolq, hellaswag)]
    assert [(1.0, 0.0)] * 15 == [(item["before"], item["after"]) for item in boolq["items"][:15]]
    assert [
        (
            instances[item["id"]]["instance"]["input"]["text"],
            instances[item["id"]]["instance"]["references"][0]["output"]["text"],
            instances[item["id"]]["result"]["completions"][0]["text"].strip(),
        )
        for item in boolq["items"]
    ] == [(item["input"], item["reference"], item["answer"]) for item in boolq["items"]]


def test_a_right_answer_is_the_reference() -> None:
    """Of both benchmarks, questions that were won are answered as HELM's reference says."""
    found = changed_deltas(against("candidate", "baseline"))

    assert [True, True] == [
        all((item["answer"] == item["reference"]) == (item["after"] == 1) for item in one["items"])
        for one in found.values()
    ]


def test_pages_show_them() -> None:
    """The HTML report has all of them."""
    report = against("candidate", "baseline", "--html", "page.html")
    page = Path("page.html").read_text()
    changed = changed_deltas(report)["boolq.EM"]["items"]

    assert "boolq.EM: 15 questions got worse, 2 better (17)" in page
    assert all(re.search(rf">{item['id']}<", page) for item in changed)


def test_an_archive_has_texts_too() -> None:
    """Output that is packed is read as a folder is."""
    with tarfile.open("demo/helm/packed.tar.gz", "w:gz") as archive:
        archive.add("demo/helm/candidate", "candidate")

    assert texts(against("candidate", "baseline"), "boolq.EM") == texts(
        against("packed.tar.gz", "baseline"), "boolq.EM"
    )


def test_a_damaged_file_costs_the_texts_only() -> None:
    """The items stay, and a note names the file; the other benchmark has its texts."""
    (run,) = runs("candidate", "boolq")
    inputs = [state["instance"] for state in states("candidate", "boolq").values()]
    (run / "instances.json").write_text(json.dumps(inputs))
    (run / "scenario_state.json").write_text("{")
    report = against("candidate", "baseline")

    assert [(None, None, None)] * 17 == texts(report, "boolq.EM")
    assert all(map(all, texts(report, "hellaswag.EM")))
    assert 4 == report["exit code"]
    (note,) = notes(report)
    assert "scenario_state.json: unexpected content" in note


def test_a_report_has_answers_only() -> None:
    """Items of a candidate that another job's report has have its answers alone, and no note."""
    entry = {"eval_type": "helm", "source": "report", "path": "candidate.json"}
    config = write_config(Path(), entry)
    flags = ("--print-only", "--config", config, "--baseline", "baseline.json")
    code = cli.main([*flags, "--report", "report.json"], root=ROOT)
    report = json.loads(Path("report.json").read_text())

    assert 0 == code
    assert [(None, None)] * 17 == [found[:2] for found in texts(report, "boolq.EM")]
    assert ["Yes", "No"] == sorted({str(found[2]) for found in texts(report, "boolq.EM")})[::-1]
    assert [] == notes(report)


def test_items_have_both_answers() -> None:
    """Next to the candidate's answer stands the baseline's, as the baseline's report has it."""
    report = against("candidate", "baseline")
    sides = [states(tree, "boolq") for tree in ("baseline", "candidate")]
    items = changed_deltas(report)["boolq.EM"]["items"]

    assert [
        tuple(side[item["id"]]["result"]["completions"][0]["text"].strip() for side in sides)
        for item in items
    ] == [(item["baseline_answer"], item["answer"]) for item in items]
    assert all(item["baseline_answer"] != item["answer"] for item in items)


def test_nothing_of_texts_is_read_if_nothing_is_flagged() -> None:
    """A candidate that equals its baseline has no items."""
    report = against("baseline", "baseline")

    assert {} == changed_deltas(report)
    assert [] == notes(report)
