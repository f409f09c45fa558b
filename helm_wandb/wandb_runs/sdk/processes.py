"""The SDK's process and the service that it starts: ended together."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def children(process: int) -> list[int]:
    """List the processes that a process has started; none if the system does not say."""
    numbers = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        # A thread may end meanwhile.
        with suppress(OSError):
            numbers += [int(word) for word in path.read_text().split()]
    return numbers


def memory_bytes(process: int) -> int:
    """Return the memory of a process and its children; 0 if the system does not say."""
    total = 0
    for each in (process, *children(process)):
        # It may end meanwhile.
        with suppress(OSError):
            total += int(Path(f"/proc/{each}/statm").read_text().split()[1]) * _PAGE_BYTES
    return total


def kill(process: int) -> list[int]:
    """Kill a process that we started, and its children, and return them all.

    The SDK's service leads a separate session, so that killing a group would not reach it.
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
