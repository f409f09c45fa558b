"""A GitHub for tests: PyGithub speaks to it, it keeps what is written, and it fails on demand.

    with GithubServer() as server:
        server.seed.repository("owner/name")
        server.seed.pull_request("owner/name", 7, head_sha="a" * 40, head_repository="fork/name")
        server.seed.comments("owner/name", 7, count=250)
        server.fault("POST", "/repos/*/comments", answer=answers.SECONDARY_LIMIT, times=2)
        client = github.Github(base_url=server.url, auth=github.Auth.Token(TOKEN))

`server.seed` makes repositories, commits, branches, pull requests, comments, runs, artifacts and
tokens as if others had made them. TOKEN is a workflow's, that may write comments of pull requests
and read actions and contents. `server.enterprise_url` is the same under `/api/v3`.

A fault says what happens to requests that match (see `Fault`): `answer=` one of `answers`,
`drop=True`, `hang=True`, `delay_seconds=`, `times=`, `after=`; with `served=True` the request is
still carried out. `server.before(method, path, hook)` calls the hook before a request is
served, for what another job does at just that moment.

Afterwards: `server.comments("owner/name", 7)`, `server.requests`, `server.writes`, `server.leaks`
(tokens that reached the storage). Every request and answer is held against GitHub's own OpenAPI
description: what that does not allow is in `server.violations`, and a test asserts that there is
nothing. `GithubServer(is_checked=False)` is faster.

`python -m tests.github_server --scenario FILE.json` serves from a separate process.
"""

from __future__ import annotations

from tests.github_server import answers
from tests.github_server.answers import Answer
from tests.github_server.records import Request, Violation
from tests.github_server.server import TOKEN, GithubServer
from tests.github_server.state import Comment

__all__ = ["TOKEN", "Answer", "Comment", "GithubServer", "Request", "Violation", "answers"]
