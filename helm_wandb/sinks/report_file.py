"""The report as a JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from helm_wandb.model import Receipt, Report
from helm_wandb.report import json_pieces
from helm_wandb.sinks import write_file


class ReportFile(Struct, frozen=True):
    """Writes the report JSON, making the folders on the way to it."""

    name: ClassVar[str] = "report"
    path: Path

    def deliver(self, report: Report) -> Receipt:
        """Write the file; raises SinkError if it cannot be written."""
        return write_file(self.name, self.path, json_pieces(report))
