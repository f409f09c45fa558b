"""Several processes that record offline in one folder."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from helm_wandb.errors import SinkError
from helm_wandb.wandb_runs import offline
from helm_wandb.wandb_runs.offline_recording import Recording
from tests.wandb_builders import Desk, ended, scores

RUN = "helm-0123456789abcdef0123"
FOLDER = f"offline-run-20261124_050204-{RUN}"
NOWHERE = "http://127.0.0.1:9"


def test_what_another_process_set_aside_is_set_aside(tmp_path: Path) -> None:
    """A folder that was moved already is where it belongs, and that is no error."""
    folder = tmp_path / "wandb" / "offline-run-1-helm-1"
    folder.mkdir(parents=True)
    recording = Recording(folder=folder, run="helm-1", synced=False)
    offline.set_aside(recording)
    offline.set_aside(recording)

    assert [folder.name] == [one.name for one in (tmp_path / "wandb/superseded").iterdir()]


@pytest.mark.parametrize("link", ["wandb", f"wandb/{FOLDER}"])
def test_what_a_link_leads_to_was_not_recorded_here(link: str, tmp_path: Path) -> None:
    """Neither a linked folder of runs nor a linked run counts as an earlier recording."""
    run = tmp_path / "outside" / FOLDER
    run.mkdir(parents=True)
    (run / f"run-{RUN}.wandb").touch()
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / "outside" if link == "wandb" else run)

    assert () == offline.read_earlier(tmp_path, "team/llm", {RUN}).usable


@pytest.mark.parametrize("target", ["fifo", "/dev/zero"])
def test_a_recording_that_never_ends_is_not_read(target: str, tmp_path: Path) -> None:
    """Of such a run nothing is known, so that it will be replaced."""
    run = tmp_path / "wandb" / FOLDER
    run.mkdir(parents=True)
    (run / f"run-{RUN}.wandb").touch()
    os.mkfifo(run / "fifo")
    (run / "helm-recording.json").symlink_to(target)
    (found,) = offline.read_earlier(tmp_path, "team/llm", {RUN}).ignored

    assert (RUN, None, "its helm-recording.json is a link") == (
        found.run,
        found.record,
        found.fault,
    )


def test_nothing_is_set_aside_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recording that cannot be moved aside is named, since it would be sent twice."""
    folder = Path("wandb/offline-run-1-helm-1")
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "wandb/superseded").symlink_to("../outside")
    monkeypatch.chdir(tmp_path)
    recording = Recording(folder=folder, run="helm-1", synced=False)
    with pytest.raises(SinkError) as caught:
        offline.set_aside(recording)

    assert str(caught.value) == (
        "wandb/offline-run-1-helm-1: it is superseded, and could not be moved to superseded/: "
        "wandb/superseded: it is a link, and nothing is written through links. Replace it with a "
        "folder, or write elsewhere. Remove it: `wandb sync` would send its rows twice"
    )
    assert [] == list((tmp_path / "outside").iterdir())


@pytest.mark.full
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
    assert 2 == sum("(2 unchanged)" in one.stdout for one in done)
