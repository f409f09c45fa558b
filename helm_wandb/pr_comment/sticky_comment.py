"""The pull request's comment: a single one, kept up to date, and recognized by its first line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.errors import SinkError
from helm_wandb.github_api.messages import Cause, Comment, GithubError, PullRequest
from helm_wandb.model import Provenance, Receipt, Report, Status, Verdict
from helm_wandb.pr_comment import comment_marker, comment_texts
from helm_wandb.render import comment, markdown
from helm_wandb.runner.inputs import CommentMode

if TYPE_CHECKING:
    from helm_wandb.github_api.repository import Repository
    from helm_wandb.pr_comment.comment_marker import Marker


_POSTED = {
    CommentMode.UPDATE: frozenset(Verdict),
    CommentMode.RECREATE: frozenset(Verdict),
    CommentMode.ON_CHANGE: frozenset({Verdict.REGRESSED, Verdict.IMPROVED}),
    CommentMode.ON_REGRESSION: frozenset({Verdict.REGRESSED}),
    CommentMode.OFF: frozenset[Verdict](),
}
"""The verdicts on which a comment is posted."""


class PullRequestComment(Struct, frozen=True, kw_only=True):
    """Writes a report into the conversation of a pull request."""

    name: ClassVar[str] = comment.SINK

    github: Repository
    pull_request: PullRequest
    marker: Marker
    """The run's marker; its head is the evaluated one."""
    mode: CommentMode
    render: Callable[[Report, int], str]
    """Report, and the maximum of UTF-8 bytes → the comment's Markdown."""
    has_limited_token: bool = False
    """Whether this run's token can only read, as a fork's."""

    def deliver(self, report: Report) -> Receipt:
        """Write the comment, or skip it if the token or the mode forbids it; raises SinkError."""
        shown = replace(self, marker=self.marker.with_verdict(report))
        # A job that a floor or a lost score failed needs its comment as a regression does.
        is_posted = shown.marker.is_red or report.verdict in _POSTED[self.mode]
        return shown.write(
            lambda room: self.render(report, room),
            skip_reason=None if is_posted else comment_texts.NOT_POSTED[self.mode],
        )

    def deliver_unread(self, problems: Sequence[str], provenance: Provenance) -> Receipt:
        """Update an existing comment after a run that could read nothing."""
        return self.write(
            lambda room: markdown.render_unread(problems, provenance, limit_bytes=room),
            skip_reason=comment_texts.NOTHING_OUTDATED,
        )

    def write(self, render: Callable[[int], str], *, skip_reason: str | None) -> Receipt:
        """Write a text with the marker; raises SinkError.

        render: the maximum of UTF-8 bytes → the text.
        skip_reason: why no new comment is posted; None: one is.
        """
        if self.mode is CommentMode.OFF:
            return _skipped(comment_texts.NOT_POSTED[self.mode])
        first_line = self.marker.line
        text = render(comment.LIMIT_BYTES - len(first_line.encode()))
        try:
            return self._write_body(first_line + text, skip_reason=skip_reason)
        except GithubError as error:
            return _refused(error, has_limited_token=self.has_limited_token)

    def _write_body(self, body: str, *, skip_reason: str | None) -> Receipt:
        own = self._own_comments()
        if not own:
            return _skipped(skip_reason) if skip_reason else self._post(body, replaced=())
        write = (
            partial(self._post, body, replaced=own)
            if self.mode is CommentMode.RECREATE
            else partial(self._update, own, body)
        )
        return self._replace(own[0], body, write)

    def _own_comments(self) -> list[Comment]:
        """Return our comments with this marker's key, the oldest first; after a race, several.

        Anybody can paste the marker, so the author counts.
        """
        marked = self._marked_comments()
        return _by_author(marked, self.github.login()) if marked else []

    def _marked_comments(self) -> list[Comment]:
        listed = self.github.comments(self.pull_request.number)
        return [one for one in listed if _has_marker(one, self.marker)]

    def _replace(self, comment: Comment, body: str, write: Callable[[], Receipt]) -> Receipt:
        """Write over a comment, unless it shows more than this run can."""
        marked = comment_marker.read(comment.text)
        if marked is None:
            return write()
        written = marked[0]
        if self._is_outdated(written):
            return _skipped(comment_texts.OUTDATED, url=comment.url)
        if self.marker.lacks_comparison_of(written):
            return _skipped(comment_texts.COMPARED, url=comment.url)
        if not self.marker.is_of_same_run(written) or _text(comment.text) == _text(body):
            return write()
        is_kept = written.is_red
        receipt = _skipped(comment_texts.RED_STAYS, url=comment.url) if is_kept else write()
        return replace(receipt, warnings=(comment_texts.SAME_RUN,))

    def _is_outdated(self, written: Marker) -> bool:
        """Whether this run is outdated: the comment is of a newer state of the pull request."""
        if written.head_sha == self.marker.head_sha:
            return False
        head = self.github.pull_request(self.pull_request.number).head.sha
        is_newer = written.head_sha == head or written.run_id > self.marker.run_id
        return head != self.marker.head_sha and is_newer

    def _update(self, own: Sequence[Comment], body: str) -> Receipt:
        """Replace the oldest comment's text, and delete the others."""
        kept, others = own[0], own[1:]
        if _text(kept.text) == _text(body):
            self._delete(others)
            return self._done(kept, reason=comment_texts.UNCHANGED)
        try:
            kept = self.github.edit_comment(kept.id, body)
        except GithubError as error:
            if error.cause is not Cause.NOT_FOUND:
                raise
            # Deleted since it was listed.
            return self._post(body, replaced=own)
        self._delete(others)
        return self._done(kept)

    def _post(self, body: str, *, replaced: Collection[Comment]) -> Receipt:
        """Post a new comment in place of these.

        Jobs that post at the same moment all see each other's comments afterwards, and keep the
        oldest of the new ones. A job whose comment was deleted then updates that one.
        """
        replaced_ids = {one.id for one in replaced}

        def fresh(comments: Iterable[Comment]) -> list[Comment]:
            return [one for one in comments if one.id not in replaced_ids]

        def stored() -> Comment | None:
            same = (one for one in fresh(self._own_comments()) if _text(one.text) == _text(body))
            return next(same, None)

        created = self.github.create_comment(self.pull_request.number, body, unless=stored)
        kept, *others = fresh(_by_author(self._marked_comments(), created.author)) or [created]
        self._delete([*replaced, *others])
        if kept.id == created.id:
            return self._done(created)
        return self._replace(kept, body, partial(self._update, [kept], body))

    def _delete(self, comments: Collection[Comment]) -> None:
        for one in comments:
            self.github.delete_comment(one.id)

    def _done(self, comment: Comment, *, reason: str | None = None) -> Receipt:
        return Receipt(sink=self.name, status=Status.DONE, url=comment.url, reason=reason)


class NoPullRequest(Struct, frozen=True):
    """Stands in for the comment if its pull request was not found."""

    name: ClassVar[str] = PullRequestComment.name

    error: GithubError | None = None
    """Why GitHub did not name it; None: the evaluated run's pull request is gone."""

    def deliver(self, report: Report) -> Receipt:  # noqa: ARG002 -- as every sink's
        """Skip the comment, or raise SinkError if GitHub failed."""
        if self.error is None:
            return _skipped(comment_texts.NO_PULL_REQUEST)
        return _refused(self.error, has_limited_token=False)


def _refused(error: GithubError, *, has_limited_token: bool) -> Receipt:
    """Return the receipt of a comment without permission; raises SinkError of another fault."""
    reason = comment_texts.skip_reason(error, has_limited_token=has_limited_token)
    if reason is None:
        raise SinkError(comment_texts.failure_reason(error)) from error
    return _skipped(reason)


def _skipped(reason: str, *, url: str | None = None) -> Receipt:
    name = PullRequestComment.name
    return Receipt(sink=name, status=Status.SKIPPED, url=url, reason=reason)


def _by_author(comments: Iterable[Comment], login: str) -> list[Comment]:
    own = (one for one in comments if one.author.lower() == login.lower())
    return sorted(own, key=lambda one: one.id)


def _has_marker(comment: Comment, marker: Marker) -> bool:
    marked = comment_marker.read(comment.text)
    return marked is not None and marked[0].key == marker.key


def _text(body: str) -> str:
    """Return the visible text of a comment, as GitHub may have stored it."""
    marked = comment_marker.read(body)
    text = marked[1] if marked else body
    return text.replace("\r\n", "\n").strip()
