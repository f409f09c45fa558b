"""The time that a task may take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")


class Budget:
    """Seconds that a task may take over all its parts; other work in between is not counted."""

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin with so many seconds; clock and sleep are in seconds too."""
        self._left_seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._began: float | None = None

    @property
    def left_seconds(self) -> float:
        """Seconds that are left; below 0 if the task took longer."""
        spent = 0.0 if self._began is None else self._clock() - self._began
        return self._left_seconds - spent

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time of a block; a block inside another one is counted once."""
        if self._began is not None:
            yield
            return
        self._began = self._clock()
        try:
            yield
        finally:
            self._left_seconds = self.left_seconds
            self._began = None

    def wait(self, seconds: float) -> None:
        """Wait and count it, but no longer than what is left."""
        with self.spending():
            self._sleep(max(0.0, min(seconds, self.left_seconds)))


def with_deadline(call: Callable[[], T], budget: Budget, *, seconds: float) -> T:
    """Return the call's result; raises TimeoutError after these seconds, or without budget.

    A client's timeout is for each piece of an answer, and none covers a name's look-up.
    After the deadline the call goes on in a thread that does not keep the process from ending.
    """
    # Imported here: print-only never pays for it.
    from concurrent.futures import Future  # noqa: PLC0415

    future: Future[T] = Future()
    with budget.spending():
        timeout = max(0.0, min(seconds, budget.left_seconds))
        threading.Thread(target=_settle, args=(future, call), daemon=True).start()
        return future.result(timeout=timeout)


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 -- the result raises it
        future.set_exception(error)
