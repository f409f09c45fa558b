"""A harness's output in a real folder."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.files import (
    CHUNK_BYTES,
    Limits,
    leads_out,
    no_file,
    refuse_size,
    unreadable,
)
from helm_wandb.system.files import KINDS
from helm_wandb.text.safe_text import plain

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""A file may have become a link or a FIFO since it was looked at: neither may be waited for."""
KINDS_OF_FILES = {**KINDS, stat.S_IFLNK: "a broken link"}


class Folder:
    """A real folder; nothing outside of it is read."""

    def __init__(self, path: Path, *, shown_as: str, limits: Limits) -> None:
        self._root = os.path.realpath(path)
        self._shown_as = shown_as
        self._limits = limits

    def is_file(self, path: str) -> bool:
        """Return whether anything but a folder is there."""
        mode = self._mode(path)
        return mode is not None and not stat.S_ISDIR(mode)

    def is_folder(self, path: str) -> bool:
        """Return whether a folder is there."""
        mode = self._mode(path)
        return mode is not None and stat.S_ISDIR(mode)

    def names(self, folder: str) -> list[str]:
        """Return the sorted names in the folder."""
        if not self.is_folder(folder):
            return []
        try:
            with os.scandir(self._inside(folder)) as entries:
                return sorted(entry.name for entry in entries)
        except OSError as error:
            raise unreadable(self.shown(folder), error) from error

    def read(self, path: str) -> bytes:
        """Return the file's content."""
        place = self._inside(path)
        size = self._size(path, place)
        refuse_size(self.shown(path), size, self._limits)
        try:
            with os.fdopen(os.open(place, _FLAGS), "rb") as stream:
                data = stream.read(size + 1)
        except OSError as error:
            raise unreadable(self.shown(path), error) from error
        if len(data) != size:
            raise self._changed(path)
        return data

    def chunks(self, path: str) -> Iterator[bytes]:
        """Yield the file's content piece by piece."""
        place = self._inside(path)
        left = self._size(path, place)
        try:
            with os.fdopen(os.open(place, _FLAGS), "rb", buffering=0) as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    left -= len(chunk)
                    yield chunk
        except OSError as error:
            raise unreadable(self.shown(path), error) from error
        if left:
            raise self._changed(path)

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        """Return the file itself."""
        place = self._inside(path)
        self._size(path, place)
        yield Path(place)

    def _changed(self, path: str) -> ArtifactError:
        return ArtifactError(
            f"{self.shown(path)}: changed while it was read. Wait until what writes it has "
            "ended, then run this again."
        )

    def shown(self, path: str) -> str:
        """Return the path after the name of the folder."""
        return plain(posixpath.join(self._shown_as, path) if path else self._shown_as)

    def _mode(self, path: str) -> int | None:
        """Return the mode of what the path leads to, or of the link itself if it leads out."""
        place = self._place(path)
        if place is None:
            self._inside(posixpath.dirname(path))
            return stat.S_IFLNK
        status = self._status(path, place)
        return None if status is None else status.st_mode

    def _place(self, path: str) -> str | None:
        """Return where the path leads to, all links followed; None if that is not in the folder."""
        place = self._root
        for part in path.split("/"):
            place = f"{place}/{part}"
            if part in {"", ".", ".."} or os.path.islink(place):  # noqa: PTH114 -- quicker
                return self._resolve(path)
        return place

    def _resolve(self, path: str) -> str | None:
        """Return the same as `_place`, of any path; it takes three times as long."""
        try:
            place = os.path.realpath(os.path.join(self._root, path))  # noqa: PTH118 -- quicker
        except ValueError:  # no file system has such a name
            return posixpath.join(self._root, path)
        except OSError as error:  # a link that may not be read, as in /proc
            raise unreadable(self.shown(path), error) from error
        inside = place == self._root or place.startswith(self._root.rstrip("/") + "/")
        return place if inside else None

    def _inside(self, path: str) -> str:
        place = self._place(path)
        if place is None:
            raise leads_out(self.shown(path), plain(self._shown_as))
        return place

    def _status(self, path: str, place: str) -> os.stat_result | None:
        try:
            return os.lstat(place)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return None
            raise unreadable(self.shown(path), error) from error

    def _size(self, path: str, place: str) -> int:
        status = self._status(path, place)
        if status is None or not stat.S_ISREG(status.st_mode):
            raise no_file(
                self.shown(path), status and KINDS_OF_FILES.get(stat.S_IFMT(status.st_mode))
            )
        return status.st_size
