"""The base of each event, at which the search for a baseline begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from helm_wandb.baselines.base import Base, find_base
from helm_wandb.baselines.matches import SearchError
from helm_wandb.github_api.messages import Cause
from tests import events
from tests.repository_in_memory import NAME, OWNER, Repository

if TYPE_CHECKING:
    from helm_wandb.runner.event import Event

REPOSITORY = {"default_branch": "main"}


@pytest.fixture
def repository() -> Repository:
    """Main at c9; a change from c6 at d2, merged with c8 as m; a branch that is to enter it."""
    made = Repository()
    made.commits |= {"d1": ("c6",), "d2": ("d1",), "m": ("c8", "d2"), "e1": ("d1",)}
    made.branches |= {"change": "d2", "stacked": "e1", "release": "c4"}
    return made


def trigger(name: str, sha: str = "", branch: str = "", **payload: Any) -> Event:
    """An event in the repository; branches that begin with v are tags."""
    return events.event(
        name,
        sha=sha,
        ref_name=branch,
        ref_type="tag" if branch.startswith("v") else "branch",
        repository=NAME,
        run_id="7",
        payload={"repository": REPOSITORY, **payload},
    )


def pull(base: str = "main", head: str = "d2", merged: str | None = None) -> Any:
    """A pull request in a payload; merged: the commit that merged it."""
    return events.as_json(events.pull_request(5, head=head, base=base, merged=merged))


def another_run(event: str, head: str, branch: str, owner: str = OWNER) -> Any:
    """A run in a payload."""
    run = events.workflow_run(event, head=head, branch=branch, owner=owner, own=OWNER)
    return events.as_json(run)


def why_none(event: Event, repository: Repository) -> str:
    """The reason why there is no base."""
    with pytest.raises(SearchError) as caught:
        find_base(event, repository.github)
    return str(caught.value)


MERGE_BASE = "the merge base"
EVENTS = {
    "a pull request begins at what it was merged with": (
        trigger("pull_request", "m", "5/merge", pull_request=pull()),
        Base(branch="main", commit="c8", label="the base commit"),
    ),
    "a pull request without a merge commit begins where it left the base": (
        trigger("pull_request", "d2", "5/merge", pull_request=pull()),
        Base(branch="main", commit="c6", label=MERGE_BASE),
    ),
    "a merge commit of something else is no merge of this pull request": (
        trigger("pull_request", "m", "5/merge", pull_request=pull(head="e1")),
        Base(branch="main", commit="c6", label=MERGE_BASE),
    ),
    "a squashed pull request is compared with what main had before": (
        trigger("pull_request", "c9", "main", pull_request=pull(merged="c9")),
        Base(branch="main", commit="c8", label="the commit before the merge"),
    ),
    "a merged pull request is compared with what main had before": (
        trigger("pull_request_target", "m", "main", pull_request=pull(merged="m")),
        Base(branch="main", commit="c8", label="the commit before the merge"),
    ),
    "a comment on a merged pull request names only its number": (
        trigger("issue_comment", "c9", "main", issue={"number": 8, "pull_request": {}}),
        Base(branch="main", commit="c6", label="the commit before the merge"),
    ),
    "a closed pull request that is not merged is as an open one": (
        trigger(
            "pull_request",
            "m",
            "5/merge",
            pull_request={**pull(merged="c2"), "merged_at": None},
        ),
        Base(branch="main", commit="c8", label="the base commit"),
    ),
    "a review of a pull request is as the pull request": (
        trigger("pull_request_review", "m", "5/merge", pull_request=pull()),
        Base(branch="main", commit="c8", label="the base commit"),
    ),
    "a stacked pull request is compared with its own base": (
        trigger("pull_request", "e1", "6/merge", pull_request=pull("change", "e1")),
        Base(branch="change", commit="d1", label=MERGE_BASE),
    ),
    "on pull_request_target the commit is the base's own and is ignored": (
        trigger("pull_request_target", "m", "main", pull_request=pull()),
        Base(branch="main", commit="c6", label=MERGE_BASE),
    ),
    "a comment names its pull request": (
        trigger("issue_comment", "c9", "main", issue={"number": 5, "pull_request": {}}),
        Base(branch="main", commit="c6", label=MERGE_BASE),
    ),
    "a merge group knows its base": (
        trigger(
            "merge_group",
            "m",
            "gh-readonly-queue/main/pr-5-c8",
            merge_group={"base_ref": "refs/heads/main", "base_sha": "c8"},
        ),
        Base(branch="main", commit="c8", label="the base of the merge group"),
    ),
    "a push to the default branch is compared with what was there before": (
        trigger("push", "c9", "main", before="c6"),
        Base(branch="main", commit="c6", label="the previous commit"),
    ),
    "a first push is compared with its parent": (
        trigger("push", "c9", "main", before="0" * 40),
        Base(branch="main", commit="c8", label="the previous commit"),
    ),
    "a push that takes commits away is compared with its parent": (
        trigger("push", "c9", "main", before="d2"),
        Base(branch="main", commit="c8", label="the previous commit"),
    ),
    "a push that dropped what is gone now is compared with its parent": (
        trigger("push", "c9", "main", before="gone"),
        Base(branch="main", commit="c8", label="the previous commit"),
    ),
    "a push to a side branch is compared with the default branch": (
        trigger("push", "e1", "lonely", before="d1"),
        Base(branch="main", commit="c6", label=MERGE_BASE),
    ),
    "a push to the branch of a pull request is compared with that one's base": (
        trigger("push", "e1", "stacked", before="d1"),
        Base(branch="change", commit="d1", label=MERGE_BASE),
    ),
    "a schedule is compared with earlier runs of the same commit": (
        trigger("schedule", "c9", "main"),
        Base(branch="main", commit="c9", label="this commit"),
    ),
    "a dispatch on a side branch is compared with the default branch": (
        trigger("workflow_dispatch", "e1", "lonely"),
        Base(branch="main", commit="c6", label=MERGE_BASE),
    ),
    "a tag is compared with the default branch": (
        trigger("push", "d2", "v1", before="0" * 40),
        Base(branch="main", commit="c6", label=MERGE_BASE),
    ),
    "a release is compared with the default branch": (
        trigger("release", "d2", "v1"),
        Base(branch="main", commit="c6", label=MERGE_BASE),
    ),
    "a run of a fork's pull request is found by its head": (
        trigger(
            "workflow_run",
            "c9",
            "main",
            workflow_run=another_run("pull_request", "f1", "main", "fork"),
        ),
        Base(branch="release", commit="c4", label=MERGE_BASE),
    ),
    "a run of a push is compared with the commit before the one that was pushed": (
        trigger(
            "workflow_run",
            "c9",
            "main",
            before="c1",
            workflow_run=another_run("push", "c5", "main"),
        ),
        Base(branch="main", commit="c4", label="the previous commit"),
    ),
    "a run of a schedule is compared with earlier runs": (
        trigger("workflow_run", "c9", "main", workflow_run=another_run("schedule", "c5", "main")),
        Base(branch="main", commit="c5", label="this commit"),
    ),
}


@pytest.mark.parametrize(("event", "expected"), EVENTS.values(), ids=EVENTS)
def test_each_event_has_its_base(event: Event, expected: Base, repository: Repository) -> None:
    """Branch, commit and its name in words are those that the event means."""
    repository.commits["f1"] = ("c4",)
    repository.add_pull_request(5, head="d2", branch="change")
    repository.add_pull_request(6, head="e1", base="change", branch="stacked")
    repository.add_pull_request(7, head="f1", base="release", owner="fork", branch="main")
    repository.pulls.append(events.pull_request(8, head="e1", merged="c7"))

    assert replace(expected, default_branch="main") == find_base(event, repository.github)


NOTHING = {
    "an event that is about no code": (
        trigger("label", "c9", "main"),
        "The event 'label' doesn't say what to compare its results with.",
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
        "The event does not name its pull request.",
    ),
    "a branch's first commit": (
        trigger("push", "c0", "main", before="0" * 40),
        "c0 is the first commit; there is nothing before it.",
    ),
    "a push without a commit": (
        trigger("push", "", "main"),
        "The workflow's event names no commit.",
    ),
    "a run of a closed pull request": (
        trigger("workflow_run", workflow_run=another_run("pull_request", "f1", "main", "fork")),
        "No open pull request has f1 as its head.",
    ),
    "a push to a fork": (
        trigger("workflow_run", workflow_run=another_run("push", "c9", "main", "fork")),
        "The push run is of another repository.",
    ),
    "a run of a comment, which is the default branch's": (
        trigger("workflow_run", workflow_run=another_run("issue_comment", "c9", "main")),
        "The event 'issue_comment' doesn't say what to compare its results with.",
    ),
    "a pull request that was merged by a commit that is gone": (
        trigger("pull_request", "m", "main", pull_request=pull(merged="gone")),
        "There is no commit gone.",
    ),
    "a run that nothing is said of": (
        trigger("workflow_run", workflow_run={"head_sha": "c9"}),
        "The other run is of another repository.",
    ),
}


@pytest.mark.parametrize(("event", "why"), NOTHING.values(), ids=NOTHING)
def test_an_event_without_a_base_says_why(event: Event, why: str, repository: Repository) -> None:
    """The reason names what the event lacks."""
    repository.add_pull_request(9, head="c9", base="release", branch="main")

    assert why == why_none(event, repository)


def test_of_two_pull_requests_the_oldest_counts(repository: Repository) -> None:
    """Two pull requests of one head have the base, and the comment, of the oldest."""
    for number, into in ((5, "main"), (6, "release")):
        repository.add_pull_request(number, head="d2", base=into, owner="fork", branch="x")
    run = another_run("pull_request", "d2", "x", "fork")

    found = find_base(trigger("workflow_run", workflow_run=run), repository.github)
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
        trigger("workflow_run", workflow_run=another_run("pull_request", "d2", "x", "fork")),
    ),
}


@pytest.mark.parametrize("permission", REFUSED)
def test_a_missing_permission_is_named(permission: str, repository: Repository) -> None:
    """The sentence has the line of YAML to add."""
    method, event = REFUSED[permission]
    repository.faults[method] = Cause.FORBIDDEN
    line = f"`{permission.partition(' ')[0]}: read`"

    assert (
        f"GitHub refuses {method}. The job's token lacks a permission: add the line {line} under "
        "`permissions:` in the workflow."
    ) == why_none(event, repository)


def test_a_side_branch_needs_no_sight_of_pull_requests(repository: Repository) -> None:
    """A token that may not see them still finds the default branch."""
    repository.faults["open_pull_requests"] = Cause.FORBIDDEN

    assert "main" == find_base(trigger("push", "e1", "stacked"), repository.github).branch


def test_a_limit_is_reported(repository: Repository) -> None:
    """Other faults have GitHub's own words, and name no permission."""
    repository.faults["commit"] = Cause.LIMITED

    assert "GitHub refuses commit." == why_none(
        trigger("pull_request", "m", pull_request=pull()), repository
    )


def test_the_default_branch_is_requested_if_the_payload_lacks_it(repository: Repository) -> None:
    """Some payloads have no repository: GitHub knows its default branch."""
    event = events.event("schedule", sha="c9", ref_name="main")

    assert Base(branch="main", commit="c9", label="this commit") == find_base(
        event, repository.github
    )
    assert "default_branch" in repository.requests
