"""HELM output as people have it, from the config to the report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from helm_wandb import cli

from .conftest import DATA, ROOT

CASES = DATA / "cases"
"""Configs and the suites that they read."""


def report_of(config: Path, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    """The report of a run that reads the config's folder."""
    report = config.parent / "report.json"
    options = ["--print-only", "--config", str(config), "--report", str(report), *arguments]
    assert exit_code == cli.main(options, root=ROOT)
    return dict(json.loads(report.read_text()))


def copied_case(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The case's files in a folder, which is the current one."""
    case = folder / name
    shutil.copytree(CASES / name, case)
    monkeypatch.chdir(case)
    return case


@pytest.mark.parametrize("config", ["c.yaml", "c2.yaml"])
def test_a_partial_model_alone_is_unranked(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of five models with one metric, the one that lacks two subjects of it has no rank."""
    case = copied_case("partial-only-metric", tmp_path, monkeypatch)

    rows = report_of(case / config)["leaderboard"]["rows"]

    assert [(1, 0.731), (2, 0.646), (3, 0.546), (4, 0.381), (None, None)] == [
        (row["rank"], row["mean"] and round(row["mean"], 3)) for row in rows
    ]
    assert "groq/llama3-70b-8192" == rows[-1]["model"]
    assert (
        "it lacks metrics of the mean: mmlu.EM (over 55 of 57 subjects)" == (rows[-1]["unranked"])
    )


def test_an_upgrade_of_helm_changes_no_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HELM of 2023 against 0.5 of 2025: the same answers to the same questions are compared."""
    case = copied_case("helm-upgrade", tmp_path, monkeypatch)
    report_of(case / "before.yaml")
    (case / "report.json").rename(case / "before.json")

    (compared,) = report_of(case / "after.yaml", "--baseline", "before.json")["comparisons"]
    (delta,) = compared["deltas"]

    assert {} == compared["not_comparable"]
    assert ("mmlu.EM", 9, 0, 0) == tuple(delta[key] for key in ("metric", "n", "better", "worse"))
