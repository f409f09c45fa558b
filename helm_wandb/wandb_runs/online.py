"""Read runs, write what is missing, and again if other jobs write them too.

Only what was read back counts as written: the SDK calls a run finished whose rows were lost.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from helm_wandb.system import signals
from helm_wandb.wandb_runs import changes, run_record
from helm_wandb.wandb_runs.changes import StoredRun
from helm_wandb.wandb_runs.layout import RunPlan
from helm_wandb.wandb_runs.layout_names import MARK
from helm_wandb.wandb_runs.sdk.messages import (
    NO_TIME,
    THREADS,
    Cause,
    Fault,
    FindRuns,
    ReadHistories,
    RemoteRun,
    RunWriting,
    ServiceError,
    Withdraw,
    WriteRuns,
    Written,
)
from helm_wandb.wandb_runs.sdk.session import Session

WRITING_SECONDS = 45.0
_LOOKING_SECONDS = 12.0
"""Seconds of the budget for reading back what was written."""
_LEAST_SECONDS = 4.0
"""With less time than that no writing is begun."""
_PAUSE_SECONDS = (0.5, 2.0)
"""Before a run is looked at again that another job writes; drawn, as other jobs wait too."""
_CONTENDED = Fault(Cause.LOST, "another job kept writing to the same runs")


@dataclass(slots=True, kw_only=True)
class Sending:
    """The state of sending runs to W&B, and at the end its result."""

    left: tuple[RunPlan, ...]
    """Runs that are still to be tried, since other jobs were writing them."""
    failed: list[RunPlan] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    """IDs of those that were written to; the others had everything."""
    fault: Fault | None = None
    """Why some are unsent; None if none is."""
    held: dict[str, StoredRun] = field(default_factory=dict)
    """Run ID → what W&B held of an unsent run before, if that could be read."""
    url: str | None = None
    """The project's page."""

    @property
    def unsent(self) -> tuple[RunPlan, ...]:
        """Those that W&B was not seen to hold."""
        return (*self.failed, *self.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends runs to a project. It raises nothing, and returns what W&B does not have."""

    session: Session
    project: str
    writer: str
    """A random name of this process, which no other job has."""
    threads: int = THREADS
    writing_seconds: float = WRITING_SECONDS
    if_stopped: str = ""
    """The state of the run, for its last words, while it writes."""

    def send(
        self,
        plans: Sequence[RunPlan],
        *,
        replan: Callable[[], Sequence[RunPlan]] | None = None,
    ) -> Sending:
        """Return what was written, and what is missing.

        replan: makes the plans after each look at their runs, of which a change is seen from
        then on: for runs that depend on what else the project holds.
        """
        progress = Sending(left=tuple(plans))
        try:
            self._send(progress, replan)
        except ServiceError as error:
            progress.fault = progress.fault or error.fault
        if progress.unsent:
            # Rows may have arrived without the rest: an offline copy must not repeat them.
            with suppress(ServiceError):
                progress.held |= self._read_stored(progress.unsent, self._look(progress.unsent))
        else:
            progress.fault = None
        return progress

    def _send(self, progress: Sending, replan: Callable[[], Sequence[RunPlan]] | None) -> None:
        first = True
        while progress.left:
            remote = self._look(progress.left)
            if replan:
                progress.left = tuple(replan())
            progress.url = progress.url or _project_url(remote.values())
            writings = self._outstanding(progress, remote, first=first)
            progress.left = tuple(plan for plan in progress.left if plan.id in writings)
            if not writings:
                return
            if self._writing_seconds < _LEAST_SECONDS:
                progress.fault = progress.fault or (NO_TIME if first else _CONTENDED)
                return
            first = False
            self._settle(progress, writings, self._write(tuple(writings.values())))
            if progress.left:
                self.session.wait(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 -- no secret

    @property
    def _writing_seconds(self) -> float:
        return min(self.writing_seconds, self.session.left_seconds - _LOOKING_SECONDS)

    def _look(self, plans: Iterable[RunPlan]) -> dict[str, RemoteRun]:
        """Return those of the runs that W&B has, by their IDs."""
        filters = {"name": {"$in": [plan.id for plan in plans]}}
        runs = self.session.ask(FindRuns(project=self.project, filters=filters))
        return {run.id: run for run in runs}

    def _outstanding(
        self, progress: Sending, remote: Mapping[str, RemoteRun], *, first: bool
    ) -> dict[str, RunWriting]:
        """Return what is left to write, by run.

        first: also what other jobs may have changed since, such as the provenance; once written,
        theirs may stand, but no row and no table may be missing.
        """
        plans = [plan for plan in progress.left if not _is_there(plan, remote.get(plan.id))]
        progress.held |= self._read_stored(plans, remote)
        writings = {}
        for plan in plans:
            run, held = remote.get(plan.id), progress.held.get(plan.id, StoredRun())
            writing = changes.writing(plan, held, writer=self.writer)
            if run is None or not _is_nothing(writing, plan, run, first=first):
                writings[plan.id] = replace(writing, seen=run and run.summary.get(MARK))
        return writings

    def _read_stored(
        self, plans: Iterable[RunPlan], remote: Mapping[str, RemoteRun]
    ) -> dict[str, StoredRun]:
        ids = tuple(plan.id for plan in plans if plan.id in remote)
        if not ids:
            return {}
        histories = self.session.ask(ReadHistories(project=self.project, run_ids=ids))
        return {
            run_id: StoredRun(
                rows=changes.by_iteration(map(changes.flatten, rows)),
                steps=1 + max((_step(row) for row in rows), default=-1),
                record=run_record.from_summary(remote[run_id].summary),
            )
            for run_id, rows in histories.items()
        }

    def _write(self, runs: tuple[RunWriting, ...]) -> dict[str, Written]:
        """Return the result of each run; after a process was ended, it is unsettled."""
        request = WriteRuns(
            mode="online",
            entity=None,
            project=self.project,
            base_url=self.session.base_url,
            folder=str(self.session.scratch),
            runs=runs,
            seconds=self._writing_seconds,
            threads=self.threads,
            mark=MARK,
            writer=self.writer,
        )
        signals.note_step(self.if_stopped)
        try:
            done = {one.run_id: one for one in self.session.ask(request)}
        except ServiceError as error:
            fault = error.fault
            done = {run.id: Written(run_id=run.id, fault=fault, unsettled=True) for run in runs}
        unsettled = [run.reserved_in for run in runs if run.id in done and done[run.id].unsettled]
        self._withdraw(dict.fromkeys(unsettled))
        return done

    def _withdraw(self, reserved_in: Collection[str]) -> None:
        """Give runs free once nothing more can be sent to them; else others wait in vain."""
        if not reserved_in:
            return
        self.session.drop()
        request = Withdraw(project=self.project, run_ids=tuple(reserved_in), writer=self.writer)
        with suppress(ServiceError):
            self.session.ask(request)

    def _settle(
        self,
        progress: Sending,
        writings: Mapping[str, RunWriting],
        done: Mapping[str, Written],
    ) -> None:
        """Keep what is to be tried again, and what has failed unless it is there nevertheless."""
        plans = {plan.id: plan for plan in progress.left}
        progress.left = tuple(plans[run_id] for run_id, one in done.items() if one.yielded)
        progress.written |= {run_id for run_id, one in done.items() if not one.yielded}
        progress.url = progress.url or _project_url(done.values())
        faults = {run_id: done[run_id].fault if run_id in done else NO_TIME for run_id in plans}
        failed = [plan for plan in plans.values() if faults[plan.id]]
        if not failed:
            return
        earlier = progress.failed
        progress.failed = [*earlier, *failed]
        progress.fault = progress.fault or faults[failed[0].id]
        remote = self._look(failed)
        missing = [one for one in failed if not _has_arrived(writings[one.id], remote.get(one.id))]
        progress.failed = [*earlier, *missing]
        progress.fault = progress.fault if progress.failed else None


def _step(row: Mapping[str, object]) -> int:
    step = run_record.iteration_of(row.get("_step"))
    return -1 if step is None else step


def _is_whole(run: RemoteRun) -> bool:
    """Return whether the run's last writer has also ended."""
    return run.state == "finished" and run_record.from_summary(run.summary) is not None


def _is_there(plan: RunPlan, run: RemoteRun | None) -> bool:
    """Return whether the run's record says that it holds all of the plan."""
    return (
        run is not None
        and _is_whole(run)
        and changes.is_recorded(plan, run_record.from_summary(run.summary))
        and _has_provenance(plan, run)
    )


def _has_provenance(plan: RunPlan, run: RemoteRun) -> bool:
    return plan.provenance.items() <= run.config.items()


def _is_nothing(writing: RunWriting, plan: RunPlan, run: RemoteRun, *, first: bool) -> bool:
    """Return whether there is nothing to write, by the rows that the run has."""
    if writing.rows or writing.tables or not _is_whole(run):
        return False
    record = run_record.from_summary(run.summary)
    same = record is not None and record.settings == changes.settings_digest(plan)
    return not first or (same and not writing.artifact and _has_provenance(plan, run))


def _has_arrived(writing: RunWriting, run: RemoteRun | None) -> bool:
    final = changes.final_mark(writing)
    return run is not None and run.summary.get(MARK) == final and _is_whole(run)


def _project_url(runs: Iterable[RemoteRun | Written]) -> str | None:
    return next((run.url.partition("/runs/")[0] for run in runs if run.url), None)
