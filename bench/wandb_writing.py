"""Writing runs to W&B: one after another, many at once, and again with nothing to do.

The real SDK writes to the tests' W&B server, which takes its time for each request.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from helm_wandb.model import Config
from helm_wandb.system.budget import Budget
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.sdk.messages import THREADS
from helm_wandb.wandb_runs.sdk.session import Session
from helm_wandb.wandb_runs.sink import WandbRuns
from tests.builders import evaluation, report
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from helm_wandb.model import Report

ROOT = Path(__file__).parent.parent
PROJECT = "bench"
LATENCY_SECONDS = 0.15
MODELS, BENCHMARKS, ITERATIONS = 4, 16, 10
ONE, MANY = 1, THREADS
"""How many runs are written at once; many is what the sink does by itself."""
ROUNDS = 2
"""The best of these counts: whatever else the machine does only adds to it."""
MOST_REQUESTS_A_RUN = 10
MOST_SECONDS = 12.0
MOST_SECONDS_AGAIN = 1.0
"""Goals: of many at once, and of the same results again."""
NO_LIMIT_SECONDS = 3600.0
"""One after another takes longer than a job would wait for."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A report's way to W&B, from the start of the SDK's process to its end."""

    runs: int
    """That were written to."""
    requests: int
    seconds: float
    megabytes: float
    """Peak memory of the SDK's processes, the peaks of all added up."""


def writing() -> Table:
    """The recordings, each with its speed compared with one after another."""
    one, _ = _best(ONE)
    many, again = _best(MANY)
    size = f"{MODELS} models × {BENCHMARKS + 1} runs, {LATENCY_SECONDS * 1000:.0f} ms a request"
    table = Table(title=f"Writing to W&B: {size}")
    columns = ("what", "runs", "requests", "a run", "seconds", "times as fast", "peak MB", "goal")
    for label in columns:
        table.add_column(label, justify="left" if label in ("what", "goal") else "right")
    for label, found, goal in (
        ("one after another", one, ""),
        (f"{MANY} at once", many, f"≤ {MOST_REQUESTS_A_RUN} a run, ≤ {MOST_SECONDS:.0f} s"),
        ("again, nothing to do", again, f"≤ {MOST_SECONDS_AGAIN:.0f} s"),
    ):
        table.add_row(
            label,
            str(found.runs),
            str(found.requests),
            f"{found.requests / found.runs:.1f}" if found.runs else "–",
            f"{found.seconds:.2f}",
            f"{one.seconds / found.seconds:.2f}" if found.runs else "–",
            f"{found.megabytes:.0f}",
            goal,
        )
    return table


def _best(threads: int) -> tuple[Recording, Recording]:
    """The first and the second recording, the best of some rounds each.

    One after another takes a minute, of which noise is too small a part to repeat it.
    """
    command = [sys.executable, "-m", "bench.wandb_writing", str(threads)]
    rounds = []
    for _ in range(ROUNDS if threads > 1 else 1):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
        rounds.append([Recording(**recording) for recording in json.loads(done.stdout)])
    first, second = (min(each, key=lambda one: one.seconds) for each in zip(*rounds, strict=True))
    return first, second


def _recorded(server: WandbServer, folder: Path, threads: int) -> Recording:
    before = len(server.requests)
    start = time.perf_counter()
    with Session(
        base_url=server.url, api_key=API_KEY, entity=None, budget=Budget(NO_LIMIT_SECONDS)
    ) as session:
        sink = WandbRuns(
            config=_config(server),
            summary_only=False,
            folder=folder,
            project=WandbProject(session=session, name=PROJECT, tracks=frozenset()),
            threads=threads,
            writing_seconds=NO_LIMIT_SECONDS,
        )
        sink.deliver(_report())
        megabytes = sum(map(_peak_megabytes, _descendants("self")))
    seconds = time.perf_counter() - start
    requests = server.requests[before:]
    written = {request.run for request in requests if request.operation == "UpsertBucket"}
    return Recording(
        runs=len(written), requests=len(requests), seconds=seconds, megabytes=megabytes
    )


def _report() -> Report:
    """Scores of models at some iterations."""
    return report(
        [
            evaluation(
                f"bench/model-{model}",
                iteration,
                {
                    f"benchmark_{place}.EM": 1 / (1 + iteration + place)
                    for place in range(BENCHMARKS)
                },
            )
            for model in range(MODELS)
            for iteration in range(ITERATIONS)
        ]
    )


def _config(server: WandbServer) -> Config:
    return Config(
        project=PROJECT,
        entity=None,
        base_url=server.url,
        evals=(),
        leaderboard=False,
        leaderboard_metrics=(),
        excluded_models=frozenset(),
    )


def _descendants(process: str) -> Iterable[str]:
    """The processes that a process has started, and those that they have."""
    tasks = Path("/proc", process, "task").glob("*/children")
    children = list(chain.from_iterable(task.read_text().split() for task in tasks))
    return chain(children, *map(_descendants, children))


def _peak_megabytes(process: str) -> float:
    status = Path("/proc", process, "status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line)


def main(threads: str) -> None:
    """Print two recordings of the same report in a new project."""
    with (
        WandbServer(latency_seconds=LATENCY_SECONDS) as server,
        tempfile.TemporaryDirectory(prefix="helm-wandb-bench-") as folder,
    ):
        found = [_recorded(server, Path(folder), int(threads)) for _ in range(2)]
    sys.stdout.write(json.dumps([asdict(recording) for recording in found]))


if __name__ == "__main__":
    main(*sys.argv[1:])
