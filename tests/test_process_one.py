"""The command as process 1 of a container, which has no default action for signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from helm_wandb.wandb_runs.sdk import processes
from tests.rows import Results, make_rows, parametrize_rows, selected_rows
from tests.waiting import until
from tests.wandb_builders import ROOT, Desk, ended, scores
from tests.wandb_server import WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.enable_socket

MOMENTS = list(range(20))
"""How many requests W&B answers before it hangs; one model without details takes some twenty."""
SAID = "stopped by SIGTERM:\n  written: terminal\n  not written: job summary\n  not finished: W&B. "
AT_ONCE = 2
NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """A command that was stopped while W&B did not answer."""

    exit_code: int
    line: str
    """What it said at its end."""
    left: Sequence[str]
    """Processes, temporary folders, and unfinished files."""


def namespace() -> list[str]:
    """The command that makes another one process 1; nothing if this system does not allow it."""
    users = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = [*NAMESPACE, *users]
    try:
        done = subprocess.run([*command, "true"], check=False, capture_output=True)
    except FileNotFoundError:
        return []
    return [] if done.returncode else command


def stopped(moment: int, folder: Path) -> Stopped:
    """Stop the command when W&B does not answer any more."""
    with WandbServer() as server:
        desk = Desk(folder=folder, base_url=server.url)
        desk.configure(scores("alpha", 1, mmlu=0.25))
        server.fault("*", after=moment, hang=True)
        writer = [sys.executable, "-E", "-s", "-u", str(ROOT / "wandb_writer.py")]
        outer = namespace()
        process = subprocess.Popen(
            [*outer, *writer, "--config", "config.yaml", "--summary-only"],
            cwd=desk.work,
            env=desk.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(lambda: len(server.requests) > moment or process.poll() is not None)
        first = processes.children(process.pid) if outer else [process.pid]
        os.kill(first[0], signal.SIGTERM)
        done = ended(process, 0)
        until(lambda: not desk.processes())
        unfinished = [str(path) for path in desk.work.rglob(".helm-wandb-*")]
        return Stopped(
            exit_code=done.exit_code,
            line=done.stderr,
            left=[*desk.processes(), *desk.scratch(), *unfinished],
        )


@pytest.fixture(scope="module")
def all_stopped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Results[int, Stopped]]:
    """What came of each moment that a selected test is about."""
    rows = selected_rows(request, "moment", MOMENTS)
    folder = tmp_path_factory.mktemp("stopped")
    with make_rows(rows, stopped, folder, at_once=AT_ONCE) as results:
        yield results


@parametrize_rows("moment", MOMENTS, quick=())
def test_process_one_is_stopped_at_any_moment(
    all_stopped: Results[int, Stopped], moment: int
) -> None:
    """Whatever it waits for, SIGTERM ends it; it says so, and leaves nothing."""
    found = all_stopped[moment]

    assert (143, []) == (found.exit_code, found.left)
    assert found.line.startswith(SAID)
    assert "Run again" in found.line
