"""Prints every measure of one run side by side."""

from __future__ import annotations

import compileall
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import (
    helm_suite,
    image,
    intervals_simulation,
    repeats_simulation,
    report_size,
    wandb_writing,
)

ROOT = Path(__file__).parent.parent
ARCHIVE = ROOT / "tests/data/helm/baseline.tar.gz"
MANY, FEW = 2_000, 200
WIDTH = 140
READINGS = (
    ("instances_bytes", "per-instance files: bare bytes", "instances_json"),
    ("instances_json", "per-instance files: json.load", "instances_json"),
    ("instances_ours", "per-instance files: ours, one core", "instances_json"),
    ("inputs_json", "input texts hashed: json.load", "inputs_json"),
    ("inputs_ours", "input texts hashed: ours, one core", "inputs_json"),
    ("runs_ours_on_one_core", "both, ours, one core", "runs_ours_on_one_core"),
    ("runs_ours", "both, ours, all cores", "runs_ours_on_one_core"),
    ("whole_reading_on_one_core", "the whole reading, one core", "whole_reading_on_one_core"),
    ("whole_reading", "the whole reading, all cores", "whole_reading_on_one_core"),
)
"""Measure, what it is, and with which other its speed is compared."""
START_UPS = (
    ("imports alone", ["-c", "import yaml, jsonschema, msgspec, jinja2, rich"]),
    ("print-only", ["wandb_writer.py", "--config", "configs/mymodel_example.yaml", "--print-only"]),
)
READING_ROUNDS = 2
"""The best of these counts: whatever else the machine does only adds to it."""
ROUNDS = 15
SIMULATED = 500
"""Runs of each row, so that a share near 5 % is known to two points, either way."""


def measured(name: str, folder: Path) -> tuple[float, float, float]:
    """Return result, seconds, and peak memory in MB of a measure in a separate process."""
    command = [sys.executable, "-m", "bench.helm_reading", name, str(folder)]
    rounds = []
    for _ in range(READING_ROUNDS):
        done = subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        rounds.append(json.loads(done.stdout))
    result, seconds, megabytes = min(rounds, key=lambda one: float(one[1]))
    return result, seconds, megabytes


def reading(folder: Path) -> Table:
    """The measures of reading, each with its speed compared with json.load's or one core's."""
    found = {name: measured(name, folder) for name, _, _ in READINGS}
    table = Table(title=f"Reading HELM: {MANY} runs")
    for label in ("what", "result", "seconds", "times as fast", "peak MB"):
        table.add_column(label, justify="left" if label == "what" else "right")
    for name, label, reference in READINGS:
        result, seconds, megabytes = found[name]
        ratio = found[reference][1] / seconds
        table.add_row(label, f"{result:.10g}", f"{seconds:.2f}", f"{ratio:.2f}", f"{megabytes:.0f}")
    return table


def growth(few: Path, many: Path) -> str:
    """How the time grows from few runs to ten times as many."""
    ratio = measured("whole_reading", many)[1] / measured("whole_reading", few)[1]
    return f"From {FEW} to {MANY} runs ({MANY // FEW} times as many): {ratio:.1f} times the time"


def start_up() -> Table:
    """The best of several starts, print-only and the bare imports, taken in turns."""
    compileall.compile_dir(ROOT / "helm_wandb", quiet=1)
    best = dict.fromkeys((name for name, _ in START_UPS), float("inf"))
    for _ in range(ROUNDS):
        for name, arguments in START_UPS:
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT)
            best[name] = min(best[name], time.perf_counter() - start)
    table = Table(title="Start-up")
    for label in ("what", "milliseconds", "ratio to the imports"):
        table.add_column(label, justify="left" if label == "what" else "right")
    for name, seconds in best.items():
        table.add_row(name, f"{seconds * 1000:.0f}", f"{seconds / best['imports alone']:.2f}")
    return table


def main() -> None:
    """Build the suites, measure, print."""
    console = Console(width=WIDTH)
    with tempfile.TemporaryDirectory(prefix="helm-wandb-bench-") as name:
        few, many = Path(name, "few"), Path(name, "many")
        helm_suite.build(ARCHIVE, few, runs=FEW)
        helm_suite.build(ARCHIVE, many, runs=MANY)
        console.print(reading(many))
        console.print(growth(few, many))
    console.print(start_up())
    console.print(wandb_writing.writing())
    console.print(report_size.table())
    for table in image.tables():
        console.print(table)
    rows = intervals_simulation.rows(SIMULATED)
    for table in intervals_simulation.tables(rows):
        console.print(table)
    console.print(
        intervals_simulation.detectable_table(intervals_simulation.detectable_rows(SIMULATED))
    )
    console.print(intervals_simulation.report_table(intervals_simulation.report_rows(SIMULATED)))
    console.print(intervals_simulation.READING)
    console.print(repeats_simulation.table(SIMULATED))


if __name__ == "__main__":
    main()
