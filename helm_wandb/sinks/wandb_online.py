"""Runs are looked at, what is missing is written, and they are looked at again.

The last look is the verification: W&B's SDK calls a run finished whose rows were all lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from helm_wandb import wandb_record
from helm_wandb.sinks import wandb_changes
from helm_wandb.sinks.wandb_changes import Held
from helm_wandb.wandb_record import MARK
from helm_wandb.wandb_service.messages import (
    THREADS,
    Cause,
    Fault,
    FindRuns,
    ReadHistories,
    ServiceError,
    WriteRuns,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from helm_wandb.sinks.wandb_layout import RunPlan
    from helm_wandb.wandb_service.messages import RemoteRun, RunWriting, Written
    from helm_wandb.wandb_service.session import Session

_ROUNDS = 4
"""How often runs are written that other writers came upon."""
_PATIENCE_SECONDS = 6.0
"""How long what was sent may take to be seen."""
_BUSY_SECONDS = 15.0
"""How long another writer is waited for; one that was killed never ends."""
_PAUSE_SECONDS = 0.5
WRITING_SECONDS = 45.0
_LOOKING_SECONDS = 12.0
"""What is left of the budget for the look after the writing."""
_CONTENDED = Fault(Cause.LOST, "another job kept writing to the same runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of runs that were to be in W&B."""

    written: int = 0
    """How many of them were written to; the others held everything."""
    unsent: tuple[RunPlan, ...] = ()
    """Those that W&B was not seen to hold."""
    fault: Fault | None = None
    """Why."""
    held: Mapping[str, Held] = field(default_factory=dict)
    """Run id → what W&B held of an unsent run before, where that could be read."""
    url: str | None = None
    """The project's page."""


@dataclass(slots=True)
class _Progress:
    """What is known so far."""

    unsent: tuple[RunPlan, ...]
    written: set[str] = field(default_factory=set)
    fault: Fault | None = None
    held: dict[str, Held] = field(default_factory=dict)
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends runs to a project. Nothing is raised: what W&B does not have is told."""

    session: Session
    project: str
    writer: str
    """A random name of this process, which it leaves on the runs that it writes."""
    threads: int = THREADS
    writing_seconds: float = WRITING_SECONDS

    def send(
        self,
        plans: Sequence[RunPlan],
        *,
        planned_anew: Callable[[], Sequence[RunPlan]] | None = None,
    ) -> Sent:
        """What was written, and what is not there.

        planned_anew: makes the plans after each look at their runs, of which a change is seen
        from then on: for runs that depend on what else the project holds.
        """
        progress = _Progress(unsent=tuple(plans))
        try:
            self._send(progress, planned_anew)
        except ServiceError as error:
            progress.fault = error.fault
        return Sent(
            written=len(progress.written),
            unsent=progress.unsent,
            fault=(progress.fault or Fault(Cause.LOST, "")) if progress.unsent else None,
            held=progress.held,
            url=progress.url,
        )

    def _send(
        self, progress: _Progress, planned_anew: Callable[[], Sequence[RunPlan]] | None
    ) -> None:
        for round_number in range(_ROUNDS):
            remote = self._settled(progress.unsent)
            if planned_anew:
                progress.unsent = tuple(planned_anew())
            progress.url = progress.url or _project_url(remote.values())
            writings = self._outstanding(progress, remote, first=round_number == 0)
            progress.unsent = _of(progress.unsent, writings)
            if not writings:
                return
            progress.written |= writings.keys()
            done = self._write(tuple(writings.values()))
            contended = self._arrival(progress, writings, done)
            missing = {plan.id for plan in progress.unsent}
            faults = [one.fault for one in done if one.fault and one.run_id in missing]
            progress.fault = next(iter(faults), None)
            if not contended:
                return
            progress.fault = _CONTENDED
            self.session.restart()

    def _look(self, plans: Iterable[RunPlan]) -> dict[str, RemoteRun]:
        """Those of the runs that W&B has, by their ids."""
        filters = {"name": {"$in": [plan.id for plan in plans]}}
        found = self.session.ask(FindRuns(project=self.project, filters=filters))
        return {run.id: run for run in found}

    def _settled(self, plans: Sequence[RunPlan]) -> dict[str, RemoteRun]:
        """The runs when no other writer is at them, or has been for long."""
        remote = self._look(plans)
        end = self.session.left_seconds - _BUSY_SECONDS
        while any(map(_is_busy, remote.values())) and self.session.left_seconds > max(0.0, end):
            self.session.wait(_PAUSE_SECONDS)
            remote = self._look(plans)
        return remote

    def _outstanding(
        self, progress: _Progress, remote: Mapping[str, RemoteRun], *, first: bool
    ) -> dict[str, RunWriting]:
        """What is left to write, by run.

        first: also what other jobs may have changed since, such as the provenance; once written,
        theirs may stand, but no row and no table may be missing.
        """
        plans = [plan for plan in progress.unsent if not _is_there(plan, remote.get(plan.id))]
        progress.held = self._held(plans, remote)
        writings = {}
        for plan in plans:
            run, held = remote.get(plan.id), progress.held.get(plan.id, Held())
            writing = wandb_changes.writing(plan, held, writer=self.writer)
            if run is None or not _is_nothing(writing, plan, run, first=first):
                writings[plan.id] = replace(writing, seen=run and run.summary.get(MARK))
        return writings

    def _held(self, plans: Iterable[RunPlan], remote: Mapping[str, RemoteRun]) -> dict[str, Held]:
        ids = tuple(plan.id for plan in plans if plan.id in remote)
        if not ids:
            return {}
        histories = self.session.ask(ReadHistories(project=self.project, run_ids=ids))
        return {
            run_id: Held(
                rows=wandb_changes.by_iteration(rows),
                steps=1 + max((_step(row) for row in rows), default=-1),
                record=wandb_record.from_summary(remote[run_id].summary),
            )
            for run_id, rows in histories.items()
        }

    def _write(self, runs: tuple[RunWriting, ...]) -> tuple[Written, ...]:
        request = WriteRuns(
            mode="online",
            entity=None,
            project=self.project,
            base_url=self.session.base_url,
            folder=str(self.session.scratch),
            runs=runs,
            seconds=min(self.writing_seconds, self.session.left_seconds - _LOOKING_SECONDS),
            threads=self.threads,
            mark=MARK,
            writer=self.writer,
        )
        return self.session.ask(request)

    def _arrival(
        self, progress: _Progress, writings: Mapping[str, RunWriting], done: Sequence[Written]
    ) -> bool:
        """Keep as unsent what has not arrived; whether other writers are why."""
        yielded = {one.run_id for one in done if one.yielded}
        hopeless = {one.run_id for one in done if one.fault} | (
            writings.keys() - {one.run_id for one in done}
        )
        end = self.session.left_seconds - _PATIENCE_SECONDS
        while True:
            remote = self._look(progress.unsent)
            progress.url = progress.url or _project_url(remote.values())
            missing = {
                run_id: writing
                for run_id, writing in writings.items()
                if not _has_arrived(writing, remote.get(run_id))
            }
            progress.unsent = _of(progress.unsent, missing)
            contended = yielded | {
                run_id
                for run_id, writing in missing.items()
                if _is_contended(writing, remote.get(run_id))
            }
            if missing.keys() <= contended | hopeless or self.session.left_seconds < end:
                return bool(missing.keys() & contended)
            self.session.wait(_PAUSE_SECONDS)


def _of(plans: Iterable[RunPlan], ids: Collection[str]) -> tuple[RunPlan, ...]:
    return tuple(plan for plan in plans if plan.id in ids)


def _step(row: Mapping[str, object]) -> int:
    step = row.get("_step")
    return step if isinstance(step, int) else -1


def _writer(run: RemoteRun) -> object:
    """Who began to write the run last."""
    mark = run.config.get(MARK)
    return mark.get("writer") if isinstance(mark, dict) else None


def _is_whole(run: RemoteRun) -> bool:
    """Whether who began to write the run last has also ended."""
    record = wandb_record.from_summary(run.summary)
    return run.state == "finished" and record is not None and record.writer == _writer(run)


def _is_busy(run: RemoteRun) -> bool:
    return run.state == "running"


def _is_there(plan: RunPlan, run: RemoteRun | None) -> bool:
    """Whether the run says itself that it holds all of the plan."""
    return (
        run is not None
        and _is_whole(run)
        and wandb_changes.is_recorded(plan, wandb_record.from_summary(run.summary))
        and _has_provenance(plan, run)
    )


def _has_provenance(plan: RunPlan, run: RemoteRun) -> bool:
    return plan.provenance.items() <= run.config.items()


def _is_nothing(writing: RunWriting, plan: RunPlan, run: RemoteRun, *, first: bool) -> bool:
    """Whether there is nothing to write, by the rows that the run has."""
    if writing.rows or writing.tables or not _is_whole(run):
        return False
    record = wandb_record.from_summary(run.summary)
    same = record is not None and record.settings == wandb_changes.settings_digest(plan)
    return not first or (same and not writing.artifact and _has_provenance(plan, run))


def _has_arrived(writing: RunWriting, run: RemoteRun | None) -> bool:
    final = wandb_changes.final_mark(writing)
    return run is not None and run.summary.get(MARK) == final and _is_whole(run)


def _is_contended(writing: RunWriting, run: RemoteRun | None) -> bool:
    """Whether another writer has begun, or has ended, since the run was looked at."""
    if run is None:
        return False
    own = wandb_record.from_summary(writing.summary)
    record = wandb_record.from_summary(run.summary)
    mine = own.writer if own else None
    others = record is not None and record.writer != mine and run.summary.get(MARK) != writing.seen
    return _writer(run) != mine or others


def _project_url(runs: Iterable[RemoteRun]) -> str | None:
    return next((run.url.partition("/runs/")[0] for run in runs), None)
