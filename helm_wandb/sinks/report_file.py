"""The report as a JSON file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from helm_wandb.errors import SinkError
from helm_wandb.model import Receipt, Report, Status
from helm_wandb.report import json_pieces
from helm_wandb.system.files import write_whole


@dataclass(frozen=True, slots=True)
class ReportFile:
    """Writes the report JSON, making the folders on the way to it."""

    name: ClassVar[str] = "report"
    path: Path

    def deliver(self, report: Report) -> Receipt:
        """Write the file; raises SinkError if it cannot be written."""
        try:
            write_whole(self.path, json_pieces(report))
        except OSError as error:
            raise SinkError(
                f"{error.filename}: the report cannot be written: {error.strerror}"
            ) from error
        return Receipt(sink=self.name, status=Status.DONE, reason=f"written to {self.path}")
