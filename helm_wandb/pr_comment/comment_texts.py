"""Reasons why a comment was not written, and what to do."""

from __future__ import annotations

from helm_wandb.github_api.messages import Cause, GithubError

_PERMISSION = (
    "The token may not comment on pull requests: add the line `pull-requests: write` under "
    "`permissions:` of the job"
)
_FORK = (
    "This run is from a fork or Dependabot, so its token is read-only. A "
    'second workflow, on workflow_run, can comment instead: see README, "Forks"'
)
_LOCKED = "The conversation of the pull request is locked; unlock it to get a comment"
_ADVICE = {
    Cause.UNAUTHORIZED: (
        "The token is wrong or has expired: give github-token a valid one, or leave it out"
    ),
    Cause.LIMITED: "Run again later",
    Cause.SERVER: "Run again later; for incidents, see githubstatus.com",
    Cause.NETWORK: "Check the network, the proxy and the certificates of this machine",
    Cause.UNREADABLE: "Check GITHUB_API_URL, and the proxy of this machine",
}
_REPORT_BUG = "Please report this as a bug of helm-wandb-action"
UNCHANGED = "the comment is up to date"
OUTDATED = (
    "the comment shows a newer state of the pull request, and stays: the results of this older "
    "run are in its log and report"
)
COMPARED = (
    "this run has no baseline; the comment has a comparison of the same commit already, and stays"
)
SAME_RUN = (
    "another use of this action in the same workflow run wrote this comment already; to get a "
    "comment of each use (steps of a job, matrix jobs, calls of a reusable workflow), give each "
    "its own comment-key"
)
RED_STAYS = (
    "the comment stays, because it shows a regression or a failed job; the results of this use of "
    "the action are in its log and report"
)
NOTHING_OUTDATED = "nothing could be read, and no comment is outdated"
NO_PULL_REQUEST = (
    "no open pull request has the evaluated commit as its head; it was updated or closed"
)
NOT_POSTED = {
    "off": "the input comment is off",
    "on-change": "no score regressed or improved, and there is no comment to update",
    "on-regression": "no score regressed, and there is no comment to update",
}
"""CommentMode → why no comment is posted."""


def skip_reason(error: GithubError, *, has_limited_token: bool) -> str | None:
    """Return why there is no comment, if that is no failure; None if it is one."""
    if error.cause is Cause.LOCKED:
        return f"{_LOCKED}. ({error})"
    if error.cause in (Cause.FORBIDDEN, Cause.NOT_FOUND):
        return f"{error}. {_FORK if has_limited_token else _PERMISSION}"
    return None


def failure_reason(error: GithubError) -> str:
    """Return what went wrong, and what to do."""
    return f"{error}. {_ADVICE.get(error.cause, _REPORT_BUG)}"
