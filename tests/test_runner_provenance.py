"""Which state of the code the scores belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb import __version__
from helm_wandb.errors import InputError
from helm_wandb.model import Provenance
from helm_wandb.runner.provenance import from_environ, labels, ranked_tracks, read_event

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
ABOUT_7 = {"pull_request": {"number": 7}}
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
    ("workflow_run", MAIN, {"workflow_run": {"pull_requests": [{"number": 7}]}}, "pr/7", 7),
    ("workflow_run", MAIN, {"workflow_run": {"pull_requests": []}}, "workflow_run/4711", None),
    ("workflow_run", MAIN, {}, "workflow_run/4711", None),
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

    assert from_environ(environ, payload) == Provenance(
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
            {"pull_request": {"number": 7, "head": {"sha": "head"}}},
            "head",
            "refs/pull/7/head",
        ),
        (
            "workflow_run",
            {"workflow_run": {"head_sha": "head", "head_branch": "topic"}},
            "head",
            "refs/heads/topic",
        ),
        ("push", {"after": "other"}, "0123abc", "refs/heads/main"),
    ],
)
def test_commit_is_the_one_that_was_evaluated(
    event: str, payload: dict[str, Any], commit: str, ref: str
) -> None:
    """Where the workflow runs on the base, the scores are of the head."""
    found = from_environ({**RUNNER, "GITHUB_EVENT_NAME": event}, payload)

    assert (commit, ref) == (found.commit, found.ref)


def test_the_event_is_read_from_the_runners_file(tmp_path: Path) -> None:
    """The payload is the JSON object of the file; without a file there is none."""
    path = tmp_path / "event.json"
    path.write_text('{"action": "opened"}')

    assert {"action": "opened"} == read_event({"GITHUB_EVENT_PATH": str(path)})
    assert {} == read_event({})


@pytest.mark.parametrize("content", ["{bad", "", "\x00"])
def test_an_unreadable_event_is_told(content: str, tmp_path: Path) -> None:
    """A file that is no JSON is an input error with its path."""
    path = tmp_path / "event.json"
    path.write_text(content)
    with pytest.raises(InputError, match=f"the event at {path} cannot be read"):
        read_event({"GITHUB_EVENT_PATH": str(path)})


@pytest.mark.parametrize("environ", [{}, {"GITHUB_ACTIONS": "false"}, {"GITHUB_SHA": "0123abc"}])
def test_outside_of_a_workflow_the_track_is_local(environ: dict[str, str]) -> None:
    """On somebody's own computer nothing is known of commits, and the track is `local`."""
    assert Provenance(tool_version=__version__, track="local") == from_environ(environ, {})


def test_what_the_runner_does_not_say_is_unknown() -> None:
    """Without variables there is no commit, no run and no attempt."""
    provenance = from_environ(
        {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_RUN_ATTEMPT": "x"}, {}
    )

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
    """The event names the default branch; where it does not, it has one of the usual names."""
    assert expected == ranked_tracks(event)


def test_pushes_to_the_default_branch_are_ranked() -> None:
    """What a push to the default branch records is on the track that leaderboards read."""
    event = {"repository": {"default_branch": "main"}}

    assert {from_environ(RUNNER, event).track} == ranked_tracks(event)


@pytest.mark.parametrize("number", [True, None, "7", 7.0, [], {}])
def test_number_that_is_none_makes_no_pull_request(number: Any) -> None:
    """A payload's number of another type is not taken for a pull request."""
    assert from_environ(RUNNER, {"pull_request": {"number": number}}).track == "branch/main"


NAMED = [{"name": "bug"}, {"name": "Accept it"}]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"pull_request": {"number": 7, "labels": NAMED}}, {"bug", "Accept it"}),
        ({"pull_request": {"number": 7, "labels": []}}, set()),
        ({"pull_request": {"number": 7}}, set()),
        (
            {"issue": {"number": 7, "pull_request": {"url": "x"}, "labels": NAMED}},
            {"bug", "Accept it"},
        ),
        ({"issue": {"number": 7, "labels": NAMED}}, set()),
        ({"label": {"name": "bug"}, "pull_request": {"labels": NAMED[1:]}}, {"Accept it"}),
        ({}, set()),
        ({"pull_request": None}, set()),
        ({"pull_request": [NAMED]}, set()),
        ({"pull_request": {"labels": {"name": "bug"}}}, set()),
        ({"pull_request": {"labels": "bug"}}, set()),
        (
            {"pull_request": {"labels": [None, "bug", ["bug"], {}, {"name": 7}, {"name": "x"}]}},
            {"x"},
        ),
    ],
)
def test_labels_are_the_pull_requests(event: dict[str, Any], expected: set[str]) -> None:
    """The names of the pull request's labels; of an issue's none, whatever it has."""
    assert expected == labels(event)


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
    assert from_environ(RUNNER, event).commit == "0123abc"
    assert all(isinstance(label, str) for label in labels(event))
