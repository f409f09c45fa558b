"""A GitHub with something in it, and ways to ask it."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import github

from tests.github_server import TOKEN, GithubServer

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "owner/name"
COMMENTS = f"/repos/{NAME}/issues/7/comments"
HEAD = "f" * 40
SHAS = {letter: letter * 40 for letter in "abcdef"}


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The answer to a plain request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """What the body holds."""
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """GitHub's words."""
        return str(self.json()["message"])


def ask(
    server: GithubServer,
    method: str,
    path: str,
    content: Any = None,
    *,
    token: str | None = TOKEN,
    **headers: str,
) -> Answered:
    """The answer to a request; content is sent as JSON, bytes as they are."""
    body = content if isinstance(content, bytes | None) else json.dumps(content).encode()
    sent = {"Content-Type": "application/json", **headers}
    sent |= {"Authorization": f"Bearer {token}"} if token else {}
    return fetch(method, server.url + path, body, sent)


def fetch(
    method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answered:
    """The answer to a request that holds nothing but what is given."""
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.netloc, timeout=60)
    try:
        connection.request(method, f"{target.path}?{target.query}", body, headers or {})
        response = connection.getresponse()
        return Answered(
            status=response.status, headers=dict(response.headers), body=response.read()
        )
    finally:
        connection.close()


def client(url: str, token: str = TOKEN) -> github.Github:
    """PyGithub without its pauses and retries."""
    return github.Github(
        base_url=url,
        auth=github.Auth.Token(token),
        seconds_between_requests=0,
        seconds_between_writes=0,
        retry=None,
        per_page=100,
    )


def fill(server: GithubServer) -> None:
    """A repository with a pull request from a fork.

    main: a ← b ← c ← d; change of the fork, the pull request's head: b ← f; of our own: c ← e.
    """
    server.seed.repository(NAME)
    server.seed.history(NAME, [SHAS[letter] for letter in "abc"])
    server.seed.commit(NAME, HEAD, parents=[SHAS["b"]])
    server.seed.commit(NAME, SHAS["e"], parents=[SHAS["c"]], branch="own")
    server.seed.history(NAME, [SHAS["d"]])
    server.seed.pull_request(NAME, 7, head_sha=HEAD, head_repository="fork/name", labels=["slow"])
    server.seed.pull_request(NAME, 8, head_sha=SHAS["e"], head_branch="own")
