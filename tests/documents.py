"""What people read, taken apart: the headings, code, tables and links of a Markdown file."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = ("comparison", "config", "command-line", "matrix", "migration", "wandb", "messages")
ENGLISH = ("README.md", *(f"docs/{name}.md" for name in PAGES))
KOREAN = ("README.ko.md", *(f"docs/{name}.ko.md" for name in PAGES))
GAP = "…"
"""Placeholder of a quoted message."""

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, and its language, which may be empty."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link or picture."""

    target: str
    text: str
    is_picture: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A Markdown file."""

    path: Path

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @property
    def blocks(self) -> list[Block]:
        """The fenced blocks."""
        return [Block(*found) for found in _FENCED.findall(self.text)]

    @property
    def prose(self) -> str:
        """All but the fenced blocks."""
        return _FENCED.sub("", self.text)

    @property
    def headings(self) -> list[tuple[int, str]]:
        """Level and words of each."""
        return [(len(marks), words) for marks, words in _HEADING.findall(self.prose)]

    @property
    def anchors(self) -> set[str]:
        """What links may name behind `#`, as GitHub makes it of headings."""
        kept = (re.sub(r"[^\w\- ]", "", words.lower()) for _, words in self.headings)
        return {words.replace(" ", "-") for words in kept}

    @property
    def links(self) -> list[Link]:
        """Links and pictures in their order, without those in code."""
        found = _LINK.findall(_CODE.sub("", self.prose))
        return [Link(target, text, is_picture=bool(mark)) for mark, text, target in found]

    @property
    def tables(self) -> list[list[list[str]]]:
        """The cells of each table, head included."""
        lines = groupby(self.prose.splitlines(), key=lambda line: line.startswith("|"))
        return [[_cells(line) for line in table] for is_table, table in lines if is_table]

    def section(self, heading: str) -> str:
        """What stands under a heading of the second level."""
        return self.text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]

    def code(self) -> list[set[str]]:
        """What stands in code, of each section of the second level."""
        return [{found[1].strip() for found in _CODE.findall(one)} for one in self._sections()]

    def _sections(self) -> list[str]:
        return re.split(r"^## .*$", self.prose, flags=re.MULTILINE)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def code_of(cell: str) -> list[str]:
    """What stands in code in a table's cell."""
    return [found[1].strip() for found in _CODE.findall(cell)]


@cache
def literals() -> tuple[str, ...]:
    """Each text in the package's code, and the config's schema, which has some too."""
    paths = sorted((ROOT / "helm_wandb").rglob("*.py"))
    schema = (ROOT / "schema/config.schema.json").read_text(encoding="utf-8")
    return (*(text for path in paths for text in texts_of(path)), schema)


def texts_of(path: Path) -> list[str]:
    """Each text in a module's code, `…` for what it is filled with, docstrings left out."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    others = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    others |= {id(one) for node in nodes if isinstance(node, ast.JoinedStr) for one in node.values}
    said = (constant_text(node) for node in nodes if id(node) not in others)
    return list(filter(None, said))


def constant_text(node: ast.AST) -> str | None:
    """The text that an expression is, `…` for what it is filled with; None for others."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(constant_text(one) or GAP for one in node.values)
    return None


def fixed(message: str) -> list[str]:
    """The words of a quoted message that never change."""
    return [words for part in message.split(GAP) if (words := part.strip(" .:,;()`"))]


def is_said(message: str) -> bool:
    """Whether one text of the code has the words of a quoted message, in their order."""
    return any(pattern_of(message).search(text) for text in literals())


def pattern_of(message: str) -> re.Pattern[str]:
    """The words of a quoted message, in their order."""
    return re.compile(".*?".join(map(re.escape, fixed(message))), re.DOTALL)
