"""The runner's environment and event → which state of the code the scores belong to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from helm_wandb import __version__
from helm_wandb.model import Provenance

if TYPE_CHECKING:
    from collections.abc import Mapping

_BRANCH_EVENTS = frozenset({"push", "schedule", "workflow_dispatch", "repository_dispatch"})
_PULL_REQUEST_REF = re.compile(r"refs/pull/([0-9]+)/")


def from_environ(environ: Mapping[str, str], event: Mapping[str, Any]) -> Provenance:
    """The provenance of a workflow run, or, outside of one, of the track `local`.

    event: the payload at GITHUB_EVENT_PATH.
    Variables: GitHub's "Store information in variables", default environment variables.
    """
    if environ.get("GITHUB_ACTIONS") != "true":
        return Provenance(tool_version=__version__)
    pull_request = _pull_request(environ, event)
    return Provenance(
        tool_version=__version__,
        track=_track(environ, pull_request),
        commit=environ.get("GITHUB_SHA") or None,
        ref=environ.get("GITHUB_REF") or None,
        pull_request=pull_request,
        run_url=_run_url(environ),
        attempt=_whole_number(environ.get("GITHUB_RUN_ATTEMPT")),
    )


def _pull_request(environ: Mapping[str, str], event: Mapping[str, Any]) -> int | None:
    """The number, by the event's payload, else by the ref `refs/pull/N/merge`."""
    issue = _mapping(event.get("issue"))
    run = _mapping(event.get("workflow_run"))
    runs = run.get("pull_requests")
    candidates = (
        event.get("pull_request"),
        issue if issue.get("pull_request") else None,
        runs[0] if isinstance(runs, list) and runs else None,
    )
    for candidate in candidates:
        number = _mapping(candidate).get("number")
        if type(number) is int:  # JSON's true is no number
            return number
    by_ref = _PULL_REQUEST_REF.match(environ.get("GITHUB_REF", ""))
    return int(by_ref.group(1)) if by_ref else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _track(environ: Mapping[str, str], pull_request: int | None) -> str:
    event = environ.get("GITHUB_EVENT_NAME", "")
    name = environ.get("GITHUB_REF_NAME", "")
    if pull_request is not None:
        return f"pr/{pull_request}"
    if event == "merge_group":
        return f"queue/{_queued_branch(name)}"
    if environ.get("GITHUB_REF_TYPE") == "tag":
        return f"tag/{name}"
    if event in _BRANCH_EVENTS:
        return f"branch/{name}"
    # Others run on the default branch, whatever they are about: nothing may enter that track.
    return f"{event}/{environ.get('GITHUB_RUN_ID', '')}"


def _queued_branch(name: str) -> str:
    """The branch of `gh-readonly-queue/BRANCH/pr-7-0a1b…`."""
    branch = name.removeprefix("gh-readonly-queue/")
    return branch.rpartition("/pr-")[0] or branch


def _run_url(environ: Mapping[str, str]) -> str | None:
    server, repository, run = (
        environ.get(f"GITHUB_{part}", "") for part in ("SERVER_URL", "REPOSITORY", "RUN_ID")
    )
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None
