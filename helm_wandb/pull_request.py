"""The workflow's event → the pull request that a run is about."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from helm_wandb.github_service import answers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helm_wandb.github_service.messages import Github, PullRequest

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
_PAYLOAD = "send an event that can be read"


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
    Raises GithubError where GitHub cannot be asked, or the payload is none of GitHub's.
    """
    name = environ.get("GITHUB_EVENT_NAME", "")
    if name in _WITH_PULL_REQUEST:
        told = answers.converted(event.get("pull_request"), answers.PullRequestData, what=_PAYLOAD)
        return told.read()
    if name == "issue_comment":
        issue = answers.converted(event.get("issue"), _Issue, what=_PAYLOAD)
        return None if issue.pull_request is None else github.pull_request(issue.number)
    if name == "workflow_run":
        run = answers.converted(event.get("workflow_run"), _OtherRun, what=_PAYLOAD)
        return _of_run(run, github)
    if name == "merge_group":
        queued = _QUEUED.fullmatch(environ.get("GITHUB_REF_NAME", ""))
        return github.pull_request(int(queued.group(1))) if queued else None
    if name in _OF_A_BRANCH and environ.get("GITHUB_REF_TYPE") == "branch":
        return _of_branch(environ, github)
    return None


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
