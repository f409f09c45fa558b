"""What a user can act on. Each class carries the exit code that scripts rely on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helm_wandb.model import Place


BUG_EXIT_CODE = 1
GATE_EXIT_CODE = 4
"""A regression or a floor, where they were asked to close the gate."""
ABSOLUTE_PATH = (
    "It is an absolute path: inside the action's container only the workspace exists, as "
    "/github/workspace. Give the path relative to the workspace."
)
"""What is probably wrong with an absolute path where nothing is."""


class UserError(Exception):
    """What happened, where, and what to do now; shown without a traceback."""

    exit_code: ClassVar[int]

    def __init__(self, *lines: str) -> None:
        """Carry the lines of the message; a line break inside one of them is not ours."""
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a config."""

    place: Place
    path: str
    """The key's JSON path, `$.evals[0].source`."""
    message: str
    """What is wrong, and what would be right."""

    def __str__(self) -> str:
        """`file:line:column: $.path: message`."""
        return f"{self.place}: {self.path}: {self.message}"


class ConfigError(UserError):
    """Everything that is wrong with a config, at once."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Carry the problems, in the order of the file."""
        super().__init__(*map(str, problems))
        self.problems = tuple(problems)


class InputError(UserError):
    """An input of the action or a flag of the command line is wrong."""

    exit_code = 2


class ArtifactError(UserError):
    """Evaluation artifacts are not there, cannot be read, or hold nothing that was asked for."""

    exit_code = 3


class SinkError(UserError):
    """A sink could not be served."""

    exit_code = 5
