"""What goes wrong, when, and how often."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.github_server.answers import Answer


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to requests that match."""

    method: str = "*"
    path: str = "*"
    """Over the path without `/api/v3`, with * and ? as in file names; * passes slashes too."""
    answer: Answer | None = None
    drop: bool = False
    """The connection is closed without an answer."""
    hang: bool = False
    """No answer ever comes."""
    delay_seconds: float = 0.0
    hook: Callable[[], object] | None = None
    """Called before the request is served: what another job does at just that moment."""
    served: bool = False
    """Whether the request is still carried out, at once, before the answer."""
    times: int | None = None
    """How many requests it happens to; None is all."""
    after: int = 0
    """How many matching requests pass first."""

    @property
    def spares(self) -> bool:
        """Whether the request gets its own answer, late or after the hook."""
        return self.answer is None and not self.drop and not self.hang

    def meets(self, method: str, path: str) -> bool:
        """Whether it is about such a request."""
        return fnmatchcase(method, self.method) and fnmatchcase(path, self.path)

    def happens(self, nth: int) -> bool:
        """Whether it happens to the nth request that matches, counted from 0."""
        return self.after <= nth and (self.times is None or nth < self.after + self.times)


NOTHING = Fault()


class Faults:
    """The faults that are set, and how many requests each has met."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._met: list[tuple[Fault, int]] = []

    def add(self, fault: Fault) -> None:
        """Have it happen, after those that are set already."""
        with self._lock:
            self._met.append((fault, 0))

    def clear(self) -> None:
        """Have nothing happen any more."""
        with self._lock:
            self._met.clear()

    def take(self, method: str, path: str) -> Fault:
        """What happens to this request: the first fault whose turn it is, or NOTHING."""
        with self._lock:
            for index, (fault, nth) in enumerate(self._met):
                if fault.meets(method, path):
                    self._met[index] = (fault, nth + 1)
                    if fault.happens(nth):
                        return fault
        return NOTHING
