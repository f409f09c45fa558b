"""What the server keeps: repositories, and what they hold."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from tests.github_server.answers import RefusedError
from tests.github_server.identity import now, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.github_server.tokens import Token

_Key = TypeVar("_Key")
_Thing = TypeVar("_Thing")


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit; a repository and its forks share theirs."""

    sha: str
    parents: tuple[str, ...]
    message: str
    author: str
    date: str


@dataclass(kw_only=True)
class Comment:
    """A comment in the conversation of a pull request."""

    id: int
    number: int
    """The pull request's."""
    author: str
    body: str
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


@dataclass(kw_only=True)
class PullRequest:
    """A pull request, from the repository's own branch or from a fork's."""

    number: int
    head_repository: str
    """Its full name."""
    head_branch: str
    head_sha: str
    base: str
    base_sha: str
    title: str
    body: str | None
    author: str
    state: str
    merged: bool
    draft: bool
    locked: bool
    labels: tuple[str, ...]
    merge_sha: str | None
    """The commit of refs/pull/NUMBER/merge."""
    created_at: str = field(default_factory=now)

    @property
    def head_label(self) -> str:
        """The head as filters name it: owner:branch."""
        return f"{self.head_repository.partition('/')[0]}:{self.head_branch}"


@dataclass(kw_only=True)
class WorkflowRun:
    """A run of a workflow."""

    id: int
    number: int
    workflow: str
    event: str
    head_branch: str
    head_sha: str
    head_repository: str
    status: str
    conclusion: str | None
    created_at: str = field(default_factory=now)


@dataclass(kw_only=True)
class Artifact:
    """What a run left behind."""

    id: int
    run_id: int
    name: str
    content: bytes = field(repr=False)
    expired: bool
    created_at: str = field(default_factory=now)


@dataclass(kw_only=True)
class Repository:
    """A repository."""

    full_name: str
    private: bool
    default_branch: str
    fork_of: str | None
    commits: dict[str, Commit]
    """By sha; the same for all forks of one another."""
    branches: dict[str, str] = field(default_factory=dict)
    """The sha of each one's newest commit."""
    former_branches: dict[str, str] = field(default_factory=dict)
    """Old name → new name, of those that were renamed."""
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    runs: dict[int, WorkflowRun] = field(default_factory=dict)
    artifacts: dict[int, Artifact] = field(default_factory=dict)
    created_at: str = field(default_factory=now)

    @property
    def id(self) -> int:
        """Its number, which follows from its name."""
        return number_of(self.full_name)

    @property
    def owner(self) -> str:
        """The first part of its name."""
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        """The second part of its name."""
        return self.full_name.partition("/")[2]

    def pull(self, number: int) -> PullRequest:
        """The pull request; raises RefusedError if there is none."""
        return _found(self.pulls, number)

    def comment(self, comment_id: int) -> Comment:
        """The comment; raises RefusedError if there is none."""
        return _found(self.comments, comment_id)

    def run(self, run_id: int) -> WorkflowRun:
        """The run; raises RefusedError if there is none."""
        return _found(self.runs, run_id)

    def artifact(self, artifact_id: int) -> Artifact:
        """The artifact; raises RefusedError if there is none."""
        return _found(self.artifacts, artifact_id)

    def comments_of(self, number: int) -> list[Comment]:
        """The comments of a pull request, the oldest first."""
        return [comment for comment in self.comments.values() if comment.number == number]


@dataclass(kw_only=True)
class State:
    """All that there is."""

    tokens: dict[str, Token] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1001))
    """Next ID of a comment, run or artifact: later ones have higher IDs."""

    def repository(self, full_name: str) -> Repository:
        """The repository; raises RefusedError if there is none."""
        return _found(self.repositories, full_name)


def _found(things: dict[_Key, _Thing], key: _Key) -> _Thing:
    if key not in things:
        raise RefusedError(404)
    return things[key]
