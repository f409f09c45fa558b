"""What earlier offline recordings in a folder hold, and what is left to write.

`wandb sync` appends: two recordings of one run, both sent, double its rows. So each run
folder keeps a small file of what it holds, and of each run at most one folder waits to
be sent. A folder that a newer one replaces is moved aside, out of `wandb sync`'s sight,
and never deleted. What a folder cannot know: whether its rows were sent from elsewhere,
and what was sent from folders that are gone; only reading the server can tell that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from helm_wandb.sinks import wandb_layout, wandb_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from helm_wandb.sinks.wandb_layout import Row, RunPlan

_FILE = "helm-recording.json"
"""Beside the run's own files; `wandb sync` sends only what the run's log names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one run folder holds; an interrupted one holds nothing that can be relied on."""

    folder: Path
    run: str
    synced: bool
    """W&B has it already."""
    settings: str = ""
    """A digest of the run's group, name, tags and config, less the provenance."""
    rows: tuple[Row, ...] = ()
    tables: str = ""
    """A digest of them."""

    @property
    def steps(self) -> int:
        """How many rows of W&B's history it fills."""
        return len(self.rows) + bool(self.tables)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What is left to write of a run."""

    plan: RunPlan
    """With those rows and tables only that W&B does not have."""
    axes: Mapping[str, str]
    first_step: int
    """W&B's own row number to go on from; more than 0 where rows were sent before."""
    summary: Row
    """The summary over all rows, where some were sent before; else W&B makes it."""
    superseded: tuple[Recording, ...]
    """Those whose rows it carries, so that they must not be sent as well."""

    @property
    def empty(self) -> bool:
        """Whether W&B has all of it, so that the superseded are only to be set aside."""
        return not self.plan.rows and not self.plan.tables


def earlier(folder: Path, project: str) -> tuple[Recording, ...]:
    """The recordings below `<folder>/wandb` that belong to a project, the oldest first."""
    logs = sorted(folder.glob("wandb/offline-run-*/run-helm-*.wandb"))
    return tuple(found for log in logs if (found := _read(log, project)))


def unrecorded(plan: RunPlan, recordings: Sequence[Recording]) -> Writing | None:
    """What is left to write of a run, or None where its recordings hold it all.

    Rows are told apart by their iteration: a new or changed one is written whole, never
    mixed with what the iteration held before; one that only a waiting recording has is
    carried over; one that was sent already is not repeated.
    """
    own = [recording for recording in recordings if recording.run == plan.id]
    sent = [recording for recording in own if recording.synced]
    waiting = tuple(recording for recording in own if not recording.synced)
    everything = tuple(_by_iteration([*own, plan]).values())
    fresh = _less(replace(plan, rows=everything), sent)
    if _holds(waiting, fresh):
        return None
    return Writing(
        plan=fresh,
        axes=wandb_layout.axes(everything),
        first_step=sum(recording.steps for recording in sent),
        summary=_overlaid(everything) if sent else {},
        superseded=waiting,
    )


def keep(folder: Path, project: str, plan: RunPlan) -> None:
    """Write down beside a finished run what it holds."""
    content = {
        "project": project,
        "settings": _settings(plan),
        "tables": _tables(plan),
        "rows": plan.rows,
    }
    (folder / _FILE).write_text(json.dumps(content, indent=1), encoding="utf-8")


def set_aside(recording: Recording) -> None:
    """Move a superseded run folder to `wandb/superseded/`, where `wandb sync` does not look."""
    aside = recording.folder.parent / "superseded"
    aside.mkdir(exist_ok=True)
    target = aside / recording.folder.name
    while target.exists():
        # W&B names folders by the second.
        target = target.with_name(f"{target.name}~")
    recording.folder.rename(target)


def _read(log: Path, project: str) -> Recording | None:
    """The recording of a run's log; None where it belongs to another project."""
    synced = log.with_name(f"{log.name}.synced").exists()
    run = log.stem.removeprefix("run-")
    blank = Recording(folder=log.parent, run=run, synced=synced)
    try:
        content = json.loads((log.parent / _FILE).read_text(encoding="utf-8"))
        rows = tuple(content["rows"])
        known = replace(blank, settings=content["settings"], rows=rows, tables=content["tables"])
        if not all(isinstance(row["iteration"], int) for row in rows):
            return blank
    except (OSError, ValueError, LookupError, TypeError):
        return blank
    return known if content["project"] == project else None


def _by_iteration(holders: Iterable[Recording | RunPlan]) -> dict[int, Row]:
    """The newest row of each iteration, ascending."""
    rows = {_iteration(row): row for holder in holders for row in holder.rows}
    return {iteration: rows[iteration] for iteration in sorted(rows)}


def _iteration(row: Row) -> int:
    return cast("int", row["iteration"])


def _less(plan: RunPlan, sent: Sequence[Recording]) -> RunPlan:
    """The plan without what was sent."""
    known = _by_iteration(sent)
    rows = tuple(row for row in plan.rows if known.get(_iteration(row)) != row)
    same_tables = bool(sent) and sent[-1].tables == _tables(plan)
    return replace(plan, rows=rows, tables=() if same_tables else plan.tables)


def _holds(waiting: Sequence[Recording], fresh: RunPlan) -> bool:
    """Whether what waits to be sent is what is to be sent, no less and no more."""
    if not waiting:
        return not fresh.rows and not fresh.tables
    only = waiting[0]
    same = (only.settings, only.rows, only.tables) == (_settings(fresh), fresh.rows, _tables(fresh))
    return same and len(waiting) == 1


def _settings(plan: RunPlan) -> str:
    return wandb_tables.digest([plan.group, plan.name, plan.tags, dict(plan.config)])


def _tables(plan: RunPlan) -> str:
    """The digest of a run's tables; empty without any."""
    content = [[table.key, table.columns, table.rows, table.title] for table in plan.tables]
    return wandb_tables.digest(content) if content else ""


def _overlaid(rows: Iterable[Row]) -> Row:
    """Each metric's value in the last row that has it: the summary that W&B would make."""
    summary: dict[str, object] = {}
    for row in rows:
        for key, value in row.items():
            below = summary.get(key)
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                summary[key] = _overlaid((below, value))
            else:
                summary[key] = value
    return summary
