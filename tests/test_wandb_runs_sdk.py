"""The SDK's process: what its end leaves, and how its absence is explained."""

from __future__ import annotations

import os
import signal
import tempfile
from typing import TYPE_CHECKING

import pytest

from helm_wandb.wandb_runs.sdk import processes
from helm_wandb.wandb_runs.sdk.messages import Cause, Fault, FindRuns, ServiceError
from helm_wandb.wandb_runs.sdk.service import Service
from tests.full_disk import files_of_at_most

if TYPE_CHECKING:
    from pathlib import Path

QUESTION = FindRuns(project="llm", filters={})
SAFETY_SECONDS = 300.0


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """TMPDIR and the working folder, both empty."""
    found = (tmp_path / "tmp", tmp_path / "work")
    for folder in found:
        folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(found[0]))
    monkeypatch.chdir(found[1])
    return found


def test_a_killed_sdk_leaves_nothing(folders: tuple[Path, Path]) -> None:
    """What it kept in TMPDIR is removed, and the fault says that it ended, not that W&B refused."""
    with Service() as service:
        service.start()
        (process,) = processes.children(os.getpid())
        os.kill(process, signal.SIGKILL)
        with pytest.raises(ServiceError) as caught:
            service.ask(QUESTION, seconds=SAFETY_SECONDS)

        assert [[], []] == [list(folder.iterdir()) for folder in folders]
    assert (Cause.ENDED, "without a word") == (caught.value.fault.cause, caught.value.fault.detail)


def test_without_room_no_process_is_started(folders: tuple[Path, Path]) -> None:
    """The first question says which folder is full."""
    with files_of_at_most(1000), Service() as service, pytest.raises(ServiceError) as caught:
        service.ask(QUESTION, seconds=SAFETY_SECONDS)

    assert Cause.DISK is caught.value.fault.cause
    assert f"'{folders[0]}'" in caught.value.fault.detail
    assert [[], []] == [list(folder.iterdir()) for folder in folders]


def test_a_process_that_cannot_be_started_leaves_nothing(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may refuse it; the fault repeats the system's words."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with Service() as service, pytest.raises(ServiceError) as caught:
        service.ask(QUESTION, seconds=SAFETY_SECONDS)

    assert Cause.ENDED is caught.value.fault.cause
    assert "No such file or directory" in caught.value.fault.detail
    assert [[], []] == [list(folder.iterdir()) for folder in folders]


def test_a_process_that_takes_nothing_in_is_killed_in_time(folders: tuple[Path, Path]) -> None:
    """Not only an answer is waited for in time, but also that a large request is taken."""
    large = FindRuns(project="llm", filters={"name": "x" * 10_000_000})
    with Service() as service:
        service.start()
        (process,) = processes.children(os.getpid())
        os.kill(process, signal.SIGSTOP)
        with pytest.raises(ServiceError) as caught:
            service.ask(large, seconds=0.2)

        assert [] == processes.children(os.getpid())
        assert [] == list(folders[0].iterdir())
    assert Fault(Cause.NETWORK, "no answer within 0 seconds") == caught.value.fault


def test_a_process_that_does_not_end_is_reported(folders: tuple[Path, Path]) -> None:
    """Whoever needs its files whole learns whether it had time to complete them."""
    with Service() as service:
        service.start()
        (process,) = processes.children(os.getpid())
        os.kill(process, signal.SIGSTOP)

        assert not service.stop(seconds=0.1)
        assert service.stop(seconds=0.1)
    assert [] == list(folders[0].iterdir())
