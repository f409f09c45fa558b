"""GitHub's objects as its API describes them, its refusals, and the calls that a run needs.

Source: GitHub's OpenAPI description, version 2022-11-28.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

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


class Account(msgspec.Struct, frozen=True):
    """A user, an organisation or an app."""

    login: str


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment in a pull request's conversation."""

    id: int
    url: str = msgspec.field(name="html_url")
    body: str | None = None
    user: Account | None = None
    """None if the account is gone."""

    @property
    def text(self) -> str:
        """The body, empty without one."""
        return self.body or ""

    @property
    def author(self) -> str:
        """The author's login, as in `github-actions[bot]`; empty if the account is gone."""
        return self.user.login if self.user else ""


class RepositoryRef(msgspec.Struct, frozen=True):
    """A repository, as pull requests and workflow runs refer to it."""

    id: int
    owner: Account


class Side(msgspec.Struct, frozen=True):
    """Head or base of a pull request."""

    ref: str
    """The branch."""
    sha: str
    repo: RepositoryRef | None = None
    """None if the fork is gone."""


class Label(msgspec.Struct, frozen=True):
    """A label."""

    name: str


class PullRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request, as the API and the payloads of events have it."""

    number: int
    head: Side
    base: Side
    """Its branch is the one to merge into."""
    labels: tuple[Label, ...] = ()

    @property
    def is_own(self) -> bool:
        """Whether the head is in this very repository, and not in a fork."""
        head, base = self.head.repo, self.base.repo
        return head is not None and base is not None and head.id == base.id

    @property
    def label_names(self) -> frozenset[str]:
        """The labels."""
        return frozenset(label.name for label in self.labels)

    @property
    def head_owner(self) -> str | None:
        """The owner of the head's repository; None if that is gone."""
        return self.head.repo.owner.login if self.head.repo else None


class CommitRef(msgspec.Struct, frozen=True):
    """A commit, by its sha alone."""

    sha: str


class Commit(msgspec.Struct, frozen=True):
    """A commit and where it came from."""

    sha: str
    parents: tuple[CommitRef, ...]


class ArtifactRun(msgspec.Struct, frozen=True, kw_only=True):
    """The workflow run that wrote an artifact; GitHub promises none of these fields."""

    id: int = 0
    head_branch: str | None = None
    head_sha: str = ""
    repository_id: int | None = None
    head_repository_id: int | None = None

    @property
    def is_own(self) -> bool:
        """Whether the run's head is in this very repository, and not in a fork."""
        return self.repository_id is not None and self.repository_id == self.head_repository_id


_UNKNOWN_RUN = ArtifactRun()


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow artifact."""

    id: int
    name: str
    size_bytes: int = msgspec.field(name="size_in_bytes")
    is_expired: bool = msgspec.field(name="expired")
    workflow_run: ArtifactRun | None = None

    @property
    def run(self) -> ArtifactRun:
        """The run that wrote it."""
        return self.workflow_run or _UNKNOWN_RUN


class PullRequestRef(msgspec.Struct, frozen=True):
    """A pull request, by its number alone."""

    number: int


class WorkflowRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a workflow, as the API and the payloads of events have it."""

    id: int
    number: int = msgspec.field(name="run_number")
    event: str
    head_sha: str
    head_branch: str | None = None
    repository: RepositoryRef
    head_repository: RepositoryRef | None = None
    """None if the fork is gone."""
    pull_requests: tuple[PullRequestRef, ...] | None = None
    """Those of this repository's own branches; of forks GitHub names none."""

    @property
    def is_own(self) -> bool:
        """Whether its head is in this very repository, and not in a fork."""
        return self.head_repository is not None and self.head_repository.id == self.repository.id


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
