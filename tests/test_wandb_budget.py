"""The 90 seconds that W&B may take in all, by a clock that jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helm_wandb.errors import SinkError
from helm_wandb.system.budget import Budget
from helm_wandb.wandb_runs.folder_lock import locked
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.sdk.session import Session
from helm_wandb.wandb_runs.sink import WandbRuns
from tests import builders
from tests.builders import evaluation, report
from tests.wandb_builders import PROJECT
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from pathlib import Path

REPORT = report([evaluation("alpha", 1, {"mmlu.EM": 0.5})])


def sink(folder: Path, *, project: WandbProject | None = None, seconds: float = 0) -> WandbRuns:
    """The output to W&B; seconds: its time without a project."""
    return WandbRuns(
        config=builders.config(),
        summary_only=True,
        folder=folder,
        project=project,
        budget=Budget(seconds),
    )


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("seconds", "copies", "said"),
    [
        (65.0, 1, "1 of 1 runs did not arrive; a copy is kept in"),
        (
            95.0,
            0,
            "and no copy could be kept: {folder}/wandb: the W&B runs could not be recorded in time",
        ),
    ],
)
def test_questions_leave_time_for_the_copy(
    seconds: float, copies: int, said: str, tmp_path: Path
) -> None:
    """After 60 seconds there are no more requests and a copy is kept, after 90 not even that."""
    with WandbServer() as server:
        budget = Budget(90, clock=lambda: seconds if server.requests else 0.0)
        with Session(base_url=server.url, api_key=API_KEY, entity=None, budget=budget) as session:
            project = WandbProject(session=session, name=PROJECT, tracks=frozenset())
            with pytest.raises(SinkError) as caught:
                sink(tmp_path, project=project).deliver(REPORT)
            operations = server.operations().keys()

    assert {"GetDefaultEntity", "Runs"} >= operations
    assert "cannot be reached (there was no time left to begin)" in str(caught.value)
    assert said.format(folder=tmp_path) in str(caught.value)
    assert copies == len(list(tmp_path.glob("wandb/offline-run-*")))


def test_waiting_for_others_leaves_time_for_the_recording(tmp_path: Path) -> None:
    """While another job records in the folder, 15 seconds are not waited away."""
    with locked(tmp_path, seconds=0), pytest.raises(SinkError) as caught:
        sink(tmp_path, seconds=15.2).deliver(REPORT)

    assert "other runs have been recording there for 0 seconds" in str(caught.value)


def test_a_recording_that_would_come_too_late_is_not_begun(tmp_path: Path) -> None:
    """Without a key too: the SDK's process needs time for its end."""
    with pytest.raises(SinkError, match="there was no time left to begin"):
        sink(tmp_path, seconds=2.0).deliver(REPORT)

    assert [] == list(tmp_path.glob("wandb/*"))
