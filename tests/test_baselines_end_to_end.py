"""Baselines through GitHub's API: commits, runs, artifacts, zips."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.baselines import BaselineRequest, BaselineResult, artifacts, resolve
from helm_wandb.report import to_json
from helm_wandb.runner.inputs import BaselineChoice
from tests import builders, events
from tests.github_clients import connect
from tests.github_server import TOKEN, GithubServer, answers
from tests.repository_in_memory import report_zip

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.enable_socket

NAME = "org/evals"
REPORT = "helm-wandb-report"
MAIN = [f"{at:040x}" for at in range(1, 131)]
"""The history of main, the oldest first: more than a page."""
HEAD, MERGE, FORKED = "d" * 40, "e" * 40, "f" * 40
ALPHA = builders.measured("alpha", 3)
GOOD = report_zip(ALPHA)
BASE = MAIN[-1]
REPOSITORY = {"default_branch": "main", "full_name": NAME}
CHANGE = events.as_json(events.pull_request(7, head=HEAD))


@dataclass(frozen=True)
class Place:
    """A repository at the server, and the baselines of its runs."""

    server: GithubServer

    def upload(
        self,
        sha: str,
        content: bytes = GOOD,
        *,
        expired: bool = False,
        name: str = REPORT,
        **run: Any,
    ) -> int:
        """The id of the report that a new run left."""
        run_id = self.server.seed.run(NAME, head_sha=sha, **run)
        return self.server.seed.artifact(NAME, run_id, name, content, expired=expired)

    def resolved(self, event: str, sha: str, **payload: Any) -> BaselineResult:
        """The baseline of a workflow of that event."""
        started = events.event(
            event,
            sha=sha,
            ref_name="main",
            repository=NAME,
            run_id="1",
            payload={"repository": REPOSITORY, **payload},
        )
        url = self.server.url
        client = connect(TOKEN, NAME, api_url=url, graphql_url=f"{url}/graphql")
        with closing(client):
            request = BaselineRequest(choice=BaselineChoice.ARTIFACT, event=started, github=client)
            return resolve([ALPHA], request)


@pytest.fixture
def place() -> Iterator[Place]:
    """Main, and a pull request of it that is merged for its evaluation."""
    with GithubServer() as server:
        seed = server.seed
        seed.repository(NAME)
        seed.history(NAME, MAIN)
        seed.commit(NAME, HEAD, parents=[MAIN[-30]], branch="change")
        seed.commit(NAME, MERGE, parents=[BASE, HEAD])
        seed.pull_request(NAME, 7, head_sha=HEAD, head_branch="change", merge_sha=MERGE)
        yield Place(server)

        assert [] == server.violations
        assert [] == server.leaks


def test_a_pull_request_finds_the_nearest_report_of_its_base(place: Place) -> None:
    """Behind 150 of other pull requests, an expired one, a broken one and planted ones."""
    fork = "fork/evals"
    place.server.seed.repository(fork, fork_of=NAME)
    place.upload(MAIN[-111], number=1800)
    place.upload(MAIN[-106], number=1893)
    place.upload(BASE, expired=True)
    place.upload(BASE, b"no zip", number=1895)
    place.upload(BASE, event="pull_request", number=1896)
    place.upload(BASE, head_repository=fork, event="push")
    for _ in range(150):
        place.upload(HEAD, head_branch="change", event="pull_request")
    result = place.resolved("pull_request", MERGE, pull_request=CHANGE)

    assert (
        (
            f"Baseline: main@{MAIN[-106][:7]}, artifact of run 1893, 105 commits behind the base "
            "commit."
        ),
        (
            "The artifact of run 1896 is not used: the run was started by pull_request, and not "
            "by push, schedule or workflow_dispatch."
        ),
        (
            "The artifact of run 1895 is not used: it isn't a zip file, or is damaged (File is "
            "not a zip file)."
        ),
    ) == result.notes
    assert [ALPHA] == [one.baseline for one in result.partners]
    label = result.partners[0].baseline_label
    assert MAIN[-106] == label.commit
    assert re.search(r"/actions/runs/[0-9]+$", label.url or "")


def test_a_push_is_compared_with_the_commit_before(place: Place) -> None:
    """A push is compared with main before it, even if the same commit has a report."""
    place.upload(BASE)
    place.upload(MAIN[-3], number=12)
    result = place.resolved("push", BASE, before=MAIN[-3])

    assert (f"Baseline: main@{MAIN[-3][:7]}, artifact of run 12, of the previous commit.",) == (
        result.notes
    )


def test_the_publishing_run_finds_a_forks_pull_request(place: Place) -> None:
    """By the head of the run that it publishes; the baseline is where that left main."""
    place.server.seed.repository("fork/evals", fork_of=NAME)
    place.server.seed.commit("fork/evals", FORKED, parents=[MAIN[-5]], branch="main")
    place.server.seed.pull_request(
        NAME, 8, head_sha=FORKED, head_branch="main", head_repository="fork/evals"
    )
    place.upload(MAIN[-6], number=77)
    place.upload(FORKED, event="pull_request", head_repository="fork/evals")
    run = events.workflow_run("pull_request", head=FORKED, owner="fork")
    result = place.resolved("workflow_run", BASE, workflow_run=events.as_json(run))

    assert (
        f"Baseline: main@{MAIN[-6][:7]}, artifact of run 77, 1 commit behind the merge base.",
    ) == result.notes


def test_a_missing_permission_is_reported(place: Place) -> None:
    """The job goes on, and the note has the line to add."""
    place.upload(BASE)
    place.server.fault("GET", "*/actions/artifacts", answer=answers.MISSING_PERMISSION)
    result = place.resolved("pull_request", MERGE, pull_request=CHANGE)

    assert result.missing_reason is not None
    assert "add the line `actions: read` under `permissions:`" in result.missing_reason


def test_a_zip_beyond_measure_is_passed_over(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """An artifact over the limit is not downloaded, and the next one is the baseline."""
    monkeypatch.setattr(artifacts, "ZIP_LIMIT_BYTES", len(GOOD))
    place.upload(MAIN[-2], number=9)
    place.upload(BASE, GOOD + b"x")
    result = place.resolved("pull_request", MERGE, pull_request=CHANGE)

    assert (
        "artifact of run 9, 1 commit behind the base commit"
        == result.partners[0].baseline_label.origin
    )
    assert result.notes[1].startswith(f"An artifact of {BASE[:7]} is not used. ")
    assert f"larger than {len(GOOD)} bytes" in result.notes[1]


def test_a_stacked_pull_request_finds_main_behind_its_base(place: Place) -> None:
    """The base branch has no artifact; those of a fork and of a pull request are not taken."""
    top, fork = "c" * 40, "fork/evals"
    place.server.seed.repository(fork, fork_of=NAME)
    place.server.seed.commit(NAME, top, parents=[HEAD], branch="top")
    place.server.seed.pull_request(NAME, 9, head_sha=top, head_branch="top", base="change")
    place.upload(MAIN[-32], number=70)
    place.upload(BASE, number=71)
    for planted in ({"head_repository": fork}, {"event": "pull_request", "number": 72}):
        place.upload(MAIN[-30], **planted)
    stacked = events.as_json(events.pull_request(9, head=top, base="change"))
    result = place.resolved("pull_request", top, pull_request=stacked)

    assert (
        f"Baseline: main@{MAIN[-32][:7]}, artifact of run 70, 3 commits behind the merge base.",
        (
            "The artifact of run 72 is not used: the run was started by pull_request, and not by "
            "push, schedule or workflow_dispatch."
        ),
    ) == result.notes


def test_a_renamed_default_branch_keeps_its_baseline(place: Place) -> None:
    """What `master` left counts for `main`; a fork's master and other branches don't."""
    fork = "fork/evals"
    place.server.seed.branch(NAME, "master", BASE)
    place.server.seed.branch(NAME, "other", BASE)
    place.server.seed.rename_branch(NAME, "master", "main")
    place.server.seed.repository(fork, fork_of=NAME)
    place.upload(MAIN[-2], head_branch="master", number=60)
    place.upload(BASE, head_branch="master", head_repository=fork)
    place.upload(BASE, head_branch="other")
    result = place.resolved("pull_request", MERGE, pull_request=CHANGE)

    assert (
        f"Baseline: master@{MAIN[-2][:7]}, artifact of run 60, 1 commit behind the base commit.",
    ) == result.notes


def test_a_report_without_a_zip_is_read(place: Place) -> None:
    """`archive: false` of upload-artifact stores the file itself, under the file's name."""
    place.server.seed.repository("fork/evals", fork_of=NAME)
    content, name = to_json(builders.report([ALPHA])), f"{REPORT}.json"
    place.upload(MAIN[-2], content, name=name, number=50)
    place.upload(BASE, content, name=name, head_repository="fork/evals")
    place.upload(BASE, b'{"schema_version": 1}', name=name, number=51)
    result = place.resolved("pull_request", MERGE, pull_request=CHANGE)

    baseline, refused = result.notes
    assert f"Baseline: main@{MAIN[-2][:7]}, artifact of run 50" in baseline
    assert refused.startswith("The artifact of run 51 is not used: $: ")


def test_an_artifact_after_the_merge_base_is_named(place: Place) -> None:
    """Main was evaluated only since the branch left it: the reason says what to do."""
    place.upload(MAIN[-29])
    place.upload(BASE)
    result = place.resolved("pull_request", HEAD, pull_request=CHANGE)

    assert result.missing_reason is not None
    assert (
        f"That of main@{BASE[:7]} is newer than the merge base: merge main into the branch, or "
        "rebase it."
    ) in result.missing_reason
    assert "To get one" not in result.missing_reason
