"""Where the search for a baseline begins, for each event."""

from __future__ import annotations

from typing import Any

import pytest

from helm_wandb.baselines.base import Base, base
from helm_wandb.baselines.found import Unavailable
from helm_wandb.github_api.messages import Cause
from helm_wandb.runner.event import Trigger
from tests.repository_in_memory import NAME, Repository

REPOSITORY = {"default_branch": "main", "full_name": NAME}
OWN = {"full_name": NAME, "owner": {"login": "org"}}
FORK = {"full_name": "fork/evals", "owner": {"login": "fork"}}


@pytest.fixture
def repository() -> Repository:
    """Main at c9; a change from c6 at d2, merged with c8 as m; a branch that is to enter it."""
    made = Repository()
    made.commits |= {"d1": ("c6",), "d2": ("d1",), "m": ("c8", "d2"), "e1": ("d1",)}
    made.branches |= {"change": "d2", "stacked": "e1", "release": "c4"}
    return made


def trigger(event: str, sha: str = "", branch: str = "", **payload: Any) -> Trigger:
    """What the runner says of an event."""
    environ = {
        "GITHUB_EVENT_NAME": event,
        "GITHUB_SHA": sha,
        "GITHUB_REF_NAME": branch,
        "GITHUB_REF_TYPE": "tag" if branch.startswith("v") else "branch",
        "GITHUB_REPOSITORY": NAME,
        "GITHUB_RUN_ID": "7",
    }
    return Trigger.from_environ(environ, {"repository": REPOSITORY, **payload})


def pull(base_ref: str = "main", head: str = "d2") -> dict[str, Any]:
    """A pull request in a payload."""
    return {"number": 5, "base": {"ref": base_ref, "sha": "c7"}, "head": {"sha": head}}


def another_run(event: str, sha: str, branch: str, head: dict[str, Any]) -> dict[str, Any]:
    """A run in a payload."""
    return {
        "id": 6,
        "event": event,
        "head_sha": sha,
        "head_branch": branch,
        "head_repository": head,
    }


def why_none(told: Trigger, repository: Repository) -> str:
    """The reason why there is no base."""
    with pytest.raises(Unavailable) as caught:
        base(told, repository.github)
    return str(caught.value)


MERGE_BASE = "the merge base"
EVENTS = {
    "a pull request begins at what it was merged with": (
        trigger("pull_request", "m", "5/merge", pull_request=pull()),
        Base(branch="main", commit="c8", called="the base commit"),
    ),
    "a pull request without a merge commit begins where it left the base": (
        trigger("pull_request", "d2", "5/merge", pull_request=pull()),
        Base(branch="main", commit="c6", called=MERGE_BASE),
    ),
    "a merge commit of something else is no merge of this pull request": (
        trigger("pull_request", "m", "5/merge", pull_request=pull(head="e1")),
        Base(branch="main", commit="c6", called=MERGE_BASE),
    ),
    "a review of a pull request is as the pull request": (
        trigger("pull_request_review", "m", "5/merge", pull_request=pull()),
        Base(branch="main", commit="c8", called="the base commit"),
    ),
    "a stacked pull request is beside its own base": (
        trigger("pull_request", "e1", "6/merge", pull_request=pull("change", "e1")),
        Base(branch="change", commit="d1", called=MERGE_BASE),
    ),
    "on pull_request_target the commit is the base's own and tells nothing": (
        trigger("pull_request_target", "m", "main", pull_request=pull()),
        Base(branch="main", commit="c6", called=MERGE_BASE),
    ),
    "a comment asks for its pull request": (
        trigger("issue_comment", "c9", "main", issue={"number": 5, "pull_request": {}}),
        Base(branch="main", commit="c6", called=MERGE_BASE),
    ),
    "a merge group knows its base": (
        trigger(
            "merge_group",
            "m",
            "gh-readonly-queue/main/pr-5-c8",
            merge_group={"base_ref": "refs/heads/main", "base_sha": "c8"},
        ),
        Base(branch="main", commit="c8", called="the base of the merge group"),
    ),
    "a push to the default branch is beside what was there before": (
        trigger("push", "c9", "main", before="c6"),
        Base(branch="main", commit="c6", called="the previous commit"),
    ),
    "a first push is beside its parent": (
        trigger("push", "c9", "main", before="0" * 40),
        Base(branch="main", commit="c8", called="the previous commit"),
    ),
    "a push that takes commits away is beside its parent": (
        trigger("push", "c9", "main", before="d2"),
        Base(branch="main", commit="c8", called="the previous commit"),
    ),
    "a push that dropped what is gone now is beside its parent": (
        trigger("push", "c9", "main", before="gone"),
        Base(branch="main", commit="c8", called="the previous commit"),
    ),
    "a push to a side branch is beside the default branch": (
        trigger("push", "e1", "lonely", before="d1"),
        Base(branch="main", commit="c6", called=MERGE_BASE),
    ),
    "a push to the branch of a pull request is beside that one's base": (
        trigger("push", "e1", "stacked", before="d1"),
        Base(branch="change", commit="d1", called=MERGE_BASE),
    ),
    "a schedule is beside earlier runs of the same commit": (
        trigger("schedule", "c9", "main"),
        Base(branch="main", commit="c9", called="this commit"),
    ),
    "a dispatch on a side branch is beside the default branch": (
        trigger("workflow_dispatch", "e1", "lonely"),
        Base(branch="main", commit="c6", called=MERGE_BASE),
    ),
    "a tag is beside the default branch": (
        trigger("push", "d2", "v1", before="0" * 40),
        Base(branch="main", commit="c6", called=MERGE_BASE),
    ),
    "a release is beside the default branch": (
        trigger("release", "d2", "v1"),
        Base(branch="main", commit="c6", called=MERGE_BASE),
    ),
    "a run of a fork's pull request is found by its head": (
        trigger(
            "workflow_run",
            "c9",
            "main",
            workflow_run=another_run("pull_request", "f1", "main", FORK),
        ),
        Base(branch="release", commit="c4", called=MERGE_BASE),
    ),
    "a run of a push is beside the commit before the one that was pushed": (
        trigger(
            "workflow_run",
            "c9",
            "main",
            before="c1",
            workflow_run=another_run("push", "c5", "main", OWN),
        ),
        Base(branch="main", commit="c4", called="the previous commit"),
    ),
    "a run of a schedule is beside earlier runs": (
        trigger(
            "workflow_run", "c9", "main", workflow_run=another_run("schedule", "c5", "main", OWN)
        ),
        Base(branch="main", commit="c5", called="this commit"),
    ),
}


@pytest.mark.parametrize(("told", "expected"), EVENTS.values(), ids=EVENTS)
def test_each_event_has_its_base(told: Trigger, expected: Base, repository: Repository) -> None:
    """Branch, commit and its name in words are those that the event means."""
    repository.commits["f1"] = ("c4",)
    repository.add_pull_request(5, head="d2", branch="change")
    repository.add_pull_request(6, head="e1", base="change", branch="stacked")
    repository.add_pull_request(7, head="f1", base="release", owner="fork", branch="main")

    assert expected == base(told, repository.github)


NOTHING = {
    "an event that is about no code": (
        trigger("label", "c9", "main"),
        "The event 'label' does not tell what its results stand beside.",
    ),
    "a comment on an issue": (
        trigger("issue_comment", "c9", "main", issue={"number": 5}),
        "The comment is not on a pull request.",
    ),
    "a comment on nothing": (
        trigger("issue_comment", "c9", "main"),
        "The comment is not on a pull request.",
    ),
    "a merge group without a base": (
        trigger("merge_group", "m", "x", merge_group={"base_ref": "refs/heads/main"}),
        "The event does not name the merge group's base.",
    ),
    "a pull request without a base": (
        trigger("pull_request", "m", "x", pull_request={"head": {"sha": "d2"}}),
        "The event does not name the pull request's base branch.",
    ),
    "a branch's first commit": (
        trigger("push", "c0", "main", before="0" * 40),
        "c0 is the first commit: none is before it.",
    ),
    "a push without a commit": (
        trigger("push", "", "main"),
        "The workflow's event names no commit.",
    ),
    "a run of a closed pull request": (
        trigger("workflow_run", workflow_run=another_run("pull_request", "f1", "main", FORK)),
        "No open pull request has f1 as its head.",
    ),
    "a push to a fork": (
        trigger("workflow_run", workflow_run=another_run("push", "c9", "main", FORK)),
        "The push run is of another repository.",
    ),
    "a run that nothing is said of": (
        trigger("workflow_run", workflow_run={"head_sha": "c9"}),
        "The other run is of another repository.",
    ),
}


@pytest.mark.parametrize(("told", "why"), NOTHING.values(), ids=NOTHING)
def test_an_event_without_a_base_says_why(told: Trigger, why: str, repository: Repository) -> None:
    """What the event lacks is told in a sentence."""
    assert why == why_none(told, repository)


def test_of_two_pull_requests_the_oldest_counts(repository: Repository) -> None:
    """Of one head into different branches: the comment goes to the same one."""
    for number, into in ((5, "main"), (6, "release")):
        repository.add_pull_request(number, head="d2", base=into, owner="fork", branch="x")
    run = another_run("pull_request", "d2", "x", FORK)

    found = base(trigger("workflow_run", workflow_run=run), repository.github)
    assert "main" == found.branch


REFUSED = {
    "contents": ("merge_base", trigger("push", "d2", "v1")),
    "contents of the parents": ("commit", trigger("pull_request", "m", pull_request=pull())),
    "contents of a push": ("merge_base", trigger("push", "c9", "main", before="c6")),
    "pull-requests": (
        "pull_request",
        trigger("issue_comment", issue={"number": 5, "pull_request": {}}),
    ),
    "pull-requests of a head": (
        "open_pull_requests",
        trigger("workflow_run", workflow_run=another_run("pull_request", "d2", "x", FORK)),
    ),
}


@pytest.mark.parametrize("permission", REFUSED)
def test_a_missing_permission_is_named(permission: str, repository: Repository) -> None:
    """The sentence has the line of YAML to add."""
    method, told = REFUSED[permission]
    repository.faults[method] = Cause.FORBIDDEN
    line = f"`{permission.partition(' ')[0]}: read`"

    assert (
        f"GitHub refuses {method}. The job's token lacks a permission: add the line {line} under "
        "`permissions:` in the workflow."
    ) == why_none(told, repository)


def test_a_side_branch_needs_no_sight_of_pull_requests(repository: Repository) -> None:
    """A token that may not see them still finds the default branch."""
    repository.faults["open_pull_requests"] = Cause.FORBIDDEN

    assert "main" == base(trigger("push", "e1", "stacked"), repository.github).branch


def test_a_limit_is_told(repository: Repository) -> None:
    """Other faults are told in GitHub's own words, and name no permission."""
    repository.faults["commit"] = Cause.LIMITED

    assert "GitHub refuses commit." == why_none(
        trigger("pull_request", "m", pull_request=pull()), repository
    )


def test_a_payload_without_a_default_branch_asks_for_it(repository: Repository) -> None:
    """Some payloads have no repository: GitHub knows its default branch."""
    told = Trigger(event="schedule", sha="c9", branch="main")

    assert Base(branch="main", commit="c9", called="this commit") == base(told, repository.github)
    assert "default_branch" in repository.asked


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (trigger("pull_request", pull_request=pull("release")), "release"),
        (trigger("merge_group", merge_group={"base_ref": "refs/heads/a/b"}), "a/b"),
        (trigger("push", "c9", "main"), "main"),
        (Trigger(event="push", payload={"repository": "x", "pull_request": []}), None),
    ],
)
def test_the_likely_base_is_in_the_payload(told: Trigger, expected: str | None) -> None:
    """Without GitHub the payload alone tells the base branch, or nothing does."""
    assert expected == told.likely_base


def test_own_runs_are_this_one_and_the_one_it_publishes() -> None:
    """Neither may be a baseline; what is no number is no run."""
    told = trigger("workflow_run", workflow_run={"id": 6})

    assert {6, 7} == told.own_runs
    assert frozenset() == Trigger.from_environ({"GITHUB_RUN_ID": "²"}, {"workflow_run": 1}).own_runs
