"""Prints every measure of one run side by side."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.table import Table

from bench import (
    averaging_simulation,
    goals,
    helm_suite,
    image,
    intervals_simulation,
    lm_eval_reading,
    models_that_differ,
    repeats_simulation,
    report_size,
    wandb_writing,
    whole_way,
)
from bench.goals import Goal

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent
ARCHIVE = ROOT / "tests/data/helm/baseline.tar.gz"
MANY, FEW = 2_000, 200
WIDTH = 140
READINGS = (
    ("instances_bytes", "per-instance files: bare bytes", "instances_json"),
    ("instances_json", "per-instance files: json.load", "instances_json"),
    ("instances_decoded", "per-instance files: decoded by msgspec", "instances_json"),
    ("instances_ours", "per-instance files: ours, one core", "instances_json"),
    ("inputs_json", "input texts hashed: json.load", "inputs_json"),
    ("inputs_ours", "input texts hashed: ours, one core", "inputs_json"),
    ("runs_ours_on_one_core", "both, ours, one core", "runs_ours_on_one_core"),
    ("runs_ours", "both, ours, all cores", "runs_ours_on_one_core"),
    ("whole_reading_on_one_core", "the whole reading, one core", "whole_reading_on_one_core"),
    ("whole_reading", "the whole reading, all cores", "whole_reading_on_one_core"),
)
"""Measure, what it is, and with which other its speed is compared."""
READING_ROUNDS = 2
"""The best of these counts: whatever else the machine does only adds to it."""
SIMULATED = 500
"""Runs of each row, so that a share near 5 % is known to two points, either way."""


class Reading(NamedTuple):
    """A measure in a separate process, whose peak counts all processes."""

    result: float
    seconds: float
    megabytes: float
    cpu_seconds: float


def measured(name: str, folder: Path) -> Reading:
    """Return the best of some rounds of a measure."""
    command = [sys.executable, "-m", "bench.helm_reading", name, str(folder)]
    rounds = []
    for _ in range(READING_ROUNDS):
        done = subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        rounds.append(Reading(*json.loads(done.stdout)))
    return min(rounds, key=lambda one: one.seconds)


def reading(found: Mapping[str, Reading]) -> Table:
    """The measures of reading, each with its speed compared with json.load's or one core's."""
    table = Table(title=f"Reading HELM: {MANY} runs")
    for label in ("what", "result", "seconds", "times as fast", "peak MB"):
        table.add_column(label, justify="left" if label == "what" else "right")
    for name, label, reference in READINGS:
        result, seconds, megabytes, _ = found[name]
        ratio = found[reference].seconds / seconds
        table.add_row(label, f"{result:.10g}", f"{seconds:.2f}", f"{ratio:.2f}", f"{megabytes:.0f}")
    return table


def growth(few: Path, many: Path) -> str:
    """How the time grows from few runs to ten times as many."""
    ratio = measured("whole_reading", many).seconds / measured("whole_reading", few).seconds
    return f"From {FEW} to {MANY} runs ({MANY // FEW} times as many): {ratio:.1f} times the time"


def reading_goals(found: Mapping[str, Reading]) -> list[Goal]:
    """Compare our reading with bare decoding, and two cores with one."""
    decoded, ours = found["instances_decoded"], found["instances_ours"]
    one_core, all_cores = found["whole_reading_on_one_core"], found["whole_reading"]
    return [
        Goal(
            what="per-instance files: msgspec's bare decode / ours, one core",
            value=decoded.cpu_seconds / ours.cpu_seconds,
            goal=0.8,
            is_least=True,
        ),
        Goal(
            what="the whole reading: one core / two (by the clock: needs an idle machine)",
            value=one_core.seconds / all_cores.seconds,
            goal=1.6,
            unit="×",
            is_least=True,
        ),
    ]


def main() -> int:
    """Build the suites, measure, print; return 1 if a goal or a simulated requirement is missed."""
    console = Console(width=WIDTH)
    with tempfile.TemporaryDirectory(prefix="helm-wandb-bench-") as name:
        few, many = Path(name, "few"), Path(name, "many")
        helm_suite.build(ARCHIVE, few, runs=FEW)
        helm_suite.build(ARCHIVE, many, runs=MANY)
        found = {measure: measured(measure, many) for measure, _, _ in READINGS}
        console.print(reading(found))
        console.print(growth(few, many))
        measured_goals = [
            whole_way.start(),
            *models_that_differ.goals(),
            *reading_goals(found),
            lm_eval_reading.goal(),
            *whole_way.goals(Path(name, "whole")),
        ]
    console.print(goals.table(measured_goals))
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
    of_repeats = repeats_simulation.rows(SIMULATED)
    console.print(repeats_simulation.table(of_repeats))
    of_averages = averaging_simulation.rows(SIMULATED)
    console.print(averaging_simulation.table(of_averages))
    is_unmet = "no" in {*(row.met for row in of_repeats), *(row.met for row in of_averages)}
    return int(is_unmet or any(one.is_missed for one in measured_goals))


if __name__ == "__main__":
    sys.exit(main())
