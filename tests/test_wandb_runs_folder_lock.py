"""One process at a time records in a folder."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from helm_wandb.errors import SinkError
from helm_wandb.wandb_runs.folder_lock import locked

if TYPE_CHECKING:
    from pathlib import Path

HOLDS = """
import sys, time
from pathlib import Path
from helm_wandb.wandb_runs.folder_lock import locked
with locked(Path(sys.argv[1]), seconds=0):
    print("mine", flush=True)
    time.sleep(60)
"""


def test_a_wait_for_a_lock_ends(tmp_path: Path) -> None:
    """While another one records, the next waits its time, and then says for whom."""
    with (
        locked(tmp_path, seconds=0),
        pytest.raises(SinkError) as caught,
        locked(tmp_path, seconds=0.3),
    ):
        pass

    assert str(caught.value) == (
        f"{tmp_path / 'wandb'}: other runs have been recording there for 0 seconds, so this one "
        "recorded nothing. Run it again when they have ended"
    )


def test_locks_follow_each_other(tmp_path: Path) -> None:
    """One that has ended, well or not, is no hindrance to the next, and leaves no file."""
    with pytest.raises(KeyError), locked(tmp_path, seconds=0):
        raise KeyError
    with locked(tmp_path, seconds=0):
        pass

    assert [] == list(tmp_path.iterdir())


def test_each_folder_has_its_lock(tmp_path: Path) -> None:
    """Who records in one folder hinders nobody in another."""
    (tmp_path / "other").mkdir()

    with locked(tmp_path, seconds=0), locked(tmp_path / "other", seconds=0):
        pass


def test_a_dead_process_holds_no_lock(tmp_path: Path, root: Path) -> None:
    """Another process' lock holds as long as it lives; a killed one releases it."""
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "mine\n" == process.stdout.readline()
        with pytest.raises(SinkError), locked(tmp_path, seconds=0):
            pass
        process.kill()

    with locked(tmp_path, seconds=0):
        pass
