"""Commands that are killed while they write to W&B: what they leave, and who comes next."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rows import Results, make_rows, parametrize_rows, selected_rows
from tests.waiting import until
from tests.wandb_builders import (
    PROJECT,
    Desk,
    Done,
    curve,
    ended,
    reservations,
    scores,
    summary_run,
)
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

pytestmark = pytest.mark.enable_socket

KEPT = "written: report (report.json), terminal\n  not written: job summary\n  not finished: W&B. "
UNSENT = "Nothing was sent. Run again to send 2 runs"
SENDING = (
    "It may have some data of 2 runs; no copy is kept in wandb/. Run again: existing data is not "
    "sent twice. If W&B doesn't answer, WANDB_MODE=offline keeps a copy"
)
STATES = {"file_stream": SENDING, "UpsertBucket": SENDING, "Runs": UNSENT}
"""Request → what W&B has if it does not answer it."""
AT_ONCE = 4
"""How many rows run side by side: they mostly wait."""


def traces(desk: Desk, done: Done) -> list[str]:
    """Where the key shows."""
    return desk.with_key() + [text for text in (done.stdout, done.stderr) if API_KEY in text]


Interruption = tuple[str, signal.Signals]
"""The request in the middle of which a signal is sent."""
INTERRUPTIONS: list[Interruption] = [
    (match, wanted)
    for match in ("file_stream", "UpsertBucket", "Runs")
    for wanted in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT)
]


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """What is left of a command that a signal ended in the middle of a request."""

    exit_code: int
    processes: Sequence[str]
    traces: Sequence[str]
    """Where the key shows."""
    scratch: Sequence[str]
    stderr: str
    files: Sequence[str]
    """The names in its working folder."""


def interrupted(interruption: Interruption, folder: Path) -> Interrupted:
    """Send the signal while those requests are not answered."""
    match, wanted = interruption
    with WandbServer() as server:
        desk = Desk(folder=folder, base_url=server.url)
        server.fault(match, hang=True)
        desk.configure(scores("alpha", 1, mmlu=0.25))
        process = desk.begin("--report", "report.json")
        until(lambda: server.operations()[match] > 0)
        os.kill(process.pid, wanted)
        done = ended(process, time.monotonic())
        until(lambda: not desk.processes())
        return Interrupted(
            exit_code=done.exit_code,
            processes=desk.processes(),
            traces=traces(desk, done),
            scratch=desk.scratch(),
            stderr=done.stderr,
            files=[path.name for path in desk.work.iterdir()],
        )


@pytest.fixture(scope="module")
def all_interrupted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Results[Interruption, Interrupted]]:
    """What is left of each interruption that a selected test is about."""
    rows = selected_rows(request, "interruption", INTERRUPTIONS)
    folder = tmp_path_factory.mktemp("interrupted")
    with make_rows(rows, interrupted, folder, at_once=AT_ONCE) as results:
        yield results


@parametrize_rows("interruption", INTERRUPTIONS, quick=INTERRUPTIONS[:1])
def test_no_process_outlives_the_command(
    all_interrupted: Results[Interruption, Interrupted], interruption: Interruption
) -> None:
    """Ended by a signal in the middle of a request, it leaves no process, folder and key behind."""
    found = all_interrupted[interruption]

    assert ([], [], []) == (found.processes, found.traces, found.scratch)


STOPPED = [row for row in INTERRUPTIONS if row[1] is not signal.SIGKILL]


@parametrize_rows(
    "interruption", STOPPED, quick=[row for row in STOPPED if row[0] == "file_stream"]
)
def test_a_stopped_command_says_what_it_leaves(
    all_interrupted: Results[Interruption, Interrupted], interruption: Interruption
) -> None:
    """It ends at once with the signal's exit code, says what is kept, and that is whole."""
    match, number = interruption
    found = all_interrupted[interruption]
    said = f"stopped by {number.name}:\n  {KEPT}{STATES[match]}\n"

    assert (128 + number, said) == (found.exit_code, found.stderr)
    assert {"config.yaml", "report.json"} == set(found.files)


def test_two_signals_at_once_leave_nothing_either(tmp_path: Path) -> None:
    """Whoever presses Ctrl-C twice reads the same, and no process or folder stays."""
    with WandbServer() as server:
        desk = Desk(folder=tmp_path, base_url=server.url)
        server.fault("file_stream", hang=True)
        desk.configure(scores("alpha", 1, mmlu=0.25))
        process = desk.begin("--report", "report.json")
        until(lambda: server.operations()["file_stream"] > 0)
        for _ in range(2):
            os.kill(process.pid, signal.SIGINT)
        done = ended(process, time.monotonic())
        until(lambda: not desk.processes())

    assert (130, f"stopped by SIGINT:\n  {KEPT}{SENDING}\n") == (done.exit_code, done.stderr)
    assert [] == desk.scratch()


def test_a_copy_that_is_not_complete_is_not_promised(tmp_path: Path) -> None:
    """Stopped while it waits for its turn to record offline, the command says so."""
    with WandbServer() as server:
        desk = Desk(folder=tmp_path, base_url=server.url)
        server.fault("UpsertBucket", status=403)
        desk.configure(scores("alpha", 1, mmlu=0.25))
        other = os.open(desk.work, os.O_RDONLY)
        fcntl.flock(other, fcntl.LOCK_EX)
        process = desk.begin("--report", "report.json")
        until(lambda: _is_at_the_lock(process.pid, desk.work))
        os.kill(process.pid, signal.SIGINT)
        done = ended(process, time.monotonic())
        os.close(other)

    said = f"stopped by SIGINT:\n  {KEPT}No copy of 2 runs is kept in wandb/ yet. Run again\n"
    assert (130, said) == (done.exit_code, done.stderr)
    assert {} == desk.copies()


def _is_at_the_lock(process: int, folder: Path) -> bool:
    """Whether a process has the folder open, which it locks."""
    opened = Path(f"/proc/{process}/fd").iterdir()
    return str(folder.resolve()) in map(os.path.realpath, opened)


PASSED_SECONDS = (0.0, 50.0, 120.0)
"""What passes by the server's clock between the end of the killed job and the next one."""


@dataclass(frozen=True, kw_only=True)
class Followed:
    """What came of a job after one that was killed while its rows were on their way."""

    left: Sequence[str]
    """The reservations that the killed one left."""
    done: Done
    copies: frozenset[str]
    curve: Mapping[int, Mapping[str, Any]]
    states: frozenset[str]
    reserved: Sequence[str]
    """Those that there are at the end."""


def followed(passed_seconds: float, folder: Path) -> Followed:
    """Kill a job, let time pass, and run the next one."""
    with WandbServer() as server:
        killed = Desk(folder=folder / "killed", base_url=server.url)
        desk = Desk(folder=folder / "next", base_url=server.url)
        server.fault("file_stream", hang=True)
        for each, entry in (
            (killed, scores("alpha", 1, mmlu=0.25)),
            (desk, scores("alpha", 2, mmlu=0.5)),
        ):
            each.configure(entry)
        process = killed.begin()
        until(lambda: server.operations()["file_stream"] >= 2)
        os.kill(process.pid, signal.SIGKILL)
        ended(process, time.monotonic())
        until(lambda: not killed.processes())
        left = [name for run in server.runs(PROJECT).values() for name in reservations(run)]
        server.clear_faults()
        server.pass_time(passed_seconds)
        done = desk.write()
        runs = server.runs(PROJECT).values()
        return Followed(
            left=left,
            done=done,
            copies=frozenset(desk.waiting()),
            curve=curve(summary_run(server, "alpha")),
            states=frozenset(run.state for run in runs),
            reserved=[name for run in runs for name in reservations(run)],
        )


@pytest.fixture(scope="module")
def after_killed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Results[float, Followed]]:
    """What came of the next job after each time that a selected test is about."""
    rows = selected_rows(request, "passed_seconds", PASSED_SECONDS)
    folder = tmp_path_factory.mktemp("killed")
    with make_rows(rows, followed, folder, at_once=AT_ONCE) as results:
        yield results


@parametrize_rows("passed_seconds", [50.0, 120.0], quick=[])
def test_run_of_a_killed_job_is_completed_by_a_later_one(
    after_killed: Results[float, Followed], passed_seconds: float
) -> None:
    """Its reservation is taken away when it is too old to be a living job's."""
    found = after_killed[passed_seconds]

    assert 1 == len(found.left)
    assert (0, "") == (found.done.exit_code, found.done.stderr)
    assert {2: {"mmlu.EM": 0.5}} == found.curve
    assert {"finished"} == found.states
    assert [] == found.reserved


@parametrize_rows("passed_seconds", [0.0], quick=[])
def test_job_right_after_a_killed_one_fails_loudly(
    after_killed: Results[float, Followed], passed_seconds: float
) -> None:
    """It waits as long as a job may, then says that another one is at the runs."""
    found = after_killed[passed_seconds]

    assert 1 == len(found.left)
    assert 5 == found.done.exit_code
    assert "another job kept writing" in found.done.stderr
    assert 2 == len(found.copies)
    assert {} == found.curve
