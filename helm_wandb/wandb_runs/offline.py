"""Earlier offline recordings in a folder, and what is left to record there.

`wandb sync` appends: two recordings of one run, both sent, double its rows. So each run
folder keeps a small file of what it holds, and of each run at most one folder waits to
be sent. A folder that a newer one replaces is moved aside, out of `wandb sync`'s sight,
and never deleted. What a folder cannot know: whether its rows were sent from elsewhere,
and what was sent from folders that are gone; only the server knows that.

A folder whose file cannot be used is ignored, and `fault` says why.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from helm_wandb.errors import SinkError
from helm_wandb.system import files
from helm_wandb.wandb_runs import changes, offline_recording, receipt_texts, run_record
from helm_wandb.wandb_runs.changes import StoredRun
from helm_wandb.wandb_runs.layout import RunPlan
from helm_wandb.wandb_runs.layout_names import MARK
from helm_wandb.wandb_runs.offline_recording import Recording, Seal, UnusableError
from helm_wandb.wandb_runs.sdk.messages import RunWriting

_FOLDER = re.compile("offline-run-[0-9]{8}_[0-9]{6}-(helm-[0-9a-f]{20})~*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """Recordings in the folder of runs that are to be written."""

    usable: tuple[Recording, ...]
    ignored: tuple[Recording, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """The rest of a run that is to be recorded."""

    run: RunWriting
    superseded: tuple[Recording, ...]
    """Those whose rows it carries, so that they must not be sent as well; and the ignored ones."""

    @property
    def empty(self) -> bool:
        """Whether W&B has all of it, so that the superseded are only to be set aside."""
        return not self.run.rows and not self.run.tables


def read_earlier(
    folder: Path, project: str, runs: Collection[str], *, seal: Seal | None = None
) -> Earlier:
    """Return the recordings of runs of a project below `<folder>/wandb`, the oldest first.

    runs: their ids. seal: that of this workflow run; then whatever else `wandb sync` would send
    is listed as ignored, whichever run it is of.
    """
    wandb = folder / "wandb"
    folders = () if wandb.is_symlink() else sorted(wandb.glob(offline_recording.FOLDERS))
    recordings = [one for one in (_read(path, project, seal) for path in folders) if one]
    return Earlier(
        usable=tuple(one for one in recordings if one.run in runs and not one.fault),
        ignored=tuple(one for one in recordings if one.fault and (seal or one.run in runs)),
    )


def select_waiting(plan: RunPlan, recordings: Sequence[Recording]) -> tuple[Recording, ...]:
    """Return the recordings of a run that were not sent yet."""
    return tuple(one for one in recordings if one.run == plan.id and not one.synced)


def carry_rows(plan: RunPlan, recordings: Sequence[Recording]) -> RunPlan:
    """Return the plan with the rows that only waiting recordings have."""
    rows = [row for recording in recordings for row in recording.contents.rows]
    latest = None
    for record in (recording.record for recording in recordings if recording.record):
        latest = run_record.newer(latest, record.latest)
    subjects = {
        name: subject for one in recordings for name, subject in one.contents.subjects.items()
    }
    return changes.add_rows(plan, rows, subjects, latest)


def plan_writing(
    plan: RunPlan, earlier: Earlier, *, writer: str, remote: StoredRun | None = None
) -> Writing | None:
    """Return what is left to record of a run, or None if its recordings hold it all.

    remote: what W&B holds, if it could be read; else the sent recordings count.
    A row that only a waiting recording has is carried over; one that was sent is not repeated.
    """
    sent = [one for one in earlier.usable if one.run == plan.id and one.synced]
    left = select_waiting(plan, earlier.usable)
    ignored = select_waiting(plan, earlier.ignored)
    # Offline there are no artifacts: their files would be kept elsewhere, under absolute paths.
    plan = replace(carry_rows(plan, left), artifact=None)
    fresh = changes.writing(plan, remote or _stored_run(sent), writer=writer)
    is_held = not ignored and _holds(left, fresh)
    return None if is_held else Writing(run=fresh, superseded=(*left, *ignored))


def keep(
    finished: Path, project: str, run: RunWriting, *, folder: Path, seal: Seal | None = None
) -> None:
    """Write next to a finished run what it holds, and move it whole to `<folder>/wandb`."""
    contents = offline_recording.Contents(
        run=run.id,
        project=project,
        rows=tuple(map(dict, run.rows)),
        subjects=dict(run.subjects),
        steps=len(run.rows) + bool(run.tables),
        record=str(changes.final_mark(run)),
    )
    offline_recording.write(finished, contents, seal)
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
        raise SinkError(receipt_texts.still_waiting(recording.folder, error)) from error


def _unused(path: Path) -> Path:
    """Return the path, or a free one like it: W&B names folders by the second."""
    while os.path.lexists(path):
        path = path.with_name(f"{path.name}~")
    return path


def _read(folder: Path, project: str, seal: Seal | None) -> Recording | None:
    """Return the recording in a run folder; None if it belongs to another project, or is gone."""
    name = _FOLDER.fullmatch(folder.name)
    run = name[1] if name else ""
    log = folder / f"run-{run}.wandb"
    synced = log.with_name(f"{log.name}.synced").exists()
    blank = Recording(folder=folder, run=run, synced=synced)
    try:
        _refuse_foreign(folder, log, is_named=bool(name))
        contents, record = offline_recording.read(folder, run, seal)
    except UnusableError as error:
        # Another process may have set it aside meanwhile.
        return replace(blank, fault=str(error)) if os.path.lexists(folder) else None
    if contents.project != project:
        return None
    return replace(blank, contents=contents, record=record)


def _refuse_foreign(folder: Path, log: Path, *, is_named: bool) -> None:
    """Raise UnusableError for a folder that this tool would not have made."""
    if not is_named:
        raise UnusableError("its name is not that of a recording")
    for path in (folder, log):
        if path.is_symlink():
            raise UnusableError(f"{path.name} is a link")
    if not log.is_file():
        raise UnusableError(f"it has no file {log.name}")


def _stored_run(sent: Sequence[Recording]) -> StoredRun:
    """Return what W&B holds, as far as the sent recordings show."""
    return StoredRun(
        rows=changes.by_iteration(row for one in sent for row in one.contents.rows),
        steps=sum(one.contents.steps for one in sent),
        record=sent[-1].record if sent else None,
    )


def _holds(left: Sequence[Recording], fresh: RunWriting) -> bool:
    """Return whether the waiting recordings are what is to be sent, no less and no more."""
    if not left:
        return not fresh.rows and not fresh.tables
    only = left[0]
    record = run_record.from_summary({MARK: changes.final_mark(fresh)})
    if only.record is None or record is None or len(left) > 1:
        return False
    same = msgspec.structs.replace(only.record, writer=record.writer) == record
    return same and only.contents.rows == fresh.rows
