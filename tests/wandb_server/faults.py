"""What goes wrong, when, and how often."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to requests that match."""

    match: str
    """Over the operation, with * and ? as in file names."""
    run: str | None = None
    """Over the run's id; None is any, and a request that does not name its run."""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    """A text as it is, all else as JSON; None is a GraphQL error that says it was injected.

    A function makes it from the request's Authorization header, as a proxy that repeats it.
    """
    drop: bool = False
    hang: bool = False
    lose: bool = False
    endless: bool = False
    """Each page says that another follows, and its cursor leads to the first."""
    delay_seconds: float = 0.0
    times: int | None = None
    """How many requests it happens to; None is all."""
    after: int = 0
    """How many matching requests pass first."""

    def meets(self, operation: str, run: str | None) -> bool:
        """Whether it is about such a request."""
        about_run = self.run is None or (run is not None and fnmatchcase(run, self.run))
        return about_run and fnmatchcase(operation, self.match)

    def happens(self, nth: int) -> bool:
        """Whether it happens to the nth request that matches, counted from 0."""
        return self.after <= nth and (self.times is None or nth < self.after + self.times)


NOTHING = Fault(match="")


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

    def take(self, operation: str, run: str | None) -> Fault:
        """What happens to this request: the first fault whose turn it is, or NOTHING."""
        with self._lock:
            for index, (fault, nth) in enumerate(self._met):
                if fault.meets(operation, run):
                    self._met[index] = (fault, nth + 1)
                    if fault.happens(nth):
                        return fault
        return NOTHING
