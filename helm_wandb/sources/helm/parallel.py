"""A function over many tasks, on all cores where it pays."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_FEWEST = 64
"""Tasks that are worth starting processes for."""
_work: dict[str, Any] = {}
"""In a forked process: the function and all tasks, which it inherits and need not be sent."""


def mapped(
    function: Callable[[_Task], _Result],
    tasks: Sequence[_Task],
    *,
    progress: Callable[[int, int], None],
) -> list[_Result]:
    """The function's results in the order of the tasks.

    On Linux, and for enough tasks, they are worked off by as many forked processes as there
    are cores: decoding holds Python's lock, so that threads would not help.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    if cores == 1 or len(tasks) < _FEWEST:
        return _told(map(function, tasks), len(tasks), progress)
    # Imported here: most runs read little.
    from multiprocessing import get_context  # noqa: PLC0415

    with get_context("fork").Pool(cores, _work.update, [{"of": function, "on": tasks}]) as pool:
        return _told(pool.imap(_one, range(len(tasks)), chunksize=4), len(tasks), progress)


def _one(place: int) -> Any:  # noqa: ANN401 -- whatever the function returns
    return _work["of"](_work["on"][place])


def _told(
    results: Iterable[_Result], total: int, progress: Callable[[int, int], None]
) -> list[_Result]:
    found = []
    for done, result in enumerate(results, 1):
        found.append(result)
        progress(done, total)
    return found
