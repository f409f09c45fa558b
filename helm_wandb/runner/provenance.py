"""The runner's environment and event → which state of the code the scores belong to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helm_wandb import __version__
from helm_wandb.errors import InputError
from helm_wandb.model import Provenance
from helm_wandb.runner.workflow import pull_request_of_ref
from helm_wandb.system.files import content

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_DIGITS = 18
_EVENT_BYTES = 64 << 20
"""GitHub sends no more than 25 MB."""
_BRANCH_EVENTS = frozenset({"push", "schedule", "workflow_dispatch"})
"""On repository_dispatch bots evaluate what forks hold: that is none of a branch's."""


def from_environ(
    environ: Mapping[str, str], event: Mapping[str, Any], *, found: int | None = None
) -> Provenance:
    """The provenance of a workflow run, or, outside of one, of the track `local`.

    event: the payload at GITHUB_EVENT_PATH.
    found: the pull request that GitHub tells of, where the payload is of another run's.
    Variables: GitHub's "Store information in variables", default environment variables.
    """
    if environ.get("GITHUB_ACTIONS") != "true":
        return Provenance(tool_version=__version__)
    is_of_another = environ.get("GITHUB_EVENT_NAME") == "workflow_run"
    pull_request = (found if is_of_another else None) or _pull_request(environ, event)
    return Provenance(
        tool_version=__version__,
        track=_track(environ, pull_request),
        commit=_commit(environ, event),
        ref=_ref(environ, event, pull_request),
        pull_request=pull_request,
        run_url=_run_url(environ),
        attempt=_whole_number(environ.get("GITHUB_RUN_ATTEMPT")),
    )


def labels(event: Mapping[str, Any]) -> frozenset[str]:
    """The names of the pull request's labels, as they were when the workflow began."""
    issue = _mapping(event.get("issue"))
    told = event.get("pull_request") or (issue if issue.get("pull_request") else None)
    found = _mapping(told).get("labels")
    names = (_mapping(one).get("name") for one in (found if isinstance(found, list) else ()))
    return frozenset(name for name in names if isinstance(name, str))


def ranked_tracks(event: Mapping[str, Any]) -> frozenset[str]:
    """The tracks whose models every leaderboard shows: the default branch's.

    Outside of a workflow that branch can only be guessed.
    """
    named = _mapping(event.get("repository")).get("default_branch")
    branches = [named] if isinstance(named, str) else ["main", "master"]
    return frozenset(f"branch/{branch}" for branch in branches)


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
    return pull_request_of_ref(environ.get("GITHUB_REF", ""))


def _commit(environ: Mapping[str, str], event: Mapping[str, Any]) -> str | None:
    """The commit that the scores are of: a pull request's head, not its merge or its base."""
    if environ.get("GITHUB_EVENT_NAME") == "issue_comment":
        return None
    heads = (
        _mapping(_mapping(event.get("pull_request")).get("head")).get("sha"),
        _mapping(event.get("workflow_run")).get("head_sha"),
        environ.get("GITHUB_SHA"),
    )
    return next((head for head in heads if isinstance(head, str) and head), None)


def _ref(
    environ: Mapping[str, str], event: Mapping[str, Any], pull_request: int | None
) -> str | None:
    """The ref of that commit."""
    if pull_request is not None:
        return f"refs/pull/{pull_request}/head"
    branch = _mapping(event.get("workflow_run")).get("head_branch")
    return f"refs/heads/{branch}" if isinstance(branch, str) else environ.get("GITHUB_REF") or None


def read_event(environ: Mapping[str, str]) -> dict[str, Any]:
    """The payload of the workflow's event; empty outside of a workflow.

    Raises InputError where the runner's file cannot be read.
    """
    path = environ.get("GITHUB_EVENT_PATH")
    try:
        event = json.loads(content(Path(path), at_most=_EVENT_BYTES)) if path else {}
    except (OSError, ValueError, RecursionError) as error:
        message = f"the event at {path} cannot be read: {error}"
        raise InputError(message) from error
    if not isinstance(event, dict):
        message = f"the event at {path} cannot be read: it is no JSON object"
        raise InputError(message)
    return event


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
    is_number = text and text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if text and is_number else None
