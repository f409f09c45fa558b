"""The pull request that an event is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import structs

from helm_wandb.runner.event_rules import Lookup

if TYPE_CHECKING:
    from helm_wandb.github_api.messages import PullRequest, WorkflowRun
    from helm_wandb.github_api.repository import Repository
    from helm_wandb.runner.event import Event


def find_pull_request(event: Event, github: Repository) -> PullRequest | None:
    """Return the pull request that a run is about, with the head that the run is of.

    Nothing is taken from artifacts, which a stranger may have written. Raises GithubError if
    a request fails.
    """
    match event.rules.lookup:
        case Lookup.NUMBER if event.pull_request:
            return event.pull_request
        case Lookup.NUMBER:
            number = event.pull_request_number or event.queued_number
            return github.pull_request(number) if number else None
        case Lookup.RUN_HEAD:
            return _pull_request_of_run(event.evaluated_run, github)
        case Lookup.BRANCH if not event.is_tag:
            return _pull_request_of_branch(event, github)
        case _:
            return None


def _pull_request_of_run(run: WorkflowRun | None, github: Repository) -> PullRequest | None:
    """Return the open pull request whose head the evaluated run was of.

    The head's owner and branch lead to it, which GitHub names for forks too; the run's own list
    of pull requests is empty there. The equal commit makes it the very state that was evaluated.
    """
    owner = run.head_repository.owner if run and run.head_repository else None
    if run is None or owner is None or not run.head_branch:
        return None
    opened = github.open_pull_requests(owner=owner.login, branch=run.head_branch)
    return _oldest(one for one in opened if one.head.sha == run.head_sha)


def _pull_request_of_branch(event: Event, github: Repository) -> PullRequest | None:
    """Return the pull request of the branch that was pushed; its head may have moved on since."""
    opened = github.open_pull_requests(owner=event.owner, branch=event.branch)
    oldest = _oldest(one for one in opened if one.is_own)
    if oldest is None or not event.sha:
        return oldest
    return structs.replace(oldest, head=structs.replace(oldest.head, sha=event.sha))


def _oldest(pull_requests: Iterable[PullRequest]) -> PullRequest | None:
    return min(pull_requests, key=lambda one: one.number, default=None)
