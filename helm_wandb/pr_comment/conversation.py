"""The pull request that a run is about: its comment, number and labels."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from helm_wandb.github_api.messages import GithubError
from helm_wandb.model import Report
from helm_wandb.pr_comment import comment_marker
from helm_wandb.pr_comment.sticky_comment import Mode, NoPullRequest, PullRequestComment
from helm_wandb.runner.pull_requests import find_pull_request

if TYPE_CHECKING:
    from helm_wandb.github_api.repository import Repository
    from helm_wandb.runner.event import Event
    from helm_wandb.runner.settings import Settings
    from helm_wandb.sinks import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The part of a pull request that a run uses."""

    comment: Sink | None = None
    number: int | None = None
    labels: frozenset[str] = frozenset()


def open_conversation(settings: Settings, event: Event, github: Repository | None) -> Conversation:
    """Return the pull request that the run is about, and the comment that it gets there.

    github: None without a token. Nothing is raised: a comment that can't be written says why
    when it is delivered.
    """
    conversation = Conversation(labels=event.labels)
    comments = settings.comment != Mode.OFF
    if github is None:
        return conversation
    try:
        pull_request = find_pull_request(event, github)
    except GithubError as error:
        return replace(conversation, comment=NoPullRequest(error) if comments else None)
    if pull_request is None:
        is_outdated = comments and event.name == "workflow_run"
        return replace(conversation, comment=NoPullRequest() if is_outdated else None)
    if settings.gate.accept_label:
        # A job that is run again has the labels of its first run in the payload.
        with suppress(GithubError):
            labels = github.pull_request(pull_request.number).label_names
            conversation = replace(conversation, labels=labels)
    comment = PullRequestComment(
        github=github,
        pull_request=pull_request,
        marker=comment_marker.mark(
            event, comment_key=settings.comment_key, head_sha=pull_request.head.sha
        ),
        mode=Mode(settings.comment),
        render=_text,
        has_limited_token=event.has_limited_token(pull_request),
    )
    return replace(conversation, comment=comment if comments else None, number=pull_request.number)


def _text(report: Report, limit_bytes: int) -> str:
    # Imported here: only a comment pays for its templates.
    from helm_wandb.render import comment  # noqa: PLC0415

    return comment.render(report, limit_bytes=limit_bytes)
