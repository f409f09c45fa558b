"""Progress of a long reading, for a person who waits at a terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from helm_wandb.system import signals

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE_SECONDS = 1.0
_LINE_AND_CURSOR = b"\r\x1b[2K\x1b[?25h"
"""Clears the bar's line and shows the cursor, which rich hides."""


def no_progress(done: int, total: int) -> None:
    """Say nothing."""


def progress_bar(stream: TextIO | None) -> Callable[[int, int], None]:
    """A bar on the stream, shown once the work has taken a second; nothing if nobody looks."""
    if stream is None or not stream.isatty():
        return no_progress
    return _Bar(stream)


class _Bar:
    """A bar that is drawn again at each reported step; it starts no thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._started = time.monotonic()
        self._shown: tuple[Progress, TaskID] | None = None

    def __call__(self, done: int, total: int) -> None:
        """Draw so much of the bar, and end it with the last step."""
        if self._shown is None and time.monotonic() - self._started < _PATIENCE_SECONDS:
            return
        progress, task = self._shown = self._shown or self._begun(total)
        progress.update(task, completed=done, refresh=True)
        if done == total:
            progress.stop()
            signals.forget(self._clear)
            self._shown = None

    def _begun(self, total: int) -> tuple[Progress, TaskID]:
        # Imported here: most runs are over before a bar is worth its import.
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import Progress  # noqa: PLC0415

        signals.on_stop(self._clear)
        progress = Progress(console=Console(file=self._stream), auto_refresh=False, transient=True)
        progress.start()
        return progress, progress.add_task("Reading per-instance scores", total=total)

    def _clear(self) -> None:
        os.write(self._stream.fileno(), _LINE_AND_CURSOR)
