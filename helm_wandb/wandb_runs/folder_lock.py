"""Whose turn it is to record in a folder: one process at a time."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from helm_wandb.errors import SinkError
from helm_wandb.wandb_runs import receipt_texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAUSE_SECONDS = 0.1


@contextmanager
def turn(folder: Path, *, seconds: float) -> Iterator[None]:
    """Nobody else who waits for a turn in the folder goes on until this ends.

    The folder itself is locked, so that no file is left; who dies gives the turn back.
    seconds: how long to wait. Raises SinkError after that, OSError where there is no such folder.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        until = time.monotonic() + seconds
        while not _taken(descriptor):
            if time.monotonic() > until:
                raise SinkError(receipt_texts.no_turn(folder, max(0.0, seconds)))
            time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    """Whether the turn is ours; so it is where the file system knows no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    return True
