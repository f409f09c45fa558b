"""The action's image: how large it is, and how long a step takes next to an idle container."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.e2e.base_image import base_image
from tests.e2e.engine import Engine, engine
from tests.e2e.image import built
from tests.e2e.runner import Runner, prepared

ROUNDS = 15
"""The best of these counts: whatever else the machine does only adds to it."""
MOST_MEGABYTES = 245
MOST_SECONDS = 0.35
"""Time of print-only above that of `docker run … python -c pass`."""
_IDLE = ("--entrypoint", "/opt/helm-wandb/bin/python")


def tables() -> tuple[Table, Table]:
    """The sizes and the times, of one image on one engine."""
    with engine() as found:
        base = base_image(found)
        with (
            built(found, base) as image,
            tempfile.TemporaryDirectory(prefix="helm-wandb-bench-") as folder,
        ):
            runner = Runner(engine=found, image=image, folder=Path(folder))
            return _sizes(found, base, image), _times(prepared(runner))


def _sizes(found: Engine, base: str, image: str) -> Table:
    whole, below = _megabytes(found, image), _megabytes(found, base)
    table = Table(title=f"Image (at most {MOST_MEGABYTES} MB)")
    for label in ("what", "MB"):
        table.add_column(label, justify="left" if label == "what" else "right")
    for label, megabytes in ((f"base, {base}", below), ("image", whole), ("ours", whole - below)):
        table.add_row(label, f"{megabytes:.0f}")
    return table


def _megabytes(found: Engine, image: str) -> float:
    (facts,) = json.loads(found.ask("inspect", image))
    return float(facts["Size"]) / 1e6


def _times(runner: Runner) -> Table:
    """The best of several runs of both, taken in turns."""
    idle = step = float("inf")
    for _ in range(ROUNDS):
        idle = min(idle, runner.step(*_IDLE, arguments=("-c", "pass")).seconds)
        step = min(step, runner.step(config="config.yaml").seconds)
    table = Table(title=f"docker run (print-only: at most {MOST_SECONDS:.2f} s over python)")
    for label in ("what", "seconds", "over python"):
        table.add_column(label, justify="left" if label == "what" else "right")
    table.add_row("python -c pass", f"{idle:.2f}", "")
    table.add_row("print-only, six iterations", f"{step:.2f}", f"{step - idle:.2f}")
    return table


def main() -> None:
    """Print them."""
    for table in tables():
        Console(file=sys.stdout, width=100).print(table)


if __name__ == "__main__":
    main()
