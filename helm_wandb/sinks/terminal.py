"""The report on standard output."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from helm_wandb.errors import SinkError
from helm_wandb.model import Receipt, Status
from helm_wandb.render import terminal
from helm_wandb.workflow import literal

if TYPE_CHECKING:
    from typing import TextIO

    from helm_wandb.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Prints the report."""

    name: ClassVar[str] = "terminal"
    stream: TextIO
    width: int | None = None
    """Columns of the terminal; None where the stream is none."""
    colour: bool = False
    literal_token: str | None = None
    """In a workflow's log: the random token that switches commands in the text off."""

    def deliver(self, report: Report) -> Receipt:
        """Done, with an empty line after the report, or skipped where nobody reads on (`| head`).

        Raises SinkError where it cannot be written, as on a full disk.
        """
        text = f"{self._rendered(report)}\n"
        if self.literal_token is not None:
            text = literal(text, token=self.literal_token)
        try:
            self.stream.write(_encodable(text, self.stream))
            self.stream.flush()
        except BrokenPipeError:
            _silence(self.stream)
            return Receipt(sink=self.name, status=Status.SKIPPED, reason="nobody reads it")
        except OSError as error:
            _silence(self.stream)
            message = f"standard output cannot be written: {error.strerror}"
            raise SinkError(message) from error
        return Receipt(sink=self.name, status=Status.DONE)

    def _rendered(self, report: Report) -> str:
        if self.width is None:
            return terminal.render_piped(report)
        return terminal.render(report, width=self.width, colour=self.colour)


def _encodable(text: str, stream: TextIO) -> str:
    """The text with `?` for what the stream's encoding lacks."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, errors="replace").decode(encoding)


def _silence(stream: TextIO) -> None:
    """Lead the stream nowhere: else Python fails again at exit on what its buffer holds."""
    with suppress(OSError), Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
