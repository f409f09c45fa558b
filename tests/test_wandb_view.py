"""The saved view of a project, against a server: saved once, linked, and lost in no fault."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.model import Receipt, Status
from helm_wandb.wandb_runs import view
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.sdk.session import Session
from helm_wandb.wandb_runs.sink import WandbRuns
from tests import builders
from tests.builders import evaluation, report
from tests.rows import parametrize_rows
from tests.wandb_builders import PROJECT, curve, summary_run
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.enable_socket

FAULTS: dict[str, dict[str, Any]] = {
    "403": {"status": 403},
    "500 forever": {"status": 500},
    "dropped forever": {"drop": True},
    "no answer": {"hang": True},
}
ROWS = (
    *((operation, fault) for fault in FAULTS for operation in ("View", "UpsertView2")),
    ("UpsertView2", "lost"),
)
SAID = {
    "403": "refuses the entity or project",
    "500 forever": "returned a server error",
    "dropped forever": "cannot be reached",
    "no answer": "cannot be reached",
    "lost": "did not store the data (the view)",
}
QUICK = frozenset({("View", "403"), ("UpsertView2", "lost")})


@pytest.fixture
def server() -> Iterator[WandbServer]:
    """A server that got only requests that it knows."""
    with WandbServer() as served:
        yield served

    assert [] == served.unknown


def sent(server: WandbServer, folder: Path, *models: tuple[str, dict[str, float]]) -> Receipt:
    """What comes of sending these models' scores, with a view."""
    evaluations = [evaluation(name, 1, scores) for name, scores in models]
    config = builders.config(base_url=server.url)
    with Session(base_url=server.url, api_key=API_KEY, entity=None) as session:
        project = WandbProject(session=session, name=PROJECT, tracks=frozenset({"branch/main"}))
        sink = WandbRuns(
            config=config, summary_only=True, folder=folder, project=project, saves_view=True
        )
        return sink.deliver(report(evaluations))


def test_a_view_is_saved_once_and_linked(server: WandbServer, tmp_path: Path) -> None:
    """The receipt links the view; saving it again changes nothing."""
    first = sent(server, tmp_path, ("alpha", {"mmlu.EM": 0.5}))
    (saved,) = server.views(PROJECT)
    again = sent(server, tmp_path, ("alpha", {"mmlu.EM": 0.5}))

    assert f"{server.url}/team/{PROJECT}?nw={view.QUERY}" == first.url == again.url
    assert [saved] == server.views(PROJECT)
    assert 1 == server.operations()["UpsertView2"]
    assert (view.NAME, view.TITLE, "project-view") == (saved.name, saved.display_name, saved.type)
    assert {"mmlu.EM"} == view.stored_metrics(saved.spec)
    assert ["branch/main"] == (
        json.loads(saved.spec)["section"]["runSets"][0]["filters"]["filters"][0]["value"]
    )


def test_a_metric_is_added_to_the_same_view(server: WandbServer, tmp_path: Path) -> None:
    """A run with other metrics removes none; one with fewer changes nothing."""
    for scores in ({"mmlu.EM": 0.5}, {"raft.EM": 0.5}, {"mmlu.EM": 0.25}):
        sent(server, tmp_path, ("alpha", scores))
    (saved,) = server.views(PROJECT)

    assert {"mmlu.EM", "raft.EM"} == view.stored_metrics(saved.spec)
    assert 2 == server.operations()["UpsertView2"]


@parametrize_rows("row", ROWS, quick=QUICK)
def test_a_fault_of_the_view_loses_no_run(
    server: WandbServer, tmp_path: Path, row: tuple[str, str]
) -> None:
    """The runs are stored, the project is linked, and a warning says what happened."""
    operation, fault = row
    server.fault(operation, **FAULTS.get(fault, {"lose": True}))
    receipt = sent(server, tmp_path, ("alpha", {"mmlu.EM": 0.5}))
    (warning,) = receipt.warnings

    assert (Status.DONE, f"{server.url}/team/{PROJECT}") == (receipt.status, receipt.url)
    assert {1: {"mmlu.EM": 0.5}} == curve(summary_run(server, "alpha", "branch/main"))
    assert warning.startswith("the view was not saved; all runs were. W&B at ")
    assert SAID[fault] in warning
    assert API_KEY not in warning
    assert [] == server.views(PROJECT)
    assert not (tmp_path / "wandb").exists()
