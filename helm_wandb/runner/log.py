"""What a run says about itself: to a person at a terminal, or to GitHub's runner."""

from __future__ import annotations

import secrets
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from helm_wandb.errors import BUG_EXIT_CODE, ConfigError, UserError
from helm_wandb.model import WANDB, Status
from helm_wandb.runner import workflow
from helm_wandb.system import streams
from helm_wandb.text.safe_text import plain
from helm_wandb.text.visible import visible_lines
from helm_wandb.text.words import join_truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO

    from helm_wandb.model import Gate
    from helm_wandb.pipeline import Outcome
    from helm_wandb.runner.event import Event
    from helm_wandb.text.redaction import Redactor

_TITLE = "helm-wandb-action"
_REASONS_SHOWN = 5
_BUG = "this is a bug in helm-wandb-action: please report it with the traceback above"


class Log(Protocol):
    """Where messages go; what they quote can do no harm there."""

    def fault(self, error: UserError) -> None:
        """Say what was wrong."""

    def message(self, level: str, text: str) -> None:
        """Say a sentence; level: `error`, `warning`, `notice`, or `info` for the log alone."""

    def listing(self, text: str) -> None:
        """Show lines as they are."""


@dataclass(frozen=True, slots=True)
class TerminalLog:
    """Notices on standard output, all else on standard error."""

    output: TextIO | None
    errors: TextIO | None

    def fault(self, error: UserError) -> None:
        """Say what was wrong, a line for each problem."""
        for line in error.lines:
            self.message("error", line)

    def message(self, level: str, text: str) -> None:
        """Say a sentence on a line of its own."""
        if level in ("notice", "info"):
            _write(self.output, f"{plain(text)}\n")
        else:
            _write(self.errors, f"{level}: {plain(text)}\n")

    def listing(self, text: str) -> None:
        """Show lines on standard error."""
        _write(self.errors, visible_lines(text))


@dataclass(frozen=True, slots=True)
class WorkflowLog:
    """Annotations, by commands on a standard stream; GitHub's runner reads both."""

    output: TextIO | None

    def fault(self, error: UserError) -> None:
        """Annotate the lines of the config that the error is about, or the whole run."""
        if not isinstance(error, ConfigError):
            self._annotate("error", *error.lines)
            return
        for command in workflow.problem_commands(error.problems, title=_TITLE):
            _write(self.output, f"{command}\n")
        self.listing("".join(f"{plain(line)}\n" for line in error.lines))

    def message(self, level: str, text: str) -> None:
        """Annotate the run; what is only good to know does not take one of its ten places."""
        if level == "info":
            self.listing(f"{plain(text)}\n")
            return
        self._annotate(level, text)

    def _annotate(self, level: str, *lines: str) -> None:
        """Make one annotation of the lines; a line break inside one of them does not show."""
        text = "\n".join(map(plain, lines))
        _write(self.output, f"{workflow.command(level, text, title=_TITLE)}\n")

    def mask(self, secrets_: Iterable[str]) -> None:
        """Let the runner show `***` wherever a secret would show, in all that follows."""
        for line in (line for secret in secrets_ for line in secret.splitlines() if line.strip()):
            _write(self.output, f"{workflow.mask(line)}\n")

    def listing(self, text: str) -> None:
        """Show lines, with every command in them switched off."""
        _write(self.output, workflow.literal(text, token=secrets.token_hex(16)))


@dataclass(frozen=True, slots=True)
class RedactedLog:
    """Another log, without secrets, whatever a message or a traceback quotes."""

    log: Log
    redactor: Redactor

    def fault(self, error: UserError) -> None:
        """Say what was wrong."""
        self.log.fault(_redacted(error, self.redactor))

    def message(self, level: str, text: str) -> None:
        """Say a sentence."""
        self.log.message(level, self.redactor.text(text))

    def listing(self, text: str) -> None:
        """Show lines."""
        self.log.listing(self.redactor.text(text))


@dataclass(frozen=True, slots=True)
class QuietLog:
    """Another log, without what is only good to know."""

    log: Log

    def fault(self, error: UserError) -> None:
        """Say what was wrong."""
        self.log.fault(error)

    def message(self, level: str, text: str) -> None:
        """Say errors and warnings."""
        if level not in ("notice", "info"):
            self.log.message(level, text)

    def listing(self, text: str) -> None:
        """Show lines as they are: they belong to an error."""
        self.log.listing(text)


def choose_log(
    event: Event,
    redactor: Redactor,
    *,
    quiet: bool = False,
    output_is_taken: bool = False,
) -> Log:
    """Return the log for where the process runs.

    redactor: removes secrets from all messages.
    quiet: for errors and warnings only.
    output_is_taken: all goes to standard error, which GitHub's runner reads for commands too.
    """
    output = sys.stderr if output_is_taken else sys.stdout
    plain_log: Log = WorkflowLog(output) if event.in_workflow else TerminalLog(output, sys.stderr)
    log = RedactedLog(plain_log, redactor)
    return QuietLog(log) if quiet else log


def _redacted(error: UserError, redactor: Redactor) -> UserError:
    if isinstance(error, ConfigError):
        return ConfigError(redactor.values(error.problems))
    return type(error)(*map(redactor.text, error.lines))


def _write(stream: TextIO | None, text: str) -> None:
    """Write the text if anybody listens; there is nowhere else to complain."""
    with suppress(OSError):
        streams.write(stream, text)


def tell(outcome: Outcome, log: Log) -> None:
    """Say what could not be read, what the gate found and what became of each sink.

    W&B is last, as it tells how to go on. A failure that costs no exit code is a warning.
    """
    for fault in outcome.faults:
        log.fault(fault)
    if outcome.report:
        if outcome.report.gate and outcome.report.gate.reasons:
            log.message(*_of_gate(outcome.report.gate))
        if outcome.missing_baseline and outcome.report.evaluations:
            log.message("warning", outcome.missing_baseline)
    for receipt in sorted(outcome.receipts, key=lambda receipt: receipt.sink == WANDB):
        if receipt.traceback:
            log.listing(receipt.traceback)
        if receipt.status is Status.FAILED:
            level = "error" if receipt.exit_code else "warning"
            log.message(level, f"{receipt.sink}: {receipt.reason}")
        elif receipt.reason:
            is_skipped = receipt.status is Status.SKIPPED
            level = "notice" if is_skipped or receipt.sink == WANDB else "info"
            log.message(level, f"{receipt.sink}: {receipt.reason}")
        for warning in receipt.warnings:
            log.message("warning", f"{receipt.sink}: {warning}")


def _of_gate(gate: Gate) -> tuple[str, str]:
    """Level and sentence: one annotation, of the ten that a step has, whatever the gate found."""
    told = join_truncated(
        gate.reasons,
        _REASONS_SHOWN,
        separator="; ",
        last="; and ",
        rest="more, which are in the report",
    )
    if gate.closed:
        return "error", f"the gate is closed: {told}"
    if gate.accepted_by:
        return "notice", f"the gate is open, as the label {gate.accepted_by} accepts it: {told}"
    return "warning", f"{told}. It doesn't fail the job: fail-on is never"


def guarded(log: Log, run: Callable[[], int]) -> int:
    """The exit code of the run; whatever it raises is told in the log, and nothing gets out."""
    try:
        return run()
    except UserError as error:
        log.fault(error)
        return error.exit_code
    except Exception:  # noqa: BLE001 -- the traceback is shown, safely for a runner's log
        tell_bug(log)
        return BUG_EXIT_CODE


def tell_bug(log: Log) -> None:
    """Show the traceback of the exception in hand, and say that it is a fault of ours."""
    log.listing(traceback.format_exc())
    log.message("error", _BUG)
