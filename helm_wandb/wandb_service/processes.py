"""The SDK's process and the service that it starts: ended together."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def children(process: int) -> list[int]:
    """List the processes that a process has started; none if the system does not say."""
    found = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        # A thread may end meanwhile.
        with suppress(OSError):
            found += [int(word) for word in path.read_text().split()]
    return found


def kill(process: int) -> list[int]:
    """Kill a process that we started, and its children, and return them all.

    The SDK's service leads a session of its own, so that killing a group would not reach it.
    """
    doomed = [process, *children(process)]
    for each in doomed:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    return doomed


def end(process: int) -> None:
    """Kill a process that we started, and its children, and wait until they have ended."""
    for each in kill(process):
        # As process 1 of a container we inherit the children, and nobody else waits for them.
        with suppress(ChildProcessError):
            os.waitpid(each, 0)
