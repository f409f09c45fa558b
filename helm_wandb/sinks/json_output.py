"""The report JSON on standard output, for other programs."""

from __future__ import annotations

import re
from typing import ClassVar, TextIO

from msgspec import Struct

from helm_wandb.model import Receipt, Report
from helm_wandb.report import to_json
from helm_wandb.sinks import print_text

_ESCAPED = re.compile(r"[^\x00-\x7f]|(?<=#)#(?=\[)")
"""Characters that an encoding may lack; and of `##[`, which GitHub's runner takes for a command
anywhere in a line, the second sign. Either stands within strings only."""


class JsonOutput(Struct, frozen=True):
    """Prints the report JSON, in ASCII, and nothing else."""

    name: ClassVar[str] = "standard output"
    stream: TextIO | None

    def deliver(self, report: Report) -> Receipt:
        """Done, or skipped if nobody reads on; raises SinkError if it cannot be written."""
        text = _ESCAPED.sub(_escape, to_json(report).decode())
        return print_text(self.name, self.stream, text)


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
