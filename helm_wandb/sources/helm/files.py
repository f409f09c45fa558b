"""Access to a HELM output folder, whether it lies there as a folder or as an archive of it."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from helm_wandb.errors import ArtifactError
from helm_wandb.system.files import KINDS
from helm_wandb.text.safe_text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""What was a plain file a moment ago may be a link or a FIFO by now: neither may be waited for."""
_KINDS = {**KINDS, stat.S_IFLNK: "a link that leads nowhere"}
MUST_BE = "must be HELM's output folder, or a .tar, .tar.gz or .zip of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is too much to be HELM's output, and might harm the machine that reads it."""

    file_bytes: int = 1 << 30
    """Of one file, which is read whole. The largest that is read, per_instance_stats.json, takes
    up to 13 KB an instance and perturbation: enough for 80,000."""
    total_bytes: int = 64 << 30
    """Of a compressed archive, uncompressed. Twenty checkpoints with the 90 core benchmarks make
    11 GB of per_instance_stats.json, and about as much of all the rest."""
    ratio: int = 300
    """Of uncompressed to compressed bytes. Single files of HELM reach 83, a whole tree 30, a bomb
    1,000, which is the most that deflate can do."""
    harmless_bytes: int = 64 << 20
    """Uncompressed bytes up to which the ratio does not count."""
    entries: int = 1_000_000
    """Of an archive; HELM writes nine a run, so that these are of 110,000 runs. The folders count
    once more on their own."""
    name_characters: int = 128 << 20
    """Of all paths of an archive, which are held in memory; HELM's have about 100 each."""


class Files(Protocol):
    """What the HELM output folder holds.

    Paths are relative to that folder, with `/` between their parts. Links are followed inside
    of it. All methods raise ArtifactError where a path goes through a link that leads out. Any
    process may use a copy, forked or pickled: nothing is held open.
    """

    def is_file(self, path: str) -> bool:
        """Whether something other than a folder is there: what read() returns, or tells why not.

        So a FIFO or a link that leads out is never taken for a file that HELM did not write.
        """

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there; false for a link that leads out (HELM's `runs/latest`)."""

    def names(self, folder: str) -> list[str]:
        """The sorted names of the files and folders in it; none where it is no folder."""

    def size(self, path: str) -> int:
        """The file's bytes, uncompressed; ArtifactError where it is no file."""

    def read(self, path: str) -> bytes:
        """The file's content; ArtifactError, naming the file, where it cannot be had."""

    def shown(self, path: str) -> str:
        """The path as messages name it: on one line, nothing invisible in it."""


@contextmanager
def opened(path: Path, *, shown_as: str, limits: Limits | None = None) -> Iterator[Files]:
    """The files of the folder, or of the `.tar`, `.tar.gz` or `.zip`, told by its content.

    shown_as: how messages name it. Temporary files are gone when the context ends.
    Raises ArtifactError where nothing is there, or what is no such archive, or a bad one.
    """
    limits = limits or Limits()
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise unreadable(plain(shown_as), error) from error
    if stat.S_ISDIR(mode):
        yield Folder(path, shown_as=shown_as, limits=limits)
    elif stat.S_ISREG(mode):
        # Only an archive pays for the import of what unpacks it.
        from helm_wandb.sources.helm import archive  # noqa: PLC0415

        with archive.opened(path, shown_as=shown_as, limits=limits) as files:
            yield files
    else:
        message = f"{plain(shown_as)}: is {_KINDS[stat.S_IFMT(mode)]}. It {MUST_BE}."
        raise ArtifactError(message)


class Folder:
    """A real folder; only what lies in it is read."""

    def __init__(self, path: Path, *, shown_as: str, limits: Limits) -> None:
        self._root = os.path.realpath(path)
        self._shown_as = shown_as
        self._limits = limits

    def is_file(self, path: str) -> bool:
        """As Files tells."""
        mode = self._mode(path)
        return mode is not None and not stat.S_ISDIR(mode)

    def is_folder(self, path: str) -> bool:
        """As Files tells."""
        mode = self._mode(path)
        return mode is not None and stat.S_ISDIR(mode)

    def names(self, folder: str) -> list[str]:
        """As Files tells."""
        if not self.is_folder(folder):
            return []
        try:
            with os.scandir(self._inside(folder)) as entries:
                return sorted(entry.name for entry in entries)
        except OSError as error:
            raise unreadable(self.shown(folder), error) from error

    def size(self, path: str) -> int:
        """As Files tells."""
        return self._size(path, self._inside(path))

    def read(self, path: str) -> bytes:
        """As Files tells."""
        place = self._inside(path)
        size = self._size(path, place)
        refuse_size(self.shown(path), size, self._limits)
        try:
            with os.fdopen(os.open(place, _FLAGS), "rb") as stream:
                data = stream.read(size + 1)
        except OSError as error:
            raise unreadable(self.shown(path), error) from error
        if len(data) != size:
            message = (
                f"{self.shown(path)}: changed while it was read. Wait until what writes it has "
                "ended, then run this again."
            )
            raise ArtifactError(message)
        return data

    def shown(self, path: str) -> str:
        """As Files tells."""
        return plain(posixpath.join(self._shown_as, path) if path else self._shown_as)

    def _mode(self, path: str) -> int | None:
        """The mode of what the path leads to, or of the link itself if it leads out."""
        place = self._place(path)
        if place is None:
            self._inside(posixpath.dirname(path))
            return stat.S_IFLNK
        status = self._status(path, place)
        return None if status is None else status.st_mode

    def _place(self, path: str) -> str | None:
        """Where the path leads to, all links followed, or None where that is not in the folder."""
        place = self._root
        for part in path.split("/"):
            place = f"{place}/{part}"
            if part in {"", ".", ".."} or os.path.islink(place):  # noqa: PTH114 -- quicker
                return self._resolved(path)
        return place

    def _resolved(self, path: str) -> str | None:
        """As _place tells, of any path; it takes three times as long."""
        try:
            place = os.path.realpath(os.path.join(self._root, path))  # noqa: PTH118 -- quicker
        except ValueError:  # no file system has such a name
            return posixpath.join(self._root, path)
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
            raise no_file(self.shown(path), status and _KINDS.get(stat.S_IFMT(status.st_mode)))
        return status.st_size


def refuse_size(shown: str, size: int, limits: Limits) -> None:
    """Nothing, or the ArtifactError of a file that is too large to be read."""
    if size > limits.file_bytes:
        message = (
            f"{shown}: has {size:,} bytes, and files over {limits.file_bytes:,} are not read. "
            "Run HELM with fewer instances (--max-eval-instances)."
        )
        raise ArtifactError(message)


def no_file(shown: str, kind: str | None) -> ArtifactError:
    """The error of a path that leads to no file. kind: what else is there, None for nothing."""
    found = f"is {kind}, not a file" if kind else "is not there"
    return ArtifactError(f"{shown}: {found}. Check the step that wrote it.")


def leads_out(shown: str, shown_root: str) -> ArtifactError:
    """The error of a path that leaves the HELM output folder."""
    return ArtifactError(
        f"{shown}: leads out of {shown_root}, and only what lies in it is read. Replace the link "
        "by a copy of what it leads to (cp -rL)."
    )


def unreadable(shown: str, error: OSError | ValueError) -> ArtifactError:
    """The error of what is there, but cannot be had."""
    reason = error.strerror if isinstance(error, OSError) else None
    reason = reason or plain(str(error))
    return ArtifactError(f"{shown}: cannot be read: {reason}. Check the step that wrote it.")
