"""Messages of a run: to a person at a terminal, or to GitHub's runner."""

from __future__ import annotations

import secrets
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TextIO

from msgspec import Struct

from helm_wandb.errors import BUG_EXIT_CODE, ConfigError, UserError
from helm_wandb.runner import workflow
from helm_wandb.runner.event import Event
from helm_wandb.system import streams
from helm_wandb.text.redaction import NO_SECRETS, Redactor
from helm_wandb.text.safe_text import plain
from helm_wandb.text.visible import visible_lines

_TITLE = "helm-wandb-action"
_BUG = "this is a bug in helm-wandb-action: please report it with the traceback above"


class TerminalLog(Struct, frozen=True):
    """Notices on standard output, everything else on standard error."""

    output: TextIO | None
    errors: TextIO | None

    def fault(self, error: UserError) -> None:
        """Say what was wrong, a line for each problem."""
        for line in error.lines:
            self.message("error", line)

    def message(self, level: str, text: str) -> None:
        """Say a sentence on one line."""
        if level in ("notice", "info"):
            _write(self.output, f"{plain(text)}\n")
        else:
            _write(self.errors, f"{level}: {plain(text)}\n")

    def listing(self, text: str) -> None:
        """Show lines on standard error."""
        _write(self.errors, visible_lines(text))


class WorkflowLog(Struct, frozen=True):
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
        """Annotate the run, which has ten annotations of a level; `info` uses none."""
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


class Log(Struct, frozen=True):
    """The messages of a run, without secrets; what they quote can do no harm in the log."""

    place: TerminalLog | WorkflowLog
    redactor: Redactor = NO_SECRETS
    is_quiet: bool = False
    """Whether only errors and warnings are shown."""

    def fault(self, error: UserError) -> None:
        """Say what was wrong."""
        self.place.fault(_redacted(error, self.redactor))

    def message(self, level: str, text: str) -> None:
        """Say a sentence; level: `error`, `warning`, `notice`, or `info` for the log alone."""
        if not self.is_quiet or level not in ("notice", "info"):
            self.place.message(level, self.redactor.text(text))

    def listing(self, text: str) -> None:
        """Show lines as they are."""
        self.place.listing(self.redactor.text(text))


def choose_log(
    event: Event,
    redactor: Redactor,
    *,
    quiet: bool = False,
    output_is_taken: bool = False,
) -> Log:
    """Return the log for where the process runs.

    redactor: removes secrets from all messages. quiet: show only errors and warnings.
    output_is_taken: everything goes to standard error, in which the runner reads commands too.
    """
    output = sys.stderr if output_is_taken else sys.stdout
    place = WorkflowLog(output) if event.in_workflow else TerminalLog(output, sys.stderr)
    return Log(place, redactor, is_quiet=quiet)


def _redacted(error: UserError, redactor: Redactor) -> UserError:
    if isinstance(error, ConfigError):
        return ConfigError(redactor.values(error.problems))
    return type(error)(*map(redactor.text, error.lines))


def _write(stream: TextIO | None, text: str) -> None:
    """Write the text if the stream is open; there is no other place for the error."""
    with suppress(OSError):
        streams.write(stream, text)


def run_guarded(log: Log, run: Callable[[], int]) -> int:
    """Return the exit code of the run; the log shows whatever it raises."""
    try:
        return run()
    except UserError as error:
        log.fault(error)
        return error.exit_code
    except Exception:  # noqa: BLE001 -- the traceback is shown, safely for a runner's log
        log_bug(log)
        return BUG_EXIT_CODE


def log_bug(log: Log) -> None:
    """Show the traceback of the current exception, and say that it is an internal error."""
    log.listing(traceback.format_exc())
    log.message("error", _BUG)
