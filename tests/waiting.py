"""Waiting for something outside, with a limit that only ends a hang."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_SECONDS = 600.0
"""After that a process is taken for one that never ends, however busy the machine is."""


def until(holds: Callable[[], bool]) -> None:
    """Wait for something to hold; the caller asserts that it does."""
    end = time.monotonic() + LIMIT_SECONDS
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
