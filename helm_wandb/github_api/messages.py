"""What is asked of GitHub and what it answers, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Cause(StrEnum):
    """Why GitHub did not do what was asked."""

    UNAUTHORIZED = "unauthorized"
    """401: the token is wrong or has expired."""
    FORBIDDEN = "forbidden"
    """403 for want of a permission."""
    NOT_FOUND = "not found"
    """404: not there, or not to be seen with this token."""
    LOCKED = "locked"
    """403 as the conversation is locked."""
    INVALID = "invalid"
    """Any other 4xx, as 409, 410 and 422: asked, understood and refused."""
    LIMITED = "limited"
    """A rate limit that lasted longer than there was time."""
    SERVER = "server"
    """5xx, in spite of retries."""
    NETWORK = "network"
    """No answer, in spite of retries, or no time left to ask."""
    UNREADABLE = "unreadable"
    """An answer that is none of GitHub's."""


class GithubError(Exception):
    """GitHub did not do what was asked."""

    def __init__(self, cause: Cause, message: str) -> None:
        """message: one sentence, of what was asked and what came, that may be shown."""
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment in a pull request's conversation."""

    id: int
    author: str
    """Its login, as in `github-actions[bot]`; empty where the account is gone."""
    body: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request."""

    number: int
    head_sha: str
    base_ref: str
    """The branch that it is to be merged into."""
    labels: frozenset[str] = field(default_factory=frozenset)
    head_owner: str | None = None
    """Whose repository the head is in; None where that is gone."""
    is_own: bool = True
    """Whether the head is in this very repository, and not in a fork."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit and where it came from."""

    sha: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A workflow artifact that has not expired, and the run that it is of."""

    id: int
    size_bytes: int
    run_id: int
    head_branch: str
    head_sha: str
    is_own: bool
    """Whether the run's head is in this very repository, and not in a fork."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRun:
    """A run of a workflow."""

    id: int
    number: int
    event: str
    head_branch: str
    head_sha: str
    is_own: bool
    """Whether its head is in this very repository, and not in a fork."""


class Github(Protocol):
    """A repository at GitHub. Each call raises GithubError."""

    def login(self) -> str:
        """Who the token is: its own answer, else `github-actions[bot]`."""
        ...

    def default_branch(self) -> str:
        """The repository's default branch."""
        ...

    def comments(self, number: int) -> Iterator[Comment]:
        """All comments of a pull request, the oldest first, read page by page."""
        ...

    def create_comment(
        self, number: int, body: str, *, unless: Callable[[], Comment | None]
    ) -> Comment:
        """A new comment, or the one that `unless` finds.

        unless: asked before each try but the first, since a comment may have been stored
        although no answer came.
        """
        ...

    def edit_comment(self, comment_id: int, body: str) -> Comment:
        """The comment with another text."""
        ...

    def delete_comment(self, comment_id: int) -> None:
        """Delete the comment; one that is gone already is no fault."""
        ...

    def pull_request(self, number: int) -> PullRequest:
        """The pull request as it is now."""
        ...

    def open_pull_requests(self, *, owner: str, branch: str) -> tuple[PullRequest, ...]:
        """The open pull requests whose head is this branch of this owner's."""
        ...

    def commit(self, sha: str) -> Commit:
        """A commit."""
        ...

    def merge_base(self, base: str, head: str) -> str:
        """The sha of the commit at which the two parted."""
        ...

    def ancestors(self, sha: str) -> Iterator[str]:
        """The commit and those that lead to it, the nearest first, read page by page."""
        ...

    def artifacts(self, name: str) -> Iterator[Artifact]:
        """Those of this name that have not expired, the newest first, read page by page."""
        ...

    def workflow_run(self, run_id: int) -> WorkflowRun:
        """A run of a workflow."""
        ...

    def download(self, artifact: Artifact, *, limit_bytes: int) -> bytes:
        """The artifact's zip; GithubError of UNREADABLE where it is larger than the limit."""
        ...
