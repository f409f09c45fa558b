"""The runner's protocol: workflow commands and outputs.

Source: GitHub's "Workflow commands for GitHub Actions", and actions/runner 2.336.0
(Runner.Common/ActionCommand.cs, Runner.Worker/FileCommandManager.cs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from helm_wandb.errors import Problem
from helm_wandb.text.safe_text import plain
from helm_wandb.text.visible import visible, visible_lines

ANNOTATIONS_SHOWN = 10
"""GitHub shows ten annotations of a type per step; more are dropped."""
_MESSAGE_CHARACTERS = 4000
"""GitHub keeps 4,096 characters of an annotation."""


def command(name: str, message: str, **properties: str | int) -> str:
    """Return a workflow command, `::name key=value,…::message`, that no text can break out of.

    message: its line feeds are kept; other control characters become visible.
    """
    joined = ",".join(f"{key}={_escape_property(str(value))}" for key, value in properties.items())
    shown = visible_lines(message[:_MESSAGE_CHARACTERS])
    return f"::{name}{' ' if joined else ''}{joined}::{_escape(shown)}"


def mask(secret: str) -> str:
    """Return the command after which the runner shows `***` instead of the line."""
    return f"::add-mask::{_escape(secret)}"


def _escape(text: str) -> str:
    return _encodable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _encodable(text: str) -> str:
    """Return the text without lone surrogates, which file names may hold and UTF-8 cannot."""
    return text.encode(errors="replace").decode()


def _escape_property(text: str) -> str:
    return _escape(visible(text)).replace(":", "%3A").replace(",", "%2C")


def problem_commands(problems: Sequence[Problem], *, title: str) -> list[str]:
    """Return an error annotation for each problem, on its line; the tenth counts the rest."""
    shown = problems if len(problems) <= ANNOTATIONS_SHOWN else problems[: ANNOTATIONS_SHOWN - 1]
    commands = [
        command(
            "error",
            plain(f"{problem.path}: {problem.message}"),
            file=problem.place.file,
            line=problem.place.line,
            col=problem.place.column,
            title=title,
        )
        for problem in shown
    ]
    if len(shown) < len(problems):
        more = len(problems) - len(shown)
        commands.append(command("error", f"{more} more are in the log of this step", title=title))
    return commands


def literal(text: str, *, token: str) -> str:
    """Return the text for the log, with its workflow commands and escape sequences disabled.

    token: random, unknown to whoever wrote the text.
    """
    end = "" if text.endswith("\n") else "\n"
    return f"::stop-commands::{token}\n{visible_lines(text)}{end}::{token}::\n"


def group(title: str, lines: str) -> str:
    """Return the lines, folded under a title in the log."""
    return f"{command('group', title)}\n{lines}::endgroup::\n"


def output_lines(outputs: Mapping[str, str], *, delimiter: str) -> str:
    """Return the lines for the file at GITHUB_OUTPUT.

    delimiter: random, unknown to whoever wrote the values.
    """
    return "".join(
        f"{name}<<{delimiter}\n{_encodable(value)}\n{delimiter}\n"
        for name, value in outputs.items()
    )
