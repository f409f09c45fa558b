"""A function over many tasks."""

from __future__ import annotations

import os
import signal

import pytest

from helm_wandb.errors import ArtifactError
from helm_wandb.progress import no_progress
from helm_wandb.sources.helm.parallel import mapped


def doubled(number: int) -> int:
    """Twice the number."""
    return 2 * number


def killed_at_70(number: int) -> int:
    """The number; its process does not live to tell of 70."""
    if number == 70:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def failing_at_70(number: int) -> int:
    """The number; 70 is a bug."""
    return number // (number - 70)


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 1000])
def test_results_keep_the_order_of_the_tasks(count: int) -> None:
    """For few tasks and for many, each result stands where its task does."""
    told: list[tuple[int, int]] = []
    found = mapped(doubled, range(count), progress=lambda done, total: told.append((done, total)))

    assert [2 * number for number in range(count)] == found
    assert told == sorted(told)
    assert told[-1:] == ([(count, count)] if count else [])


def test_one_core_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with one core no process is started."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})

    assert [os.getpid()] * 100 == mapped(lambda _: os.getpid(), range(100), progress=no_progress)


def test_a_killed_process_is_told_and_not_waited_for() -> None:
    """Where the system kills a process, as for want of memory, the error says so."""
    with pytest.raises(
        ArtifactError, match=r"was stopped \(exit code -9\). Is there enough memory"
    ):
        mapped(killed_at_70, range(200), progress=no_progress)


def test_a_bug_in_a_process_is_a_bug() -> None:
    """An unexpected exception in a process is one here, with its traceback."""
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        mapped(failing_at_70, range(200), progress=no_progress)
