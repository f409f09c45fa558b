"""Baselines in workflow artifacts: which are taken, in which order, and why others are not."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.baselines import artifacts, near_artifacts
from helm_wandb.baselines.artifacts import DOWNLOADS, search_artifacts
from helm_wandb.baselines.base import Base
from helm_wandb.baselines.matches import BaselineMatch, NoMatch
from helm_wandb.baselines.near_artifacts import ArtifactQuery
from helm_wandb.github_api.messages import Cause, GithubError
from helm_wandb.report import to_json
from tests import builders, events
from tests.repository_in_memory import Repository, packed, report_zip

if TYPE_CHECKING:
    from collections.abc import Collection

    from helm_wandb.github_api.messages import Artifact

ALPHA = builders.evaluation("alpha")
GOOD = report_zip(ALPHA)
BASE = Base(branch="main", commit="c8", label="the merge base")
NAME = "helm-wandb-report"
FILE = f"{NAME}.json"
KIND = f"named '{NAME}' or '{FILE}' that has not expired"


def searched(
    repository: Repository, *, base: Base = BASE, own_runs: Collection[int] = ()
) -> list[BaselineMatch | NoMatch]:
    """All results of the search."""
    query = ArtifactQuery(base=base, names=(NAME, FILE), own_runs=own_runs)
    return list(search_artifacts(query, repository.github))


def origins(repository: Repository) -> list[str]:
    """The labels of the baselines."""
    return [one.label for one in searched(repository) if isinstance(one, BaselineMatch)]


def reasons(repository: Repository, *, own_runs: Collection[int] = ()) -> list[str]:
    """The reasons of a search without a baseline."""
    results = searched(repository, own_runs=own_runs)
    reasons = [one.reason for one in results if isinstance(one, NoMatch)]
    assert len(results) == len(reasons)
    return reasons


def none_of(counts: str, branches: str = "main") -> str:
    """The sentence that counts the refused artifacts."""
    return (
        f"No workflow artifact {KIND} is of {branches} up to the merge base; of the artifacts so "
        f"named: {counts}."
    )


def test_the_merge_bases_own_artifact_is_the_baseline() -> None:
    """Its evaluations, the branch, and the commit that GitHub says it is of."""
    repository = Repository()
    repository.add("c8", GOOD)

    assert [
        BaselineMatch(
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
    """Only artifacts of the given name count."""
    repository = Repository()
    repository.add("c8", GOOD, name="coverage")

    assert [f"There is no workflow artifact {KIND}."] == reasons(repository)
    assert [f"artifacts {NAME}", f"artifacts {FILE}"] == repository.requests


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
            f"The artifact of run 1 is not used: the run was started by {event}, and not by push, "
            "schedule or workflow_dispatch."
        )
    ] == reasons(repository)
    assert "download 501" not in repository.requests


def test_a_fork_can_plant_no_baseline() -> None:
    """A fork's main, with the right commit and name, is refused before its run is requested."""
    repository = Repository()
    repository.add("c8", GOOD, is_own=False)
    repository.add("c8", GOOD, is_own=False, event="pull_request")

    assert [none_of("2 of forks")] == reasons(repository)
    assert not [one for one in repository.requests if "workflow_run" in one]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"owner": events.FORK}, "the run is of a fork"),
        ({"event": "pull_request"}, "the run was started by pull_request, and not by push, sched"),
        ({"branch": "other"}, "the run is of another commit or branch"),
        ({"head": "c5"}, "the run is of another commit or branch"),
    ],
)
def test_the_run_itself_is_checked(changes: dict[str, str], why: str) -> None:
    """An artifact's fields about its run are not enough: GitHub's answer about the run counts."""
    repository = Repository()
    repository.add("c8", GOOD, run=events.workflow_run(**{"head": "c8", **changes}))  # type: ignore[arg-type] # all are texts

    (reason,) = reasons(repository)
    assert reason.startswith(f"The artifact of run 1 is not used: {why}")


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
            "1 of this run, 1 of forks, 1 of commits that are not among the last 200 up to "
            "the merge base, 2 of other branches"
        )
        + " That of main@c9 is newer than the merge base: merge main into the branch, or rebase it."
    ] == reasons(repository, own_runs={own})


STACKED = Base(branch="change", commit="d2", label="the merge base", default_branch="main")


@pytest.fixture
def stacked() -> Repository:
    """A branch `change` from main's c6, into which the next pull request of a stack is to go."""
    made = Repository()
    made.commits |= {"d1": ("c6",), "d2": ("d1",)}
    made.branches["change"] = "d2"
    return made


def test_a_stacked_pull_request_goes_on_to_the_default_branch(stacked: Repository) -> None:
    """The base branch's own artifacts come first; its history leads to main's."""
    for sha, branch in (("c5", "main"), ("c6", "main"), ("d1", "change"), ("c9", "main")):
        stacked.add(sha, GOOD, branch=branch)
    found = searched(stacked, base=STACKED)

    assert [
        "change@d1, artifact of run 3, 1 commit behind the merge base",
        "main@c6, artifact of run 2, 2 commits behind the merge base",
        "main@c5, artifact of run 1, 3 commits behind the merge base",
    ] == [one.label for one in found if isinstance(one, BaselineMatch)]


@pytest.mark.parametrize(
    "planted",
    [
        {"is_own": False},
        {"is_own": False, "branch": "change"},
        {"event": "pull_request"},
        {"event": "workflow_run"},
        {"branch": "evil"},
        {"run": events.workflow_run(head="c6", branch="evil")},
        {"run": events.workflow_run(head="c6", owner=events.FORK)},
    ],
    ids=str,
)
def test_a_stack_makes_nothing_else_a_baseline(
    stacked: Repository, planted: dict[str, Any]
) -> None:
    """On the way to main, artifacts count as they do on main: own, of its branch and events."""
    stacked.branches["evil"] = "c6"
    stacked.add("c6", GOOD, **planted)

    assert [NoMatch] == [type(one) for one in searched(stacked, base=STACKED)]
    assert "download 501" not in stacked.requests


def test_a_renamed_branch_keeps_its_artifacts() -> None:
    """GitHub leads from the old name to the present one; once there are new ones, they count."""
    repository = Repository(former_branches={"master": "main", "old": "master"})
    repository.branches["release"] = "c7"
    repository.add("c5", GOOD, branch="master")
    repository.add("c7", GOOD, branch="release")

    assert ["master@c5, artifact of run 1, 3 commits behind the merge base"] == origins(repository)
    repository.add("c3", GOOD)
    assert ["main@c3, artifact of run 3, 5 commits behind the merge base"] == origins(repository)


@pytest.mark.parametrize(
    "planted",
    [
        {"branch": "master", "is_own": False},
        {"branch": "master", "event": "pull_request"},
        {"branch": "release"},
        {"branch": "deleted"},
        {"branch": "renamed"},
        {"branch": "master", "run": events.workflow_run(head="c8", branch="release")},
        {"branch": None},
    ],
    ids=str,
)
def test_nothing_else_passes_as_an_old_name(planted: dict[str, Any]) -> None:
    """A fork's branch of that name, another branch, one that is gone, one renamed elsewhere."""
    repository = Repository(former_branches={"master": "main", "renamed": "release"})
    repository.branches["release"] = "c8"
    repository.add("c8", GOOD, **planted)

    assert 1 == len(reasons(repository))
    assert "download 501" not in repository.requests


def test_old_names_are_looked_for_in_few_branches() -> None:
    """The newest artifacts' branches are checked; an artifact of other commits leads to none."""
    repository = Repository()
    for number in range(20):
        repository.add("c8", GOOD, branch=f"merged-{number}", event="pull_request")
    repository.add("c9", GOOD, branch="newer")

    assert [none_of("21 of other branches")] == reasons(repository)
    assert [f"branch_name merged-{number}" for number in (19, 18, 17, 16, 15)] == [
        one for one in repository.requests if one.startswith("branch_name")
    ]


def test_an_old_name_that_cannot_be_looked_up_is_reported() -> None:
    """The permission that is missing is named, as for the commits."""
    repository = Repository()
    repository.add("c8", GOOD, branch="master")
    repository.faults["branch_name"] = Cause.FORBIDDEN

    (reason,) = reasons(repository)
    assert "add the line `contents: read` under" in reason


@pytest.mark.parametrize("name", [NAME, FILE])
def test_a_report_that_was_uploaded_by_itself(name: str) -> None:
    """With `archive: false` the artifact is the file, and has the file's name."""
    repository = Repository()
    repository.add("c7", GOOD)
    repository.add("c8", to_json(builders.report([ALPHA])), name=name)

    assert ["main@c8", "main@c7"] == [one.partition(",")[0] for one in origins(repository)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"schema_version": 1}PK', "$: it cannot be read as JSON: JSON is malformed"),
        (b"[]", "it isn't a zip file, or is damaged (File is not a zip file)"),
        (b"{" + GOOD, "$: it cannot be read as JSON: JSON is malformed"),
    ],
    ids=["more than JSON", "other JSON", "a zip behind a brace"],
)
def test_an_unarchived_file_is_read_as_strictly(content: bytes, why: str) -> None:
    """A file that is no report is refused, and none of a fork is even downloaded."""
    repository = Repository()
    repository.add("c8", GOOD, name=FILE, is_own=False)
    repository.add("c8", content, name=FILE)

    (reason,) = reasons(repository)
    assert reason.startswith(f"The artifact of run 2 is not used: {why}")


@pytest.mark.parametrize(
    ("sha", "more"),
    [
        (
            "c9",
            (
                " That of main@c9 is newer than the merge base: merge main into the branch, or "
                "rebase it."
            ),
        ),
        ("d1", ""),
        ("gone", ""),
    ],
)
def test_a_newer_artifact_is_named(sha: str, more: str) -> None:
    """Main was first evaluated after the branch left it: the reason says how to catch up."""
    repository = Repository()
    repository.commits["d1"] = ("c7",)
    repository.add("c9", GOOD)
    repository.add(sha, GOOD)

    beyond = "2 of commits that are not among the last 200 up to the merge base"
    assert [none_of(beyond) + more] == reasons(repository)


def test_a_newer_artifact_than_the_previous_commit_needs_no_advice() -> None:
    """On a push nothing is to be merged."""
    repository = Repository()
    repository.add("c9", GOOD)
    base = Base(branch="main", commit="c8", label="the previous commit")
    (found,) = searched(repository, base=base)

    assert isinstance(found, NoMatch)
    assert found.reason.endswith(" That of main@c9 is newer than the previous commit.")


def test_the_one_is_found_behind_150_of_others() -> None:
    """All pages are read, since pull requests upload under the same name."""
    repository = Repository()
    repository.add("c3", GOOD)
    for _ in range(150):
        repository.add("c8", GOOD, branch="change", event="pull_request")

    assert ["main@c3, artifact of run 1, 5 commits behind the merge base"] == origins(repository)


def test_there_is_an_end_to_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the newest artifacts are considered, and the reason says so."""
    monkeypatch.setattr(near_artifacts, "ARTIFACTS", 3)
    repository = Repository()
    for branch in ("main", "a", "b", "c"):
        repository.add("c8", GOOD, branch=branch)

    (reason,) = reasons(repository)
    assert reason.endswith("of the newest 3 artifacts so named: 3 of other branches.")


def test_ancestors_far_back_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many commits a baseline would be of another age."""
    monkeypatch.setattr(near_artifacts, "ANCESTORS", 3)
    repository = Repository()
    repository.add("c5", GOOD)

    assert [none_of("1 of commits that are not among the last 3 up to the merge base")] == reasons(
        repository
    )


def test_artifacts_are_downloaded_on_demand() -> None:
    """A search that stops at the nearest baseline downloads one artifact."""
    repository = Repository()
    for sha in ("c5", "c6", "c7"):
        repository.add(sha, GOOD)
    query = ArtifactQuery(base=BASE, names=(NAME,), own_runs=())
    found = list(islice(search_artifacts(query, repository.github), 1))

    assert 1 == len(found)
    assert ["workflow_run 103", "download 503"] == repository.requests[-2:]


def test_downloads_have_a_limit() -> None:
    """A handful of artifacts is read, and the last reason says that there are more."""
    repository = Repository()
    for _ in range(DOWNLOADS + 2):
        repository.add("c8", GOOD)

    *read, last = searched(repository)
    assert DOWNLOADS == len(read)
    assert NoMatch("Only the nearest 5 artifacts were read.", is_fault=False) == last


UNREADABLE = {
    "no zip": (b"<html>", "it isn't a zip file, or is damaged (File is not a zip file)"),
    "two reports": (
        packed({"a.json": b"", "b.json": b""}),
        "it holds 2 .json files at its top level; exactly one is needed",
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
def test_an_unreadable_artifact_is_reported_and_the_next_is_taken(content: bytes, why: str) -> None:
    """A broken artifact of the merge base leaves the artifact before it."""
    repository = Repository()
    repository.add("c7", GOOD)
    repository.add("c8", content)

    reason, found = searched(repository)
    assert NoMatch(f"The artifact of run 2 is not used: {why}.") == reason
    assert isinstance(found, BaselineMatch)


def test_a_zip_beyond_measure_is_not_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub's client stops at the limit, and the next artifact is taken."""
    monkeypatch.setattr(artifacts, "ZIP_LIMIT_BYTES", len(GOOD))
    repository = Repository()
    repository.add("c7", GOOD)
    repository.add("c8", GOOD + b"x")

    reason, found = searched(repository)
    assert (
        NoMatch(f"An artifact of c8 is not used. The artifact is larger than {len(GOOD)} bytes.")
        == reason
    )
    assert isinstance(found, BaselineMatch)


@pytest.mark.parametrize("method", ["workflow_run", "download"])
@pytest.mark.parametrize("cause", [Cause.NOT_FOUND, Cause.INVALID, Cause.UNREADABLE])
def test_an_artifact_that_went_away_is_passed_over(method: str, cause: Cause) -> None:
    """It may expire, or its run be deleted, while it is looked at."""
    repository = Repository()
    repository.add("c7", GOOD)
    repository.add("c8", GOOD)
    repository.faults[method] = cause

    assert [
        f"An artifact of {sha} is not used. GitHub refuses {method}." for sha in ("c8", "c7")
    ] == reasons(repository)


@pytest.mark.parametrize("method", ["artifacts", "workflow_run", "download"])
def test_a_missing_permission_is_reported_with_its_line(method: str) -> None:
    """The reason names `actions: read`, and no further request is made."""
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
    assert 1 == sum(method in one.split() for one in repository.requests)


def test_the_missing_permission_for_commits_is_reported() -> None:
    """The ancestors need `contents: read`."""
    repository = Repository()
    repository.add("c8", GOOD)
    repository.faults["ancestors"] = Cause.FORBIDDEN

    (reason,) = reasons(repository)
    assert "add the line `contents: read` under" in reason


@pytest.mark.parametrize("cause", [Cause.LIMITED, Cause.NETWORK, Cause.SERVER, Cause.UNAUTHORIZED])
def test_an_outage_ends_the_search(cause: Cause) -> None:
    """A limit or an outage is reported once, and not met again with every artifact."""
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
            if any(one.startswith("download") for one in self.requests):
                raise GithubError(Cause.NETWORK, "GitHub did not answer.")
            return super().download(artifact, limit_bytes=limit_bytes)

    repository = Failing()
    repository.add("c7", GOOD)
    repository.add("c8", GOOD)

    found, reason = searched(repository)
    assert isinstance(found, BaselineMatch)
    assert NoMatch("Workflow artifacts could not be searched. GitHub did not answer.") == reason
