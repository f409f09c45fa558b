"""Events, and the pull requests and workflow runs in their payloads, as GitHub sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from helm_wandb.github_api.messages import (
    Account,
    Label,
    PullRequest,
    RepositoryRef,
    Side,
    WorkflowRun,
)
from helm_wandb.runner.event import parse_event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from helm_wandb.runner.event import Event

OWN, FORK = "me", "you"
SHA = "a" * 40


def repository(owner: str = OWN) -> RepositoryRef:
    """The repository of this owner; each owner has one."""
    return RepositoryRef(id=sum(owner.encode()), owner=Account(login=owner))


def pull_request(  # noqa: PLR0913 -- the fields that tests vary
    number: int = 7,
    *,
    head: str = SHA,
    branch: str = "change",
    base: str = "main",
    owner: str = OWN,
    labels: Iterable[str] = (),
    own: str = OWN,
    merged: str | None = None,
) -> PullRequest:
    """A pull request from this owner's branch into a branch of `own`'s repository.

    merged: the commit that merged it.
    """
    return PullRequest(
        number=number,
        head=Side(ref=branch, sha=head, repo=repository(owner)),
        base=Side(ref=base, sha="b" * 40, repo=repository(own)),
        labels=tuple(map(Label, labels)),
        merged_at="2026-01-02T00:00:00Z" if merged else None,
        merge_commit_sha=merged,
    )


def workflow_run(  # noqa: PLR0913 -- the fields that tests vary
    event: str = "push",
    *,
    run_id: int = 6,
    number: int = 1,
    head: str = SHA,
    branch: str | None = "main",
    owner: str = OWN,
    own: str = OWN,
) -> WorkflowRun:
    """A run of a workflow in `own`'s repository, on this owner's branch."""
    return WorkflowRun(
        id=run_id,
        number=number,
        event=event,
        head_sha=head,
        head_branch=branch,
        repository=repository(own),
        head_repository=repository(owner),
    )


def as_json(value: msgspec.Struct) -> Any:
    """The part of a payload, as GitHub sends it."""
    return msgspec.to_builtins(value)


def event(name: str = "push", *, payload: dict[str, Any] | None = None, **variables: str) -> Event:
    """An event in a workflow.

    variables: the runner's, in lower case and without `GITHUB_`.
    """
    runner = {f"GITHUB_{key.upper()}": value for key, value in variables.items()}
    return parse_event(
        {"GITHUB_EVENT_NAME": name, "GITHUB_ACTIONS": "true", **runner}, payload or {}
    )
