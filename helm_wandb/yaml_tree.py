"""A YAML file as plain data, with the place of every key and value.

What YAML allows and a config must not hold (tags, dates, keys given twice, …) is a problem here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.constructor import SafeConstructor

from helm_wandb.errors import ConfigError, Problem
from helm_wandb.model import Place
from helm_wandb.yaml_syntax import LIMIT_DEPTH, read_node, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]
"""Keys and indices from the root: `("evals", 0, "source")`."""

LIMIT_NODES = 100_000
"""Values after aliases are expanded: a few lines of aliases can stand for billions."""

LIMIT_BITS = 1_000
"""Of a whole number; more would not even fit a float."""

_TAG_PREFIX = "tag:yaml.org,2002:"
_MERGE_TAG = _TAG_PREFIX + "merge"
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_PLACEHOLDER = re.compile(r"(?:.* )?(?:\.\.\.|…)|<[^<>]*>")
_QUOTED_PLACEHOLDER = re.compile(r"<your [^<>]*>")
_EXPONENT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+")
_OTHER_BASE = re.compile(r"[-+]?0[0-7_]+|.*:.*")
_HEXADECIMAL = re.compile(r"[-+]?0[xb]")

_TAG: Final = "is marked {}: a config holds no YAML tags; remove it"
_DATE: Final = 'YAML reads {0} as a date: put it in quotes, "{0}"'
_STANDS_FOR: Final = "{} stands for a value in the documentation: put the real one here, or remove it"
_BASE: Final = "YAML reads {0} as a number to base 8 or 60: put it in quotes, or write a plain number"
_MALFORMED: Final = "{} is a number that is too long, or is none: put it in quotes if it is a text"
_SELF: Final = "this alias refers to what it is in: write the value out"
_DEEP: Final = f"aliases nest deeper than {LIMIT_DEPTH} levels: write the values out"
_MANY: Final = f"more than {LIMIT_NODES:,} values, those of aliases counted wherever they are used"


@dataclass(frozen=True, slots=True)
class Spot:
    """One value of the file."""

    key: Place
    """Where its key is; in a list, and at the root, where itself is."""
    place: Place
    data: Any
    text: str | None
    """A scalar as it is written; None for lists and mappings."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A YAML file, read."""

    data: Any
    spots: Mapping[Path, Spot]
    problems: tuple[Problem, ...]
    refused: frozenset[Path]
    """Paths whose problem is told already; their data only stands in."""


def json_path(path: Path) -> str:
    """The written form, `$.evals[0].source`."""
    return "$" + "".join(map(_written, path))


def _written(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _NAME.fullmatch(part) else f'["{shown(part)}"]'


def read(data: bytes, *, file: str) -> Tree:
    """The data and places of a file, and every problem that YAML alone can tell.

    Raises ConfigError where there is nothing to go on with.
    """
    node, problems = read_node(data, file=file)
    walk = _Walk(file, problems)
    value = walk.value(node, (), key=walk.place(node), ancestors=())
    return Tree(value, walk.spots, tuple(walk.problems), frozenset(walk.refused))


class _Walk:
    """One way through the nodes; what it finds on it."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        """Begin with the problems that are known already."""
        self.file = file
        self.problems = problems
        self.spots: dict[Path, Spot] = {}
        self.refused: set[Path] = set()
        self.nodes = 0
        self.constructor = SafeConstructor()

    def place(self, node: yaml.Node) -> Place:
        """Where the node begins."""
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def problem(self, node: yaml.Node, path: Path, message: str) -> None:
        """Tell what is wrong with the node, and keep others from telling it again."""
        self.problems.append(Problem(self.place(node), json_path(path), message))
        self.refused.add(path)

    def value(
        self, node: yaml.Node, path: Path, *, key: Place, ancestors: tuple[yaml.Node, ...]
    ) -> Any:
        """The node's data; a stand-in where it is refused."""
        self.count(node, path)
        data: Any = None
        if any(node is ancestor for ancestor in ancestors):
            self.problem(node, path, _SELF)
        elif len(ancestors) > LIMIT_DEPTH:
            self.problem(node, path, _DEEP)
        elif isinstance(node, yaml.ScalarNode):
            data = self.scalar(node, path)
        elif node.tag not in {_TAG_PREFIX + "map", _TAG_PREFIX + "seq"}:
            self.problem(node, path, _TAG.format(_short_tag(node)))
        elif isinstance(node, yaml.SequenceNode):
            data = self.sequence(node, path, (*ancestors, node))
        elif isinstance(node, yaml.MappingNode):
            data = self.mapping(node, path, (*ancestors, node))
        text = node.value if isinstance(node, yaml.ScalarNode) else None
        self.spots[path] = Spot(key, self.place(node), data, text)
        return data

    def count(self, node: yaml.Node, path: Path) -> None:
        """Raise ConfigError once aliases have made too much of a small file."""
        self.nodes += 1
        if self.nodes > LIMIT_NODES:
            self.problem(node, path, _MANY)
            raise ConfigError(self.problems)

    def sequence(
        self, node: yaml.SequenceNode, path: Path, ancestors: tuple[yaml.Node, ...]
    ) -> list[Any]:
        """The items."""
        return [
            self.value(item, (*path, index), key=self.place(item), ancestors=ancestors)
            for index, item in enumerate(node.value)
        ]

    def mapping(
        self, node: yaml.MappingNode, path: Path, ancestors: tuple[yaml.Node, ...]
    ) -> dict[str, Any]:
        """The values by their keys, those of merged mappings included."""
        return {
            key: self.value(value, (*path, key), key=self.place(key_node), ancestors=ancestors)
            for key, (key_node, value) in self.pairs(node, path, ancestors).items()
        }

    def pairs(
        self, node: yaml.MappingNode, path: Path, ancestors: tuple[yaml.Node, ...]
    ) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Key and value nodes; a key of the mapping itself goes before a merged one."""
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        merged: list[yaml.Node] = []
        for key_node, value in node.value:
            self.count(key_node, path)
            key = self.key(key_node, path)
            if key in own:
                first = self.place(own[key][0]).line
                message = f"this key stands already on line {first}: remove one of the two"
                self.problems.append(Problem(self.place(key_node), json_path((*path, key)), message))
            elif key_node.tag == _MERGE_TAG:
                merged.append(value)
            elif key is not None:
                own[key] = (key_node, value)
        for value in merged:
            for source in self.sources(value, path, ancestors):
                own = self.pairs(source, path, (*ancestors, source)) | own
        return own

    def sources(
        self, node: yaml.Node, path: Path, ancestors: tuple[yaml.Node, ...]
    ) -> Iterator[yaml.MappingNode]:
        """The mappings that a merge key takes over."""
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(source, yaml.MappingNode):
                self.problem(source, (*path, "<<"), "`<<` takes over mappings (`<<: *name`) only")
            elif any(source is ancestor for ancestor in ancestors):
                self.problem(source, (*path, "<<"), _SELF)
            elif len(ancestors) > LIMIT_DEPTH:
                self.problem(source, (*path, "<<"), _DEEP)
            else:
                yield source

    def key(self, node: yaml.Node, path: Path) -> str | None:
        """The key's text; None where there is none to go on with."""
        if not isinstance(node, yaml.ScalarNode):
            message = "a key must be text, and this is a list or a mapping"
            self.problems.append(Problem(self.place(node), json_path(path), message))
            return None
        text = str(node.value)
        if node.tag == _MERGE_TAG:
            return text
        inner = (*path, text)
        if not isinstance(self.scalar(node, inner), str) and inner not in self.refused:
            message = f"a key must be text, but YAML does not read {shown(text)} as text: put it in quotes"
            self.problem(node, inner, message)
        return text

    def scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        """The text, number, boolean or None; the text as it is written where it is refused."""
        text = str(node.value)
        try:
            return self.refuse(node) or self.plain_value(node)
        except (ValueError, KeyError, OverflowError):
            self.problem(node, path, _MALFORMED.format(shown(text)))
        return text
