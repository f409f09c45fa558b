"""The pull requests that a run is about: comments, number and labels."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.github_api.messages import GithubError, PullRequest
from helm_wandb.model import Report
from helm_wandb.pr_comment import comment_marker
from helm_wandb.pr_comment.several_comments import PullRequestComments
from helm_wandb.pr_comment.sticky_comment import NoPullRequest, PullRequestComment
from helm_wandb.runner.event_rules import Lookup
from helm_wandb.runner.inputs import CommentMode
from helm_wandb.runner.pull_requests import find_pull_requests

if TYPE_CHECKING:
    from helm_wandb.github_api.repository import Repository
    from helm_wandb.runner.event import Event
    from helm_wandb.runner.settings import Settings
    from helm_wandb.sinks import Sink


class Conversation(Struct, frozen=True, kw_only=True):
    """The part of a run's pull requests that it uses."""

    comment: Sink | None = None
    number: int | None = None
    """The oldest's."""
    labels: frozenset[str] = frozenset()
    """Those that all have."""


def open_conversation(settings: Settings, event: Event, github: Repository | None) -> Conversation:
    """Return the pull requests that the run is about, and the comment that it writes there.

    github: None without a token. Nothing is raised: a comment that can't be written says why
    when it is delivered.
    """
    conversation = Conversation(labels=event.labels)
    comments = settings.comment != CommentMode.OFF
    if github is None:
        return conversation
    try:
        pull_requests = find_pull_requests(event, github)
    except GithubError as error:
        return replace(conversation, comment=NoPullRequest(error) if comments else None)
    if not pull_requests:
        is_outdated = comments and event.rules.lookup is Lookup.RUN_HEAD
        return replace(conversation, comment=NoPullRequest() if is_outdated else None)
    if settings.gate.accept_label:
        # A job that is run again has the labels of its first run in the payload.
        with suppress(GithubError):
            conversation = replace(conversation, labels=_shared_labels(pull_requests, github))
    each = tuple(_comment(one, settings, event, github) for one in pull_requests)
    return replace(
        conversation,
        comment=PullRequestComments(each) if comments else None,
        number=pull_requests[0].number,
    )


def _shared_labels(pull_requests: Sequence[PullRequest], github: Repository) -> frozenset[str]:
    """Return the labels that all of them have: a regression is accepted for each, or not."""
    return frozenset.intersection(
        *(github.pull_request(one.number).label_names for one in pull_requests)
    )


def _comment(
    pull_request: PullRequest, settings: Settings, event: Event, github: Repository
) -> PullRequestComment:
    return PullRequestComment(
        github=github,
        pull_request=pull_request,
        marker=comment_marker.mark(
            event, comment_key=settings.comment_key, head_sha=pull_request.head.sha
        ),
        mode=CommentMode(settings.comment),
        render=_text,
        has_limited_token=event.has_limited_token(pull_request),
    )


def _text(report: Report, limit_bytes: int) -> str:
    # Imported here: only a comment pays for its templates.
    from helm_wandb.render import comment  # noqa: PLC0415

    return comment.render(report, limit_bytes=limit_bytes)
