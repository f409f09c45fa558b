"""Files that others read while they are written."""

from __future__ import annotations

import os
import resource
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from helm_wandb.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def files_of_at_most(limit_bytes: int) -> Iterator[None]:
    """A disk that takes no larger file."""
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.SIG_IGN
    handler = signal.signal(signal.SIGXFSZ, ignored)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_what_is_new_belongs_to_the_owner_of_its_folder(tmp_path: Path) -> None:
    """What root writes into somebody's workspace, with the folders on the way, is that one's."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    # Only root can give it away.
    with suppress(PermissionError):
        os.chown(workspace, 1001, 1001)
    write_whole(workspace / "out" / "deep" / "report.json", b"{}")

    owner = workspace.stat().st_uid
    assert [owner] * 3 == [path.stat().st_uid for path in workspace.rglob("*")]


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(tmp_path: Path) -> None:
    """On a full disk the file stays as it was, and no half of the new one is left beside it."""
    path = tmp_path / "report.json"
    write_whole(path, b"old")
    with files_of_at_most(100), pytest.raises(OSError, match="File too large") as caught:
        write_whole(path, b"x" * 100_000)

    assert str(path) == caught.value.filename
    assert (b"old", [path]) == (path.read_bytes(), list(tmp_path.iterdir()))
