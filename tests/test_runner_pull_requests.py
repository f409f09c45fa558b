"""The pull request that a run is about."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.runner.pull_requests import find_pull_requests
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


def facts(pull_requests: tuple[PullRequest, ...]) -> list[tuple[object, ...]]:
    """Number, head, base, labels, owner of the head, and whether it is no fork, of each."""
    return [
        (
            one.number,
            one.head.sha,
            one.base.ref,
            one.label_names,
            one.head_owner,
            one.is_own,
        )
        for one in pull_requests
    ]


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

    assert (pull_request,) == find_pull_requests(started, github)
    assert [] == server.requests


def test_comment_on_a_pull_request(server: GithubServer, github: Repository) -> None:
    """Its payload has only the number: one request gets the rest."""
    event = trigger("issue_comment", issue={"number": NUMBER, "pull_request": {"url": "x"}})

    assert [OWN] == facts(find_pull_requests(event, github))
    assert 1 == len(server.requests)


def test_comment_on_an_issue_is_about_none(server: GithubServer, github: Repository) -> None:
    """Issues share the numbers, and are no pull requests."""
    assert () == find_pull_requests(trigger("issue_comment", issue={"number": NUMBER}), github)
    assert [] == server.requests


def test_other_run_of_a_fork(server: GithubServer, github: Repository) -> None:
    """The fork's pull request is found by the head's owner and branch, not by GitHub's list."""
    furnish(server, head_repository=FORK, head_branch="main")
    (found,) = find_pull_requests(evaluated("you", "main", pull_requests=[]), github)

    assert (NUMBER, "you", False) == (found.number, found.head_owner, found.is_own)


def test_other_run_of_an_older_head_is_about_none(server: GithubServer, github: Repository) -> None:
    """If the pull request moved on, the results are of a state that is gone."""
    furnish(server, head_sha=NEXT)
    event = evaluated("me", "change", pull_requests=[{"number": NUMBER}])

    assert () == find_pull_requests(event, github)


def test_other_run_that_names_a_strangers_pull_request(
    server: GithubServer, github: Repository
) -> None:
    """A branch of the same name in another fork is not it."""
    furnish(server, head_repository=FORK)

    assert () == find_pull_requests(evaluated("eve", "change"), github)


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
    assert () == find_pull_requests(event, github)
    assert [] == server.requests


@pytest.mark.parametrize("event", ["push", "workflow_dispatch"])
def test_branch_with_an_open_pull_request(
    server: GithubServer, github: Repository, event: str
) -> None:
    """It is the branch's, with the head that the run is of, though the branch moved on."""
    furnish(server, labels=("accepted",), head_sha=NEXT)

    assert [OWN] == facts(find_pull_requests(trigger(event, "change"), github))
    assert 1 == len(server.requests)


def test_branch_with_two_pull_requests(server: GithubServer, github: Repository) -> None:
    """All get the results, with the head that the run is of, the oldest first."""
    server.seed.pull_request(REPOSITORY, 9, head_sha=NEXT, base="other")
    server.seed.pull_request(REPOSITORY, 3, head_sha=HEAD, base="another")
    found = find_pull_requests(trigger("push", "change"), github)

    assert [(3, HEAD), (NUMBER, HEAD), (9, HEAD)] == [(one.number, one.head.sha) for one in found]


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ([], [3, NUMBER]),
        ([NUMBER], [NUMBER]),
        ([NUMBER, 3], [3, NUMBER]),
        ([9], [3, NUMBER]),
        ([8], [3, NUMBER]),
        ([8, 3], [3]),
    ],
)
def test_other_run_of_a_head_with_two_pull_requests(
    server: GithubServer, github: Repository, named: list[int], expected: list[int]
) -> None:
    """Those that the payload names, if they have the head: else all open ones that have it.

    A payload can't lead to a pull request of another head (8), nor to one that isn't open (9).
    """
    server.seed.pull_request(REPOSITORY, 3, head_sha=HEAD, base="another")
    server.seed.pull_request(REPOSITORY, 8, head_sha=NEXT, head_branch="other")
    event = evaluated("me", "change", pull_requests=[{"number": number} for number in named])

    assert expected == [one.number for one in find_pull_requests(event, github)]


@pytest.mark.parametrize("name", ["issue_comment", "repository_dispatch", "schedule", "release"])
def test_other_run_whose_record_names_no_head(
    server: GithubServer, github: Repository, name: str
) -> None:
    """GitHub files it under the default branch, from which a pull request may lead elsewhere."""
    furnish(server, head_branch="main", base="release")
    run = events.as_json(events.workflow_run(name, head=HEAD, branch="main"))
    event = trigger("workflow_run", workflow_run={**run, "pull_requests": [{"number": NUMBER}]})

    assert () == find_pull_requests(event, github)
    assert event.provenance().pull_request is None
    assert [] == server.requests


def test_branch_of_the_same_name_in_the_owners_fork(
    server: GithubServer, github: Repository
) -> None:
    """An owner may have a fork of the own repository: what was pushed here is not its branch."""
    furnish(server, head_repository="me/models-fork")

    assert () == find_pull_requests(trigger("push", "change"), github)


@pytest.mark.parametrize("variables", [("tag", "change"), ("branch", "lonely")])
def test_push_without_a_pull_request(github: Repository, variables: tuple[str, str]) -> None:
    """Tags have none, and not every branch has one."""
    kind, name = variables
    event = events.event("push", ref_type=kind, ref_name=name, repository=REPOSITORY)

    assert () == find_pull_requests(event, github)


def test_merge_queue_names_its_pull_request(server: GithubServer, github: Repository) -> None:
    """The number is in the name of the queue's branch."""
    assert [OWN] == facts(find_pull_requests(trigger("merge_group", QUEUED), github))
    assert () == find_pull_requests(trigger("merge_group", "odd"), github)
    assert 1 == len(server.requests)


@pytest.mark.parametrize("event", ["schedule", "repository_dispatch", "release", ""])
def test_other_events_are_about_none(server: GithubServer, github: Repository, event: str) -> None:
    """They are about no pull request, and GitHub gets no request."""
    assert () == find_pull_requests(trigger(event, "change"), github)
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
    assert () == find_pull_requests(trigger(event, **content), github)


def test_without_a_payload_the_ref_names_the_pull_request(github: Repository) -> None:
    """If the event could not be read, the pull request is that of the ref."""
    event = events.event("pull_request", ref="refs/pull/7/merge")

    assert [OWN] == facts(find_pull_requests(event, github))
