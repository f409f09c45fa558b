"""Access to a harness's output, whether it is a folder or an archive of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from helm_wandb.errors import ArtifactError
from helm_wandb.text.safe_text import plain

CHUNK_BYTES = 1 << 18
"""Bytes of a piece of a large file."""
MUST_BE = "must be an evaluation's output folder, or a .tar, .tar.gz or .zip of it"


class Limits(Struct, frozen=True, kw_only=True):
    """Sizes that no harness's output has, and that might harm the machine that reads it."""

    file_bytes: int = 1 << 30
    """Size of a file, which is read whole. The largest that is read, per_instance_stats.json, takes
    up to 13 KB an instance and perturbation: enough for 80,000."""
    total_bytes: int = 64 << 30
    """Uncompressed size of a compressed archive. Twenty checkpoints with the 90 core benchmarks
    make 11 GB of per_instance_stats.json, and about as much of all the rest."""
    ratio: int = 300
    """Uncompressed bytes per compressed byte. Single files of HELM reach 83, a whole tree 30, a
    bomb 1,000, which is the most that deflate can do."""
    harmless_bytes: int = 64 << 20
    """Uncompressed bytes up to which the ratio does not count."""
    entries: int = 1_000_000
    """Entries of an archive; HELM writes nine a run, so that these are of 110,000 runs. The
    folders count once more."""
    name_characters: int = 128 << 20
    """Characters of all paths of an archive, which are held in memory; HELM's have some 100."""


class Files(Protocol):
    """The content of a harness's output folder.

    Paths are relative to that folder, with `/` between their parts. Links are followed inside
    of it. All methods raise ArtifactError if a path goes through a link that leads out. Any
    process may use a copy, forked or pickled: nothing is held open.
    """

    def is_file(self, path: str) -> bool:
        """Return whether anything but a folder is there: what read() returns, or refuses.

        So a FIFO or a link that leads out is never taken for a file that nobody wrote.
        """

    def is_folder(self, path: str) -> bool:
        """Return whether a folder is there; false for a link that leads out."""

    def names(self, folder: str) -> list[str]:
        """Return the sorted names of the files and folders in it; none if it is no folder."""

    def read(self, path: str) -> bytes:
        """Return the file's content; raise ArtifactError, with the file's name, if it can't."""

    def chunks(self, path: str) -> Iterator[bytes]:
        """Yield the file's content piece by piece, of a file of any size; raise as `read` does."""

    def local(self, path: str) -> AbstractContextManager[Path]:
        """Return a real file with the content; raise as `read` does, for a file of any size.

        It may be a temporary one, which is gone when the context ends.
        """

    def shown(self, path: str) -> str:
        """Return the path for messages: on one line, nothing invisible in it."""


def refuse_size(shown: str, size: int, limits: Limits) -> None:
    """Raise ArtifactError if the file is too large to be read."""
    if size > limits.file_bytes:
        raise ArtifactError(
            f"{shown}: has {size:,} bytes, and files over {limits.file_bytes:,} are not read. "
            "Evaluate fewer instances (helm-run --max-eval-instances; --limit of lm_eval or "
            "inspect)."
        )


def no_file(shown: str, kind: str | None) -> ArtifactError:
    """Return the error of a path that leads to no file.

    kind: what else is there; None for nothing.
    """
    problem = f"is {kind}, not a file" if kind else "doesn't exist"
    return ArtifactError(f"{shown}: {problem}. Check the step that wrote it.")


def leads_out(shown: str, shown_root: str) -> ArtifactError:
    """Return the error of a path that leaves the output folder."""
    return ArtifactError(
        f"{shown}: leads out of {shown_root}, and only files in it are read. Replace the link "
        "with a copy of its target (cp -rL)."
    )


def unreadable(shown: str, error: OSError | ValueError) -> ArtifactError:
    """Return the error of a file or folder that can't be read."""
    reason = error.strerror if isinstance(error, OSError) else None
    reason = reason or plain(str(error))
    return ArtifactError(f"{shown}: cannot be read: {reason}. Check the step that wrote it.")
