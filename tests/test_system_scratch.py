"""Temporary folders: when they go, and which ones."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.system import scratch
from tests.full_disk import files_of_at_most

from .conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys, time
from pathlib import Path
from helm_wandb.system import scratch
print(scratch.create(Path(sys.argv[1])).path.name, flush=True)
time.sleep(600)
"""
NAME = ".helm-wandb-0123456789abcdef"


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What TMPDIR names."""
    folder = tmp_path / "usual"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_folder_lasts_as_long_as_its_block(usual: Path) -> None:
    """It is in TMPDIR, for this user alone, and gone at the end, however that comes."""
    with pytest.raises(KeyError), scratch.folder() as folder:  # noqa: PT012 -- of the block
        (folder / "deep").mkdir()
        assert (usual, 0o700) == (folder.parent, folder.stat().st_mode & 0o777)
        raise KeyError

    assert [] == list(usual.iterdir())


def test_what_a_killed_process_left_is_removed(usual: Path) -> None:
    """As long as a process lives, its folder stays; once it is killed, the next one removes it."""
    command = [sys.executable, "-c", HOLD, str(usual)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        (usual / name / "file").touch()
        with scratch.folder() as folder:
            neighbours = sorted(path.name for path in usual.iterdir())
        process.kill()

    assert sorted([name, folder.name]) == neighbours
    with scratch.folder() as folder:
        assert [folder] == list(usual.iterdir())


def test_what_others_made_is_left_alone(
    usual: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other names, a file, a link, and another user's folder of such a name all stay."""
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    (usual / NAME).mkdir()
    (usual / "helm-wandb-mine").mkdir()
    (usual / f"{NAME}0").mkdir()
    (usual / NAME.replace("0", "1")).touch()
    (tmp_path / "elsewhere").mkdir()
    (usual / NAME.replace("0", "2")).symlink_to(tmp_path / "elsewhere")
    before = sorted(usual.iterdir())
    with scratch.folder():
        pass

    assert before == sorted(usual.iterdir())
    assert (tmp_path / "elsewhere").is_dir()


def test_without_locks_nothing_is_removed(usual: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems know none: there, nobody knows whether a folder is in use."""

    def refuse(*_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    (usual / NAME).mkdir()
    with scratch.folder() as folder:
        assert {folder, usual / NAME} == set(usual.iterdir())


def test_a_folder_that_another_process_removes_is_replaced(
    usual: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that looks for what was left may find the new folder before it is locked."""
    real = fcntl.flock
    seen: list[Path] = []

    def be_late(descriptor: int, operation: int) -> None:
        if not seen:
            seen.extend(usual.iterdir())
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", be_late)
    with scratch.folder() as folder:
        assert folder not in seen


def test_a_folder_that_is_gone_at_once_is_replaced(
    usual: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That process may even have removed the new folder before it is opened."""
    real = os.open
    seen: list[Path] = []

    def be_late(path: Path, flags: int, **options: Any) -> int:
        if not seen:
            seen.append(path)
            path.rmdir()
        return real(path, flags, **options)

    monkeypatch.setattr(os, "open", be_late)
    with scratch.folder() as folder:
        assert [folder] == list(usual.iterdir())
        assert folder not in seen


def test_a_folder_that_is_still_written_to_goes_too(
    usual: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was killed may end a moment later than its folder is removed."""
    real = shutil.rmtree
    calls: list[Path] = []

    def be_late(path: Path, *, ignore_errors: bool) -> None:
        calls.append(path)
        if len(calls) > 1:
            real(path, ignore_errors=ignore_errors)

    with scratch.folder():
        monkeypatch.setattr(shutil, "rmtree", be_late)

    assert (2, []) == (len(calls), list(usual.iterdir()))


def test_the_working_folder_is_the_second_choice(
    usual: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If TMPDIR has room it is taken; if not, the working folder is, which is often elsewhere."""
    first = scratch.create_with_room()
    monkeypatch.setattr(tempfile, "tempdir", "/proc/self")
    second = scratch.create_with_room()

    assert (usual, work) == (first.path.parent, second.path.parent)
    first.remove()
    second.remove()
    assert ([], []) == (list(usual.iterdir()), list(work.iterdir()))


def test_without_room_anywhere_tmpdir_is_named(usual: Path, work: Path) -> None:
    """The error is that of the first choice, and nothing is left."""
    with files_of_at_most(1_000_000), pytest.raises(OSError, match="File too large") as caught:
        scratch.create_with_room()

    assert str(usual) == caught.value.filename
    assert ([], []) == (list(usual.iterdir()), list(work.iterdir()))
