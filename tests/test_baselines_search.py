"""The search for a baseline: its order, and the notes that are always shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from helm_wandb.baselines import BaselineMatch, BaselineRequest, BaselineResult, partners, resolve
from helm_wandb.github_api.messages import Cause
from helm_wandb.model import UnmatchedModels
from helm_wandb.runner.inputs import BaselineChoice
from helm_wandb.system.budget import Budget
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.sdk.session import Session
from tests import builders, events
from tests.repository_in_memory import Repository, report_zip
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from helm_wandb.runner.event import Event

FIVE, NONE = {"max_train_instances": 5}, {"max_train_instances": 0}
SCORES = {"mmlu.EM": builders.right(50), "raft.EM": builders.right(50)}
ALPHA = builders.measured("alpha", 3, SCORES, fingerprint=FIVE)
MAIN = report_zip(ALPHA)
PUSH = events.event(
    sha="c9",
    ref_name="main",
    repository="org/evals",
    run_id="900",
    payload={"repository": {"default_branch": "main"}, "before": "c8"},
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


def request_of(
    repository: Repository | None = None,
    project: WandbProject | None = None,
    choice: BaselineChoice = BaselineChoice.AUTO,
    event: Event | None = PUSH,
) -> BaselineRequest:
    """The request of a push to main."""
    github = repository.github if repository else None
    return BaselineRequest(choice=choice, event=event, github=github, project=project)


def test_a_file_alone_is_the_baseline(repository: Repository) -> None:
    """A named file is the baseline, and GitHub gets no request."""
    file = BaselineMatch(
        origin="base.json", evaluations=(ALPHA,), ref="refs/heads/main", commit="4be1c02"
    )
    wanted = replace(request_of(repository, choice=BaselineChoice.FILE), file=file)

    assert BaselineResult(
        matches=(file,),
        partners=partners([ALPHA], file),
        notes=("Baseline: main@4be1c02, base.json.",),
    ) == resolve([ALPHA], wanted)
    assert [] == repository.requests


def test_a_file_without_the_models_is_reported() -> None:
    """A baseline with other models only isn't called none: the result has both sides' names."""
    file = BaselineMatch(origin="base.json", evaluations=(builders.evaluation("old"),))
    result = resolve([ALPHA], BaselineRequest(choice=BaselineChoice.FILE, file=file))

    assert (
        BaselineResult(
            notes=("Only in the baseline (base.json): old.",),
            unmatched=UnmatchedModels(
                models=("alpha",), baseline_models=("old",), origin="base.json"
            ),
        )
        == result
    )


@pytest.mark.parametrize("choice", [BaselineChoice.AUTO, BaselineChoice.ARTIFACT])
def test_an_artifact_is_the_baseline(choice: BaselineChoice, repository: Repository) -> None:
    """The nearest ancestor's artifact is the baseline, and the note names it."""
    result = resolve([ALPHA], request_of(repository, choice=choice))

    assert (
        "Baseline: main@c6, artifact of run 1, 2 commits behind the previous commit.",
    ) == result.notes
    assert ["main"] == [one.baseline_label.ref for one in result.partners]
    assert None is result.missing_reason


def test_a_model_without_scores_has_a_baseline(repository: Repository) -> None:
    """If this run has no score of a model, the notes still name the baseline."""
    result = resolve([replace(ALPHA, scores={})], request_of(repository))

    assert 1 == len(result.notes)
    assert [SCORES.keys()] == [{*map(str, one.baseline.scores)} for one in result.partners]


def test_who_wants_none_gets_none(repository: Repository) -> None:
    """Nothing is searched, and nothing is missing."""
    assert BaselineResult() == resolve([ALPHA], request_of(repository, choice=BaselineChoice.NONE))
    assert [] == repository.requests


def test_nobody_needs_no_baseline(repository: Repository) -> None:
    """Without a model of this run GitHub gets no request."""
    assert BaselineResult() == resolve([], request_of(repository))
    assert [] == repository.requests


def test_the_run_itself_is_no_baseline(repository: Repository) -> None:
    """A schedule finds what another run made of the same commit, not what it uploaded itself."""
    other = repository.add("c9", MAIN, event="schedule")
    own = repository.add("c9", MAIN, event="schedule")
    schedule = replace(PUSH, name="schedule", run_id=own)

    assert ("Baseline: main@c9, artifact of run 2, of this commit.",) == resolve(
        [ALPHA], request_of(repository, event=schedule)
    ).notes
    assert f"workflow_run {other}" in repository.requests


def test_ancestors_are_read_only_while_something_lacks(repository: Repository) -> None:
    """If one has all settings, older ones are not downloaded."""
    for sha in ("c2", "c3", "c7"):
        repository.add(sha, MAIN)
    resolve([ALPHA], request_of(repository))

    assert 1 == sum(one.startswith("download") for one in repository.requests)


def test_benchmarks_may_have_different_baselines(repository: Repository) -> None:
    """A benchmark whose settings main changed has an older baseline, and the notes say so."""
    changed = builders.measured("alpha", 3, {"raft.EM": builders.right(50)}, fingerprint=NONE)
    near = replace(ALPHA, scores={**ALPHA.scores, **changed.scores})
    repository.add("c8", report_zip(near))
    result = resolve([ALPHA], request_of(repository))

    assert (
        "Baseline: main@c8, artifact of run 2, of the previous commit.",
        (
            "Baseline of raft of alpha: main@c6, artifact of run 1, 2 commits behind the previous "
            "commit; no nearer one has it with the same settings."
        ),
    ) == result.notes
    assert 2 == len(result.partners) == len(result.matches)


def test_refused_artifacts_are_reported_with_the_baseline(repository: Repository) -> None:
    """The notes say that a newer artifact than the baseline is broken."""
    repository.add("c8", b"no zip")

    assert (
        "Baseline: main@c6, artifact of run 1, 2 commits behind the previous commit.",
        (
            "The artifact of run 2 is not used: it isn't a zip file, or is damaged (File is "
            "not a zip file)."
        ),
    ) == resolve([ALPHA], request_of(repository)).notes


def test_models_of_one_side_are_reported(repository: Repository) -> None:
    """The result names a new model, and the notes one that is gone."""
    repository.add("c8", report_zip(ALPHA, builders.evaluation("old")))
    result = resolve([ALPHA, builders.evaluation("new")], request_of(repository))

    assert (
        "Baseline: main@c8, artifact of run 2, of the previous commit.",
        "Only in the baseline (artifact of run 2, of the previous commit): old.",
    ) == result.notes
    assert (
        UnmatchedModels(
            models=("new",),
            baseline_models=("alpha", "old"),
            origin="main@c8, artifact of run 2, of the previous commit",
        )
        == result.unmatched
    )


WHY_NONE = {
    "nothing was ever uploaded": (
        request_of(Repository()),
        (
            "There is no workflow artifact named 'helm-wandb-report' or 'helm-wandb-report.json' "
            "that has not expired. W&B was not searched: there is no key, or the run is "
            f"print-only. {UPLOAD}"
        ),
    ),
    "no token": (
        request_of(choice=BaselineChoice.ARTIFACT),
        f"Workflow artifacts were not searched: input github-token is empty. {UPLOAD}",
    ),
    "the command line": (
        request_of(event=None),
        "Workflow artifacts can be searched in a workflow only. W&B was not searched: there is no "
        "key, or the run is print-only. "
        + UPLOAD.replace("pushes to main", "pushes to the base branch"),
    ),
    "no permission": (
        request_of(
            Repository(faults={"artifacts": Cause.FORBIDDEN}), choice=BaselineChoice.ARTIFACT
        ),
        (
            "Workflow artifacts could not be searched. GitHub refuses artifacts. The job's token "
            "lacks a permission: add the line `actions: read` under `permissions:` in the workflow."
        ),
    ),
    "a rate limit": (
        request_of(
            Repository(faults={"merge_base": Cause.LIMITED}), choice=BaselineChoice.ARTIFACT
        ),
        "Workflow artifacts were not searched. GitHub refuses merge_base.",
    ),
    "an event about nothing": (
        request_of(Repository(), choice=BaselineChoice.ARTIFACT, event=replace(PUSH, name="label")),
        (
            "Workflow artifacts were not searched. The event 'label' doesn't say what to compare "
            "its results with."
        ),
    ),
    "W&B without a key": (
        request_of(choice=BaselineChoice.WANDB),
        (
            "W&B was not searched: there is no key, or the run is print-only. To get one, "
            "let the workflow run with a W&B key on pushes to the base branch."
        ),
    ),
}


@pytest.mark.parametrize(("wanted", "why"), WHY_NONE.values(), ids=WHY_NONE)
def test_the_reason_without_a_baseline(wanted: BaselineRequest, why: str) -> None:
    """The reason names every place, and how to get a baseline if the search itself worked."""
    result = resolve([ALPHA], wanted)

    assert f"There is no baseline. {why}" == result.missing_reason
    assert ((), (), result.missing_reason) == (
        result.matches,
        result.partners,
        " ".join(result.notes),
    )


def test_the_words_are_these(repository: Repository, golden: Callable[[str, str], None]) -> None:
    """All notes on baselines, side by side."""
    repository.add("c8", report_zip(builders.measured("alpha", 3, SCORES, fingerprint=NONE)))
    repository.add("c7", b"no zip")
    repository.add("c7", MAIN, event="repository_dispatch")
    planted = Repository()
    planted.add("c8", MAIN, is_own=False)
    planted.add("c8", MAIN, branch="change")
    stories = {
        "Found": resolve([ALPHA, builders.evaluation("new")], request_of(repository)),
        "Planted": resolve([ALPHA], request_of(planted)),
        **{name: resolve([ALPHA], wanted) for name, (wanted, _) in WHY_NONE.items()},
    }
    lines = (f"# {name}\n" + "\n".join(result.notes) + "\n" for name, result in stories.items())

    golden("baselines.txt", "\n".join(lines))


@pytest.mark.enable_socket
def test_wandb_comes_after_artifacts(project: WandbProject) -> None:
    """Without an artifact the base branch's track is the baseline; it has no instances."""
    result = resolve([ALPHA], request_of(Repository(), project))

    assert ("Baseline: main@c4c4c4c, track branch/main in W&B.",) == result.notes
    assert [0.25, 0.75] == [one.value for one in result.partners[0].baseline.scores.values()]


@pytest.mark.enable_socket
def test_wandb_serves_what_artifacts_lack(repository: Repository, project: WandbProject) -> None:
    """W&B gives the benchmarks that artifacts lack."""
    repository.zips.clear()
    repository.add("c8", report_zip(builders.evaluation("alpha", 3, {"mmlu.EM": 0.5})))
    result = resolve([ALPHA], request_of(repository, project))

    assert ["artifact of run 1, of the previous commit", "track branch/main in W&B"] == [
        one.baseline_label.origin for one in result.partners
    ]


@pytest.mark.enable_socket
def test_artifacts_that_serve_all_leave_wandb_alone(
    repository: Repository, server: WandbServer, project: WandbProject
) -> None:
    """W&B gets no request if artifacts have everything."""
    before = len(server.requests)
    resolve([ALPHA], request_of(repository, project))

    assert before == len(server.requests)


@pytest.mark.enable_socket
def test_wandb_alone_can_be_chosen(repository: Repository, project: WandbProject) -> None:
    """The payload names the base branch, so GitHub gets no request."""
    result = resolve([ALPHA], request_of(repository, project, BaselineChoice.WANDB))

    assert ("Baseline: main@c4c4c4c, track branch/main in W&B.",) == result.notes
    assert [] == repository.requests


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "event",
    [
        replace(PUSH, default_branch="release"),
        replace(PUSH, run_id=800),
    ],
    ids=["another branch", "this very run"],
)
def test_a_track_without_the_models_is_reported(event: Event, project: WandbProject) -> None:
    """Other tracks, and what this run's first attempt recorded, are no baseline."""
    result = resolve([ALPHA], request_of(None, project, BaselineChoice.WANDB, event))

    branch = event.default_branch
    assert result.missing_reason is not None
    assert (
        f"The track branch/{branch} of the W&B project has none of this run's models. To get one"
    ) in result.missing_reason


@pytest.mark.enable_socket
@pytest.mark.parametrize("choice", [BaselineChoice.AUTO, BaselineChoice.WANDB])
def test_wandb_of_a_stack_goes_on_to_the_default_branch(
    project: WandbProject, choice: BaselineChoice
) -> None:
    """A branch that is itself to be merged has no track: the default branch's is the baseline."""
    repository = Repository()
    repository.branches["change"] = "c9"
    pull_request = events.as_json(events.pull_request(base="change", head="c9"))
    event = events.event(
        "pull_request",
        sha="c9",
        payload={"repository": {"default_branch": "main"}, "pull_request": pull_request},
    )
    result = resolve([ALPHA], request_of(repository, project, choice, event))

    assert ("Baseline: main@c4c4c4c, track branch/main in W&B.",) == result.notes


@pytest.mark.enable_socket
def test_a_track_with_other_models_alone_names_them(project: WandbProject) -> None:
    """A renamed model is compared with nothing, and the track's models are named."""
    renamed = builders.evaluation("renamed")

    assert (
        UnmatchedModels(
            models=("renamed",), baseline_models=("alpha",), origin="main, track branch/main in W&B"
        )
        == resolve([renamed], request_of(None, project, BaselineChoice.WANDB)).unmatched
    )


@pytest.mark.enable_socket
def test_without_a_branch_wandb_has_no_track(project: WandbProject) -> None:
    """Without a base branch W&B gets no request."""
    result = resolve([ALPHA], request_of(None, project, BaselineChoice.WANDB, event=None))

    assert result.missing_reason is not None
    assert "W&B was not searched: the event names no base branch." in result.missing_reason


def test_a_fault_of_wandb_is_reported() -> None:
    """A server that doesn't exist ends nothing."""
    session = Session(base_url="http://127.0.0.1:1", api_key=API_KEY, entity=None, budget=Budget(0))
    with session:
        project = WandbProject(session=session, name="llm", tracks=frozenset())
        result = resolve([ALPHA], request_of(None, project, BaselineChoice.WANDB))

    assert result.missing_reason is not None
    assert "W&B could not be searched (network: " in result.missing_reason
