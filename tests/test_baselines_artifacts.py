"""Baselines in workflow artifacts: which are taken, in which order, and why others are not."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from helm_wandb.baselines import artifacts
from helm_wandb.baselines.artifacts import DOWNLOADS, Wanted, in_artifacts
from helm_wandb.baselines.base import Base
from helm_wandb.baselines.found import Found, NotTaken
from helm_wandb.github_api.messages import Cause, GithubError, WorkflowRun
from tests import builders
from tests.repository_in_memory import Repository, packed, report_zip

if TYPE_CHECKING:
    from collections.abc import Collection

    from helm_wandb.github_api.messages import Artifact

ALPHA = builders.evaluation("alpha")
GOOD = report_zip(ALPHA)
BASE = Base(branch="main", commit="c8", called="the merge base")
NAME = "helm-wandb-report"


def searched(
    repository: Repository, *, base: Base = BASE, own_runs: Collection[int] = ()
) -> list[Found | NotTaken]:
    """Everything that the search comes upon."""
    wanted = Wanted(base=base, name=NAME, own_runs=own_runs)
    return list(in_artifacts(wanted, repository.github))


def origins(repository: Repository) -> list[str]:
    """Where the baselines are from."""
    return [one.told for one in searched(repository) if isinstance(one, Found)]


def reasons(repository: Repository, *, own_runs: Collection[int] = ()) -> list[str]:
    """Why none was taken; it must be so."""
    found = searched(repository, own_runs=own_runs)
    told = [one.why for one in found if isinstance(one, NotTaken)]
    assert len(found) == len(told)
    return told


def none_of(counts: str) -> str:
    """What is said where all artifacts are passed over."""
    return (
        f"No workflow artifact named '{NAME}' that has not expired is of main up to the merge "
        f"base; of the artifacts of that name: {counts}."
    )


def test_the_merge_bases_own_artifact_is_the_baseline() -> None:
    """Its evaluations, the branch, and the commit that GitHub says it is of."""
    repository = Repository()
    repository.add("c8", GOOD)

    assert [
        Found(
            origin="artifact of run 1, of the merge base",
            evaluations=(ALPHA,),
            ref="main",
            commit="c8",
        )
    ] == searched(repository)


def test_the_nearest_ancestor_comes_first_and_of_one_commit_the_newest_run() -> None:
    """The order is that of the commits; what came after the merge base does not count."""
    repository = Repository()
    for sha in ("c7", "c4", "c9", "c5", "c7"):
        repository.add(sha, GOOD)

    assert [
        "main@c7, artifact of run 5, 1 commit behind the merge base",
        "main@c7, artifact of run 1, 1 commit behind the merge base",
        "main@c5, artifact of run 4, 3 commits behind the merge base",
        "main@c4, artifact of run 2, 4 commits behind the merge base",
    ] == origins(repository)


def test_artifacts_of_another_name_are_others() -> None:
    """Only those of the name that was asked for are looked at."""
    repository = Repository()
    repository.add("c8", GOOD, name="coverage")

    assert [f"There is no workflow artifact named '{NAME}' that has not expired."] == reasons(
        repository
    )
    assert [f"artifacts {NAME}"] == repository.asked


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch"])
def test_runs_on_the_branch_itself_count(event: str) -> None:
    """Pushes, schedules and dispatches evaluate what the branch holds."""
    repository = Repository()
    repository.add("c8", GOOD, event=event)

    assert 1 == len(origins(repository))


@pytest.mark.parametrize(
    "event",
    ["pull_request", "pull_request_target", "workflow_run", "repository_dispatch", "issue_comment"],
)
def test_runs_that_may_evaluate_anything_do_not_count(event: str) -> None:
    """On the branch main of this repository, but of what somebody else wrote."""
    repository = Repository()
    repository.add("c8", GOOD, event=event)

    assert [
        (
            f"The artifact of run 1 is not taken: the run was started by {event}, and not by push, "
            "schedule or workflow_dispatch."
        )
    ] == reasons(repository)
    assert "download 501" not in repository.asked


def test_a_fork_can_plant_no_baseline() -> None:
    """A fork's own main, with this repository's commit and the right name, is not even asked."""
    repository = Repository()
    repository.add("c8", GOOD, is_own=False)
    repository.add("c8", GOOD, is_own=False, event="pull_request")

    assert [none_of("2 of forks")] == reasons(repository)
    assert not [asked for asked in repository.asked if "workflow_run" in asked]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"is_own": False}, "the run is of a fork"),
        ({"event": "pull_request"}, "the run was started by pull_request, and not by push, sched"),
        ({"head_branch": "other"}, "the run is of another commit or branch"),
        ({"head_sha": "c5"}, "the run is of another commit or branch"),
    ],
)
def test_what_the_run_itself_is_counts(changes: dict[str, str | bool], why: str) -> None:
    """An artifact's word on its run is not enough: the run is asked."""
    own = WorkflowRun(id=0, number=0, event="push", head_branch="main", head_sha="c8", is_own=True)
    repository = Repository()
    repository.add("c8", GOOD, run=replace(own, **changes))  # type: ignore[arg-type] # of any field

    (told,) = reasons(repository)
    assert told.startswith(f"The artifact of run 1 is not taken: {why}")


def test_all_that_is_passed_over_is_counted() -> None:
    """Forks, other branches, commits elsewhere, and the run itself, each with its number."""
    repository = Repository()
    for branch in ("change", "release"):
        repository.add("c8", GOOD, branch=branch)
    repository.add("c9", GOOD)
    repository.add("c8", GOOD, is_own=False)
    own = repository.add("c8", GOOD)

    assert [
        none_of(
            "1 of this very run, 1 of forks, 1 of commits that are not among the last 200 up to "
            "the merge base, 2 of other branches"
        )
    ] == reasons(repository, own_runs={own})


def test_the_one_is_found_behind_150_of_others() -> None:
    """All pages are read, since pull requests upload under the same name."""
    repository = Repository()
    repository.add("c3", GOOD)
    for _ in range(150):
        repository.add("c8", GOOD, branch="change", event="pull_request")

    assert ["main@c3, artifact of run 1, 5 commits behind the merge base"] == origins(repository)


def test_there_is_an_end_to_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository with artifacts without number is not read to its end, and that is told."""
    monkeypatch.setattr(artifacts, "ARTIFACTS", 3)
    repository = Repository()
    for branch in ("main", "a", "b", "c"):
        repository.add("c8", GOOD, branch=branch)

    (told,) = reasons(repository)
    assert told.endswith("of the newest 3 artifacts of that name: 3 of other branches.")


def test_ancestors_far_back_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many commits a baseline would be of another age."""
    monkeypatch.setattr(artifacts, "ANCESTORS", 3)
    repository = Repository()
    repository.add("c5", GOOD)

    assert [none_of("1 of commits that are not among the last 3 up to the merge base")] == reasons(
        repository
    )


def test_nothing_is_asked_before_it_is_wanted() -> None:
    """Who is content with the nearest baseline has downloaded one."""
    repository = Repository()
    for sha in ("c5", "c6", "c7"):
        repository.add(sha, GOOD)
    wanted = Wanted(base=BASE, name=NAME, own_runs=())
    found = list(islice(in_artifacts(wanted, repository.github), 1))

    assert 1 == len(found)
    assert ["workflow_run 103", "download 503"] == repository.asked[-2:]


def test_downloads_have_a_limit() -> None:
    """However many ancestors have one, a handful is read, and that there were more is told."""
    repository = Repository()
    for _ in range(DOWNLOADS + 2):
        repository.add("c8", GOOD)

    *read, last = searched(repository)
    assert DOWNLOADS == len(read)
    assert NotTaken("Only the nearest 5 artifacts were read.", is_fault=False) == last


UNREADABLE = {
    "no zip": (b"<html>", "it is no zip, or a damaged one (File is not a zip file)"),
    "two reports": (
        packed({"a.json": b"", "b.json": b""}),
        "it holds 2 .json files at its top level, and one is needed",
    ),
    "no JSON": (
        packed({"a.json": b"{"}),
        "$: it cannot be read as JSON: Input data was truncated",
    ),
    "another version": (
        packed({"a.json": b'{"schema_version": 7, "evaluations": []}'}),
        (
            "$.schema_version: this is 7, and 1 is what can be read here: use the same version of "
            "the action in all jobs"
        ),
    ),
    "no report": (
        packed({"a.json": b'{"schema_version": 1, "evaluations": {}}'}),
        "$.evaluations: expected `array`, got `object`",
    ),
}


@pytest.mark.parametrize(("content", "why"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_told_and_the_next_is_taken(content: bytes, why: str) -> None:
    """A broken artifact of the merge base leaves the one before it."""
    repository = Repository()
    repository.add("c7", GOOD)
    repository.add("c8", content)

    told, found = searched(repository)
    assert NotTaken(f"The artifact of run 2 is not taken: {why}.") == told
    assert isinstance(found, Found)


def test_a_zip_beyond_measure_is_not_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub's client stops at the limit, and the next artifact is taken."""
    monkeypatch.setattr(artifacts, "ZIP_LIMIT_BYTES", len(GOOD))
    repository = Repository()
    repository.add("c7", GOOD)
    repository.add("c8", GOOD + b"x")

    told, found = searched(repository)
    assert (
        NotTaken(f"An artifact of c8 is not taken. The artifact is larger than {len(GOOD)} bytes.")
        == told
    )
    assert isinstance(found, Found)


@pytest.mark.parametrize("method", ["workflow_run", "download"])
@pytest.mark.parametrize("cause", [Cause.NOT_FOUND, Cause.INVALID, Cause.UNREADABLE])
def test_an_artifact_that_went_away_is_passed_over(method: str, cause: Cause) -> None:
    """It may expire, or its run be deleted, while it is looked at."""
    repository = Repository()
    repository.add("c7", GOOD)
    repository.add("c8", GOOD)
    repository.faults[method] = cause

    assert [
        f"An artifact of {sha} is not taken. GitHub refuses {method}." for sha in ("c8", "c7")
    ] == reasons(repository)


@pytest.mark.parametrize("method", ["artifacts", "workflow_run", "download"])
def test_without_the_permission_its_line_is_told(method: str) -> None:
    """`actions: read` is what a workflow forgets; nothing more is asked then."""
    repository = Repository()
    repository.add("c7", GOOD)
    repository.add("c8", GOOD)
    repository.faults[method] = Cause.FORBIDDEN

    assert [
        (
            f"Workflow artifacts could not be searched. GitHub refuses {method}. The job's token "
            "lacks a permission: add the line `actions: read` under `permissions:` in the workflow."
        )
    ] == reasons(repository)
    assert 1 == sum(method in asked.split() for asked in repository.asked)


def test_without_sight_of_commits_that_line_is_told() -> None:
    """The ancestors need `contents: read`."""
    repository = Repository()
    repository.add("c8", GOOD)
    repository.faults["ancestors"] = Cause.FORBIDDEN

    (told,) = reasons(repository)
    assert "add the line `contents: read` under" in told


@pytest.mark.parametrize("cause", [Cause.LIMITED, Cause.NETWORK, Cause.SERVER, Cause.UNAUTHORIZED])
def test_what_the_next_question_would_meet_too_ends_the_search(cause: Cause) -> None:
    """A limit or an outage is told once, and not waited for with every artifact."""
    repository = Repository()
    repository.add("c7", GOOD)
    repository.add("c8", GOOD)
    repository.faults["workflow_run"] = cause

    assert ["Workflow artifacts could not be searched. GitHub refuses workflow_run."] == reasons(
        repository
    )


def test_what_was_found_before_a_fault_stays() -> None:
    """An outage after the nearest baseline costs only the others."""

    class Failing(Repository):
        """GitHub goes away after the first download."""

        def download(self, artifact: Artifact, *, limit_bytes: int) -> bytes:
            """The zip, once."""
            if any(one.startswith("download") for one in self.asked):
                raise GithubError(Cause.NETWORK, "GitHub did not answer.")
            return super().download(artifact, limit_bytes=limit_bytes)

    repository = Failing()
    repository.add("c7", GOOD)
    repository.add("c8", GOOD)

    found, told = searched(repository)
    assert isinstance(found, Found)
    assert NotTaken("Workflow artifacts could not be searched. GitHub did not answer.") == told
