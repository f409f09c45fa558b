"""Where the search for a baseline begins: the base branch, and a commit of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from helm_wandb.baselines.asking import needing
from helm_wandb.baselines.found import Unavailable
from helm_wandb.github_api import pull_requests
from helm_wandb.github_api.messages import Cause, GithubError

if TYPE_CHECKING:
    from helm_wandb.github_api.messages import Github, PullRequest
    from helm_wandb.runner.event import Trigger

_MERGE_BASE = "the merge base"
_MERGED = "the base commit"
_PREVIOUS = "the previous commit"
_SAME = "this commit"
_QUEUED = "the base of the merge group"
_DISPATCHED = frozenset({"schedule", "workflow_dispatch", "repository_dispatch"})
_FROM_PULL_REQUEST = frozenset({"pull_request", "pull_request_target"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A branch, and the commit of it that is nearest to what is compared."""

    branch: str
    commit: str
    called: str
    """What that commit is, in words."""


def base(trigger: Trigger, github: Github) -> Base:
    """The base of what this run evaluated; raises Unavailable, which tells why there is none."""
    if trigger.event == "workflow_run":
        return _of_another_run(trigger, github)
    if trigger.event == "issue_comment":
        return _of_comment(trigger, github)
    if trigger.event == "merge_group":
        return _of_merge_group(trigger)
    if trigger.text("pull_request", "head", "sha"):
        return _of_pull_request(trigger, github)
    if trigger.is_tag:
        return _beside_default(trigger, github)
    return _of_branch(trigger, github)


def _of_branch(trigger: Trigger, github: Github) -> Base:
    """Of a push, a schedule or a dispatch; trigger.sha is what was evaluated."""
    if trigger.event not in {"push", *_DISPATCHED}:
        message = f"The event {trigger.event!r} does not tell what its results stand beside."
        raise Unavailable(message)
    if trigger.branch != _default_branch(trigger, github):
        return _of_side_branch(trigger, github)
    if trigger.event == "push":
        return Base(branch=trigger.branch, commit=_previous(trigger, github), called=_PREVIOUS)
    return Base(branch=trigger.branch, commit=_known(trigger.sha), called=_SAME)


def _of_pull_request(trigger: Trigger, github: Github) -> Base:
    branch, head = trigger.text("pull_request", "base", "ref"), _head(trigger)
    if branch is None:
        message = "The event does not name the pull request's base branch."
        raise Unavailable(message)
    # On pull_request_target, GITHUB_SHA is the base branch's own.
    if trigger.event != "pull_request_target":
        with needing("contents"):
            parents = github.commit(_known(trigger.sha)).parents
        # refs/pull/N/merge: what was evaluated is the head merged with just this commit.
        if parents[1:] == (head,):
            return Base(branch=branch, commit=parents[0], called=_MERGED)
    return _beside(branch, head, github)


def _head(trigger: Trigger) -> str:
    return _known(trigger.text("pull_request", "head", "sha") or "")


def _of_comment(trigger: Trigger, github: Github) -> Base:
    number = trigger.number("issue", "number")
    if number is None or trigger.payload["issue"].get("pull_request") is None:
        message = "The comment is not on a pull request."
        raise Unavailable(message)
    with needing("pull-requests"):
        found = github.pull_request(number)
    return _beside(found.base_ref, found.head_sha, github)


def _of_merge_group(trigger: Trigger) -> Base:
    branch, commit = trigger.likely_base, trigger.text("merge_group", "base_sha")
    if branch is None or commit is None:
        message = "The event does not name the merge group's base."
        raise Unavailable(message)
    return Base(branch=branch, commit=commit, called=_QUEUED)


def _of_another_run(trigger: Trigger, github: Github) -> Base:
    """Of the run whose results are published here; it may be a fork's."""
    event = trigger.text("workflow_run", "event") or ""
    branch = trigger.text("workflow_run", "head_branch") or ""
    sha = _known(trigger.text("workflow_run", "head_sha") or "")
    owner = trigger.text("workflow_run", "head_repository", "owner", "login") or ""
    if event in _FROM_PULL_REQUEST:
        found = _of_head(github, owner=owner, branch=branch, sha=sha)
        if found is None:
            message = f"No open pull request has {sha[:7]} as its head."
            raise Unavailable(message)
        return _beside(found.base_ref, sha, github)
    if trigger.text("workflow_run", "head_repository", "full_name") != trigger.repository:
        message = f"The {event or 'other'} run is of another repository."
        raise Unavailable(message)
    # The payload's `before` would be that of another event.
    payload = {key: value for key, value in trigger.payload.items() if key != "before"}
    return _of_branch(
        replace(trigger, event=event, sha=sha, branch=branch, payload=payload), github
    )


def _of_head(github: Github, *, owner: str, branch: str, sha: str) -> PullRequest | None:
    with needing("pull-requests"):
        return pull_requests.of_head(github, owner=owner, branch=branch, sha=sha)


def _of_side_branch(trigger: Trigger, github: Github) -> Base:
    """Of a branch that is to be merged: into its pull request's base, else into the default."""
    found = None
    # A token that may not see pull requests still may see commits; which base it is, is told.
    with suppress(Unavailable):
        found = _of_head(github, owner=trigger.owner, branch=trigger.branch, sha=trigger.sha)
    if found is None:
        return _beside_default(trigger, github)
    return _beside(found.base_ref, _known(trigger.sha), github)


def _beside_default(trigger: Trigger, github: Github) -> Base:
    return _beside(_default_branch(trigger, github), _known(trigger.sha), github)


def _beside(branch: str, head: str, github: Github) -> Base:
    with needing("contents"):
        commit = github.merge_base(branch, head)
    return Base(branch=branch, commit=commit, called=_MERGE_BASE)


def _default_branch(trigger: Trigger, github: Github) -> str:
    if trigger.default_branch:
        return trigger.default_branch
    with needing("contents"):
        return github.default_branch()


def _previous(trigger: Trigger, github: Github) -> str:
    """The branch's commit before the push, else the one before this."""
    sha, before = _known(trigger.sha), trigger.text("before") or ""
    with needing("contents"):
        # Zeros: the branch is new.
        if before.strip("0") and _is_ancestor(before, sha, github):
            return before
        parents = github.commit(sha).parents
    if not parents:
        message = f"{sha[:7]} is the first commit: none is before it."
        raise Unavailable(message)
    return parents[0]


def _is_ancestor(before: str, sha: str, github: Github) -> bool:
    """Whether nothing was taken away from the branch; what a forced push drops may be gone."""
    try:
        return github.merge_base(before, sha) == before
    except GithubError as error:
        if error.cause in {Cause.NOT_FOUND, Cause.INVALID}:
            return False
        raise


def _known(sha: str) -> str:
    if not sha:
        message = "The workflow's event names no commit."
        raise Unavailable(message)
    return sha
