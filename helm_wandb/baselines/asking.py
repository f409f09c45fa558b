"""What GitHub's refusals mean to somebody who wants a baseline."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from helm_wandb.baselines.found import Unavailable
from helm_wandb.github_api.messages import Cause, GithubError

if TYPE_CHECKING:
    from collections.abc import Iterator

    Permission = Literal["actions", "contents", "pull-requests"]


@contextmanager
def needing(permission: Permission) -> Iterator[None]:
    """A question that a token with this permission may ask; raises Unavailable for a refusal."""
    try:
        yield
    except GithubError as error:
        raise Unavailable(told(error, permission)) from error


def told(error: GithubError, permission: Permission) -> str:
    """What happened, and for want of which line of the workflow."""
    happened = sentence(error)
    if error.cause is not Cause.FORBIDDEN:
        return happened
    return (
        f"{happened} The job's token lacks a permission: add the line `{permission}: read` under "
        "`permissions:` in the workflow."
    )


def sentence(error: Exception) -> str:
    """What the error says, with an end."""
    said = str(error)
    return said if said.endswith((".", "?", "!")) else f"{said}."
