"""The comments of several pull requests with one head, which have one receipt."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from helm_wandb.errors import SinkError
from helm_wandb.model import Provenance, Status
from helm_wandb.pr_comment.several_comments import PullRequestComments
from tests.events import pull_request
from tests.github_clients import HEAD, NUMBER, REPOSITORY, client, furnish, marked, saying, sink
from tests.github_server import GithubServer, answers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helm_wandb.github_api.repository import Repository

pytestmark = pytest.mark.enable_socket

SECOND = 9
OF_SECOND = f"/repos/{REPOSITORY}/issues/{SECOND}/comments"


@pytest.fixture
def server() -> Iterator[GithubServer]:
    """A server with two pull requests of one head."""
    with GithubServer() as served:
        furnish(served)
        served.seed.pull_request(REPOSITORY, SECOND, head_sha=HEAD, base="other")
        yield served

        assert [] == served.violations


@pytest.fixture
def github(server: GithubServer) -> Iterator[Repository]:
    """The repository as the product sees it."""
    with closing(client(server)) as opened:
        yield opened


def both(github: Repository) -> PullRequestComments:
    """The comments in both."""
    return PullRequestComments(
        tuple(
            sink(github, pull_request=pull_request(number, head=HEAD))
            for number in (NUMBER, SECOND)
        )
    )


def bodies(server: GithubServer) -> list[list[str]]:
    """The comments of each."""
    return [
        [one.body for one in server.comments(REPOSITORY, number)] for number in (NUMBER, SECOND)
    ]


def test_each_gets_the_comment(server: GithubServer, github: Repository) -> None:
    """Both are written, and the link is the first one's."""
    receipt = both(github).deliver(saying())

    assert [[marked("first")], [marked("first")]] == bodies(server)
    assert (Status.DONE, None) == (receipt.status, receipt.reason)
    assert receipt.url
    assert f"/pull/{NUMBER}#" in receipt.url


def test_one_that_is_locked_does_not_stop_the_other(
    server: GithubServer, github: Repository
) -> None:
    """The receipt is that of what was written, and says what was not."""
    server.seed.pull_request(REPOSITORY, NUMBER, head_sha=HEAD, locked=True)
    receipt = both(github).deliver(saying())

    assert [[], [marked("first")]] == bodies(server)
    assert Status.DONE is receipt.status
    assert receipt.reason
    assert receipt.reason.startswith(f"pull request {NUMBER}: The conversation")
    assert receipt.url
    assert f"/pull/{SECOND}#" in receipt.url


def test_a_failure_is_one_after_all_were_tried(server: GithubServer, github: Repository) -> None:
    """The error names the pull request that has no comment."""
    server.fault(
        "POST", f"/repos/{REPOSITORY}/issues/{NUMBER}/comments", answer=answers.Answer(status=422)
    )
    with pytest.raises(SinkError, match=rf"^pull request {NUMBER}: .*HTTP 422"):
        both(github).deliver(saying())

    assert [[], [marked("first")]] == bodies(server)


def test_warnings_are_said_once(github: Repository) -> None:
    """A second use of the action in the run is warned of once, not for each pull request."""
    both(github).deliver(saying())
    receipt = PullRequestComments(
        tuple(sink(github, "second", pull_request=one.pull_request) for one in both(github).each)
    ).deliver(saying())

    assert 1 == len(receipt.warnings)


def test_a_run_that_read_nothing_updates_both(server: GithubServer, github: Repository) -> None:
    """No comment goes on showing an older state."""
    both(github).deliver(saying())
    receipt = both(github).deliver_unread(["the folder is gone"], Provenance(tool_version="1"))

    assert Status.DONE is receipt.status
    assert [1, 1] == [body.count("the folder is gone") for (body,) in bodies(server)]
