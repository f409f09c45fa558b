"""The hidden first line of our comments."""

from __future__ import annotations

from typing import Any

import pytest

from helm_wandb.model import Verdict
from helm_wandb.pr_comment.comment_marker import Marker, mark, marker_key, read
from tests import events
from tests.github_clients import HEAD, KEY, marked


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "<!-- helm-wandb-action v1 key=0123abcd run=0.0 head=unknown -->\n"),
        ({"head_sha": "--> <b>"}, "<!-- helm-wandb-action v1 key=0123abcd run=0.0 head=b -->\n"),
        (
            {"head_sha": "-->\n"},
            "<!-- helm-wandb-action v1 key=0123abcd run=0.0 head=unknown -->\n",
        ),
        (
            {"head_sha": "a" * 99, "run_id": 12, "attempt": 3},
            f"<!-- helm-wandb-action v1 key=0123abcd run=12.3 head={'a' * 64} -->\n",
        ),
        (
            {"verdict": Verdict.NO_CHANGE, "is_red": True},
            f"<!-- helm-wandb-action v1 key={KEY} run=0.0 head=unknown verdict=no_change.red -->\n",
        ),
    ],
)
def test_nothing_in_a_marker_ends_the_comment(given: dict[str, Any], expected: str) -> None:
    """Values keep their letters and digits only."""
    assert expected == Marker(key=KEY, **given).line


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (marked("text", 12), (12, 1, HEAD, Verdict.NO_CHANGE, False, "text")),
        (
            marked("text", 12).replace("\n", "\r\n"),
            (12, 1, HEAD, Verdict.NO_CHANGE, False, "text"),
        ),
        (f"<!-- helm-wandb-action v1 key={KEY} -->", (0, 0, "unknown", None, False, "")),
        (
            f"<!-- helm-wandb-action v1 key={KEY} verdict=regressed.red -->",
            (0, 0, "unknown", Verdict.REGRESSED, True, ""),
        ),
        (
            f"<!-- helm-wandb-action v1 key={KEY} verdict=of_another_version -->",
            (0, 0, "unknown", None, False, ""),
        ),
        (f"<!-- helm-wandb-action v1 key={KEY} --> text", None),
        ("<!-- helm-wandb-action v2 key=0123abcd -->", None),
        ("text", None),
    ],
)
def test_marker_is_read(body: str, expected: object) -> None:
    """A marker is read as GitHub may have stored it; anything else is none."""
    found = read(body)
    marker, text = found or (None, "")
    fields = marker and (
        *(marker.run_id, marker.attempt, marker.head_sha),
        *(marker.verdict, marker.is_red, text),
    )

    assert expected == fields


def test_marker_of_a_run() -> None:
    """Key, run and attempt are the runner's; without its variables they are 0."""
    event = events.event(workflow="Evaluate", job="helm", run_id="4711", run_attempt="2")
    made = mark(event, comment_key="", head_sha=HEAD)
    bare = mark(events.event(run_id="x"), comment_key="k", head_sha=HEAD)

    assert (4711, 2, HEAD) == (made.run_id, made.attempt, made.head_sha)
    assert marker_key(workflow="Evaluate", job="helm", comment_key="") == made.key
    assert (0, 0) == (bare.run_id, bare.attempt)
    assert marker_key(workflow="", job="", comment_key="k") == bare.key


def test_comment_key_alone_is_the_key() -> None:
    """With a key, workflow and job do not matter; without one both do."""
    with_key = {marker_key(workflow=name, job=name, comment_key="k") for name in "ab"}
    without = {
        marker_key(workflow=workflow, job=job, comment_key="") for workflow in "ab" for job in "ab"
    }

    assert (1, 4) == (len(with_key), len(without))
    assert all(len(key) == 8 for key in {*with_key, *without})
