r"""Regular expressions of a config, run by RE2: the config and the texts may be anybody's.

RE2 never backtracks, so a search takes time in proportion to the text. The price: it has neither
lookaround nor backreferences, and its `\d`, `\w`, `\s` and `\b` know ASCII only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol, Self

from msgspec import Struct

from helm_wandb.text.words import shorten

SYNTAX = "https://github.com/google/re2/wiki/Syntax"
_MEMORY_BYTES = 1 << 20
"""Memory of a compiled pattern, which is refused beyond some 10,000 instructions: a search can
take 10 ns for each of them, for each character."""
_LONGEST_SHOWN = 60
_HINTS = {
    r"invalid perl operator: \(\?[=!<]": (
        "lookaround is not supported; match the text around the group instead"
    ),
    r"invalid escape sequence: \\[1-9]": "backreferences are not supported",
    r"invalid perl operator: \(\?P": (
        "backreferences are not supported; a group's name is written `(?P<name>…)`"
    ),
    r"invalid escape sequence: \\Z": "write `\\z`",
    r"missing [])]": "close the bracket",
    "bad repetition operator": "drop the second sign; RE2 never backtracks",
    "invalid repetition size|pattern too large": "repeat at most 1,000 times, or use + or *",
}
"""Beginnings of RE2's own words, and what to do."""

Span = tuple[int, int]
"""Where a group's match begins and ends; -1 twice if the group is not part of the match."""


class _Compiled(Protocol):
    """RE2's pattern, as far as it is used here; the package has no types."""

    groups: int

    def search(self, text: str) -> _Match | None: ...


class _Match(Protocol):
    def span(self, group: int) -> Span: ...


class Pattern(Struct, frozen=True):
    """A regular expression of RE2's syntax."""

    _compiled: _Compiled

    @classmethod
    def compile(cls, text: str) -> Self:
        """Return the pattern; raise ValueError with a clause that says what is wrong with it."""
        # Imported here: configs without patterns need none of its 10 ms.
        import re2  # type: ignore[import-untyped]  # noqa: PLC0415

        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MEMORY_BYTES
        try:
            return cls(re2.compile(text, options))
        except re2.error as error:
            (said,) = error.args
            raise ValueError(_explained(said.decode(errors="replace"))) from None

    @property
    def groups(self) -> int:
        """Number of groups."""
        return self._compiled.groups

    def search(self, text: str) -> Sequence[Span] | None:
        """Spans of the first match and of its groups, or None if nothing matches."""
        # RE2 reads UTF-8, which has no lone surrogate: a ? takes its place.
        match = self._compiled.search(text.encode(errors="replace").decode())
        return [match.span(group) for group in range(self.groups + 1)] if match else None


def _explained(said: str) -> str:
    """Clause that says what RE2 refuses, which may end in a part of the pattern, and what to do."""
    hints = (hint for beginning, hint in _HINTS.items() if re.match(beginning, said))
    advice = next(hints, f"see {SYNTAX}")
    return f"is not a valid RE2 pattern: `{shorten(said, _LONGEST_SHOWN)}`: {advice}"
