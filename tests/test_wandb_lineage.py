"""Artifacts that a model's run uses, against a server. `test_wandb_faults_of_jobs` has faults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from helm_wandb.errors import SinkError
from helm_wandb.model import Baseline, Comparison, Receipt, Report, Status
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.sdk.session import Session
from helm_wandb.wandb_runs.sink import WandbRuns
from tests import builders
from tests.builders import evaluation, report
from tests.wandb_builders import PROJECT, summary_run
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.enable_socket

TRACK = "branch/main"
MODEL_ARTIFACT = "team/models/alpha:v0"


@pytest.fixture
def server() -> Iterator[WandbServer]:
    """A server that got only requests that it knows."""
    with WandbServer() as served:
        yield served

    assert [] == served.unknown


def sink(server: WandbServer, folder: Path, model_artifact: str | None) -> WandbRuns:
    """The sink, still without a project."""
    config = builders.config(entity="team", base_url=server.url)
    return WandbRuns(config=config, summary_only=True, folder=folder, model_artifact=model_artifact)


def sent(
    server: WandbServer,
    folder: Path,
    *models: str,
    model_artifact: str | None = MODEL_ARTIFACT,
    baseline: str | None = None,
) -> Receipt:
    """What comes of sending a score of each of these models."""
    with Session(base_url=server.url, api_key=API_KEY, entity="team") as session:
        project = WandbProject(session=session, name=PROJECT, tracks=frozenset({TRACK}))
        served = replace(sink(server, folder, model_artifact), project=project)
        return served.deliver(compared(models or ("alpha",), baseline))


def compared(models: tuple[str, ...], artifact: str | None) -> Report:
    """A report of models, each compared with a baseline that an artifact holds."""
    made = report([evaluation(name, 1, {"mmlu.EM": 0.5}) for name in models])
    if artifact is None:
        return made
    comparisons = [
        Comparison(
            model=name,
            iteration=1,
            baseline=Baseline(
                origin="track branch/main in W&B", model=name, iteration=1, artifacts=(artifact,)
            ),
            overall=None,
            deltas=(),
            not_comparable={},
        )
        for name in models
    ]
    return structs.replace(made, comparisons=tuple(comparisons))


def used(server: WandbServer, model: str = "alpha") -> tuple[str, ...]:
    """The server's ids of the artifacts that a model's summary run used."""
    run = summary_run(server, model, TRACK)
    return run.used_artifacts if run else ()


def test_models_artifact_is_used_once(server: WandbServer, tmp_path: Path) -> None:
    """The model's summary run uses it; the same results again record nothing."""
    artifact = server.add_artifact("models", "alpha", "model")
    first, again = (sent(server, tmp_path) for _ in range(2))

    assert ((), ()) == (first.warnings, again.warnings)
    assert (artifact,) == used(server)
    assert 1 == server.operations()["UseArtifact"]


def test_moved_alias_is_used_too(server: WandbServer, tmp_path: Path) -> None:
    """If an alias names another version since, the same results record that one too."""
    first = server.add_artifact("models", "alpha", "model", aliases=["prod"])
    sent(server, tmp_path, model_artifact="team/models/alpha:prod")
    second = server.add_artifact("models", "alpha", "model", aliases=["prod"])
    sent(server, tmp_path, model_artifact="team/models/alpha:prod")

    assert (first, second) == used(server)


def test_baseline_of_wandb_is_used(server: WandbServer, tmp_path: Path) -> None:
    """A baseline's artifact and the model's are both used by the run that was compared."""
    baseline = server.add_artifact(PROJECT, "helm-report-alpha", "helm-report")
    model = server.add_artifact("models", "alpha", "model")
    receipt = sent(server, tmp_path, baseline=f"team/{PROJECT}/helm-report-alpha:v0")

    assert () == receipt.warnings
    assert {baseline, model} == set(used(server))


def test_without_artifacts_no_request_is_made(server: WandbServer, tmp_path: Path) -> None:
    """A run with no artifact to use makes no request about it."""
    sent(server, tmp_path, model_artifact=None)

    assert {"UseArtifact", "RunInputArtifacts"}.isdisjoint(server.operations())


def test_several_models_use_no_model_artifact(server: WandbServer, tmp_path: Path) -> None:
    """One artifact is no more one model's than the other's: a warning says what to do."""
    server.add_artifact("models", "alpha", "model")
    receipt = sent(server, tmp_path, "alpha", "beta")
    (warning,) = receipt.warnings

    assert Status.DONE is receipt.status
    assert ((), ()) == (used(server), used(server, "beta"))
    assert warning == (
        "team/models/alpha:v0 (wandb-model-artifact) is recorded for no run, because it is the "
        "artifact of one model, and there are 2: alpha, beta. Evaluate each model in its own job"
    )


def test_absent_artifact_is_named(server: WandbServer, tmp_path: Path) -> None:
    """An artifact or project that doesn't exist, or is another's, costs a warning."""
    server.add_artifact("models", "alpha", "model")
    for absent in ("team/models/alpha:v9", "team/none/alpha:v0", "other/models/alpha:v0"):
        receipt = sent(server, tmp_path, model_artifact=absent)

        assert Status.DONE is receipt.status
        (warning,) = receipt.warnings
        assert warning == (
            f"{absent}: not recorded as an input of the summary run of alpha; all runs were "
            f"stored. W&B at {server.url} has no such artifact, or the key may not read it. Check "
            "its entity, project, name and alias."
        )
    assert () == used(server)


def test_offline_run_says_that_nothing_is_used(server: WandbServer, tmp_path: Path) -> None:
    """W&B's SDK can't record the use of an artifact offline."""
    receipt = sink(server, tmp_path, MODEL_ARTIFACT).deliver(compared(("alpha",), None))

    assert Status.DONE is receipt.status
    (warning,) = receipt.warnings
    assert warning == (
        "team/models/alpha:v0: not recorded as an input of the summary run of alpha, because W&B "
        "can't do that offline"
    )


def test_run_that_did_not_arrive_is_completed_by_the_next(
    server: WandbServer, tmp_path: Path
) -> None:
    """The message says to run again, which records it."""
    artifact = server.add_artifact("models", "alpha", "model")
    server.fault("file_stream", status=403)
    with pytest.raises(SinkError, match=r"alpha, which is not complete\. Run again"):
        sent(server, tmp_path)
    server.clear_faults()
    sent(server, tmp_path)

    assert (artifact,) == used(server)
