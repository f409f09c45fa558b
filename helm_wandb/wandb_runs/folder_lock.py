"""A lock of a folder, so that one process at a time records in it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helm_wandb.errors import SinkError
from helm_wandb.system.files import try_lock
from helm_wandb.wandb_runs import receipt_texts

_PAUSE_SECONDS = 0.1


@contextmanager
def locked(folder: Path, *, seconds: float) -> Iterator[None]:
    """Lock a folder against other processes that lock it, for the time of a block.

    The folder itself is locked, so that no file is left; a process that dies releases it.
    seconds: how long to wait. Raises SinkError after that, OSError if there is no such folder.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        until = time.monotonic() + seconds
        while not try_lock(descriptor):
            if time.monotonic() > until:
                raise SinkError(receipt_texts.busy_folder(folder, max(0.0, seconds)))
            time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)
