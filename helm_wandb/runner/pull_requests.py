"""The pull requests that an event is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from helm_wandb.runner.event_rules import Lookup, rules_of

if TYPE_CHECKING:
    from helm_wandb.github_api.messages import PullRequest
    from helm_wandb.github_api.repository import Repository
    from helm_wandb.runner.event import Event


def find_pull_requests(event: Event, github: Repository) -> tuple[PullRequest, ...]:
    """Return the pull requests that a run is about, the oldest first.

    Each has the head that the run is of. A branch may have several; all get the results, unless
    the payload names one. Nothing is taken from artifacts, which a stranger may have written.
    Raises GithubError if a request fails.
    """
    match event.rules.lookup:
        case Lookup.NUMBER | Lookup.ISSUE if event.pull_request:
            return (event.pull_request,)
        case Lookup.NUMBER | Lookup.ISSUE:
            number = event.pull_request_number or event.queued_number
            return (github.pull_request(number),) if number else ()
        case Lookup.RUN_HEAD:
            return _pull_requests_of_run(event, github)
        case Lookup.BRANCH if not event.is_tag:
            return _pull_requests_of_branch(event, github)
        case _:
            return ()


def _pull_requests_of_run(event: Event, github: Repository) -> tuple[PullRequest, ...]:
    """Return the open pull requests whose head the evaluated run was of.

    The head's owner and branch lead to them, which GitHub names for forks too; the run's own list
    of pull requests is empty there. The equal commit makes it the very state that was evaluated.
    """
    run = event.evaluated_run
    owner = run.head_repository.owner if run and run.head_repository else None
    if run is None or owner is None or not run.head_branch or not rules_of(run.event).has_head:
        return ()
    opened = github.open_pull_requests(owner=owner.login, branch=run.head_branch)
    same = [one for one in _oldest_first(opened) if one.head.sha == run.head_sha]
    named = [one for one in same if one.number in event.evaluated_numbers]
    return tuple(named or same)


def _pull_requests_of_branch(event: Event, github: Repository) -> tuple[PullRequest, ...]:
    """Return those of the branch that was pushed; their heads may have moved on since."""
    opened = github.open_pull_requests(owner=event.owner, branch=event.branch)
    return tuple(_with_head(one, event.sha) for one in _oldest_first(opened) if one.is_own)


def _with_head(pull_request: PullRequest, sha: str) -> PullRequest:
    head = pull_request.head
    return structs.replace(pull_request, head=structs.replace(head, sha=sha or head.sha))


def _oldest_first(pull_requests: tuple[PullRequest, ...]) -> list[PullRequest]:
    return sorted(pull_requests, key=lambda one: one.number)
