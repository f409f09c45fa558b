"""The report as a page in a file: the HTML report, or the comment's Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from helm_wandb.model import Receipt, Report
from helm_wandb.sinks import write_file


class RenderedFile(Struct, frozen=True):
    """Writes the page, making the folders on the way to it."""

    name: str
    path: Path
    render: Callable[[Report], str]

    def deliver(self, report: Report) -> Receipt:
        """Write the file; raises SinkError if it cannot be written."""
        return write_file(self.name, self.path, self.render(report).encode())
