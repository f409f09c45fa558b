"""Errors that a user can fix. Each class has the exit code that scripts rely on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct

from helm_wandb.model import Place

BUG_EXIT_CODE = 1
GATE_EXIT_CODE = 4
"""A result that `fail-on` or `on-missing-baseline` lets fail the job."""


class UserError(Exception):
    """What happened, where, and what to do; shown without a traceback."""

    exit_code: ClassVar[int]

    def __init__(self, *lines: str) -> None:
        """Keep the lines of the message; a line break inside a line comes from others' text."""
        super().__init__("\n".join(lines))
        self.lines = lines


class Problem(Struct, frozen=True):
    """One problem in a config."""

    place: Place
    path: str
    """The key's JSON path, `$.evals[0].source`."""
    message: str
    """The problem, and how to fix it."""

    def __str__(self) -> str:
        """Return `file:line:column: $.path: message`."""
        return f"{self.place}: {self.path}: {self.message}"


class ConfigError(UserError):
    """All problems in a config."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems, in the order of the file."""
        super().__init__(*map(str, problems))
        self.problems = tuple(problems)


class InputError(UserError):
    """An input of the action or a flag of the command is invalid."""

    exit_code = 2


class ArtifactError(UserError):
    """Evaluation artifacts don't exist, can't be read, or lack what the config names."""

    exit_code = 3


class UnknownOutputError(ArtifactError):
    """Nothing is there that a source knows, so it may be another source's."""


class SinkError(UserError):
    """An output could not be written."""

    exit_code = 5
