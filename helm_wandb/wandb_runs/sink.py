"""The W&B sink: a report's runs, sent to the server, or recorded below the current folder."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from msgspec import structs

from helm_wandb.comparing import leaderboard
from helm_wandb.errors import SinkError
from helm_wandb.model import WANDB, Config, Receipt, Report, Status
from helm_wandb.system import scratch, signals
from helm_wandb.system.budget import Budget
from helm_wandb.system.files import create_folder
from helm_wandb.wandb_runs import artifact_uses, layout, offline, receipt_texts
from helm_wandb.wandb_runs.artifact_uses import PlannedUses
from helm_wandb.wandb_runs.changes import StoredRun
from helm_wandb.wandb_runs.folder_lock import locked
from helm_wandb.wandb_runs.layout import RunPlan
from helm_wandb.wandb_runs.layout_names import MARK
from helm_wandb.wandb_runs.offline import Earlier, Writing
from helm_wandb.wandb_runs.offline_recording import Recording, Seal
from helm_wandb.wandb_runs.online import WRITING_SECONDS, Sender, Sending
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.sdk.messages import (
    NO_TIME,
    THREADS,
    Cause,
    Fault,
    ServiceError,
    WriteRuns,
    Written,
)
from helm_wandb.wandb_runs.sdk.service import Service
from helm_wandb.wandb_runs.sdk.session import BUDGET_SECONDS, GRACE_SECONDS

_RECORDING_SECONDS = 15.0
"""Seconds that waiting for others leaves for the recording; a thousand runs take some ten."""
_END_SECONDS = 3.0
"""Seconds that the recording leaves for the end of the SDK's process, which completes the files."""
_OFFLINE_THREADS = 4
_NOT_ENDED = Fault(Cause.NETWORK, "the process of W&B's SDK did not end")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """The result of recording in the folder."""

    number: int
    """Runs that had something to write."""
    earlier: Earlier
    carried: tuple[Recording, ...]
    """Earlier recordings whose rows are in new ones now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WandbRuns:
    """Keeps a report's runs in W&B; without a key, or if that fails, in `<folder>/wandb`."""

    name: ClassVar[str] = WANDB

    config: Config
    summary_only: bool
    folder: Path
    project: WandbProject | None = None
    """Project that the runs are sent to; None: they are only recorded offline."""
    threads: int = THREADS
    """Runs that are sent at once."""
    writing_seconds: float = WRITING_SECONDS
    """Seconds that sending them may take, at most."""
    budget: Budget = field(default_factory=partial(Budget, BUDGET_SECONDS))
    """The time for all of it without a project, whose session has a budget for both."""
    seal: Seal | None = None
    """That of this workflow run, which ignores what others recorded in the folder."""
    model_artifact: str | None = None
    """`entity/project/name:alias` of the evaluated model."""
    saves_view: bool = False
    """Whether the project gets a saved view, which the receipt links."""
    command: str = "wandb"
    """How the user's shell calls W&B's command."""
    _writer: str = field(default_factory=lambda: secrets.token_hex(8))

    def deliver(self, report: Report) -> Receipt:
        """Return a receipt that says where the runs are and, if they are here, how to send them.

        Results that are there already are not recorded again. Raises SinkError.
        """
        with self._time.spending():
            return self._deliver(report)

    @property
    def _time(self) -> Budget:
        return self.project.session.budget if self.project else self.budget

    def _deliver(self, report: Report) -> Receipt:
        plans = layout.plans(
            report, summary_only=self.summary_only, leaderboard=self.config.leaderboard
        )
        if not plans:
            reason = "The report holds no score that could be recorded in W&B."
            return Receipt(sink=self.name, status=Status.SKIPPED, reason=reason)
        uses = artifact_uses.plan_uses(report, plans, self.model_artifact)
        if self.project is None:
            kept = self._record(plans, {})
            unused = artifact_uses.unrecorded_offline(uses)
            warnings = (*self._warnings(plans, kept.earlier), *uses.problems, *unused)
            return self._done(self._recorded(plans, kept), warnings)
        return self._send(self.project, report, plans, uses)

    def _send(
        self,
        project: WandbProject,
        report: Report,
        plans: Sequence[RunPlan],
        uses: PlannedUses,
    ) -> Receipt:
        """Return the receipt of runs that W&B has; keep a copy of all others here."""
        signals.note_step(receipt_texts.stopped_before_sending(len(plans)))
        earlier = self._earlier(plans)
        waiting = {plan.id: offline.select_waiting(plan, earlier.usable) for plan in plans}
        whole = [offline.carry_rows(plan, waiting[plan.id]) for plan in plans]
        sent = self._sent(project, report, whole)
        unsent = {plan.id for plan in sent.unsent}
        arrived = [one for run_id in waiting.keys() - unsent for one in waiting[run_id]]
        with signals.deferred():
            stuck = list(filter(None, map(_stuck, arrived)))
        if sent.fault:
            stuck.insert(0, self._unsent(project, sent, len(plans)))
        else:
            signals.note_step(receipt_texts.stopped_after_sending(len(plans)))
        unused = artifact_uses.record_uses(project, uses, unsent)
        warnings = (*self._warnings(plans, earlier), *uses.problems, *unused)
        if stuck:
            raise SinkError(*stuck, *warnings)
        reason = f"{receipt_texts.count_runs(len(plans))} in {sent.url or project.session.base_url}"
        same = len(plans) - len(sent.written)
        held = f" ({same} unchanged)" if same else ""
        along = receipt_texts.carried(arrived)
        url, problems = self._save_view(project, report, sent.url)
        return self._done(f"{reason}{held}{along}", (*warnings, *problems), url=url)

    def _save_view(
        self, project: WandbProject, report: Report, url: str | None
    ) -> tuple[str | None, tuple[str, ...]]:
        """Return the URL of the project's view, if it is wanted, and why it couldn't be saved."""
        if not self.saves_view or url is None:
            return url, ()
        # Imported here: only a run that saves a view needs it.
        from helm_wandb.wandb_runs import view, view_saving  # noqa: PLC0415

        try:
            view_saving.save_view(project, report)
        except ServiceError as error:
            why = receipt_texts.describe_fault(error.fault, project.session.base_url)
            return url, (f"the view was not saved; all runs were. {why}",)
        return f"{url}?nw={view.QUERY}", ()

    def _done(self, reason: str, warnings: tuple[str, ...], *, url: str | None = None) -> Receipt:
        return Receipt(
            sink=self.name, status=Status.DONE, url=url, reason=reason, warnings=warnings
        )

    def _warnings(self, plans: Sequence[RunPlan], earlier: Earlier) -> tuple[str, ...]:
        """Return what W&B cannot hold, and what else is in the folder."""
        unused = receipt_texts.ignored(earlier.ignored, self.folder)
        return (*receipt_texts.unrecorded(plans), *unused)

    def _earlier(self, plans: Sequence[RunPlan]) -> Earlier:
        runs = {plan.id for plan in plans}
        return offline.read_earlier(self.folder, self._project, runs, seal=self.seal)

    def _sent(self, project: WandbProject, report: Report, plans: Sequence[RunPlan]) -> Sending:
        """Send the models' runs and then, with these in the project, the leaderboard."""
        sender = Sender(
            session=project.session,
            project=self.config.project,
            writer=self._writer,
            threads=self.threads,
            writing_seconds=self.writing_seconds,
            if_stopped=receipt_texts.stopped_while_sending(len(plans), 0, self.folder),
        )
        boards = [plan for plan in plans if plan.is_leaderboard]
        models = [plan for plan in plans if not plan.is_leaderboard]
        sent = sender.send(models)
        if sent.fault or not boards:
            return replace(sent, failed=[*sent.failed, *boards])

        def board() -> Sequence[RunPlan]:
            ranking = leaderboard.rank_models(report.evaluations, project.read(), self.config)
            return [layout.leaderboard_plan(structs.replace(report, leaderboard=ranking))]

        stored = receipt_texts.stopped_while_sending(len(plans), len(models), self.folder)
        signals.note_step(stored)
        ranked = replace(sender, if_stopped=stored).send(boards, replan=board)
        return replace(ranked, written=sent.written | ranked.written, url=ranked.url or sent.url)

    def _unsent(self, project: WandbProject, sent: Sending, number: int) -> str:
        """Keep a copy of what W&B does not have; return what happened, and what to do."""
        fault = sent.fault or Fault(Cause.LOST, "")
        why = receipt_texts.describe_fault(fault, project.session.base_url)
        missing = f"{len(sent.unsent)} of {number} runs did not arrive"
        try:
            kept = self._record(sent.unsent, sent.held)
        except SinkError as error:
            return f"{why} {missing}, and no copy could be kept: {error}"
        if not kept.number:
            return f"{why} {missing} whole; what they lack is their report: run again to send it"
        command = receipt_texts.sync_command(self.command, self.folder, project.session.base_url)
        signals.note_step(receipt_texts.stopped_with_copy(kept.number, self.folder, command))
        return f"{why} {missing}; a copy is kept in {self.folder / 'wandb'}: `{command}` sends it"

    def _record(self, plans: Sequence[RunPlan], held: Mapping[str, StoredRun]) -> _Kept:
        """Record runs in the folder, one process at a time.

        held: run id → what W&B was seen to hold of it.
        """
        signals.note_step(receipt_texts.stopped_while_recording(len(plans), self.folder))
        try:
            create_folder(self.folder)
            with locked(self.folder, seconds=self._time.left_seconds - _RECORDING_SECONDS):
                return self._record_alone(plans, held)
        except OSError as error:
            raise SinkError(receipt_texts.unwritable(self.folder, error)) from error

    def _record_alone(self, plans: Sequence[RunPlan], held: Mapping[str, StoredRun]) -> _Kept:
        earlier = self._earlier(plans)
        outstanding = [
            offline.plan_writing(plan, earlier, writer=self._writer, remote=held.get(plan.id))
            for plan in plans
        ]
        writings = [writing for writing in outstanding if writing]
        if writings:
            self._write(writings)
        carried = [one for writing in writings for one in writing.superseded if not one.fault]
        return _Kept(number=len(writings), earlier=earlier, carried=tuple(carried))

    def _write(self, writings: Sequence[Writing]) -> None:
        """Write the runs; those that were finished are kept even if others fail."""
        fault = None
        try:
            # The SDK would write through links, read settings there, and go to /tmp if there is
            # no folder. What is not moved out of it, as a run that failed, is deleted with it.
            create_folder(self.folder / "wandb")
            with scratch.folder((self.folder / "wandb").absolute()) as private:
                left = [writing for writing in writings if not writing.empty]
                done = self._written(left, private)
                fault = next((one.fault for one in done.values() if one.fault), None)
                if len(done) < len(left):
                    fault = fault or NO_TIME
                for writing in writings:
                    self._keep(writing, done.get(writing.run.id))
        except ServiceError as error:
            fault = error.fault
        if fault:
            raise SinkError(receipt_texts.offline(fault, self.folder))

    def _written(self, writings: Sequence[Writing], folder: Path) -> dict[str, Written]:
        if not writings:
            return {}
        left_seconds = self._time.left_seconds - _END_SECONDS
        if left_seconds <= 0:
            raise ServiceError(NO_TIME)
        request = WriteRuns(
            mode="offline",
            entity=self.config.entity,
            project=self.config.project,
            base_url=self.config.base_url,
            folder=str(folder),
            runs=tuple(writing.run for writing in writings),
            seconds=left_seconds - GRACE_SECONDS,
            threads=_OFFLINE_THREADS,
            mark=MARK,
            writer=self._writer,
        )
        # A run's log is complete only when the process has ended.
        with Service() as service:
            done = service.ask(request, seconds=left_seconds)
            if not service.stop(seconds=self._time.left_seconds):
                raise ServiceError(_NOT_ENDED)
        return {one.run_id: one for one in done}

    def _keep(self, writing: Writing, written: Written | None) -> None:
        """Let the run's new folder take the place of those that it supersedes."""
        # In between, `wandb sync` would send the rows of both.
        with signals.deferred():
            if written and not written.fault and written.folder:
                finished = Path(written.folder)
                offline.keep(
                    finished, self._project, writing.run, folder=self.folder, seal=self.seal
                )
            if writing.empty or (written and not written.fault):
                for recording in writing.superseded:
                    offline.set_aside(recording)

    @property
    def _project(self) -> str:
        return f"{self.config.entity or ''}/{self.config.project}"

    def _recorded(self, plans: Sequence[RunPlan], kept: _Kept) -> str:
        held = len(plans) - kept.number
        already = f" ({held} unchanged)" if held else ""
        along = receipt_texts.carried(kept.carried)
        command = receipt_texts.sync_command(self.command, self.folder, self.config.base_url)
        return (
            f"{receipt_texts.count_runs(len(plans))} recorded offline in {self.folder / 'wandb'}"
            f"{already}{along}; to upload: `{command}`"
        )


def _stuck(recording: Recording) -> str | None:
    """Set a recording aside; return why that cannot be done."""
    try:
        offline.set_aside(recording)
    except SinkError as error:
        return str(error)
    return None
