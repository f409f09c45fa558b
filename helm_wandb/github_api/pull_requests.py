"""The workflow's event → the pull request that a run is about."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from helm_wandb.github_api import answers
from helm_wandb.github_api.messages import GithubError
from helm_wandb.runner.workflow import pull_request_of_ref

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helm_wandb.github_api.messages import Github, PullRequest

_WITH_PULL_REQUEST = frozenset(
    {
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "pull_request_target",
    }
)
"""Events whose payload holds the pull request itself."""
_OF_A_BRANCH = frozenset({"push", "workflow_dispatch"})
_QUEUED = re.compile(r"gh-readonly-queue/.+/pr-([0-9]+)-[0-9a-f]+")
_DEPENDABOT = "dependabot[bot]"

T = TypeVar("T")


class _Issue(msgspec.Struct, frozen=True):
    number: int
    pull_request: dict[str, Any] | None = None
    """There where the issue is a pull request."""


class _OtherRun(msgspec.Struct, frozen=True):
    """The run that a `workflow_run` event is about."""

    head_sha: str
    head_branch: str | None = None
    head_repository: answers.RepositoryData | None = None


def find(
    environ: Mapping[str, str], event: Mapping[str, Any], github: Github
) -> PullRequest | None:
    """The pull request that a run is about, with the head that the run is of; None without one.

    environ: the runner's variables. event: the payload at GITHUB_EVENT_PATH.
    Nothing is taken from artifacts, which a stranger may have written.
    Raises GithubError where GitHub cannot be asked.
    """
    name = environ.get("GITHUB_EVENT_NAME", "")
    if name in _WITH_PULL_REQUEST:
        return _of_payload(event) or _of_ref(environ, github)
    if name == "issue_comment":
        issue = _converted(event.get("issue"), _Issue)
        is_one = issue is not None and issue.pull_request is not None
        return github.pull_request(issue.number) if issue and is_one else None
    if name == "workflow_run":
        run = _converted(event.get("workflow_run"), _OtherRun)
        return _of_run(run, github) if run else None
    if name == "merge_group":
        queued = _QUEUED.fullmatch(environ.get("GITHUB_REF_NAME", ""))
        return github.pull_request(int(queued.group(1))) if queued else None
    if name in _OF_A_BRANCH and environ.get("GITHUB_REF_TYPE") == "branch":
        return _of_branch(environ, github)
    return None


def _of_payload(event: Mapping[str, Any]) -> PullRequest | None:
    """The event's own; None where the payload does not say."""
    told = _converted(event.get("pull_request"), answers.PullRequestData)
    return None if told is None else told.read()


def _converted(told: object, kind: type[T]) -> T | None:
    """A part of the payload; None where it is not there, or none of GitHub's."""
    with suppress(GithubError):
        return answers.converted(told, kind, what="read the event")
    return None


def _of_ref(environ: Mapping[str, str], github: Github) -> PullRequest | None:
    """That of the ref `refs/pull/7/merge`."""
    number = pull_request_of_ref(environ.get("GITHUB_REF", ""))
    return None if number is None else github.pull_request(number)


def of_head(github: Github, *, owner: str, branch: str, sha: str) -> PullRequest | None:
    """The open pull request with that head, of several the oldest; None without one.

    Raises GithubError.
    """
    found = github.open_pull_requests(owner=owner, branch=branch)
    same = [one for one in found if one.head_sha == sha]
    return min(same, key=lambda one: one.number, default=None)


def has_only_reading_token(environ: Mapping[str, str], pull_request: PullRequest) -> bool:
    """Whether GitHub gives the run a token that can only read, whatever the workflow asks for.

    So it is in the runs of forks and of Dependabot, but for events that run on the base branch.
    """
    name = environ.get("GITHUB_EVENT_NAME", "")
    if name == "pull_request_target" or name not in {*_WITH_PULL_REQUEST, "push"}:
        return False
    return not pull_request.is_own or environ.get("GITHUB_ACTOR") == _DEPENDABOT


def _of_run(run: _OtherRun, github: Github) -> PullRequest | None:
    """The pull request whose head the other run was of.

    By the head's owner and branch, which GitHub tells of forks too; the run's own list of pull
    requests is empty there. The equal sha makes it the very state that was evaluated.
    """
    if run.head_repository is None or not run.head_branch:
        return None
    owner = run.head_repository.owner.login
    return of_head(github, owner=owner, branch=run.head_branch, sha=run.head_sha)


def _of_branch(environ: Mapping[str, str], github: Github) -> PullRequest | None:
    """The pull request of the branch that was pushed; its head may have moved on since."""
    owner = environ.get("GITHUB_REPOSITORY_OWNER", "")
    found = github.open_pull_requests(owner=owner, branch=environ.get("GITHUB_REF_NAME", ""))
    own = [one for one in found if one.is_own]
    first = min(own, key=lambda one: one.number, default=None)
    return first and replace(first, head_sha=environ.get("GITHUB_SHA") or first.head_sha)
