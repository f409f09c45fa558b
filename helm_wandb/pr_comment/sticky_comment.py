"""The pull request's comment: one, kept up to date, and found again by its first line."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from helm_wandb.errors import SinkError
from helm_wandb.github_api.messages import Cause, GithubError
from helm_wandb.model import Receipt, Status, Verdict
from helm_wandb.pr_comment import comment_marker, comment_texts
from helm_wandb.render import comment, markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from helm_wandb.github_api.messages import Comment, PullRequest
    from helm_wandb.github_api.repository import Repository
    from helm_wandb.model import Provenance, Report
    from helm_wandb.pr_comment.comment_marker import Marker

LIMIT_BYTES = 65_536
"""GitHub refuses more characters ("maximum is 65536 characters"); bytes are never fewer."""


class Mode(StrEnum):
    """When a comment is posted. One that is there is updated, whatever the results."""

    UPDATE = "update"
    """Always."""
    RECREATE = "recreate"
    """Always, at the conversation's end, and the old one is deleted."""
    ON_CHANGE = "on-change"
    """When a score is marked."""
    ON_REGRESSION = "on-regression"
    """When a score regressed."""
    OFF = "off"
    """Never, and none is updated."""


_POSTED = {
    Mode.UPDATE: frozenset(Verdict),
    Mode.RECREATE: frozenset(Verdict),
    Mode.ON_CHANGE: frozenset({Verdict.REGRESSED, Verdict.IMPROVED}),
    Mode.ON_REGRESSION: frozenset({Verdict.REGRESSED}),
    Mode.OFF: frozenset[Verdict](),
}
"""The verdicts on which a comment is posted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestComment:
    """Writes a report into the conversation of a pull request."""

    name: ClassVar[str] = comment.SINK

    github: Repository
    pull_request: PullRequest
    marker: Marker
    """Of this run; its head is the one that the results are of."""
    mode: Mode
    render: Callable[[Report, int], str] = field(repr=False)
    """Report, and the most bytes of UTF-8 → the comment's Markdown."""
    has_limited_token: bool = False
    """Whether this run's token can only read, as a fork's."""

    def deliver(self, report: Report) -> Receipt:
        """Done, or skipped where the token may not, or nothing is to be said; raises SinkError."""
        is_worth_it = report.verdict in _POSTED[self.mode]
        return self._told(
            lambda room: self.render(report, room),
            unasked=None if is_worth_it else comment_texts.NOT_ASKED[self.mode],
        )

    def deliver_unread(self, problems: Sequence[str], provenance: Provenance) -> Receipt:
        """The same for a run of which nothing could be read; no new comment is posted for it."""
        return self._told(
            lambda room: markdown.render_unread(problems, provenance, limit_bytes=room),
            unasked=comment_texts.NOTHING_TO_MEND,
        )

    def _told(self, text_of: Callable[[int], str], *, unasked: str | None) -> Receipt:
        """unasked: why no new comment is posted; None: one is."""
        if self.mode is Mode.OFF:
            return _skipped(comment_texts.NOT_ASKED[self.mode])
        first_line = self.marker.line
        text = text_of(LIMIT_BYTES - len(first_line.encode()))
        try:
            return self._write(first_line + text, unasked=unasked)
        except GithubError as error:
            return _refused(error, can_only_read=self.has_limited_token)

    def _write(self, body: str, *, unasked: str | None) -> Receipt:
        own = self._own()
        if not own and unasked:
            return _skipped(unasked)
        if own and self._is_outdated(own[0]):
            return _skipped(comment_texts.OUTDATED, url=own[0].url)
        if own and self.mode is not Mode.RECREATE:
            return self._update(own, body)
        return self._post(body, replaced=own)

    def _own(self) -> list[Comment]:
        """Our comments with this marker's key, the oldest first; more than one after a race.

        Anybody can paste the marker, so the author counts; asked only where it is needed.
        """
        marked = self._marked()
        return _of_author(marked, self.github.login()) if marked else []

    def _marked(self) -> list[Comment]:
        listed = self.github.comments(self.pull_request.number)
        return [one for one in listed if _is_marked(one, self.marker)]

    def _is_outdated(self, comment: Comment) -> bool:
        """Whether the comment is of a newer state than this run: the pull request moved on."""
        found = comment_marker.read(comment.text)
        if found is None or found[0].head_sha == self.marker.head_sha:
            return False
        written, head = found[0], self.github.pull_request(self.pull_request.number).head.sha
        is_newer = written.head_sha == head or written.run_id > self.marker.run_id
        return head != self.marker.head_sha and is_newer

    def _update(self, own: Sequence[Comment], body: str) -> Receipt:
        """The oldest with this text; the others deleted."""
        kept, others = own[0], own[1:]
        if _text(kept.text) == _text(body):
            self._delete(others)
            return self._done(kept, reason=comment_texts.SAME)
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
        """A new comment in place of these.

        Of jobs that post at the same moment each sees all comments afterwards, and all keep the
        oldest of the new ones. The one whose comment it is not then updates it.
        """
        known = {one.id for one in replaced}

        def fresh(comments: Iterable[Comment]) -> list[Comment]:
            return [one for one in comments if one.id not in known]

        def stored() -> Comment | None:
            same = (one for one in fresh(self._own()) if _text(one.text) == _text(body))
            return next(same, None)

        created = self.github.create_comment(self.pull_request.number, body, unless=stored)
        kept, *others = fresh(_of_author(self._marked(), created.author)) or [created]
        self._delete([*replaced, *others])
        if kept.id == created.id:
            return self._done(created)
        if self._is_outdated(kept):
            return _skipped(comment_texts.OUTDATED, url=kept.url)
        return self._update([kept], body)

    def _delete(self, comments: Collection[Comment]) -> None:
        for one in comments:
            self.github.delete_comment(one.id)

    def _done(self, comment: Comment, *, reason: str | None = None) -> Receipt:
        return Receipt(sink=self.name, status=Status.DONE, url=comment.url, reason=reason)


@dataclass(frozen=True, slots=True)
class UnknownPullRequest:
    """Stands in for the comment where GitHub did not say which pull request it is for."""

    name: ClassVar[str] = PullRequestComment.name

    error: GithubError

    def deliver(self, report: Report) -> Receipt:  # noqa: ARG002 -- as every sink's
        """Skipped where a permission lacks; raises SinkError where GitHub failed."""
        return _refused(self.error, can_only_read=False)


@dataclass(frozen=True, slots=True)
class NoPullRequest:
    """Stands in for the comment where another run is followed up whose pull request is gone."""

    name: ClassVar[str] = PullRequestComment.name

    def deliver(self, report: Report) -> Receipt:  # noqa: ARG002 -- as every sink's
        """Skipped."""
        return _skipped(comment_texts.NO_PULL_REQUEST)


def _refused(error: GithubError, *, can_only_read: bool) -> Receipt:
    """The receipt of a comment that may not be written; raises SinkError of any other fault."""
    why = comment_texts.skipped(error, can_only_read=can_only_read)
    if why is None:
        raise SinkError(comment_texts.failed(error)) from error
    return _skipped(why)


def _skipped(reason: str, *, url: str | None = None) -> Receipt:
    name = PullRequestComment.name
    return Receipt(sink=name, status=Status.SKIPPED, url=url, reason=reason)


def _of_author(comments: Iterable[Comment], login: str) -> list[Comment]:
    own = (one for one in comments if one.author.lower() == login.lower())
    return sorted(own, key=lambda one: one.id)


def _is_marked(comment: Comment, marker: Marker) -> bool:
    found = comment_marker.read(comment.text)
    return found is not None and found[0].key == marker.key


def _text(body: str) -> str:
    """What a comment says to people, as GitHub may have stored it."""
    found = comment_marker.read(body)
    text = found[1] if found else body
    return text.replace("\r\n", "\n").strip()
