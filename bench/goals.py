"""What is measured next to its goal."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

TOLERANCE = 1.25
"""By how much a ratio may miss its goal: the rest of the machine disturbs the two differently."""


class Goal(Struct, frozen=True, kw_only=True):
    """A measured value and its goal."""

    what: str
    value: float
    goal: float
    unit: str = ""
    """Empty for a ratio of two measures of one run, which doesn't depend on the machine."""
    is_least: bool = False
    """Whether the goal is the least value; otherwise it is the largest."""

    @property
    def is_missed(self) -> bool:
        """Whether it is a ratio that misses its goal by more than the tolerance."""
        excess = self.goal / self.value if self.is_least else self.value / self.goal
        return not self.unit and excess > TOLERANCE


class Cost(Struct, frozen=True):
    """What a process cost, and those that it waited for."""

    cpu_seconds: float
    peak_megabytes: float
    """The peak of the largest process."""


def cpu_seconds() -> float:
    """Return the time of all cores that this process has used, with those that it waited for."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def cost(arguments: Sequence[str], *, folder: Path) -> Cost:
    """Return what Python costs with these arguments in the folder; raise RuntimeError if it fails.

    Exit codes up to 4 are results of a run.
    """
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    stderr = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in range(5):
        raise RuntimeError(f"{' '.join(arguments)}: {stderr.decode(errors='replace')}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def least(rounds: int, *measures: Callable[[], float]) -> list[float]:
    """Return the least of several rounds of each measure, taken in turns.

    Whatever else the machine does only adds to it.
    """
    return [min(values) for values in zip(*([one() for one in measures] for _ in range(rounds)))]  # noqa: B905 -- of one length


def table(goals: Iterable[Goal]) -> Table:
    """Return a row for each goal."""
    shown = Table(title="Goals (a ratio may miss its goal by a quarter)")
    for label in ("what", "measured", "goal", ""):
        shown.add_column(label, justify="left" if label in ("what", "") else "right")
    for one in goals:
        unit, bound = one.unit and f" {one.unit}", "≥" if one.is_least else "≤"
        value, goal = f"{one.value:.3g}{unit}", f"{bound} {one.goal:g}{unit}"
        shown.add_row(one.what, value, goal, "missed" if one.is_missed else "")
    return shown
