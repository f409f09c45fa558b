"""The report as a JSON file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from helm_wandb.errors import SinkError
from helm_wandb.model import Receipt, Status
from helm_wandb.report import to_json

if TYPE_CHECKING:
    from pathlib import Path

    from helm_wandb.model import Report


@dataclass(frozen=True, slots=True)
class ReportFile:
    """Writes the report JSON, making the folders on the way to it."""

    name: ClassVar[str] = "report"
    path: Path

    def deliver(self, report: Report) -> Receipt:
        """Done; raises SinkError where the file cannot be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._write(to_json(report))
        except OSError as error:
            culprit = error.filename or self.path
            message = f"{culprit}: the report cannot be written: {error.strerror}"
            raise SinkError(message) from error
        return Receipt(sink=self.name, status=Status.DONE, reason=f"written to {self.path}")

    def _write(self, data: bytes) -> None:
        """Replace the file whole, so that nobody reads half of it, nor a link leads elsewhere."""
        if self.path.exists() and not self.path.is_file():
            self.path.write_bytes(data)
            return
        written = self.path.with_name(f".{self.path.name}.part")
        try:
            written.write_bytes(data)
            written.replace(self.path)
        finally:
            written.unlink(missing_ok=True)
