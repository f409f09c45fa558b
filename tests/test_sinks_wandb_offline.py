"""Several processes that record offline in one folder."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from helm_wandb.sinks import wandb_offline
from tests.wandb_builders import Desk, ended, scores

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = "http://127.0.0.1:9"


def test_what_another_process_set_aside_is_set_aside(tmp_path: Path) -> None:
    """A folder that was moved already is where it belongs, and that is no error."""
    folder = tmp_path / "wandb" / "offline-run-1-helm-1"
    folder.mkdir(parents=True)
    recording = wandb_offline.Recording(folder=folder, run="helm-1", synced=False)
    wandb_offline.set_aside(recording)
    wandb_offline.set_aside(recording)

    assert [folder.name] == [one.name for one in (tmp_path / "wandb/superseded").iterdir()]


def test_processes_replace_what_waits_one_by_one(tmp_path: Path) -> None:
    """Of three that record at once where others wait each ends well, and one set is left."""
    desk = Desk(folder=tmp_path, base_url=NOWHERE, api_key=None)
    desk.configure(scores("alpha", 1, mmlu=0.1))
    first = desk.write()
    waited = set(desk.waiting().values())
    desk.configure(scores("alpha", 1, mmlu=0.2))
    began = time.monotonic()
    done = [ended(process, began) for process in [desk.begin() for _ in range(3)]]
    logs = list(desk.work.glob("wandb/offline-run-*/run-helm-*.wandb"))

    assert [(0, "")] * 4 == [(one.exit_code, one.stderr) for one in (first, *done)]
    assert len(waited) == len(logs) == len(desk.waiting())
    assert not waited & set(desk.waiting().values())
    assert 2 == sum("(2 held the same results already)" in one.stdout for one in done)
