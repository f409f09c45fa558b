"""The pull request that a run is about."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.runner.pull_requests import find_pull_request
from tests import events
from tests.github_clients import HEAD, NUMBER, REPOSITORY, client, furnish
from tests.github_server import GithubServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helm_wandb.github_api.messages import PullRequest
    from helm_wandb.github_api.repository import Repository
    from helm_wandb.runner.event import Event

pytestmark = pytest.mark.enable_socket

OWN = (NUMBER, HEAD, "main", frozenset({"accepted"}), "me", True)
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


def trigger(name: str, branch: str = "main", **payload: Any) -> Event:
    """An event of this branch."""
    return events.event(name, ref_name=branch, repository=REPOSITORY, sha=HEAD, payload=payload)


def facts(pull_request: PullRequest | None) -> tuple[object, ...] | None:
    """Number, head, base, labels, owner of the head, and whether it is no fork."""
    if pull_request is None:
        return None
    return (
        pull_request.number,
        pull_request.head.sha,
        pull_request.base.ref,
        pull_request.label_names,
        pull_request.head_owner,
        pull_request.is_own,
    )


def evaluated(owner: str, branch: str | None, sha: str = HEAD, **more: Any) -> Event:
    """A `workflow_run` event after a run of this owner's branch."""
    run = events.workflow_run("pull_request", head=sha, branch=branch, owner=owner)
    return trigger("workflow_run", workflow_run={**events.as_json(run), **more})


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
    """The payload has number, head, labels and the head's owner; GitHub gets no request."""
    pull_request = events.pull_request(NUMBER, labels=["accepted"])
    started = trigger(event, "7/merge", pull_request=events.as_json(pull_request))

    assert pull_request == find_pull_request(started, github)
    assert [] == server.requests


def test_comment_on_a_pull_request(server: GithubServer, github: Repository) -> None:
    """Its payload has only the number: one request gets the rest."""
    event = trigger("issue_comment", issue={"number": NUMBER, "pull_request": {"url": "x"}})

    assert OWN == facts(find_pull_request(event, github))
    assert 1 == len(server.requests)


def test_comment_on_an_issue_is_about_none(server: GithubServer, github: Repository) -> None:
    """Issues share the numbers, and are no pull requests."""
    assert find_pull_request(trigger("issue_comment", issue={"number": NUMBER}), github) is None
    assert [] == server.requests


def test_other_run_of_a_fork(server: GithubServer, github: Repository) -> None:
    """The fork's pull request is found by the head's owner and branch, not by GitHub's list."""
    furnish(server, head_repository=FORK, head_branch="main")
    found = find_pull_request(evaluated("you", "main", pull_requests=[]), github)

    assert found
    assert (NUMBER, "you", False) == (found.number, found.head_owner, found.is_own)


def test_other_run_of_an_older_head_is_about_none(server: GithubServer, github: Repository) -> None:
    """If the pull request moved on, the results are of a state that is gone."""
    furnish(server, head_sha=NEXT)
    event = evaluated("me", "change", pull_requests=[{"number": NUMBER}])

    assert find_pull_request(event, github) is None


def test_other_run_that_names_a_strangers_pull_request(
    server: GithubServer, github: Repository
) -> None:
    """A branch of the same name in another fork is not it."""
    furnish(server, head_repository=FORK)

    assert find_pull_request(evaluated("eve", "change"), github) is None


@pytest.mark.parametrize(
    "event",
    [
        evaluated("you", "change", head_repository=None),
        evaluated("you", None),
        evaluated("you", ""),
    ],
)
def test_other_run_without_a_head_is_about_none(
    server: GithubServer, github: Repository, event: Event
) -> None:
    """A fork that is gone, a tag."""
    assert find_pull_request(event, github) is None
    assert [] == server.requests


@pytest.mark.parametrize("event", ["push", "workflow_dispatch"])
def test_branch_with_an_open_pull_request(
    server: GithubServer, github: Repository, event: str
) -> None:
    """It is the branch's, with the head that the run is of, though the branch moved on."""
    furnish(server, labels=("accepted",), head_sha=NEXT)

    assert OWN == facts(find_pull_request(trigger(event, "change"), github))
    assert 1 == len(server.requests)


def test_branch_with_two_pull_requests(server: GithubServer, github: Repository) -> None:
    """The first one, always the same."""
    server.seed.pull_request(REPOSITORY, 9, head_sha=HEAD, base="other")
    server.seed.pull_request(REPOSITORY, 3, head_sha=HEAD, base="another")
    found = find_pull_request(trigger("push", "change"), github)

    assert found
    assert found.number == 3


def test_branch_of_the_same_name_in_the_owners_fork(
    server: GithubServer, github: Repository
) -> None:
    """An owner may have a fork of the own repository: what was pushed here is not its branch."""
    furnish(server, head_repository="me/models-fork")

    assert find_pull_request(trigger("push", "change"), github) is None


@pytest.mark.parametrize("variables", [("tag", "change"), ("branch", "lonely")])
def test_push_without_a_pull_request(github: Repository, variables: tuple[str, str]) -> None:
    """Tags have none, and not every branch has one."""
    kind, name = variables
    event = events.event("push", ref_type=kind, ref_name=name, repository=REPOSITORY)

    assert find_pull_request(event, github) is None


def test_merge_queue_names_its_pull_request(server: GithubServer, github: Repository) -> None:
    """The number is in the name of the queue's branch."""
    assert OWN == facts(find_pull_request(trigger("merge_group", QUEUED), github))
    assert find_pull_request(trigger("merge_group", "odd"), github) is None
    assert 1 == len(server.requests)


@pytest.mark.parametrize("event", ["schedule", "repository_dispatch", "release", ""])
def test_other_events_are_about_none(server: GithubServer, github: Repository, event: str) -> None:
    """They are about no pull request, and GitHub gets no request."""
    assert find_pull_request(trigger(event, "change"), github) is None
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
    assert find_pull_request(trigger(event, **content), github) is None


def test_without_a_payload_the_ref_names_the_pull_request(github: Repository) -> None:
    """If the event could not be read, the pull request is that of the ref."""
    event = events.event("pull_request", ref="refs/pull/7/merge")

    assert OWN == facts(find_pull_request(event, github))
