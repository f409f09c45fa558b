"""Turns of jobs that write the runs of one model: the job whose file is alone writes.

W&B places rows by their offset: of two jobs that write a run at the same time, the rows of one
take the place of the other's. What no job can overwrite is a file under another's name. All runs
of a model on a track have one run that holds their reservations (`RunPlan.reserved_in`), the same
for every job. So a job

1. stores a file with its own name among the files of that run,
2. lists those until its own is there, and goes on only if no other job's is,
3. looks for each of the runs whether it is still as it was when the rows were chosen, then asks
   for the offset, writes, and sees that all has arrived,
4. deletes its file when it has ended with all of them.

Never are two jobs in step 3: the file of the one that listed first stays until it has ended, so
the other's list, being later, holds it. Where the first has ended before that list, the look of
step 3 shows what it wrote, and the other one chooses its rows again. It does not matter how late
W&B lists what it was given, as each job waits for its own file.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from helm_wandb.wandb_runs.sdk.messages import Cause, Fault, ServiceError

if TYPE_CHECKING:
    from wandb.apis.public import File, Run

STALE_SECONDS = 70.0
"""After that, by W&B's clock, who stored a file was killed before it could delete it: longer than
a job's time to write, the end of its orphaned process, and a request on its way."""
_FOLDER = "helm_wandb/"
_TEXT = "A job is writing to this run. It deletes this file when it has ended.\n"
_POLL_SECONDS = 0.3


class Reservations:
    """The reservations of one writer."""

    def __init__(self, folder: Path, writer: str) -> None:
        """folder: where the file is kept that is stored among the files of each run."""
        self._root = folder / "reservations"
        self._name = f"{_FOLDER}{writer}.txt"
        self._path = self._root / self._name
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(_TEXT, encoding="utf-8")

    def take(self, run: Run, *, seconds: float) -> File | None:
        """Return the file that keeps the run until it is released; None if another job's is there.

        Of jobs that find each other, all but the one whose name comes first give way; that one
        waits for the others to do so, for `seconds` at most. Raises ServiceError if W&B does
        not list what was stored, and whatever the SDK raises.
        """
        self._store(run)
        end = time.monotonic() + seconds
        while True:
            own, others = self._list(run)
            if own and not others:
                return own
            gives_way = own is not None and min(others) < self._name
            if gives_way or time.monotonic() > end:
                break
            time.sleep(_POLL_SECONDS)
        if own is None:
            raise ServiceError(
                Fault(Cause.LOST, f"{self._name} was stored and is not among the run's files")
            )
        # A run that was only made does not know the project's number, which a deletion needs.
        run.load(force=True)
        release(own)
        return None

    def withdraw(self, run: Run) -> None:
        """Delete the writer's file from a run, if it is there; for a writer that has ended."""
        _delete(run.files(names=[self._name]))

    def _store(self, run: Run) -> None:
        try:
            run.upload_file(str(self._path), root=str(self._root))
        except Exception as error:
            # After the storing the SDK fetches the file from the list, which may be late.
            if not isinstance(error.__context__, IndexError):
                raise

    def _list(self, run: Run) -> tuple[File | None, frozenset[str]]:
        """Return the own file, and the names of those of other jobs that may still be at work."""
        files = {
            file.name: file
            for file in run.files(pattern=f"{_FOLDER}%")
            if file.name.startswith(_FOLDER)
        }
        own = files.pop(self._name, None)
        stale = {name for name, file in files.items() if own and is_stale(file, own)}
        _delete(files[name] for name in stale)
        return own, frozenset(files.keys() - stale)


def release(file: File) -> None:
    """Delete the file; if that fails, it becomes stale."""
    _delete([file])


def _delete(files: Iterable[File]) -> None:
    with suppress(Exception):
        for file in files:
            file.delete()


def is_stale(file: File, own: File) -> bool:
    """Return whether a file is stale by W&B's times; False if one of them cannot be read."""
    try:
        age = datetime.fromisoformat(own.updated_at) - datetime.fromisoformat(file.updated_at)
    except (TypeError, ValueError):
        return False
    return age.total_seconds() > STALE_SECONDS
