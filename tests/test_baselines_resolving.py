"""The story of a baseline: in which order it is looked for, and what is always told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from helm_wandb.baselines import Asked, Choice, Found, Resolved, Trigger, partners, resolve
from helm_wandb.github_api.messages import Cause
from helm_wandb.system.budget import Budget
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.sdk.session import Session
from tests import builders
from tests.repository_in_memory import Repository, report_zip
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIVE, NONE = {"max_train_instances": 5}, {"max_train_instances": 0}
SCORES = {"mmlu.EM": builders.right(50), "raft.EM": builders.right(50)}
ALPHA = builders.measured("alpha", 3, SCORES, fingerprint=FIVE)
MAIN = report_zip(ALPHA)
PUSH = Trigger.from_environ(
    {
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_SHA": "c9",
        "GITHUB_REF_NAME": "main",
        "GITHUB_REPOSITORY": "org/evals",
        "GITHUB_RUN_ID": "900",
    },
    {"repository": {"default_branch": "main"}, "before": "c8"},
)
UPLOAD = (
    "To get one, let the workflow run on pushes to main, with a step after this action that has "
    "`uses: actions/upload-artifact@v7`, "
    "`with: {name: helm-wandb-report, path: helm-wandb-report.json}`."
)


@pytest.fixture
def repository() -> Repository:
    """Main at c9, whose c6 left a report."""
    made = Repository()
    made.add("c6", MAIN)
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[WandbServer]:
    """A W&B server whose project has alpha on the track of main."""
    with WandbServer() as made:
        made.add_run(
            "llm",
            "alpha",
            group="alpha",
            tags=["evaluate", "summary"],
            config={"track": "branch/main", "commit": "c4" * 20, "run_url": "x/runs/800"},
            summary={"mmlu": {"EM": 0.25}, "raft": {"EM": 0.75}, "iteration": 3},
        )
        yield made


@pytest.fixture(scope="module")
def project(server: WandbServer) -> Iterator[WandbProject]:
    """That project."""
    with Session(base_url=server.url, api_key=API_KEY, entity=None) as session:
        yield WandbProject(session=session, name="llm", tracks=frozenset())


def asked(
    repository: Repository | None = None,
    project: WandbProject | None = None,
    choice: Choice = Choice.AUTO,
    trigger: Trigger | None = PUSH,
) -> Asked:
    """What a push to main asks for."""
    github = repository.github if repository else None
    return Asked(choice=choice, trigger=trigger, github=github, project=project)


def test_a_file_alone_is_the_baseline(repository: Repository) -> None:
    """Who names a file is not told of anything else, and GitHub is not asked."""
    file = Found(origin="base.json", evaluations=(ALPHA,), ref="refs/heads/main", commit="4be1c02")
    wanted = replace(asked(repository, choice=Choice.FILE), file=file)

    assert Resolved(
        found=(file,),
        partners=partners([ALPHA], file),
        notes=("Baseline: main@4be1c02, base.json.",),
    ) == resolve([ALPHA], wanted)
    assert [] == repository.asked


def test_a_file_without_the_models_is_told() -> None:
    """There is no advice on artifacts for somebody who wants a file."""
    file = Found(origin="base.json", evaluations=(builders.evaluation("old"),))
    told = resolve([ALPHA], Asked(choice=Choice.FILE, file=file))

    assert (
        "There is no baseline. Not compared, as the baseline (base.json) has old: alpha. "
        "Only in the baseline (base.json), and not in this run: old."
    ) == told.missing_reason
    assert ((), (), told.missing_reason) == (told.found, told.partners, " ".join(told.notes))


@pytest.mark.parametrize("choice", [Choice.AUTO, Choice.ARTIFACT])
def test_an_artifact_is_the_baseline(choice: Choice, repository: Repository) -> None:
    """Of the nearest ancestor, in the words that the report shows."""
    told = resolve([ALPHA], asked(repository, choice=choice))

    assert (
        "Baseline: main@c6, artifact of run 1, 2 commits behind the previous commit.",
    ) == told.notes
    assert ["main"] == [one.told.ref for one in told.partners]
    assert None is told.missing_reason


def test_a_model_without_scores_has_a_baseline(repository: Repository) -> None:
    """Where this run could evaluate nothing of it, what the baseline has is told all the same."""
    told = resolve([replace(ALPHA, scores={})], asked(repository))

    assert 1 == len(told.notes)
    assert [SCORES.keys()] == [{*map(str, one.baseline.scores)} for one in told.partners]


def test_who_wants_none_gets_none(repository: Repository) -> None:
    """Nothing is looked for, nothing is missing and nothing is told."""
    assert Resolved() == resolve([ALPHA], asked(repository, choice=Choice.NONE))
    assert [] == repository.asked


def test_nobody_needs_no_baseline(repository: Repository) -> None:
    """Without a model of this run GitHub is not asked."""
    assert Resolved() == resolve([], asked(repository))
    assert [] == repository.asked


def test_the_run_itself_is_no_baseline(repository: Repository) -> None:
    """A schedule finds what another run made of the same commit, not what it uploaded itself."""
    other = repository.add("c9", MAIN, event="schedule")
    own = repository.add("c9", MAIN, event="schedule")
    schedule = replace(PUSH, event="schedule", run_id=own)

    assert ("Baseline: main@c9, artifact of run 2, of this commit.",) == resolve(
        [ALPHA], asked(repository, trigger=schedule)
    ).notes
    assert f"workflow_run {other}" in repository.asked


def test_ancestors_are_read_only_while_something_lacks(repository: Repository) -> None:
    """One that asked everything alike is enough; older ones are not downloaded."""
    for sha in ("c2", "c3", "c7"):
        repository.add(sha, MAIN)
    resolve([ALPHA], asked(repository))

    assert 1 == sum(one.startswith("download") for one in repository.asked)


def test_benchmarks_may_have_different_baselines(repository: Repository) -> None:
    """What main asks otherwise since then stands beside the older run, and it is told."""
    changed = builders.measured("alpha", 3, {"raft.EM": builders.right(50)}, fingerprint=NONE)
    near = replace(ALPHA, scores={**ALPHA.scores, **changed.scores})
    repository.add("c8", report_zip(near))
    told = resolve([ALPHA], asked(repository))

    assert (
        "Baseline: main@c8, artifact of run 2, of the previous commit.",
        (
            "Baseline of raft of alpha: main@c6, artifact of run 1, 2 commits behind the previous "
            "commit; no nearer one has it, asked alike."
        ),
    ) == told.notes
    assert 2 == len(told.partners) == len(told.found)


def test_what_was_not_taken_is_told_beside_the_baseline(repository: Repository) -> None:
    """Who wonders why the baseline is so old reads that a newer one is broken."""
    repository.add("c8", b"no zip")

    assert (
        "Baseline: main@c6, artifact of run 1, 2 commits behind the previous commit.",
        (
            "The artifact of run 2 is not taken: it is no zip, or a damaged one (File is not a zip "
            "file)."
        ),
    ) == resolve([ALPHA], asked(repository)).notes


def test_models_of_one_side_are_told(repository: Repository) -> None:
    """A new model and one that is gone, beside the baseline of the others."""
    repository.add("c8", report_zip(ALPHA, builders.evaluation("old")))
    told = resolve([ALPHA, builders.evaluation("new")], asked(repository))

    assert (
        "Baseline: main@c8, artifact of run 2, of the previous commit.",
        (
            "Not compared, as the baseline (artifact of run 2, of the previous commit) has alpha, "
            "old: new."
        ),
        (
            "Only in the baseline (artifact of run 2, of the previous commit), and not in this "
            "run: old."
        ),
    ) == told.notes


WHY_NONE = {
    "nothing was ever uploaded": (
        asked(Repository()),
        (
            "There is no workflow artifact named 'helm-wandb-report' that has not expired. W&B was "
            f"not searched: there is no key for it, or nothing is to be sent. {UPLOAD}"
        ),
    ),
    "no token": (
        asked(choice=Choice.ARTIFACT),
        f"Workflow artifacts were not searched: input github-token is empty. {UPLOAD}",
    ),
    "the command line": (
        asked(trigger=None),
        "Workflow artifacts can be searched in a workflow only. W&B was not searched: there is no "
        "key for it, or nothing is to be sent. "
        + UPLOAD.replace("pushes to main", "pushes to the base branch"),
    ),
    "no permission": (
        asked(Repository(faults={"artifacts": Cause.FORBIDDEN}), choice=Choice.ARTIFACT),
        (
            "Workflow artifacts could not be searched. GitHub refuses artifacts. The job's token "
            "lacks a permission: add the line `actions: read` under `permissions:` in the workflow."
        ),
    ),
    "a rate limit": (
        asked(Repository(faults={"merge_base": Cause.LIMITED}), choice=Choice.ARTIFACT),
        "Workflow artifacts were not searched. GitHub refuses merge_base.",
    ),
    "an event about nothing": (
        asked(Repository(), choice=Choice.ARTIFACT, trigger=replace(PUSH, event="label")),
        (
            "Workflow artifacts were not searched. The event 'label' does not tell what its "
            "results stand beside."
        ),
    ),
    "W&B without a key": (
        asked(choice=Choice.WANDB),
        (
            "W&B was not searched: there is no key for it, or nothing is to be sent. To get one, "
            "let the workflow run with a W&B key on pushes to the base branch."
        ),
    ),
}


@pytest.mark.parametrize(("wanted", "why"), WHY_NONE.values(), ids=WHY_NONE)
def test_why_there_is_none_is_told(wanted: Asked, why: str) -> None:
    """Every place that was looked at, and how to get one where nothing hindered the search."""
    told = resolve([ALPHA], wanted)

    assert f"There is no baseline. {why}" == told.missing_reason
    assert ((), (), told.missing_reason) == (told.found, told.partners, " ".join(told.notes))


def test_the_words_are_these(repository: Repository, golden: Callable[[str, str], None]) -> None:
    """All that a reader is told of baselines, side by side."""
    repository.add("c8", report_zip(builders.measured("alpha", 3, SCORES, fingerprint=NONE)))
    repository.add("c7", b"no zip")
    repository.add("c7", MAIN, event="repository_dispatch")
    planted = Repository()
    planted.add("c8", MAIN, is_own=False)
    planted.add("c8", MAIN, branch="change")
    stories = {
        "Found": resolve([ALPHA, builders.evaluation("new")], asked(repository)),
        "Planted": resolve([ALPHA], asked(planted)),
        **{name: resolve([ALPHA], wanted) for name, (wanted, _) in WHY_NONE.items()},
    }
    lines = (f"# {name}\n" + "\n".join(told.notes) + "\n" for name, told in stories.items())

    golden("baselines.txt", "\n".join(lines))


@pytest.mark.enable_socket
def test_wandb_comes_after_artifacts(project: WandbProject) -> None:
    """Where no artifact is, the base branch's track is; it has scores and no instances."""
    told = resolve([ALPHA], asked(Repository(), project))

    assert ("Baseline: main@c4c4c4c, track branch/main in W&B.",) == told.notes
    assert [0.25, 0.75] == [one.value for one in told.partners[0].baseline.scores.values()]


@pytest.mark.enable_socket
def test_wandb_serves_what_artifacts_lack(repository: Repository, project: WandbProject) -> None:
    """It is asked per benchmark, not all or nothing."""
    repository.zips.clear()
    repository.add("c8", report_zip(builders.evaluation("alpha", 3, {"mmlu.EM": 0.5})))
    told = resolve([ALPHA], asked(repository, project))

    assert ["artifact of run 1, of the previous commit", "track branch/main in W&B"] == [
        one.told.origin for one in told.partners
    ]


@pytest.mark.enable_socket
def test_artifacts_that_serve_all_leave_wandb_alone(
    repository: Repository, server: WandbServer, project: WandbProject
) -> None:
    """Nothing is asked of W&B that is not needed."""
    before = len(server.requests)
    resolve([ALPHA], asked(repository, project))

    assert before == len(server.requests)


@pytest.mark.enable_socket
def test_wandb_alone_is_asked_where_it_is_wanted(
    repository: Repository, project: WandbProject
) -> None:
    """The payload tells the base branch: GitHub is not needed for that."""
    told = resolve([ALPHA], asked(repository, project, Choice.WANDB))

    assert ("Baseline: main@c4c4c4c, track branch/main in W&B.",) == told.notes
    assert [] == repository.asked


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "trigger",
    [
        replace(PUSH, payload={"repository": {"default_branch": "release"}}),
        replace(PUSH, run_id=800),
    ],
    ids=["another branch", "this very run"],
)
def test_a_track_without_the_models_is_told(trigger: Trigger, project: WandbProject) -> None:
    """Other tracks, and what this run's first attempt recorded, are no baseline."""
    told = resolve([ALPHA], asked(None, project, Choice.WANDB, trigger))

    branch = trigger.default_branch
    assert told.missing_reason is not None
    assert (
        f"The track branch/{branch} of the W&B project has none of this run's models. To get one"
    ) in told.missing_reason


@pytest.mark.enable_socket
def test_without_a_branch_wandb_has_no_track(project: WandbProject) -> None:
    """Where nothing names a base branch, W&B is not asked."""
    told = resolve([ALPHA], asked(None, project, Choice.WANDB, trigger=None))

    assert told.missing_reason is not None
    assert "W&B was not searched: the event names no base branch." in told.missing_reason


def test_a_fault_of_wandb_is_told() -> None:
    """A server that is not there ends nothing."""
    session = Session(base_url="http://127.0.0.1:1", api_key=API_KEY, entity=None, budget=Budget(0))
    with session:
        project = WandbProject(session=session, name="llm", tracks=frozenset())
        told = resolve([ALPHA], asked(None, project, Choice.WANDB))

    assert told.missing_reason is not None
    assert "W&B could not be searched (network: " in told.missing_reason
