"""Which pull request a run is about."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.github_api.messages import PullRequest
from helm_wandb.github_api.pull_requests import find, has_only_reading_token
from tests.github_clients import BASE, HEAD, NUMBER, REPOSITORY, client, furnish
from tests.github_server import GithubServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helm_wandb.github_api.repository import Repository

pytestmark = pytest.mark.enable_socket

OWN = PullRequest(
    number=NUMBER,
    head_sha=HEAD,
    base_ref="main",
    labels=frozenset({"accepted"}),
    head_owner="me",
    is_own=True,
)
NEXT = "c" * 40
FORK = "you/models"
QUEUED = f"gh-readonly-queue/release/1.0/pr-{NUMBER}-{HEAD}"
NO_PROBLEM: list[object] = []


@pytest.fixture
def server() -> Iterator[GithubServer]:
    """A server with a pull request of an own branch."""
    with GithubServer() as found:
        furnish(found, labels=("accepted",))
        yield found

        assert NO_PROBLEM == found.violations


@pytest.fixture
def github(server: GithubServer) -> Iterator[Repository]:
    """The repository as the product sees it."""
    with closing(client(server)) as found:
        yield found


def environ(event: str, ref: str = "main", **more: str) -> dict[str, str]:
    """The runner's variables."""
    return {
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REF_NAME": ref,
        "GITHUB_REF_TYPE": "branch",
        "GITHUB_REPOSITORY_OWNER": "me",
        "GITHUB_SHA": HEAD,
        **more,
    }


def side(repository: str, ref: str, sha: str) -> dict[str, Any]:
    """Head or base in a payload."""
    repo = {"id": len(repository), "owner": {"login": repository.partition("/")[0]}}
    return {"ref": ref, "sha": sha, "repo": repo}


def payload(head: dict[str, Any]) -> dict[str, Any]:
    """A payload that holds the pull request."""
    return {
        "pull_request": {
            "number": NUMBER,
            "head": head,
            "base": side(REPOSITORY, "main", BASE),
            "labels": [{"name": "accepted", "color": "ff0000"}],
        }
    }


def run_of(repository: str | None, branch: str | None, sha: str, **more: Any) -> dict[str, Any]:
    """A payload of `workflow_run`."""
    owner = repository and {"id": 1, "owner": {"login": repository.partition("/")[0]}}
    run = {"head_repository": owner, "head_branch": branch, "head_sha": sha, **more}
    return {"workflow_run": run}


@pytest.mark.parametrize(
    "event",
    [
        "pull_request",
        "pull_request_target",
        "pull_request_review",
        "pull_request_review_comment",
    ],
)
def test_event_of_a_pull_request_holds_it(
    server: GithubServer, github: Repository, event: str
) -> None:
    """Nothing is asked: number, head, labels and the head's owner are in the payload."""
    found = find(environ(event, "7/merge"), payload(side(REPOSITORY, "change", HEAD)), github)

    assert found == OWN
    assert [] == server.requests


def test_head_of_a_fork_is_told(github: Repository) -> None:
    """The payload says whose the head is."""
    found = find(environ("pull_request"), payload(side(FORK + "-of-mine", "main", HEAD)), github)

    assert found
    assert ("you", False) == (found.head_owner, found.is_own)


def test_comment_on_a_pull_request(server: GithubServer, github: Repository) -> None:
    """Its payload has only the number: GitHub is asked for the rest, once."""
    event = {"issue": {"number": NUMBER, "pull_request": {"url": "x"}}}

    assert find(environ("issue_comment"), event, github) == OWN
    assert 1 == len(server.requests)


def test_comment_on_an_issue_is_about_none(server: GithubServer, github: Repository) -> None:
    """Issues share the numbers, and are no pull requests."""
    assert find(environ("issue_comment"), {"issue": {"number": NUMBER}}, github) is None
    assert [] == server.requests


def test_other_run_of_a_fork(server: GithubServer, github: Repository) -> None:
    """The fork's pull request is found by the head's owner and branch, not by GitHub's list."""
    furnish(server, head_repository=FORK, head_branch="main")
    found = find(environ("workflow_run"), run_of(FORK, "main", HEAD, pull_requests=[]), github)

    assert found
    assert (NUMBER, "you", False) == (found.number, found.head_owner, found.is_own)


def test_other_run_of_an_older_head_is_about_none(server: GithubServer, github: Repository) -> None:
    """Where the pull request moved on, its results belong to a state that is no longer there."""
    furnish(server, head_sha=NEXT)
    told = [{"number": NUMBER}]

    assert (
        find(
            environ("workflow_run"), run_of("me/models", "change", HEAD, pull_requests=told), github
        )
        is None
    )


def test_other_run_that_names_a_strangers_pull_request(
    server: GithubServer, github: Repository
) -> None:
    """A branch of the same name in another fork is not it."""
    furnish(server, head_repository=FORK)

    assert find(environ("workflow_run"), run_of("eve/models", "change", HEAD), github) is None


@pytest.mark.parametrize(
    "event", [run_of(None, "change", HEAD), run_of(FORK, None, HEAD), run_of(FORK, "", HEAD)]
)
def test_other_run_without_a_head_is_about_none(
    server: GithubServer, github: Repository, event: dict[str, Any]
) -> None:
    """A fork that is gone, a tag."""
    assert find(environ("workflow_run"), event, github) is None
    assert [] == server.requests


@pytest.mark.parametrize("event", ["push", "workflow_dispatch"])
def test_branch_with_an_open_pull_request(
    server: GithubServer, github: Repository, event: str
) -> None:
    """It is the branch's, with the head that the run is of, though the branch moved on."""
    furnish(server, labels=("accepted",), head_sha=NEXT)

    assert find(environ(event, "change"), {}, github) == OWN
    assert 1 == len(server.requests)


def test_branch_with_two_pull_requests(server: GithubServer, github: Repository) -> None:
    """The first one, always the same."""
    server.seed.pull_request(REPOSITORY, 9, head_sha=HEAD, base="other")
    server.seed.pull_request(REPOSITORY, 3, head_sha=HEAD, base="another")
    found = find(environ("push", "change"), {}, github)

    assert found
    assert found.number == 3


def test_branch_of_the_same_name_in_the_owners_fork(
    server: GithubServer, github: Repository
) -> None:
    """An owner may have a fork of the own repository: what was pushed here is not its branch."""
    furnish(server, head_repository="me/models-fork")

    assert find(environ("push", "change"), {}, github) is None


@pytest.mark.parametrize("more", [{"GITHUB_REF_TYPE": "tag"}, {"GITHUB_REF_NAME": "lonely"}])
def test_push_without_a_pull_request(github: Repository, more: dict[str, str]) -> None:
    """Tags have none, and not every branch has one."""
    assert find(environ("push", "change", **more), {}, github) is None


def test_merge_queue_names_its_pull_request(server: GithubServer, github: Repository) -> None:
    """The number is in the name of the queue's branch."""
    assert find(environ("merge_group", QUEUED), {}, github) == OWN
    assert find(environ("merge_group", "odd"), {}, github) is None
    assert 1 == len(server.requests)


@pytest.mark.parametrize("event", ["schedule", "repository_dispatch", "release", ""])
def test_other_events_are_about_none(server: GithubServer, github: Repository, event: str) -> None:
    """They are about no pull request, and GitHub is not asked."""
    assert find(environ(event, "change"), {}, github) is None
    assert [] == server.requests


@pytest.mark.parametrize(
    ("event", "content"),
    [
        ("pull_request", {}),
        ("pull_request", {"pull_request": {"number": True}}),
        ("pull_request", {"pull_request": []}),
        ("issue_comment", {}),
        ("issue_comment", {"issue": {"number": "7", "pull_request": {}}}),
        ("workflow_run", {}),
        ("workflow_run", {"workflow_run": {"head_sha": 5}}),
    ],
)
def test_payload_that_cannot_be_read(
    github: Repository, event: str, content: dict[str, Any]
) -> None:
    """It is about no pull request, and nothing is guessed from what is left of it."""
    assert find(environ(event), content, github) is None


def test_the_ref_tells_what_the_payload_does_not(github: Repository) -> None:
    """Where the event could not be read, the pull request is that of the ref."""
    known = environ("pull_request", "7/merge", GITHUB_REF="refs/pull/7/merge")
    found = find(known, {}, github)

    assert found is not None
    assert (7, HEAD) == (found.number, found.head_sha)


@pytest.mark.parametrize(
    ("event", "actor", "is_own", "expected"),
    [
        ("pull_request", "me", True, False),
        ("pull_request", "you", False, True),
        ("pull_request_review", "you", False, True),
        ("pull_request", "dependabot[bot]", True, True),
        ("push", "dependabot[bot]", True, True),
        ("push", "me", True, False),
        ("pull_request_target", "you", False, False),
        ("workflow_run", "dependabot[bot]", False, False),
        ("issue_comment", "you", False, False),
    ],
)
def test_who_has_only_a_reading_token(
    event: str, actor: str, *, is_own: bool, expected: bool
) -> None:
    """Runs of forks and of Dependabot, but for events that run on the base branch."""
    pull_request = PullRequest(number=1, head_sha=HEAD, base_ref="main", is_own=is_own)

    assert expected is has_only_reading_token(environ(event, GITHUB_ACTOR=actor), pull_request)
