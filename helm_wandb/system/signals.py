"""SIGINT, SIGTERM and SIGHUP end the process, wherever it is, with nothing left half done.

As process 1 of a container, Python ignores SIGTERM unless there is a handler. A handler that
raises is no way to end for sure: the exception can be swallowed, printed as "ignored", or meet
clean-up code that hangs. So the handler itself cleans up, says what was kept, and ends the process.
A second signal, as by a second Ctrl-C, ends a clean-up that takes too long.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time
from contextlib import contextmanager, suppress

TYPE_CHECKING = False  # typing takes longer to import than all of the others
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

LIMIT_SECONDS = 4.0
"""After that the process ends, whatever its clean-up waits for."""
_PATIENCE_SECONDS = 2.0
"""Seconds that a stop waits for a block of `deferred`."""
_HURRY_SECONDS = 0.5
"""Seconds that are left to `deferred` after a second signal, and then to the clean-up: enough for
those that don't hang, as signals also come in pairs."""
_FIRST_CODE = 128
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STANDARD_ERROR = 2


class _State:
    """The state of the one process that the signals are for."""

    def __init__(self) -> None:
        self.process = 0
        self.number: signal.Signals | None = None
        self.depth = 0
        self.callbacks: list[Callable[[], object]] = []
        self.kept: tuple[str, ...] = ("nothing was written",)
        self.step = ""
        self.is_said = False
        self.finishing = _thread.allocate_lock()
        self.finisher = 0
        """The thread that cleans up."""


_state = _State()


def install(
    *,
    limit_seconds: float = LIMIT_SECONDS,
    patience_seconds: float = _PATIENCE_SECONDS,
    hurry_seconds: float = _HURRY_SECONDS,
) -> None:
    """Let the signals end this process; call it before anything that takes time is imported.

    A signal that is ignored stays ignored, as under nohup. A forked process ends without clean-up.
    """
    _state.process = os.getpid()

    def stop(number: int, _frame: FrameType | None) -> None:
        if _state.number:
            _hurry(hurry_seconds)
        else:
            _stop(signal.Signals(number), limit_seconds, min(patience_seconds, limit_seconds))

    for number in NUMBERS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


def exit_code(number: int) -> int:
    """Return the exit code of a process that a signal ended, as shells report it."""
    return _FIRST_CODE + number


def note(*kept: str) -> None:
    """Set the last words of the process if it is stopped from now on, a line each."""
    _state.kept, _state.step = kept, ""


def note_step(text: str) -> None:
    """Append to the last line how much of the work is done; the next `note` removes it."""
    _state.step = text


def on_stop(callback: Callable[[], object]) -> None:
    """Have a stop call this before the process ends, the latest callback first.

    The callback must be quick. It may take no lock that the interrupted code can hold.
    """
    _state.callbacks.append(callback)


def forget(callback: Callable[[], object]) -> None:
    """Undo `on_stop`."""
    with suppress(ValueError):
        _state.callbacks.remove(callback)


@contextmanager
def cleaning(callback: Callable[[], object]) -> Iterator[None]:
    """Have a stop call this while the block runs."""
    on_stop(callback)
    try:
        yield
    finally:
        forget(callback)


@contextmanager
def deferred() -> Iterator[None]:
    """Let a stop wait until the block ends: for short work that must not be cut in two."""
    _state.depth += 1
    try:
        yield
    finally:
        _state.depth -= 1
        if _state.number and not _state.depth:
            _finish()


def _stop(number: signal.Signals, limit_seconds: float, patience_seconds: float) -> None:
    if os.getpid() != _state.process:
        os._exit(exit_code(number))
    _state.number = number
    _after(limit_seconds, _exit)
    _after(patience_seconds, _finish)
    if not _state.depth:
        _finish()


def _hurry(seconds: float) -> None:
    """End soon, whatever is waited for."""
    for each in NUMBERS:
        signal.signal(each, signal.SIG_IGN)
    _after(seconds, _finish)
    _after(2 * seconds, _exit)


def _after(seconds: float, function: Callable[[], object]) -> None:
    """Call the function later, in a thread; `threading` takes locks that may be held."""

    def wait() -> None:
        time.sleep(seconds)
        function()

    with suppress(RuntimeError):  # the system has no thread left
        _thread.start_new_thread(wait, ())


def _finish() -> None:
    """Clean up and end, once: another thread waits here until the process has ended."""
    if _state.finisher == _thread.get_ident():
        return  # a callback has come to the end of a `deferred` block
    _state.finishing.acquire()
    _state.finisher = _thread.get_ident()
    for callback in reversed(_state.callbacks):
        with suppress(Exception):
            callback()
    _exit()


def _say() -> None:
    """Write the last words, past Python's streams: the interrupted code may be writing to them."""
    if sys.stderr is None or _state.number is None or _state.is_said:
        return
    _state.is_said = True
    *first, last = _state.kept
    lines = [*first, f"{last}. {_state.step}" if _state.step else last]
    text = "\n  ".join(["", *lines] if first else [f" {last}"])
    with suppress(OSError):
        os.write(
            _STANDARD_ERROR,
            f"stopped by {_state.number.name}:{text}\n".encode(errors="replace"),
        )


def _exit() -> None:
    _say()
    os._exit(exit_code(_state.number or 0))
