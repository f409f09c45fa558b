"""Temporary folders that do not stay: if a process is killed, the next one removes its folders.

Each is locked as long as a process uses it. Unlike a process number, the lock also shows whether a
process of another container is alive.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from helm_wandb.system import signals
from helm_wandb.system.files import try_lock

_PREFIX = ".helm-wandb-"
_NAME = re.compile(r"\.helm-wandb-[0-9a-f]{16}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ROOM_BYTES = 1 << 20
"""Bytes that a usable folder has room for."""
_REMOVALS = 20
_PAUSE_SECONDS = 0.05


class Scratch(Struct, frozen=True):
    """A temporary folder, and the descriptor that locks it.

    A child process that uses the folder should inherit the descriptor.
    """

    path: Path
    lock: int

    def remove(self) -> None:
        """Remove the folder, even if a process that was killed still writes to it."""
        for _ in range(_REMOVALS):
            shutil.rmtree(self.path, ignore_errors=True)
            if not self.path.exists():
                break
            time.sleep(_PAUSE_SECONDS)
        signals.forget(self.remove)
        os.close(self.lock)


def create(parent: Path | None = None) -> Scratch:
    """Create a folder, which a stop removes; raise OSError.

    parent: None for TMPDIR, or what Python takes if that cannot be written to. What killed
    processes left there is removed.
    """
    where = parent or Path(tempfile.gettempdir())
    with suppress(OSError):
        _remove_left(where)
    while True:
        path = where / f"{_PREFIX}{secrets.token_hex(8)}"
        with signals.deferred():
            path.mkdir(mode=0o700)
            scratch = _locked(path)
            if scratch:
                signals.on_stop(scratch.remove)
                return scratch


def create_with_room() -> Scratch:
    """Create a folder in TMPDIR, or in the working folder if TMPDIR has hardly any room.

    Raises OSError, whose `filename` is TMPDIR's, if neither has.
    """
    try:
        return _create_with_room(Path(tempfile.gettempdir()))
    except OSError:
        with suppress(OSError):
            return _create_with_room(Path.cwd())
        raise


@contextmanager
def folder(parent: Path | None = None) -> Iterator[Path]:
    """Create a folder for the time of a block; see `create`."""
    scratch = create(parent)
    try:
        yield scratch.path
    finally:
        scratch.remove()


def check_room(where: Path, size_bytes: int) -> None:
    """Raise OSError, whose `filename` is the folder, if a file of this size does not fit."""
    try:
        with tempfile.TemporaryFile(dir=where) as file:
            file.write(bytes(size_bytes))
            file.flush()
    except OSError as error:
        error.filename = str(where)
        raise


def _create_with_room(where: Path) -> Scratch:
    scratch = create(where)
    try:
        check_room(where, _ROOM_BYTES)
    except OSError:
        scratch.remove()
        raise
    return scratch


def _locked(path: Path) -> Scratch | None:
    """Lock a new folder; return None if another process just removes it as one that was left."""
    try:
        scratch = Scratch(path, os.open(path, _FOLDER))
    except FileNotFoundError:
        return None
    if try_lock(scratch.lock) and path.exists():
        return scratch
    os.close(scratch.lock)
    return None


def _remove_left(where: Path) -> None:
    """Remove our own folders that no process uses any more; raise OSError."""
    for entry in os.scandir(where):
        if _NAME.fullmatch(entry.name):
            # Another process may be faster.
            with suppress(OSError):
                _remove_unused(Path(entry.path))


def _remove_unused(path: Path) -> None:
    descriptor = os.open(path, _FOLDER)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
    finally:
        os.close(descriptor)
