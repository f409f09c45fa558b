"""A function over many tasks, on all cores if it pays."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from helm_wandb.errors import ArtifactError
from helm_wandb.system import signals

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_FEWEST = 64
"""Tasks that are worth starting processes for."""


def _unchanged(result: _Result) -> _Result:
    return result


def map_parallel(
    function: Callable[[_Task], _Result],
    tasks: Sequence[_Task],
    *,
    progress: Callable[[int, int], None],
    keep: Callable[[_Result], _Result] = _unchanged,
) -> list[_Result]:
    """Return the function's results in the order of the tasks.

    keep: makes each result smaller as soon as it arrives.

    On Linux, and for enough tasks, as many forked processes as there are cores do them: decoding
    holds Python's lock, so that threads would not help.
    Raises ArtifactError if such a process was killed.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    if cores > 1 and len(tasks) >= _FEWEST:
        # If the system has no process left, one core does it too.
        with suppress(OSError):
            return _map_forked(function, tasks, cores, progress, keep)
    results = []
    for done, task in enumerate(tasks, 1):
        results.append(keep(function(task)))
        progress(done, len(tasks))
    return results


def _map_forked(
    function: Callable[[_Task], _Result],
    tasks: Sequence[_Task],
    cores: int,
    progress: Callable[[int, int], None],
    keep: Callable[[_Result], _Result],
) -> list[_Result]:
    """Return the results from forked processes; see `map_parallel`.

    A pool of multiprocessing would wait forever if a process is killed.
    """
    # Imported here: most runs read little.
    from multiprocessing import get_context  # noqa: PLC0415

    context = get_context("fork")
    workers: dict[Any, BaseProcess] = {}
    with signals.cleaning(partial(_kill, workers)):
        try:
            for first in range(cores):
                receiver, sender = context.Pipe(duplex=False)
                # A forked process has the function and the tasks already: nothing is sent to it.
                receivers = [*workers, receiver]
                share = (function, tasks, range(first, len(tasks), cores), sender, receivers)
                worker: BaseProcess = context.Process(target=_work, args=share, daemon=True)
                with signals.deferred():
                    worker.start()
                    workers[receiver] = worker
                sender.close()
            return _collect(workers, len(tasks), progress, keep)
        finally:
            _kill(workers)
            for worker in workers.values():
                worker.join()


def _kill(workers: dict[Any, BaseProcess]) -> None:
    for worker in workers.values():
        worker.kill()


def _work(
    function: Callable[[_Task], _Result],
    tasks: Sequence[_Task],
    places: Iterable[int],
    sender: Connection,
    receivers: Sequence[Connection],
) -> None:
    """Send each result with the place of its task, and None at the end.

    places: those of this process's tasks.
    receivers: inherited ends of pipes; while one is open here, a pipe that its reader left
    does not break, and the process would wait for it forever.
    """
    # The parent is interrupted too, and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for receiver in receivers:
        receiver.close()
    try:
        for place in places:
            sender.send((place, function(tasks[place])))
        sender.send(None)
    except BrokenPipeError:
        return
    except Exception:  # noqa: BLE001 -- reported by the parent, whose log is safe
        sender.send(traceback.format_exc())


def _collect(
    workers: dict[Any, BaseProcess],
    total: int,
    progress: Callable[[int, int], None],
    keep: Callable[[Any], Any],
) -> list[Any]:
    """Return the results of all workers, in the order of the tasks."""
    from multiprocessing.connection import wait  # noqa: PLC0415 -- see _map_forked

    results: dict[int, Any] = {}
    reading = set(workers)
    while reading:
        for receiver in wait(reading):
            message = _receive(receiver, workers[receiver])
            if message is None:
                reading.discard(receiver)
                continue
            place, result = message
            results[place] = keep(result)
            progress(len(results), total)
    return [results[place] for place in range(total)]


def _receive(receiver: Any, worker: BaseProcess) -> tuple[int, Any] | None:  # noqa: ANN401 -- a Connection
    """Return a place and its result, or None if the worker has done all of its tasks."""
    try:
        message: tuple[int, Any] | str | None = receiver.recv()
    except (EOFError, OSError):
        worker.join()
        raise ArtifactError(
            "a process that read per-instance files was stopped (exit code "
            f"{worker.exitcode}). Is there enough memory? A machine with more, or fewer "
            "instances, may help."
        ) from None
    if isinstance(message, str):
        raise RuntimeError(message)  # noqa: TRY004 -- of any kind; it is the traceback
    return message
