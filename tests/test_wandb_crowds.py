"""Several commands that write the same runs at once: nothing is lost silently.

`make test` runs one crowd, `make faults` all.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.wandb_runs.layout_names import MARK, run_id
from tests.rows import Results, make_rows, parametrize_rows, selected_rows
from tests.wandb_builders import (
    PROJECT,
    Desk,
    Done,
    board,
    curve,
    ended,
    reservations,
    scores,
    summary_id,
)
from tests.wandb_server import WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.wandb_server import Run

pytestmark = pytest.mark.enable_socket

AT_ONCE = 1
"""How many crowds run side by side: each is up to six processes of the SDK."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Crowd:
    """Jobs that begin at nearly the same time, and how their server is meanwhile."""

    name: str
    jobs: Sequence[Sequence[dict[str, Any]]]
    """The entries of each."""
    latency_seconds: float = 0.0
    pause_seconds: float = 0.0
    """Between their beginnings."""
    fault: Mapping[str, Any] | None = None
    """What happens to some requests: the fields of a fault of the server."""

    def __str__(self) -> str:
        """As pytest shows it."""
        return self.name


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What came of a crowd."""

    done: Sequence[Done]
    copies: Sequence[frozenset[str]]
    """The ids of the runs of which each keeps a copy."""
    runs: Mapping[str, Run]
    ranked: frozenset[str]
    """The models on the leaderboard."""
    unknown: Sequence[object]
    aliases: frozenset[str] = frozenset()
    """Those of all reports."""

    def reports(self, model: str) -> list[list[str]]:
        """The scores of each report that a reader finds of a model."""
        listed = json.loads(self.runs[summary_id(model)].summary[MARK])["reports"]
        return [one["scores"] for one in listed if f"part-of-local-{one['part']}" in self.aliases]

    def lost(self, crowd: Crowd) -> list[str]:
        """What jobs that ended well had, and W&B does not have."""
        silent = [
            job for job, done in zip(crowd.jobs, self.done, strict=True) if not done.exit_code
        ]
        return [
            f"{name} of {entry['model_name']} {entry['default_iteration']} in {kind}"
            for job in silent
            for entry in job
            for name, metrics in entry["eval_result"].items()
            for kind in ("summary", name)
            if not self._holds(entry, {f"{name}.{key}": metrics[key] for key in metrics}, kind)
        ]

    def _holds(self, entry: Mapping[str, Any], values: Mapping[str, float], kind: str) -> bool:
        run = self.runs.get(run_id("local", entry["model_name"], kind))
        return values.items() <= curve(run).get(entry["default_iteration"], {}).items()


def of_iterations(jobs: int) -> list[list[dict[str, Any]]]:
    """Jobs with an iteration each of one model."""
    return [[scores("alpha", number, mmlu=number / 8)] for number in range(1, jobs + 1)]


def of_benchmarks(jobs: int) -> list[list[dict[str, Any]]]:
    """Jobs with a benchmark each of one iteration of one model."""
    return [[scores("alpha", 1, **{name: 0.25})] for name in ("mmlu", "raft", "quac")[:jobs]]


def of_models(jobs: int) -> list[list[dict[str, Any]]]:
    """Jobs with a model each."""
    return [[scores(f"model-{number}", 1, mmlu=0.25)] for number in range(jobs)]


def of_same(jobs: int) -> list[list[dict[str, Any]]]:
    """Jobs with the same results."""
    return [[scores("alpha", 1, mmlu=0.25)]] * jobs


CROWDS = (
    *(
        Crowd(
            name=f"{kind.__name__}-3-latency-{latency}-pause-{pause}",
            jobs=kind(3),
            latency_seconds=latency,
            pause_seconds=pause,
        )
        for kind in (of_iterations, of_benchmarks, of_models, of_same)
        for latency in (0.0, 0.1)
        for pause in (0.0, 0.3)
    ),
    Crowd(name="of_iterations-6", jobs=of_iterations(6), latency_seconds=0.1),
    Crowd(name="of_models-6", jobs=of_models(6), latency_seconds=0.1),
)
QUICK = "of_iterations-3-latency-0.1-pause-0.3"
"""The crowd that `make test` runs."""
SLOW_SECONDS = 6.0
"""More than a job needs for all of its runs, and less than it waits for an answer."""
SLOW = tuple(
    Crowd(
        name=f"{match}-{after}-late",
        jobs=of_iterations(3),
        # The first job is at it when the others come.
        pause_seconds=0.5,
        fault={"match": match, "after": after, "times": 1, "delay_seconds": SLOW_SECONDS},
    )
    # The first job writes two runs at once, and then the leaderboard.
    for match, after in (
        ("UpsertBucket", 0),  # makes a run
        ("UpsertBucket", 2),  # begins it
        ("RunResumeStatus", 0),
        ("CreateRunFiles", 0),
        ("upload", 0),  # stores the reservation
        ("RunFiles", 0),
        ("RunFiles", 3),  # lists the reservations
        ("Run", 3),  # the look under a reservation
        ("file_stream", 0),
        ("file_stream", 1),
        ("file_stream", 3),  # what the files are confirmed with
        ("deleteFiles", 0),
        ("deleteFiles", 2),
    )
)
STUCK = Crowd(
    name="stuck",
    jobs=of_iterations(3),
    pause_seconds=1.0,
    fault={"match": "file_stream", "times": 4, "hang": True},
)
"""The rows of the first job are never answered; by the time it gives up the others wait."""


def ended_crowd(crowd: Crowd, folder: Path) -> Ended:
    """Run the command of each job, all at once."""
    with WandbServer(latency_seconds=crowd.latency_seconds) as server:
        if crowd.fault:
            server.fault(**crowd.fault)
        desks = [
            Desk(folder=folder / str(number), base_url=server.url)
            for number in range(len(crowd.jobs))
        ]
        processes = []
        began = time.monotonic()
        for desk, entries in zip(desks, crowd.jobs, strict=True):
            desk.configure(*entries, leaderboard=True)
            processes.append(desk.begin())
            time.sleep(crowd.pause_seconds)
        with ThreadPoolExecutor(len(processes)) as pool:
            done = list(pool.map(partial(ended, began=began), processes))
        there = run_id("local", "leaderboard", "leaderboard") in server.runs(PROJECT)
        return Ended(
            done=done,
            copies=[frozenset(desk.waiting()) for desk in desks],
            runs=server.runs(PROJECT),
            ranked=frozenset(row["model"] for row in board(server)) if there else frozenset(),
            unknown=server.unknown,
            aliases=frozenset(
                alias
                for versions in server.artifacts(PROJECT).values()
                for one in versions
                for alias in one.aliases
            ),
        )


@pytest.fixture(scope="module")
def crowds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Results[Crowd, Ended]]:
    """What came of each crowd that a selected test is about."""
    rows = selected_rows(request, "crowd", [*CROWDS, *SLOW, STUCK])
    folder = tmp_path_factory.mktemp("crowds")
    with make_rows(rows, ended_crowd, folder, at_once=AT_ONCE) as results:
        yield results


def of_crowds(crowds: Sequence[Crowd]) -> pytest.MarkDecorator:
    """A test of each of these crowds."""
    quick = [crowd for crowd in crowds if crowd.name == QUICK]
    return parametrize_rows("crowd", crowds, quick=quick)


@of_crowds([*CROWDS, *SLOW, STUCK])
def test_jobs_at_once_lose_nothing_silently(crowds: Results[Crowd, Ended], crowd: Crowd) -> None:
    """What a job had that ended well is in W&B, whichever request of whichever job is late."""
    found = crowds[crowd]

    assert [] == found.lost(crowd)
    assert [] == found.unknown
    assert {0, 5} >= {one.exit_code for one in found.done}, [one.stderr for one in found.done]


@of_crowds([*CROWDS, *SLOW])
def test_jobs_at_once_all_end_well(crowds: Results[Crowd, Ended], crowd: Crowd) -> None:
    """Of jobs that meet at healthy runs each succeeds, and the runs are whole."""
    found = crowds[crowd]

    assert [""] * len(crowd.jobs) == [one.stderr for one in found.done]
    assert {"finished"} == {run.state for run in found.runs.values()}
    assert all(MARK in run.summary for run in found.runs.values())
    assert [] == [name for run in found.runs.values() for name in reservations(run)]


@of_crowds([STUCK])
def test_job_that_gives_up_lets_the_others_in(crowds: Results[Crowd, Ended], crowd: Crowd) -> None:
    """The one whose rows are not answered says so and keeps a copy; the others end well."""
    found = crowds[crowd]
    ((stuck, copies),) = (
        (one, kept) for one, kept in zip(found.done, found.copies, strict=True) if one.exit_code
    )

    assert 5 == stuck.exit_code
    assert "a copy is kept" in stuck.stderr
    assert {summary_id("alpha"), run_id("local", "alpha", "mmlu")} <= copies


@of_crowds([*CROWDS, *SLOW])
def test_jobs_at_once_are_all_ranked(crowds: Results[Crowd, Ended], crowd: Crowd) -> None:
    """The leaderboard that stays is of the models of all jobs, each at its latest iteration."""
    found = crowds[crowd]
    models = {entry["model_name"] for job in crowd.jobs for entry in job}

    assert models == found.ranked


@of_crowds([crowd for crowd in CROWDS if crowd.name.startswith("of_benchmarks")])
def test_jobs_at_once_keep_a_report_each(crowds: Results[Crowd, Ended], crowd: Crowd) -> None:
    """Jobs with a benchmark each of one model leave the reports of all of its benchmarks."""
    expected = [[f"{name}.{'F1' if name == 'quac' else 'EM'}"] for name in ("mmlu", "quac", "raft")]

    assert expected == sorted(crowds[crowd].reports("alpha"))


def latest(run: Run) -> int:
    """The iteration that a run's record says a leaderboard is to show."""
    iteration: int = json.loads(run.summary[MARK])["latest"]["iteration"]
    return iteration


@of_crowds([*CROWDS, *SLOW, STUCK])
def test_record_of_jobs_at_once_has_all_of_them(
    crowds: Results[Crowd, Ended], crowd: Crowd
) -> None:
    """What readers of the leaderboard get is the latest iteration of the jobs that ended well."""
    found = crowds[crowd]
    silent = [job for job, done in zip(crowd.jobs, found.done, strict=True) if not done.exit_code]
    for model in {entry["model_name"] for job in silent for entry in job}:
        iterations = [
            entry["default_iteration"]
            for job in silent
            for entry in job
            if entry["model_name"] == model
        ]

        assert latest(found.runs[summary_id(model)]) >= max(iterations)
