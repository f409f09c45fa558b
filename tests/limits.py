"""Ends what would never end: after so many calls, or after a time that no busy machine reaches."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block after so long."""

    def end(*_: object) -> NoReturn:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def calls_at_most(limit: int) -> Iterator[None]:
    """Fail after so many calls of Python functions: work is bounded, on however slow a machine."""
    calls = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event == "call"
        assert calls <= limit

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
