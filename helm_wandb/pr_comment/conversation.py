"""The pull request that a run is about → the comment in it, and what else it tells of the run."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from helm_wandb.github_api import pull_requests
from helm_wandb.github_api.messages import GithubError
from helm_wandb.pr_comment.comment_marker import Marker
from helm_wandb.pr_comment.sticky_comment import (
    Mode,
    NoPullRequest,
    PullRequestComment,
    UnknownPullRequest,
)
from helm_wandb.runner import provenance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helm_wandb.github_api.messages import Github
    from helm_wandb.model import Report
    from helm_wandb.runner.settings import Settings
    from helm_wandb.sinks import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What the pull request gives a run."""

    comment: Sink | None = None
    number: int | None = None
    labels: frozenset[str] = frozenset()


def of_run(
    settings: Settings,
    environ: Mapping[str, str],
    event: Mapping[str, Any],
    github: Github | None,
) -> Conversation:
    """The pull request that the run is about, and the comment that it gets there.

    event: the payload. github: None without a token. Nothing is raised: a comment that cannot
    be, says why when it is served.
    """
    told = Conversation(labels=provenance.labels(event))
    speaks = settings.comment != Mode.OFF
    if github is None:
        return told
    try:
        found = pull_requests.find(environ, event, github)
    except GithubError as error:
        return replace(told, comment=UnknownPullRequest(error) if speaks else None)
    if found is None:
        is_lost = speaks and environ.get("GITHUB_EVENT_NAME") == "workflow_run"
        return replace(told, comment=NoPullRequest() if is_lost else None)
    if settings.gate.accept_label:
        # A job that is run again has the labels of its first run in the payload.
        with suppress(GithubError):
            told = replace(told, labels=github.pull_request(found.number).labels)
    comment = PullRequestComment(
        github=github,
        pull_request=found,
        marker=Marker.of_run(environ, comment_key=settings.comment_key, head_sha=found.head_sha),
        mode=Mode(settings.comment),
        render=_text,
        has_only_reading_token=pull_requests.has_only_reading_token(environ, found),
    )
    return replace(told, comment=comment if speaks else None, number=found.number)


def _text(told: Report, limit_bytes: int) -> str:
    # Imported here: only a comment pays for its templates.
    from helm_wandb.render import comment  # noqa: PLC0415

    return comment.render(told, limit_bytes=limit_bytes)
