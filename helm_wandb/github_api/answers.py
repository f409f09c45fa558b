"""GitHub's JSON → the service's messages; what is not as it should be raises GithubError.

Source: GitHub's OpenAPI description, version 2022-11-28.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from helm_wandb.github_api.faults import unreadable
from helm_wandb.github_api.messages import Artifact, Comment, Commit, PullRequest, WorkflowRun

if TYPE_CHECKING:
    from helm_wandb.github_api.messages import GithubError

T = TypeVar("T")


class Account(msgspec.Struct, frozen=True):
    """A user, an organisation or an app."""

    login: str


class CommentData(msgspec.Struct, frozen=True):
    """An issue's comment."""

    id: int
    html_url: str
    body: str | None = None
    user: Account | None = None

    def read(self) -> Comment:
        """The comment."""
        return Comment(
            id=self.id,
            author=self.user.login if self.user else "",
            body=self.body or "",
            url=self.html_url,
        )


class RepositoryData(msgspec.Struct, frozen=True):
    """A repository, by what is said of it in pull requests and runs."""

    id: int
    owner: Account


class DefaultBranch(msgspec.Struct, frozen=True):
    """A repository, asked for itself."""

    default_branch: str


class Side(msgspec.Struct, frozen=True):
    """Head or base of a pull request."""

    ref: str
    sha: str
    repo: RepositoryData | None = None
    """None where a fork is gone."""


class Label(msgspec.Struct, frozen=True):
    """A label."""

    name: str


class PullRequestData(msgspec.Struct, frozen=True):
    """A pull request, as the API and the events have it."""

    number: int
    head: Side
    base: Side
    labels: list[Label] = []

    def read(self) -> PullRequest:
        """The pull request."""
        head, base = self.head.repo, self.base.repo
        return PullRequest(
            number=self.number,
            head_sha=self.head.sha,
            base_ref=self.base.ref,
            labels=frozenset(label.name for label in self.labels),
            head_owner=head.owner.login if head else None,
            is_own=head is not None and base is not None and head.id == base.id,
        )


class ShaData(msgspec.Struct, frozen=True):
    """A commit, by its sha alone."""

    sha: str


class CommitData(msgspec.Struct, frozen=True):
    """A commit."""

    sha: str
    parents: list[ShaData]

    def read(self) -> Commit:
        """The commit."""
        return Commit(sha=self.sha, parents=tuple(parent.sha for parent in self.parents))


class Compared(msgspec.Struct, frozen=True):
    """Two commits, compared."""

    merge_base_commit: ShaData


class RunOfArtifact(msgspec.Struct, frozen=True):
    """The run that wrote an artifact; GitHub promises none of this."""

    id: int | None = None
    repository_id: int | None = None
    head_repository_id: int | None = None
    head_branch: str | None = None
    head_sha: str | None = None


class ArtifactData(msgspec.Struct, frozen=True):
    """A workflow artifact."""

    id: int
    name: str
    size_in_bytes: int
    expired: bool
    workflow_run: RunOfArtifact | None = None

    def read(self) -> Artifact | None:
        """The artifact; None where it is gone, or GitHub does not tell whose it is."""
        run = self.workflow_run
        if self.expired or run is None or run.id is None or run.head_sha is None:
            return None
        return Artifact(
            id=self.id,
            size_bytes=self.size_in_bytes,
            run_id=run.id,
            head_branch=run.head_branch or "",
            head_sha=run.head_sha,
            is_own=run.repository_id is not None and run.repository_id == run.head_repository_id,
        )


class Artifacts(msgspec.Struct, frozen=True):
    """A page of them."""

    artifacts: list[ArtifactData]


class IdData(msgspec.Struct, frozen=True):
    """A repository, by its id alone."""

    id: int


class WorkflowRunData(msgspec.Struct, frozen=True):
    """A run of a workflow."""

    id: int
    run_number: int
    event: str
    head_sha: str
    repository: IdData
    head_branch: str | None = None
    head_repository: IdData | None = None

    def read(self) -> WorkflowRun:
        """The run."""
        head = self.head_repository
        return WorkflowRun(
            id=self.id,
            number=self.run_number,
            event=self.event,
            head_branch=self.head_branch or "",
            head_sha=self.head_sha,
            is_own=head is not None and head.id == self.repository.id,
        )


class Viewer(msgspec.Struct, frozen=True):
    """Who the token is."""

    viewer: Account


class ViewerAnswer(msgspec.Struct, frozen=True):
    """GraphQL's answer; its errors come with HTTP 200, and `data` is null then."""

    data: Viewer | None = None


def decoded(text: str, kind: type[T], *, what: str) -> T:
    """The JSON as this kind of data.

    what: what was asked, in words. Raises GithubError of UNREADABLE.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError) as error:
        raise _unreadable(error, what) from error


def converted(value: object, kind: type[T], *, what: str) -> T:
    """The same of JSON that is decoded already."""
    try:
        return msgspec.convert(value, type=kind)
    except (ValueError, RecursionError) as error:
        raise _unreadable(error, what) from error


def _unreadable(error: Exception, what: str) -> GithubError:
    return unreadable(what, why=str(error))


class _Refusal(msgspec.Struct, frozen=True):
    message: str = ""


def words(text: str | bytes) -> str:
    """What a refusal says; empty where it is none of GitHub's."""
    try:
        return msgspec.json.decode(text, type=_Refusal).message
    except (ValueError, RecursionError):
        return ""
