"""The report as an HTML page in a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from helm_wandb.errors import SinkError
from helm_wandb.model import Receipt, Report, Status
from helm_wandb.system.files import write_whole


@dataclass(frozen=True, slots=True)
class HtmlFile:
    """Writes the page, making the folders on the way to it."""

    name: ClassVar[str] = "HTML report"
    path: Path

    def deliver(self, report: Report) -> Receipt:
        """Write the file; raises SinkError if it cannot be written."""
        # Imported here: only who asks for the page pays for its templates.
        from helm_wandb.render.html import html_report  # noqa: PLC0415

        try:
            write_whole(self.path, html_report.render(report).encode())
        except OSError as error:
            raise SinkError(
                f"{error.filename}: the HTML report cannot be written: {error.strerror}"
            ) from error
        return Receipt(sink=self.name, status=Status.DONE, reason=f"written to {self.path}")
