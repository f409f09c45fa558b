"""Files that others read while they are written."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile

_MODE = 0o644
"""Later steps of a workflow read it as another user."""


def write_whole(path: Path, data: bytes) -> None:
    """Replace the file whole, so that nobody reads half of it, nor a link leads elsewhere.

    The folders on the way to it are made. What is no file, as a pipe, is written to.
    Raises OSError, whose `filename` is the path or the folder on the way that hinders.
    """
    try:
        _write(path, data)
    except OSError as error:
        if error.filename is None or Path(error.filename) not in path.parents:
            error.filename = str(path)
        raise


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
