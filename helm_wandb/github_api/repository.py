"""A repository at GitHub: requests with a deadline, and with retries if they may help."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from http import HTTPStatus
from itertools import count
from typing import TypeVar
from urllib.parse import quote

import msgspec

from helm_wandb.github_api import download, faults
from helm_wandb.github_api.connection import PAGE_LENGTH, Answer, Connection, Query
from helm_wandb.github_api.messages import (
    Account,
    Artifact,
    Cause,
    Comment,
    Commit,
    CommitRef,
    GithubError,
    PullRequest,
    WorkflowRun,
)
from helm_wandb.github_api.retries import retry
from helm_wandb.system.budget import Budget, with_deadline

T = TypeVar("T")

MOST_PAGES = 100
"""Pages of a list, at most: 10,000 objects, more than any pull request has comments."""
_WORKFLOW_LOGIN = "github-actions[bot]"
"""The login of a workflow's token."""
_LOGIN_REQUEST = "find out who the token belongs to"
_NO_LOGIN = frozenset({Cause.UNAUTHORIZED, Cause.LIMITED, Cause.SERVER, Cause.NETWORK})
"""Faults that say nothing about the token's login."""


class _DefaultBranch(msgspec.Struct, frozen=True):
    default_branch: str


class _Comparison(msgspec.Struct, frozen=True):
    merge_base_commit: CommitRef


class _Branch(msgspec.Struct, frozen=True):
    name: str


class _Artifacts(msgspec.Struct, frozen=True):
    artifacts: list[Artifact]


class _Viewer(msgspec.Struct, frozen=True):
    viewer: Account


class _ViewerAnswer(msgspec.Struct, frozen=True):
    """GraphQL's answer; its errors come with HTTP 200, and `data` is null then."""

    data: _Viewer | None = None


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository's objects; each call is a request, or one a page, and raises GithubError."""

    connection: Connection
    path: str
    """`/repos/OWNER/NAME`."""
    graphql_url: str
    budget: Budget

    def login(self) -> str:
        """Return the token's login, by default `github-actions[bot]`.

        GitHub refuses `GET /user` to the token of a workflow, and perhaps GraphQL too.
        """
        return self._login

    @cached_property
    def _login(self) -> str:
        body = {"query": "query { viewer { login } }"}
        try:
            answer = self._request("POST", self.graphql_url, what=_LOGIN_REQUEST, body=body)
            data = _decode(answer, _ViewerAnswer, what=_LOGIN_REQUEST).data
        except GithubError as error:
            if error.cause in _NO_LOGIN:
                raise
            data = None
        return data.viewer.login if data else _WORKFLOW_LOGIN

    def default_branch(self) -> str:
        """Return the repository's default branch."""
        what = "read the repository"
        return self._get("", _DefaultBranch, what=what).default_branch

    def comments(self, number: int) -> Iterator[Comment]:
        """Yield all comments of a pull request, the oldest first."""
        what = f"list the comments of pull request {number}"
        path = f"/issues/{number}/comments"
        for page in self._pages(path, list[Comment], what=what):
            yield from page

    def create_comment(
        self, number: int, body: str, *, unless: Callable[[], Comment | None]
    ) -> Comment:
        """Return a new comment, or the one that `unless` finds.

        unless: called before each try but the first, since a comment may have been stored
        although no answer came.
        """
        what = f"comment on pull request {number}"
        path = f"{self.path}/issues/{number}/comments"
        tries = count()

        def written() -> Comment:
            comment = unless() if next(tries) else None
            return comment or self._write_comment("POST", path, body, what=what)

        return retry(written, self.budget)

    def edit_comment(self, comment_id: int, body: str) -> Comment:
        """Replace the comment's text."""
        path = f"{self.path}/issues/comments/{comment_id}"
        what = f"edit comment {comment_id}"
        return retry(partial(self._write_comment, "PATCH", path, body, what=what), self.budget)

    def delete_comment(self, comment_id: int) -> None:
        """Delete the comment; if it is gone already, that is no fault."""
        path, what = f"{self.path}/issues/comments/{comment_id}", f"delete comment {comment_id}"
        try:
            answer = self._request("DELETE", path, what=what)
        except GithubError as error:
            if error.cause is not Cause.NOT_FOUND:
                raise
        else:
            if answer.status != HTTPStatus.NO_CONTENT:
                raise faults.unreadable(what)

    def pull_request(self, number: int) -> PullRequest:
        """Return the pull request as it is now."""
        what = f"read pull request {number}"
        return self._get(f"/pulls/{number}", PullRequest, what=what)

    def open_pull_requests(self, *, owner: str, branch: str) -> tuple[PullRequest, ...]:
        """Return the open pull requests whose head is this branch of this owner."""
        what = f"list the open pull requests of {owner}:{branch}"
        head = f"{owner}:{branch}"
        pages = self._pages("/pulls", list[PullRequest], what=what, head=head, state="open")
        # GitHub lists all pull requests if it cannot read `head`.
        return tuple(
            one
            for page in pages
            for one in page
            if one.head.ref == branch and (one.head_owner or "").lower() == owner.lower()
        )

    def commit(self, sha: str) -> Commit:
        """Return a commit."""
        # per_page: of its files, which nobody needs.
        path, what = f"/commits/{quote(sha, safe='')}", f"read commit {sha}"
        return self._get(path, Commit, what=what, per_page=1)

    def merge_base(self, base: str, head: str) -> str:
        """Return the sha of the commit at which the two parted."""
        path = f"/compare/{quote(base, safe='')}...{quote(head, safe='')}"
        what = f"compare {base} with {head}"
        comparison = self._get(path, _Comparison, what=what, per_page=1)
        return comparison.merge_base_commit.sha

    def ancestors(self, sha: str) -> Iterator[str]:
        """Yield the commit and its ancestors, the nearest first."""
        what = f"list the commits that lead to {sha}"
        pages = self._pages("/commits", list[CommitRef], what=what, sha=sha)
        for page in pages:
            yield from (one.sha for one in page)

    def branch_name(self, name: str) -> str:
        """Return the present name of a branch; GitHub redirects from its previous name."""
        path, what = f"/branches/{quote(name, safe='')}", f"read branch {name}"
        return self._get(path, _Branch, what=what).name

    def artifacts(self, name: str) -> Iterator[Artifact]:
        """Yield the artifacts of this name that have not expired, the newest first."""
        what = f"list the artifacts {name}"
        for page in self._pages("/actions/artifacts", _Artifacts, what=what, name=name):
            yield from (one for one in page.artifacts if one.name == name and _is_usable(one))

    def workflow_run(self, run_id: int) -> WorkflowRun:
        """Return a run of a workflow."""
        what = f"read workflow run {run_id}"
        return self._get(f"/actions/runs/{run_id}", WorkflowRun, what=what)

    def download(self, artifact: Artifact, *, limit_bytes: int) -> bytes:
        """Return the artifact's zip; GithubError of UNREADABLE if it exceeds the limit."""
        what = f"download artifact {artifact.id}"
        if artifact.size_bytes > limit_bytes:
            raise faults.unreadable(what, why=f"it is larger than {limit_bytes} bytes")
        fetch = partial(
            download.fetch,
            self.connection,
            f"{self.path}/actions/artifacts/{artifact.id}/zip",
            limit_bytes=limit_bytes,
            what=what,
        )
        return retry(
            partial(self._with_deadline, fetch, self.budget.left_seconds, what), self.budget
        )

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()

    def _write_comment(self, verb: str, path: str, body: str, *, what: str) -> Comment:
        """Write a comment in one try."""
        answer = self._send(verb, path, what=what, body={"body": body})
        return _decode(answer, Comment, what=what)

    def _get(self, path: str, kind: type[T], *, what: str, **parameters: str | int) -> T:
        answer = self._request("GET", f"{self.path}{path}", what=what, query=parameters)
        return _decode(answer, kind, what=what)

    def _pages(
        self, path: str, kind: type[T], *, what: str, **parameters: str | int
    ) -> Iterator[T]:
        """Yield each page; a header has the next one's URL, which may lead in a circle."""
        url = f"{self.path}{path}"
        query: Query = {**parameters, "per_page": PAGE_LENGTH}
        for _ in range(MOST_PAGES):
            answer = self._request("GET", url, what=what, query=query)
            yield _decode(answer, kind, what=what)
            url, query = answer.next_url, {}
            if not url:
                return
        raise faults.unreadable(what, why=f"it has more than {MOST_PAGES} pages")

    def _request(
        self, verb: str, path: str, *, what: str, query: Query | None = None, body: object = None
    ) -> Answer:
        """Return the answer to a request, after retries. Raises GithubError."""
        send = partial(self._send, verb, path, what=what, query=query, body=body)
        return retry(send, self.budget)

    def _send(
        self, verb: str, path: str, *, what: str, query: Query | None = None, body: object = None
    ) -> Answer:
        """Return the answer to one try, a success. Raises GithubError."""
        send = partial(self.connection.send, verb, path, query=query, body=body)
        answer = self._with_deadline(send, self.connection.timeout_seconds, what)
        message = self.connection.refusal_message(answer.text)
        fault = faults.answer_fault(answer.status, answer.headers, message, what=what)
        if fault:
            raise fault
        return answer

    def _with_deadline(self, call: Callable[[], T], seconds: float, what: str) -> T:
        if self.budget.left_seconds <= 0:
            raise GithubError(
                Cause.NETWORK, f"Could not {what}: the time limit for GitHub was reached"
            )
        try:
            return with_deadline(call, self.budget, seconds=seconds)
        except (OSError, ValueError, RuntimeError) as error:
            raise faults.exception_fault(error, what=what) from error


def _decode(answer: Answer, kind: type[T], *, what: str) -> T:
    """Return the answer's JSON as this kind of object. Raises GithubError of UNREADABLE."""
    try:
        return msgspec.json.decode(answer.text, type=kind)
    except (ValueError, RecursionError) as error:
        raise faults.unreadable(what, why=str(error)) from error


def _is_usable(artifact: Artifact) -> bool:
    """Whether the artifact is still there, and GitHub says which run and commit it is of."""
    return not artifact.is_expired and artifact.run.id != 0 and artifact.run.head_sha != ""
