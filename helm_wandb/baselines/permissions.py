"""GitHub's refusals, explained to somebody who wants a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

from helm_wandb.baselines.matches import SearchError
from helm_wandb.github_api.messages import Cause, GithubError

T = TypeVar("T")
Permission = Literal["actions", "contents", "pull-requests"]


@contextmanager
def requires(permission: Permission) -> Iterator[None]:
    """Let requests run that need this permission; raises SearchError if GitHub refuses one."""
    try:
        yield
    except GithubError as error:
        raise SearchError(explain_refusal(error, permission)) from error


def none_if_absent(call: Callable[[], T]) -> T | None:
    """Return what the request gets; None if GitHub has no such object."""
    try:
        return call()
    except GithubError as error:
        if error.cause in {Cause.NOT_FOUND, Cause.INVALID}:
            return None
        raise


def explain_refusal(error: GithubError, permission: Permission) -> str:
    """Return what happened, and which line the workflow lacks."""
    happened = as_sentence(error)
    if error.cause is not Cause.FORBIDDEN:
        return happened
    return (
        f"{happened} The job's token lacks a permission: add the line `{permission}: read` under "
        "`permissions:` in the workflow."
    )


def as_sentence(error: Exception) -> str:
    """Return the error's message, with an end."""
    message = str(error)
    return message if message.endswith((".", "?", "!")) else f"{message}."
