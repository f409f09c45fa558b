"""A repository at GitHub: each call is bounded in time, and tried again where that may help."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property, partial
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import msgspec

from helm_wandb.errors import InputError
from helm_wandb.github_api import answers, download, faults
from helm_wandb.github_api.connection import PAGE_LENGTH, Connection
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
from helm_wandb.github_api.retries import bounded, tried
from helm_wandb.system.budget import Budget
from helm_wandb.text.redaction import Redactor
from helm_wandb.text.urls import is_server_url, shown_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from helm_wandb.github_api.connection import Answer

T = TypeVar("T")

API_URL = "https://api.github.com"
GRAPHQL_URL = "https://api.github.com/graphql"
BUDGET_SECONDS = 150.0
TIMEOUT_SECONDS = 15
MOST_PAGES = 100
"""Of a list: 10,000 things, more than any pull request has comments."""
_WORKFLOW_LOGIN = "github-actions[bot]"
"""Who the token of a workflow is."""
_WHO = "tell whose the token is"
_HELD_BACK = frozenset({Cause.UNAUTHORIZED, Cause.LIMITED, Cause.SERVER, Cause.NETWORK})
"""Faults after which nothing is known of who the token is."""


def connect(  # noqa: PLR0913 -- the runner's variables, each by its name, and the clock
    token: str,
    repository: str,
    *,
    api_url: str = API_URL,
    graphql_url: str = GRAPHQL_URL,
    certificates: str | None = None,
    redactor: Redactor | None = None,
    budget_seconds: float = BUDGET_SECONDS,
    timeout_seconds: float = TIMEOUT_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Repository:
    """The repository `owner/name`; nothing is asked yet.

    api_url, graphql_url: those of the runner, which differ at an Enterprise server. The token
    goes to the host of the first only.
    certificates: a file of those to trust; None: requests' own choice, by REQUESTS_CA_BUNDLE.
    redactor: removes secrets from what GitHub says; None removes the token alone.
    budget_seconds: for all that is asked, waits included. timeout_seconds: for one request.
    clock, sleep: in seconds. Raises InputError where api_url is none.
    """
    if not is_server_url(api_url):
        message = f"GITHUB_API_URL: {shown_url(api_url)} is no URL of a server"
        raise InputError(message)
    return Repository(
        connection=Connection(
            token=token,
            redactor=redactor or Redactor((token,)),
            api_url=api_url,
            timeout_seconds=timeout_seconds,
            certificates=certificates,
        ),
        path=f"/repos/{quote(repository)}",
        graphql_url=graphql_url,
        budget=Budget(budget_seconds, clock=clock, sleep=sleep),
    )


class _DefaultBranch(msgspec.Struct, frozen=True):
    default_branch: str


class _Comparison(msgspec.Struct, frozen=True):
    merge_base_commit: CommitRef


class _Artifacts(msgspec.Struct, frozen=True):
    artifacts: list[Artifact]


class _Viewer(msgspec.Struct, frozen=True):
    viewer: Account


class _ViewerAnswer(msgspec.Struct, frozen=True):
    """GraphQL's answer; its errors come with HTTP 200, and `data` is null then."""

    data: _Viewer | None = None


@dataclass(frozen=True, kw_only=True)
class Repository:
    """The calls of `messages.Github`; one HTTP request each, or one a page."""

    connection: Connection
    path: str
    """`/repos/OWNER/NAME`."""
    graphql_url: str
    budget: Budget

    def login(self) -> str:
        """Who the token is: its own answer, else `github-actions[bot]`.

        `GET /user` is refused to the token of a workflow, and GraphQL may be too.
        """
        return self._login

    @cached_property
    def _login(self) -> str:
        body = {"query": "query { viewer { login } }"}
        try:
            answer = self._ask("POST", self.graphql_url, body=body, what=_WHO)
            data = answers.decode(answer.text, _ViewerAnswer, what=_WHO).data
        except GithubError as error:
            if error.cause in _HELD_BACK:
                raise
            data = None
        return data.viewer.login if data else _WORKFLOW_LOGIN

    def default_branch(self) -> str:
        """The repository's default branch."""
        what = "show the repository"
        return self._get("", _DefaultBranch, what=what).default_branch

    def comments(self, number: int) -> Iterator[Comment]:
        """All comments of a pull request, the oldest first, read page by page."""
        what = f"list the comments of pull request {number}"
        path = f"/issues/{number}/comments"
        for page in self._pages(path, list[Comment], what=what):
            yield from page

    def create_comment(
        self, number: int, body: str, *, unless: Callable[[], Comment | None]
    ) -> Comment:
        """A new comment, or the one that `unless` finds.

        unless: asked before each try but the first, since a comment may have been stored
        although no answer came.
        """
        what = f"comment on pull request {number}"
        path = f"{self.path}/issues/{number}/comments"
        tries = count()

        def written() -> Comment:
            found = unless() if next(tries) else None
            return found or self._comment("POST", path, body, what=what)

        return tried(written, self.budget)

    def edit_comment(self, comment_id: int, body: str) -> Comment:
        """The comment with another text."""
        path = f"{self.path}/issues/comments/{comment_id}"
        what = f"edit comment {comment_id}"
        return tried(partial(self._comment, "PATCH", path, body, what=what), self.budget)

    def delete_comment(self, comment_id: int) -> None:
        """Delete the comment; one that is gone already is no fault."""
        path, what = f"{self.path}/issues/comments/{comment_id}", f"delete comment {comment_id}"
        try:
            answer = self._ask("DELETE", path, what=what)
        except GithubError as error:
            if error.cause is not Cause.NOT_FOUND:
                raise
        else:
            if answer.status != HTTPStatus.NO_CONTENT:
                raise faults.unreadable(what)

    def pull_request(self, number: int) -> PullRequest:
        """The pull request as it is now."""
        what = f"show pull request {number}"
        return self._get(f"/pulls/{number}", PullRequest, what=what)

    def open_pull_requests(self, *, owner: str, branch: str) -> tuple[PullRequest, ...]:
        """The open pull requests whose head is this branch of this owner's."""
        what = f"list the open pull requests of {owner}:{branch}"
        wanted = {"head": f"{owner}:{branch}", "state": "open"}
        pages = self._pages("/pulls", list[PullRequest], parameters=wanted, what=what)
        # GitHub lists all pull requests if it cannot read `head`.
        return tuple(
            one
            for page in pages
            for one in page
            if one.head.ref == branch and (one.head_owner or "").lower() == owner.lower()
        )

    def commit(self, sha: str) -> Commit:
        """A commit."""
        # per_page: of its files, which nobody asks for.
        path, what = f"/commits/{quote(sha, safe='')}", f"show commit {sha}"
        return self._get(path, Commit, parameters={"per_page": 1}, what=what)

    def merge_base(self, base: str, head: str) -> str:
        """The sha of the commit at which the two parted."""
        path = f"/compare/{quote(base, safe='')}...{quote(head, safe='')}"
        what = f"compare {base} with {head}"
        found = self._get(path, _Comparison, parameters={"per_page": 1}, what=what)
        return found.merge_base_commit.sha

    def ancestors(self, sha: str) -> Iterator[str]:
        """The commit and those that lead to it, the nearest first, read page by page."""
        what = f"list the commits that lead to {sha}"
        pages = self._pages("/commits", list[CommitRef], parameters={"sha": sha}, what=what)
        for page in pages:
            yield from (one.sha for one in page)

    def artifacts(self, name: str) -> Iterator[Artifact]:
        """Those of this name that have not expired, the newest first, read page by page."""
        what = f"list the artifacts {name}"
        pages = self._pages("/actions/artifacts", _Artifacts, parameters={"name": name}, what=what)
        for page in pages:
            yield from (one for one in page.artifacts if one.name == name and _is_usable(one))

    def workflow_run(self, run_id: int) -> WorkflowRun:
        """A run of a workflow."""
        what = f"show workflow run {run_id}"
        return self._get(f"/actions/runs/{run_id}", WorkflowRun, what=what)

    def download(self, artifact: Artifact, *, limit_bytes: int) -> bytes:
        """The artifact's zip; GithubError of UNREADABLE where it is larger than the limit."""
        what = f"give artifact {artifact.id}"
        if artifact.size_bytes > limit_bytes:
            raise faults.unreadable(what, why=f"it is larger than {limit_bytes} bytes")
        fetch = partial(
            download.fetch,
            self.connection,
            f"{self.path}/actions/artifacts/{artifact.id}/zip",
            limit_bytes=limit_bytes,
            what=what,
        )
        return tried(partial(self._bounded, fetch, self.budget.left_seconds, what), self.budget)

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()

    def _comment(self, verb: str, path: str, body: str, *, what: str) -> Comment:
        """A comment that is written, in one try."""
        answer = self._once(verb, path, body={"body": body}, what=what)
        return answers.decode(answer.text, Comment, what=what)

    def _get(
        self,
        path: str,
        kind: type[T],
        *,
        parameters: Mapping[str, str | int] | None = None,
        what: str,
    ) -> T:
        answer = self._ask("GET", f"{self.path}{path}", parameters=parameters, what=what)
        return answers.decode(answer.text, kind, what=what)

    def _pages(
        self,
        path: str,
        kind: type[T],
        *,
        parameters: Mapping[str, str | int] | None = None,
        what: str,
    ) -> Iterator[T]:
        """Each page; GitHub tells the next one's URL in a header, which may lead in a circle."""
        url = f"{self.path}{path}"
        wanted = {**(parameters or {}), "per_page": PAGE_LENGTH}
        for _ in range(MOST_PAGES):
            answer = self._ask("GET", url, parameters=wanted, what=what)
            yield answers.decode(answer.text, kind, what=what)
            url, wanted = answer.next_url, {}
            if not url:
                return
        raise faults.unreadable(what, why=f"it has more than {MOST_PAGES} pages")

    def _ask(
        self,
        verb: str,
        path: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: object = None,
        what: str,
    ) -> Answer:
        once = partial(self._once, verb, path, parameters=parameters, body=body, what=what)
        return tried(once, self.budget)

    def _once(
        self,
        verb: str,
        path: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: object = None,
        what: str,
    ) -> Answer:
        """The answer to one try; raises GithubError where it tells of a fault."""
        ask = partial(self.connection.ask, verb, path, parameters=parameters, body=body)
        answer = self._bounded(ask, self.connection.timeout_seconds, what)
        said = self.connection.words(answer.text)
        fault = faults.of_answer(answer.status, answer.headers, said, what=what)
        if fault:
            raise fault
        return answer

    def _bounded(self, call: Callable[[], T], seconds: float, what: str) -> T:
        if self.budget.left_seconds <= 0:
            message = f"GitHub was not asked to {what}: it had taken all the time that a run has"
            raise GithubError(Cause.NETWORK, message)
        try:
            return bounded(call, self.budget, seconds=seconds)
        except (OSError, ValueError, RuntimeError) as error:
            raise faults.of_exception(error, what=what) from error


def _is_usable(artifact: Artifact) -> bool:
    """Whether the artifact is still there, and GitHub says which run and commit it is of."""
    return not artifact.is_expired and artifact.run.id != 0 and artifact.run.head_sha != ""
