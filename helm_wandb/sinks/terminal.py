"""The report on standard output."""

from __future__ import annotations

from typing import ClassVar, TextIO

from msgspec import Struct

from helm_wandb.model import Receipt, Report
from helm_wandb.render import terminal
from helm_wandb.runner.workflow import group, literal
from helm_wandb.sinks import print_text


class Terminal(Struct, frozen=True, kw_only=True):
    """Prints the report."""

    name: ClassVar[str] = "terminal"
    stream: TextIO | None
    width: int | None = None
    """Columns of the terminal; None if the stream is none."""
    colour: bool = False
    literal_token: str | None = None
    """In a workflow's log: the random token that switches commands in the text off."""

    def deliver(self, report: Report) -> Receipt:
        """Done, with an empty line after the report, or skipped if nobody reads on (`| head`).

        Raises SinkError if it cannot be written, as on a full disk.
        """
        return print_text(self.name, self.stream, f"{self._rendered(report)}\n")

    def _rendered(self, report: Report) -> str:
        if self.literal_token is not None:
            leaderboard, details = terminal.render_parts(report)
            shown = literal(leaderboard, token=self.literal_token)
            return shown + group("All scores", literal(details, token=self.literal_token))
        if self.width is None:
            return terminal.render_piped(report)
        return terminal.render(report, width=self.width, colour=self.colour)
