"""The report as the job's summary page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from helm_wandb.errors import SinkError
from helm_wandb.model import Provenance, Receipt, Report, Status
from helm_wandb.render import markdown
from helm_wandb.system import files

_LIMIT_BYTES = 1_048_576
"""A larger summary is refused whole (actions/runner, FileCommandManager.cs)."""
_FULL = "earlier output of this step leaves no room; the report JSON has everything"


class JobSummary(Struct, frozen=True):
    """Appends Markdown to the file at GITHUB_STEP_SUMMARY."""

    name: ClassVar[str] = "job summary"
    path: Path

    def deliver(self, report: Report) -> Receipt:
        """Done, or skipped if it is full; raises SinkError if it cannot be written."""
        return self._append(lambda room: markdown.render(report, limit_bytes=room))

    def deliver_unread(self, problems: Sequence[str], provenance: Provenance) -> Receipt:
        """Write the problems of a run that could read nothing."""
        return self._append(
            lambda room: markdown.render_unread(problems, provenance, limit_bytes=room)
        )

    def _append(self, text_of: Callable[[int], str]) -> Receipt:
        try:
            taken = self.path.stat().st_size if self.path.exists() else 0
            parting = "\n\n" if taken else ""
            text = text_of(_LIMIT_BYTES - taken - len(parting))
            if not text:
                return Receipt(sink=self.name, status=Status.SKIPPED, reason=_FULL)
            files.append_whole(self.path, f"{parting}{text}".encode())
        except OSError as error:
            raise SinkError(
                f"{self.path}: the job summary cannot be written: {error.strerror}"
            ) from error
        return Receipt(sink=self.name, status=Status.DONE)
