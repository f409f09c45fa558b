"""The memory that reading and publishing a report takes, whoever wrote it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from bench import report_size
from helm_wandb.report import reading, to_json
from tests import builders
from tests.conftest import ROOT
from tests.hostile_reports import HISTORIES, SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="needs Linux's /proc"
)

_REPRESENTATIVE = frozenset(
    {
        "lists in lists",
        "the same keys",
        "one wide text",
        "scores",
        "fingerprints",
        "instances",
        "one column",
    }
)
"""Kinds that `make test` tries; the others are for the whole run."""
ROWS = [
    pytest.param(name, id=name, marks=() if name in _REPRESENTATIVE else pytest.mark.full)
    for name in SHAPES
]
_MEASURED = """
import sys
from pathlib import Path
from helm_wandb import action, baselines
from helm_wandb.comparing import changed_instances, verdicts
from helm_wandb.errors import InputError
from helm_wandb.report import reading, writing
from helm_wandb.sources.report import from_report


def memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def publish():
    inputs = {"INPUT_FROM-REPORT": "their.json", "INPUT_BASELINE": "their.json"}
    outputs = {"INPUT_HTML": "page.html", "GITHUB_STEP_SUMMARY": "summary.md"}
    return f"exit code {action.main(inputs | outputs, root=Path(sys.argv[2]))}"


def read():
    try:
        return f"{len(from_report('their.json', folder=Path()).evaluations)} evaluations"
    except InputError as error:
        return str(error)


def compare():
    try:
        found = baselines.read_baseline_file("their.json", folder=Path(), named_by="--baseline")
        return f"{len(found.history)} metrics"
    except InputError as error:
        return str(error)


before = memory("VmRSS")
outcome = {"compare": compare, "publish": publish, "read": read}[sys.argv[1]]()
Path("measured").write_text(f"{memory('VmHWM') - before} {outcome}")
"""
"""Reads or publishes their.json in a new process, and writes by how much its memory grew."""


def measured(what: str, folder: Path) -> tuple[int, str]:
    """Return by how many bytes a process grows at most, and what comes of it.

    what: `read` the report in the folder, `publish` it, or `compare` with it.
    """
    subprocess.run(
        [sys.executable, "-c", _MEASURED, what, str(ROOT)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    grown, outcome = (folder / "measured").read_text().split(" ", 1)
    return int(grown), outcome


def measured_with(make: Callable[[], str], what: str, folder: Path) -> tuple[int, int, str]:
    """Return the size of a report that is made so, the memory that it took, and the outcome."""
    path = folder / "their.json"
    path.write_text(make())
    return path.stat().st_size, *measured(what, folder)


@pytest.mark.parametrize("name", ROWS)
def test_a_hostile_report_fills_no_memory(name: str, tmp_path: Path) -> None:
    """Reading takes three times the file at most, or 64 MiB and a small file."""
    make, refusal = SHAPES[name]
    size, grown, outcome = measured_with(make, "read", tmp_path)

    assert grown <= max(3 * size, size + reading.LEAST_MEMORY_BYTES)
    assert (
        f"their.json isn't a report of this tool: {refusal}" if refusal else "1 evaluations"
    ) in (outcome)


@pytest.mark.parametrize("name", HISTORIES)
def test_a_hostile_history_fills_no_memory(name: str, tmp_path: Path) -> None:
    """A baseline with a history takes no more than one without."""
    make, refusal = HISTORIES[name]
    size, grown, outcome = measured_with(make, "compare", tmp_path)

    assert grown <= max(3 * size, size + reading.LEAST_MEMORY_BYTES)
    assert f"their.json isn't a report of this tool: {refusal}" in outcome


def test_publishing_takes_no_more_than_three_times_the_report(tmp_path: Path) -> None:
    """A whole run, with a baseline of the same size, an HTML report and a job summary."""
    one = report_size.evaluation("both", 1)
    models = [replace(one, model=f"model-{at}") for at in range(4)]
    report = to_json(builders.report(models))
    (tmp_path / "their.json").write_bytes(report)

    grown, outcome = measured("publish", tmp_path)

    assert "exit code 0" == outcome
    assert grown <= 3 * len(report)
