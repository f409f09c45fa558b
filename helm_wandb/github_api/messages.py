"""GitHub's objects as its API describes them, and its refusals.

Source: GitHub's OpenAPI description, version 2022-11-28.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Cause(StrEnum):
    """Why GitHub refused a request."""

    UNAUTHORIZED = "unauthorized"
    """401: the token is wrong or has expired."""
    FORBIDDEN = "forbidden"
    """403 because a permission is missing."""
    NOT_FOUND = "not found"
    """404: it doesn't exist, or this token can't see it."""
    LOCKED = "locked"
    """403 because the conversation is locked."""
    INVALID = "invalid"
    """Any other 4xx, such as 409, 410 and 422."""
    LIMITED = "limited"
    """A rate limit that lasted longer than there was time."""
    SERVER = "server"
    """5xx, despite retries."""
    NETWORK = "network"
    """No answer, despite retries, or no time left for a request."""
    UNREADABLE = "unreadable"
    """A response that isn't from GitHub."""


class GithubError(Exception):
    """A request that GitHub refused, or that didn't reach it."""

    def __init__(self, cause: Cause, message: str) -> None:
        """message: one sentence about the request and its result, that may be shown."""
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
    owner: Account | None = None
    """None if the account is gone."""


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
    merged_at: str | None = None
    merge_commit_sha: str | None = None
    """The commit that merged it; before, the one that tries whether it can be merged."""

    @property
    def is_own(self) -> bool:
        """Whether the head is in this very repository, and not in a fork."""
        head, base = self.head.repo, self.base.repo
        return head is not None and base is not None and head.id == base.id

    @property
    def merged_sha(self) -> str | None:
        """The base branch's commit that merged it, or squashed it; None if it isn't merged."""
        return self.merge_commit_sha if self.merged_at else None

    @property
    def label_names(self) -> frozenset[str]:
        """The labels."""
        return frozenset(label.name for label in self.labels)

    @property
    def head_owner(self) -> str | None:
        """The owner of the head's repository; None if that is gone."""
        owner = self.head.repo.owner if self.head.repo else None
        return owner.login if owner else None


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
    url: str | None = msgspec.field(name="html_url", default=None)
    repository: RepositoryRef
    head_repository: RepositoryRef | None = None
    """None if the fork is gone."""
    pull_requests: tuple[PullRequestRef, ...] | None = None
    """Those of this repository's own branches; of forks GitHub names none."""

    @property
    def is_own(self) -> bool:
        """Whether its head is in this very repository, and not in a fork."""
        return self.head_repository is not None and self.head_repository.id == self.repository.id
