"""`python -m tests.prose`: find the words that CONTRIBUTING.md replaces, in every file of ours.

The column `not` of its table is the style: each phrase in code there is refused, in any case, also
in an identifier and over a line break. That table is exempt, and so is a line that quotes others
and says so: `prose: quoted`. Data and golden files are not searched: these hold what others wrote,
or what searched files say.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .documents import ROOT, Document, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUOTED = "prose: quoted"
NOT_OURS = ("tests/data", "tests/golden", "requirements/*.txt", "*/package-lock.json", "LICENSE")
_HEAD = ["write", "not"]
_TABLE = re.compile(r"^\| write \| not \|\n(?:\|.*\n)+", re.MULTILINE)
_BETWEEN = r"""(?!\n+from )[\s_#"'/-]+"""
"""Separator of a phrase's words, also in identifiers and over the lines of comments and texts."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|\\[nrt]")
"""Where a word begins inside of an identifier, and escapes, whose letter belongs to no word."""


@dataclass(frozen=True)
class Style:
    """The words that are refused, and what to write instead."""

    instead: dict[str, str]
    """By phrase, in lower case."""

    @classmethod
    def of_document(cls, path: Path = ROOT / "CONTRIBUTING.md") -> Style:
        """Return the style that the table of a document is."""
        rows = (row for table in Document(path).tables if table[0] == _HEAD for row in table[2:])
        return cls({phrase: write for write, refused in rows for phrase in code_of(refused)})

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        phrases = (_BETWEEN.join(map(re.escape, one.split())) for one in self.instead)
        return re.compile(rf"(?<![a-z])(?:{'|'.join(phrases)})(?![a-z])", re.IGNORECASE)

    def findings(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield the line and the phrase of each word that a text should not have."""
        text = _HUMP.sub(" ", _TABLE.sub(lambda table: "\n" * table[0].count("\n"), text))
        lines = text.splitlines()
        for found in self._pattern.finditer(text):
            first, last = (text.count("\n", 0, found.start() + at) for at in (0, len(found[0])))
            if not any(QUOTED in line for line in lines[first : last + 1]):
                yield first + 1, re.sub(_BETWEEN, " ", found[0].lower())


def paths() -> list[Path]:
    """Return the files of this project that are text of ours."""
    excluded = (f":(exclude){pattern}" for pattern in NOT_OURS)
    listed = subprocess.check_output(["git", "ls-files", "-z", "--", ".", *excluded], cwd=ROOT)  # noqa: S607
    files = (ROOT / name for name in listed.decode().split("\0") if name)
    return [path for path in files if path.is_file() and b"\0" not in path.read_bytes()]


def main() -> int:
    """Print each word that should not be there; return an exit code."""
    style = Style.of_document()
    count = 0
    for path in paths():
        for line, phrase in style.findings(path.read_text(encoding="utf-8")):
            count += 1
            place = f"{path.relative_to(ROOT)}:{line}"
            sys.stdout.write(f"{place}: {phrase!r}: write {style.instead[phrase]}\n")
    return min(count, 1)


if __name__ == "__main__":
    sys.exit(main())
