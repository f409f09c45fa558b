"""The files that a user names: what they hold, and where they were looked for."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from helm_wandb.errors import ABSOLUTE_PATH

if TYPE_CHECKING:
    from pathlib import Path

NOT_EXPANDED = "A leading ~ and $NAME are not expanded here: write the whole path."


def content(path: Path, *, at_most: int) -> bytes:
    """The first bytes of the file, so many at most.

    Raises OSError where it cannot be read, ValueError where it is no regular file, as a FIFO.
    """
    # Path.open takes no opener.
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            message = "it is no ordinary file"
            raise ValueError(message)
        return file.read(at_most)


def hint(name: str) -> str | None:
    """Why a file of this name may well be somewhere else; None where nothing tells that."""
    if name.startswith("/"):
        return ABSOLUTE_PATH
    return NOT_EXPANDED if is_unexpanded(name) else None


def is_unexpanded(name: str) -> bool:
    """Whether a shell would have made another name of it."""
    return name.startswith("~") or "$" in name


def _without_waiting(path: str, flags: int) -> int:
    """As `os.open`, but for a FIFO, which would wait for a writer without end."""
    return os.open(path, flags | os.O_NONBLOCK)
