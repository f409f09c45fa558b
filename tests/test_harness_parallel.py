"""A function over many tasks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.parallel import map_parallel
from helm_wandb.system.progress import no_progress
from tests.waiting import LIMIT_SECONDS

from .conftest import ROOT


def doubled(number: int) -> int:
    """Twice the number."""
    return 2 * number


def killed_at_70(number: int) -> int:
    """The number; its process does not live to return 70."""
    if number == 70:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def failing_at_70(number: int) -> int:
    """The number; 70 is a bug."""
    return number // (number - 70)


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 1000])
def test_results_keep_the_order_of_the_tasks(count: int) -> None:
    """For few tasks and for many, each result stands where its task does."""
    calls: list[tuple[int, int]] = []
    found = map_parallel(
        doubled, range(count), progress=lambda done, total: calls.append((done, total))
    )

    assert [2 * number for number in range(count)] == found
    assert calls == sorted(calls)
    assert calls[-1:] == ([(count, count)] if count else [])


def test_one_core_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with one core no process is started."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})

    assert [os.getpid()] * 100 == map_parallel(
        lambda _: os.getpid(), range(100), progress=no_progress
    )


def test_a_killed_process_is_reported_and_not_waited_for() -> None:
    """If the system kills a process, as for want of memory, the error says so."""
    with pytest.raises(
        ArtifactError, match=r"was stopped \(exit code -9\). Is there enough memory"
    ):
        map_parallel(killed_at_70, range(200), progress=no_progress)


def test_a_bug_in_a_process_is_a_bug() -> None:
    """An unexpected exception in a process is one here, with its traceback."""
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        map_parallel(failing_at_70, range(200), progress=no_progress)


SLOW = """
import os, sys, time
from helm_wandb.system import signals
from helm_wandb.system.progress import no_progress
from helm_wandb.harness.parallel import map_parallel
from tests.waiting import LIMIT_SECONDS

def slow(number):
    time.sleep(0.02)
    return "x" * 100_000

signals.install()
print("ready", flush=True)
map_parallel(slow, range(400), progress=no_progress)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_processes_end_with_the_one_that_started_them(number: signal.Signals) -> None:
    """However the reading ends, none of its processes stays, and none shows a traceback."""
    with subprocess.Popen(
        [sys.executable, "-c", SLOW],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    ) as reading:
        assert reading.stdout is not None
        assert reading.stdout.readline() == b"ready\n"
        time.sleep(0.5)
        os.killpg(reading.pid, number) if number is signal.SIGINT else reading.send_signal(number)
        # The pipe closes only when every process that holds it has ended.
        _, errors = reading.communicate(timeout=LIMIT_SECONDS)

    assert b"ForkProcess" not in errors


def test_where_no_process_is_to_be_had_one_core_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may refuse a process; all tasks are done anyway."""
    real, calls = os.fork, []

    def fork() -> int:
        calls.append(1)
        if len(calls) > 1:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return real()

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(os, "fork", fork)

    assert [2 * number for number in range(200)] == map_parallel(
        doubled, range(200), progress=no_progress
    )
