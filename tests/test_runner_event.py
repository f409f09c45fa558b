"""Events: what started a run, what its scores belong to, and what it may do."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb import __version__
from helm_wandb.model import Provenance
from helm_wandb.runner.event import parse_event, read_event
from helm_wandb.runner.event_rules import BRANCH_EVENTS, RULES, EventRules, rules_of
from tests import events

if TYPE_CHECKING:
    from pathlib import Path

RUNNER = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SHA": "0123abc",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "me/models",
    "GITHUB_RUN_ID": "4711",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
}
MAIN = ("branch", "refs/heads/main", "main")
MERGE = ("branch", "refs/pull/7/merge", "7/merge")
QUEUE = "gh-readonly-queue/release/1.0/pr-7-0a1b2c"
ABOUT_7 = {"pull_request": events.as_json(events.pull_request(7, head="0123abc"))}
RUN = events.as_json(events.workflow_run(head="0123abc"))
EVENTS = [
    ("push", MAIN, {}, "branch/main", None),
    ("push", ("branch", "refs/heads/a/b", "a/b"), {}, "branch/a/b", None),
    ("push", ("tag", "refs/tags/v1", "v1"), {}, "tag/v1", None),
    ("release", ("tag", "refs/tags/v1", "v1"), {}, "tag/v1", None),
    ("schedule", MAIN, {"schedule": "0 0 * * *"}, "branch/main", None),
    ("workflow_dispatch", MAIN, {"inputs": None}, "branch/main", None),
    ("repository_dispatch", MAIN, {}, "repository_dispatch/4711", None),
    ("discussion", MAIN, {}, "discussion/4711", None),
    ("pull_request", MERGE, ABOUT_7, "pr/7", 7),
    ("pull_request", MERGE, {}, "pr/7", 7),
    ("pull_request_target", MAIN, ABOUT_7, "pr/7", 7),
    ("pull_request_review", MERGE, ABOUT_7, "pr/7", 7),
    ("merge_group", ("branch", f"refs/heads/{QUEUE}", QUEUE), {}, "queue/release/1.0", None),
    ("merge_group", ("branch", "refs/heads/odd", "odd"), {}, "queue/odd", None),
    ("workflow_run", MAIN, {"workflow_run": {**RUN, "pull_requests": [{"number": 7}]}}, "pr/7", 7),
    (
        "workflow_run",
        MAIN,
        {"workflow_run": {**RUN, "pull_requests": []}},
        "workflow_run/4711",
        None,
    ),
    ("issue_comment", MAIN, {"issue": {"number": 7, "pull_request": {"url": "x"}}}, "pr/7", 7),
    ("issue_comment", MAIN, {"issue": {"number": 7}}, "issue_comment/4711", None),
]


@pytest.mark.parametrize(("event", "ref", "payload", "track", "number"), EVENTS)
def test_track_of_an_event(
    event: str, ref: tuple[str, str, str], payload: dict[str, Any], track: str, number: int | None
) -> None:
    """Pull requests, queues, tags and branches have a track each, by the event."""
    kind, full, name = ref
    environ = {
        **RUNNER,
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REF_TYPE": kind,
        "GITHUB_REF": full,
        "GITHUB_REF_NAME": name,
    }

    assert parse_event(environ, payload).provenance() == Provenance(
        tool_version=__version__,
        track=track,
        commit=None if event == "issue_comment" else "0123abc",
        ref=full if number is None else f"refs/pull/{number}/head",
        pull_request=number,
        run_url="https://github.com/me/models/actions/runs/4711",
        attempt=2,
    )


@pytest.mark.parametrize(
    ("event", "payload", "commit", "ref"),
    [
        (
            "pull_request_target",
            {"pull_request": events.as_json(events.pull_request(7, head="head"))},
            "head",
            "refs/pull/7/head",
        ),
        (
            "workflow_run",
            {"workflow_run": {**RUN, "head_sha": "head", "head_branch": "topic"}},
            "head",
            "refs/heads/topic",
        ),
        (
            "workflow_run",
            {"workflow_run": events.as_json(events.workflow_run("issue_comment", head="tip"))},
            None,
            "refs/heads/main",
        ),
        ("push", {"after": "other"}, "0123abc", "refs/heads/main"),
    ],
)
def test_commit_is_the_one_that_was_evaluated(
    event: str, payload: dict[str, Any], commit: str | None, ref: str
) -> None:
    """If the workflow runs on the base, the scores are of the head, if that is recorded."""
    found = parse_event({**RUNNER, "GITHUB_EVENT_NAME": event}, payload).provenance()

    assert (commit, ref) == (found.commit, found.ref)


def test_the_event_is_read_from_the_runners_file(tmp_path: Path) -> None:
    """The payload is the JSON object of the file; without a file there is none."""
    path = tmp_path / "event.json"
    path.write_text('{"before": "c1"}')

    assert "c1" == read_event({"GITHUB_EVENT_PATH": str(path)}).before
    assert parse_event({}, {}) == read_event({})


@pytest.mark.parametrize("content", ["{bad", "", "\x00", "[]"])
def test_an_unreadable_payload_is_a_fault(content: str, tmp_path: Path) -> None:
    """If the file is no JSON object, the event has its path as a fault, and the variables."""
    path = tmp_path / "event.json"
    path.write_text(content)
    event = read_event({"GITHUB_EVENT_PATH": str(path), "GITHUB_SHA": "c9"})

    assert f"the event at {path} cannot be read: " in str(event.fault)
    assert "c9" == event.commit


@pytest.mark.parametrize("environ", [{}, {"GITHUB_ACTIONS": "false"}, {"GITHUB_SHA": "0123abc"}])
def test_outside_of_a_workflow_the_track_is_local(environ: dict[str, str]) -> None:
    """On somebody's own computer nothing is known of commits, and the track is `local`."""
    assert (
        Provenance(tool_version=__version__, track="local") == parse_event(environ, {}).provenance()
    )


def test_what_the_runner_does_not_say_is_unknown() -> None:
    """Without variables there is no commit, no run and no attempt."""
    provenance = events.event(run_attempt="x").provenance()

    assert Provenance(tool_version=__version__, track="branch/") == provenance


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"repository": {"default_branch": "trunk"}}, {"branch/trunk"}),
        ({"repository": {"default_branch": "a/b"}}, {"branch/a/b"}),
        ({"repository": {"default_branch": None}}, {"branch/main", "branch/master"}),
        ({"repository": "me/models"}, {"branch/main", "branch/master"}),
        ({"repository": None, "default_branch": "x"}, {"branch/main", "branch/master"}),
        ({}, {"branch/main", "branch/master"}),
    ],
)
def test_ranked_tracks_are_the_default_branchs(event: dict[str, Any], expected: set[str]) -> None:
    """The event names the default branch; if it does not, it has one of the usual names."""
    assert expected == events.event(payload=event).ranked_tracks


def test_pushes_to_the_default_branch_are_ranked() -> None:
    """Pushes to the default branch are on the track that leaderboards read."""
    event = {"repository": {"default_branch": "main"}}

    push = parse_event(RUNNER, event)

    assert {push.provenance().track} == push.ranked_tracks


@pytest.mark.parametrize("number", [True, None, "7", 7.0, [], {}])
def test_number_that_is_none_makes_no_pull_request(number: Any) -> None:
    """A payload's number of another type is not taken for a pull request."""
    payload = {"pull_request": {**ABOUT_7["pull_request"], "number": number}}

    assert parse_event(RUNNER, payload).provenance().track == "branch/main"


NAMED = [{"name": "bug"}, {"name": "Accept it"}]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"pull_request": {**ABOUT_7["pull_request"], "labels": NAMED}}, {"bug", "Accept it"}),
        ({"pull_request": {**ABOUT_7["pull_request"], "labels": []}}, set()),
        (ABOUT_7, set()),
        (
            {"issue": {"number": 7, "pull_request": {"url": "x"}, "labels": NAMED}},
            {"bug", "Accept it"},
        ),
        ({"issue": {"number": 7, "labels": NAMED}}, set()),
        (
            {
                "label": {"name": "bug"},
                "pull_request": {**ABOUT_7["pull_request"], "labels": NAMED[1:]},
            },
            {"Accept it"},
        ),
        ({}, set()),
        ({"pull_request": None}, set()),
        ({"pull_request": [NAMED]}, set()),
        ({"pull_request": {"labels": {"name": "bug"}}}, set()),
        ({"pull_request": {"labels": "bug"}}, set()),
        ({"pull_request": {**ABOUT_7["pull_request"], "labels": [{"name": 7}]}}, set()),
    ],
)
def test_labels_are_the_pull_requests(event: dict[str, Any], expected: set[str]) -> None:
    """The names of the pull request's labels; of an issue's none, whatever it has."""
    assert expected == events.event(payload=event).labels


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["number", "pull_request", "pull_requests", "labels", "name"]), inner
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["pull_request", "issue", "workflow_run"]), JSON))
def test_malformed_payload_never_raises(event: dict[str, Any]) -> None:
    """Whatever an event holds, there is a provenance, and labels are texts."""
    found = parse_event(RUNNER, event)

    assert found.provenance().commit == "0123abc"
    assert all(isinstance(label, str) for label in found.labels)


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
def test_runs_whose_token_can_only_read(
    event: str, actor: str, *, is_own: bool, expected: bool
) -> None:
    """Runs of forks and of Dependabot, but for events that run on the base branch."""
    pull_request = events.pull_request(owner=events.OWN if is_own else events.FORK)
    started = events.event(event, actor=actor)

    assert expected is started.has_limited_token(pull_request)


PULL_REQUEST = {"pull_request": events.as_json(events.pull_request(base="release"))}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (PULL_REQUEST, "release"),
        ({"merge_group": {"base_ref": "refs/heads/a/b", "base_sha": "c1"}}, "a/b"),
        ({"repository": {"default_branch": "main"}}, "main"),
        ({"repository": "x", "pull_request": []}, None),
    ],
)
def test_the_likely_base_is_in_the_payload(payload: dict[str, Any], expected: str | None) -> None:
    """Without GitHub the payload alone names the base branch, or nothing does."""
    assert expected == events.event(payload=payload).likely_base


def test_own_runs_are_this_one_and_the_one_it_publishes() -> None:
    """Neither may be a baseline; what is no number is no run."""
    run = events.as_json(events.workflow_run(run_id=6))

    assert {6, 7} == events.event(
        "workflow_run", run_id="7", payload={"workflow_run": run}
    ).own_runs
    assert frozenset() == events.event(run_id="²", payload={"workflow_run": 1}).own_runs


def test_events_that_may_be_believed_are_listed() -> None:
    """Privileged events and those of a branch are these, and no event is both."""
    privileged = {name for name, rules in RULES.items() if rules.is_privileged}

    assert {"issue_comment", "pull_request_target", "workflow_run"} == privileged
    assert ("push", "schedule", "workflow_dispatch") == BRANCH_EVENTS
    assert set() == privileged & {*BRANCH_EVENTS}


def test_security_page_has_the_events_of_the_table(root: Path) -> None:
    """SECURITY.md lists known events, and the same ones as privileged."""
    text = (root / "SECURITY.md").read_text().partition("## Who controls what")[2]
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \| ([^|]+) \|", text, re.MULTILINE)
    listed = [(set(re.findall("`(.+?)`", names)), *rest) for names, *rest in rows]
    privileged = [
        names for names, code, secrets in listed if "outsider" in code and secrets == "yes"
    ]

    assert RULES.keys() == {name for names, *_ in listed for name in names}
    assert {name for name, rules in RULES.items() if rules.is_privileged} == set().union(
        *privileged
    )


@pytest.mark.parametrize("name", ["pull_request_target", "workflow_run"])
def test_an_unreadable_part_is_a_fault(name: str) -> None:
    """Without the part that names the head there is no commit, and a warning says why."""
    part = name.removesuffix("_target")
    event = events.event(name, payload={part: {"id": 1}})

    assert (None, f"the event's {part} is not as GitHub sends it") == (event.commit, event.fault)


def test_an_owner_may_be_gone() -> None:
    """A pull request whose head's account is gone keeps its number and its head."""
    side = {"ref": "change", "sha": "c7", "repo": {"id": 2, "owner": None}}
    base = {"ref": "main", "sha": "c1", "repo": {"id": 1, "owner": {"login": "me"}}}
    pull_request = {"number": 7, "head": side, "base": base}
    event = events.event("pull_request_target", payload={"pull_request": pull_request})

    assert ("c7", 7, None) == (event.commit, event.pull_request_number, event.fault)


def test_other_events_have_nothing() -> None:
    """An event that the table lacks has no pull request, no base, and no branch's track."""
    assert EventRules() == rules_of("label") == rules_of("")


def test_the_evaluated_event_is_that_of_the_other_run() -> None:
    """Name, commit and branch are the evaluated run's, and nothing is left of a push."""
    run = events.workflow_run("schedule", head="c5", branch="main")
    event = events.event(
        "workflow_run",
        sha="c9",
        ref_name="x",
        payload={"workflow_run": events.as_json(run), "before": "c1"},
    )

    evaluated = event.evaluated_event
    assert evaluated
    assert ("schedule", "c5", "main", "", None) == (
        evaluated.name,
        evaluated.sha,
        evaluated.branch,
        evaluated.before,
        evaluated.evaluated_run,
    )
    assert events.event().evaluated_event is None


def test_one_file_reads_the_runners_variables(root: Path) -> None:
    """Only the event reads GITHUB_* variables; the list of secrets names two tokens more."""
    package = root / "helm_wandb"
    readers = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and re.fullmatch("GITHUB_[A-Z_]*", str(node.value))
    }

    assert {"runner/event.py", "runner/known_secrets.py"} == readers
