"""Files that others read while they are written."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

_MODE = 0o644
"""Later steps of a workflow read it as another user."""


def write_whole(path: Path, data: bytes) -> None:
    """Replace the file whole, so that nobody reads half of it, nor a link leads elsewhere.

    The folders on the way to it are made. What is no file, as a pipe, is written to. All that is
    new belongs to the owner of the folder that it lies in.
    Raises OSError, whose `filename` is the path or the folder on the way that hinders.
    """
    missing = [one for one in (path, *path.parents) if not one.exists()]
    try:
        _write(path, data)
    except OSError as error:
        if error.filename is None or Path(error.filename) not in path.parents:
            error.filename = str(path)
        raise
    hand_over([path, *missing][-1])


def hand_over(path: Path) -> None:
    """Give what root wrote, and all in it, to the owner of the folder that it lies in.

    In a container we are root, and a workspace is the runner's user's, who could not delete what
    is root's: the next checkout would fail.
    """
    owner = path.absolute().parent.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for one in (path, *path.rglob("*")):
        # Some file systems know no owners.
        with suppress(OSError):
            os.chown(one, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    # A new name each time: one that can be foreseen may be somebody's link by then.
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as written:
        try:
            written.write(data)
            written.flush()
            Path(written.name).chmod(_MODE)
            Path(written.name).replace(path)
        except BaseException:
            Path(written.name).unlink(missing_ok=True)
            raise
