"""What earlier offline recordings in a folder hold, and what is left to record there.

`wandb sync` appends: two recordings of one run, both sent, double its rows. So each run
folder keeps a small file of what it holds, and of each run at most one folder waits to
be sent. A folder that a newer one replaces is moved aside, out of `wandb sync`'s sight,
and never deleted. What a folder cannot know: whether its rows were sent from elsewhere,
and what was sent from folders that are gone; only reading the server can tell that.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from helm_wandb import files, wandb_record
from helm_wandb.errors import SinkError
from helm_wandb.sinks import wandb_changes, wandb_texts
from helm_wandb.sinks.wandb_changes import Held
from helm_wandb.wandb_record import MARK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from helm_wandb.sinks.wandb_layout import RunPlan
    from helm_wandb.wandb_record import Record
    from helm_wandb.wandb_service.messages import Row, RunWriting

_FILE = "helm-recording.json"
"""Beside the run's own files; `wandb sync` sends only what the run's log names."""
_LIMIT_BYTES = 64 << 20
"""Of that file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one run folder holds; an interrupted one holds nothing that can be relied on."""

    folder: Path
    run: str
    synced: bool
    """W&B has it already."""
    rows: tuple[Row, ...] = ()
    steps: int = 0
    """How many rows of W&B's history it fills."""
    record: Record | None = None
    """Of the whole run, what was sent before included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What is left to record of a run."""

    run: RunWriting
    superseded: tuple[Recording, ...]
    """Those whose rows it carries, so that they must not be sent as well."""

    @property
    def empty(self) -> bool:
        """Whether W&B has all of it, so that the superseded are only to be set aside."""
        return not self.run.rows and not self.run.tables


def earlier(folder: Path, project: str) -> tuple[Recording, ...]:
    """The recordings below `<folder>/wandb` that belong to a project, the oldest first.

    What a link leads to was not recorded here.
    """
    logs: list[Path] = []
    wandb = folder / "wandb"
    runs = () if wandb.is_symlink() else wandb.glob("offline-run-*")
    for run in sorted(run for run in runs if not run.is_symlink()):
        # Another process may set it aside meanwhile.
        with suppress(FileNotFoundError):
            logs += sorted(run.glob("run-helm-*.wandb"))
    return tuple(found for log in logs if (found := _read(log, project)))


def waiting(plan: RunPlan, recordings: Sequence[Recording]) -> tuple[Recording, ...]:
    """The recordings of a run that were not sent yet."""
    return tuple(one for one in recordings if one.run == plan.id and not one.synced)


def carrying(plan: RunPlan, recordings: Sequence[Recording]) -> RunPlan:
    """The plan, with the rows that only recordings have that wait to be sent."""
    rows = [row for recording in recordings for row in recording.rows]
    latest = None
    for record in (recording.record for recording in recordings if recording.record):
        latest = wandb_record.newer(latest, record.latest)
    return wandb_changes.carried(plan, rows, latest)


def unrecorded(
    plan: RunPlan,
    recordings: Sequence[Recording],
    *,
    writer: str,
    remote: Held | None = None,
) -> Writing | None:
    """What is left to record of a run, or None where its recordings hold it all.

    remote: what W&B holds, where it could be asked; else the recordings that were sent tell.
    A row that only a waiting recording has is carried over; one that was sent is not repeated.
    """
    sent = [one for one in recordings if one.run == plan.id and one.synced]
    left = waiting(plan, recordings)
    # Offline there are no artifacts: their files would be kept elsewhere, under absolute paths.
    plan = replace(carrying(plan, left), artifact=None)
    fresh = wandb_changes.writing(plan, remote or _held(sent), writer=writer)
    return None if _holds(left, fresh) else Writing(run=fresh, superseded=left)


def keep(finished: Path, project: str, run: RunWriting, *, folder: Path) -> None:
    """Write down beside a finished run what it holds, and move it whole to `<folder>/wandb`."""
    content = {
        "project": project,
        "rows": run.rows,
        "steps": len(run.rows) + bool(run.tables),
        "record": wandb_changes.final_mark(run),
    }
    (finished / _FILE).write_text(json.dumps(content, indent=1), encoding="utf-8")
    files.hand_over(finished, like=folder)
    finished.rename(_unused(folder / "wandb" / finished.name))


def set_aside(recording: Recording) -> None:
    """Move a superseded run folder to `wandb/superseded/`, where `wandb sync` does not look.

    One that another process has moved already is where it belongs. Raises SinkError.
    """
    aside = recording.folder.parent / "superseded"
    try:
        files.create_folder(aside)
        with suppress(FileNotFoundError):
            recording.folder.rename(_unused(aside / recording.folder.name))
    except OSError as error:
        raise SinkError(wandb_texts.still_waiting(recording.folder, error)) from error


def _unused(path: Path) -> Path:
    """Return the path, or one beside it if something is there: W&B names folders by the second."""
    while os.path.lexists(path):
        path = path.with_name(f"{path.name}~")
    return path


def _read(log: Path, project: str) -> Recording | None:
    """The recording of a run's log; None where it belongs to another project."""
    synced = log.with_name(f"{log.name}.synced").exists()
    run = log.stem.removeprefix("run-")
    blank = Recording(folder=log.parent, run=run, synced=synced)
    try:
        content = json.loads(files.content(log.parent / _FILE, at_most=_LIMIT_BYTES))
        rows = tuple(content["rows"])
        record = wandb_record.from_summary({MARK: content["record"]})
        known = replace(blank, rows=rows, steps=int(content["steps"]), record=record)
        if record is None or not all(isinstance(row["iteration"], int) for row in rows):
            return blank
    except (OSError, ValueError, LookupError, TypeError):
        return blank
    return known if content["project"] == project else None


def _held(sent: Sequence[Recording]) -> Held:
    """What W&B holds, as far as the recordings know that were sent."""
    return Held(
        rows=wandb_changes.by_iteration(row for one in sent for row in one.rows),
        steps=sum(one.steps for one in sent),
        record=sent[-1].record if sent else None,
    )


def _holds(left: Sequence[Recording], fresh: RunWriting) -> bool:
    """Whether what waits to be sent is what is to be sent, no less and no more."""
    if not left:
        return not fresh.rows and not fresh.tables
    only = left[0]
    record = wandb_record.from_summary({MARK: wandb_changes.final_mark(fresh)})
    if only.record is None or record is None or len(left) > 1:
        return False
    same = msgspec.structs.replace(only.record, writer=record.writer) == record
    return same and only.rows == fresh.rows
