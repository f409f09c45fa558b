"""What tests of the GitHub side share: a repository with a pull request, a clock, and clients."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from helm_wandb.github_api.connection import Connection
from helm_wandb.github_api.repository import Repository
from helm_wandb.model import Verdict
from helm_wandb.pr_comment.comment_marker import Marker
from helm_wandb.pr_comment.sticky_comment import PullRequestComment
from helm_wandb.runner.inputs import CommentMode
from helm_wandb.system.budget import Budget
from helm_wandb.text.redaction import Redactor
from tests.builders import evaluation, report
from tests.events import pull_request
from tests.github_server import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from helm_wandb.model import Report
    from tests.github_server import GithubServer

REPOSITORY = "me/models"
NUMBER = 7
HEAD = "a" * 40
BASE = "b" * 40
KEY = "0123abcd"
LOGIN = "github-actions[bot]"


@dataclass
class Clock:
    """Time that passes only where it is waited for, or where a test says so."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Now."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.waits.append(seconds)
        self.seconds += seconds

    def pass_by(self, seconds: float) -> None:
        """Let time pass without a wait."""
        self.seconds += seconds


def furnish(server: GithubServer, **options: Any) -> None:
    """Have the repository, with a pull request of an own branch."""
    server.seed.repository(REPOSITORY)
    server.seed.history(REPOSITORY, [BASE])
    server.seed.commit(REPOSITORY, HEAD, parents=[BASE], branch="change")
    server.seed.pull_request(REPOSITORY, NUMBER, **{"head_sha": HEAD, **options})


def connect(  # noqa: PLR0913 -- the parts of a repository that tests vary
    token: str,
    repository: str,
    *,
    api_url: str = "https://api.github.com",
    graphql_url: str = "https://api.github.com/graphql",
    certificates: str | None = None,
    redactor: Redactor | None = None,
    budget_seconds: float = 150.0,
    timeout_seconds: float = 15.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Repository:
    """The repository, whose time passes by this clock."""
    return Repository(
        connection=Connection(
            token=token,
            redactor=redactor or Redactor((token,)),
            api_url=api_url,
            timeout_seconds=timeout_seconds,
            certificates=certificates,
        ),
        path=f"/repos/{repository}",
        graphql_url=graphql_url,
        budget=Budget(budget_seconds, clock=clock, sleep=sleep),
    )


def client(server: GithubServer, clock: Clock | None = None, **options: Any) -> Repository:
    """The repository as the product sees it."""
    clock = clock or Clock()
    given = {"token": TOKEN, "api_url": server.url, "graphql_url": f"{server.url}/graphql"}
    return connect(repository=REPOSITORY, clock=clock, sleep=clock.sleep, **{**given, **options})


def marker(run_id: int = 1, *, head: str = HEAD, key: str = KEY, **more: Any) -> Marker:
    """The marker of a run, in its first attempt."""
    return Marker(**{"key": key, "run_id": run_id, "attempt": 1, "head_sha": head, **more})


def marked(
    text: str, run_id: int = 1, *, verdict: Verdict | None = Verdict.NO_CHANGE, **more: Any
) -> str:
    """The body of a comment that such a run wrote."""
    return marker(run_id, verdict=verdict, **more).line + text


def sink(github: Repository, text: str = "first", **options: Any) -> PullRequestComment:
    """A sink that writes this text."""
    whole = {
        "github": github,
        "pull_request": pull_request(NUMBER, head=HEAD),
        "marker": marker(),
        "mode": CommentMode.UPDATE,
        "render": lambda _, __: text,
    }
    return PullRequestComment(**{**whole, **options})


def saying(verdict: Verdict = Verdict.NO_CHANGE) -> Report:
    """A report of this verdict."""
    return replace(report([evaluation()]), verdict=verdict)


def bodies(server: GithubServer) -> list[str]:
    """What the conversation holds."""
    return [comment.body for comment in server.comments(REPOSITORY, NUMBER)]


def request_lines(server: GithubServer) -> list[str]:
    """The methods and paths of the requests so far."""
    return [f"{one.method} {one.path}" for one in server.requests]
