"""The report as an HTML page in a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from helm_wandb.model import Receipt, Report
from helm_wandb.sinks import write_file


@dataclass(frozen=True, slots=True)
class HtmlFile:
    """Writes the page, making the folders on the way to it."""

    name: ClassVar[str] = "HTML report"
    path: Path

    def deliver(self, report: Report) -> Receipt:
        """Write the file; raises SinkError if it cannot be written."""
        # Imported here: only who asks for the page pays for its templates.
        from helm_wandb.render.html import html_report  # noqa: PLC0415

        return write_file(self.name, self.path, html_report.render(report).encode())
