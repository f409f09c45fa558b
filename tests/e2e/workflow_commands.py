"""What the runner makes of a step's log: annotations, masks, and the lines that are shown.

Source: actions/runner 2.336.0, Runner.Common/ActionCommand.cs,
Runner.Worker/ActionCommandManager.cs and ExecutionContext.cs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

ANNOTATIONS = ("error", "warning", "notice")
_KNOWN = frozenset(
    {
        *ANNOTATIONS,
        *("add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "group"),
        *("remove-matcher", "save-state", "set-env", "set-output", "stop-commands"),
    }
)
_SHOWN = 10
"""Annotations of a kind in a step."""
_CHARACTERS = 4096
"""Longest message of an annotation."""
_MODERN = re.compile(r"\s*::(?P<name>[^\s:]+)(?: (?P<properties>.*?))?::(?P<data>.*)", re.DOTALL)
_ANCIENT = re.compile(
    r".*?##\[(?P<name>[^\s\]]+)(?: (?P<properties>[^\]]*))?\](?P<data>.*)", re.DOTALL
)
_ESCAPES = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%3B", ";"), ("%5D", "]"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What is shown next to a line of a file, and on the run's page."""

    kind: str
    message: str
    properties: dict[str, str]


@dataclass(slots=True, kw_only=True)
class Log:
    """A step's log, fed line by line."""

    masks: set[str] = field(default_factory=set)
    """The runner knows a workflow's secrets from the start."""
    annotations: list[Annotation] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """The lines as users see them."""
    obeyed: list[str] = field(default_factory=list)
    """The names of the other commands that were carried out."""
    _token: str | None = None
    """Given while commands are switched off."""

    def read(self, line: str) -> None:
        """Obey the line if it is a command, else show it."""
        known = _KNOWN if self._token is None else {self._token}
        match = _command(line, known)
        if match is None:
            self.shown.append(self._masked(line))
            return
        name, properties, data = match
        if self._token is not None:
            self._token = None
        elif name == "stop-commands":
            self._token = data
        elif name == "add-mask":
            self.masks |= {part for part in (data, *data.splitlines()) if part.strip()}
        elif name in ANNOTATIONS:
            self._annotate(name, properties, data)
        else:
            self.obeyed.append(name)

    def _annotate(self, kind: str, properties: dict[str, str], message: str) -> None:
        if len([one for one in self.annotations if one.kind == kind]) < _SHOWN:
            text = self._masked(message)[:_CHARACTERS]
            self.annotations.append(Annotation(kind=kind, message=text, properties=properties))

    def _masked(self, text: str) -> str:
        for mask in sorted(self.masks, key=len, reverse=True):
            text = text.replace(mask, "***")
        return text


def _command(line: str, known: Collection[str]) -> tuple[str, dict[str, str], str] | None:
    """Name, properties and data of a command; None if the line is none."""
    for form, parting in ((_MODERN, ","), (_ANCIENT, ";")):
        match = form.match(line)
        if match and match["name"] in known:
            pairs = (part.partition("=") for part in (match["properties"] or "").split(parting))
            properties = {key.strip(): _plain(value) for key, found, value in pairs if found}
            return match["name"], properties, _plain(match["data"])
    return None


def _plain(text: str) -> str:
    for escape, character in _ESCAPES:
        text = text.replace(escape, character)
    return text.replace("%25", "%")
