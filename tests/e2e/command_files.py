"""What the runner reads from the file at GITHUB_OUTPUT.

Source: actions/runner 2.336.0, Runner.Worker/FileCommandManager.cs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE = re.compile(r"(?P<name>.+?)(?P<parting>=|<<)(?P<rest>.*)")


def outputs(text: str) -> dict[str, str]:
    """The outputs; raises ValueError if the runner would fail the step."""
    found = {}
    lines = iter(text.splitlines())
    for line in lines:
        match = _LINE.fullmatch(line)
        if match:
            several = match["parting"] == "<<"
            value = _until(match["rest"], lines) if several else match["rest"]
            found[match["name"]] = value
        elif line:
            message = f"no output: {line!r}"
            raise ValueError(message)
    return found


def _until(delimiter: str, lines: Iterator[str]) -> str:
    value: list[str] = []
    for line in lines:
        if line == delimiter:
            return "\n".join(value)
        value.append(line)
    message = f"the delimiter {delimiter!r} does not come again"
    raise ValueError(message)
