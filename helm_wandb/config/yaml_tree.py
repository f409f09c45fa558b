"""A YAML file as plain data, with the place of every key and value.

What YAML allows and a config must not hold (tags, dates, keys given twice, …) is a problem here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

import yaml
from msgspec import Struct
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from helm_wandb.config.yaml_syntax import LIMIT_DEPTH, LONGEST_SHOWN, read_node, shown
from helm_wandb.errors import ConfigError, Problem
from helm_wandb.model import Place

Path = tuple[str | int, ...]
"""Keys and indices from the root: `("evals", 0, "source")`."""

LIMIT_NODES = 100_000
"""Values after aliases are expanded: a few lines of aliases can stand for billions."""

LIMIT_BITS = 1_000
"""Bits of a whole number; more would not even fit a float."""

_TAG_PREFIX = "tag:yaml.org,2002:"
_MERGE_TAG = _TAG_PREFIX + "merge"
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_PLACEHOLDER = re.compile(r"(?:.* )?(?:\.\.\.|…)|<[^<>]*>")
_EXPONENT = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+")
_OTHER_BASE = re.compile(r"[-+]?0[0-7_]+|.*:.*")
_RESOLVER = Resolver()
_SCALAR_TAGS = frozenset({"null", "bool", "int", "float", "str", "value", "merge"})

QUOTES: Final = "put it in quotes"
_TAG: Final = "has the tag {}: a config holds no YAML tags; remove it"
_DATE: Final = 'YAML reads {0} as a date: put it in quotes, "{0}"'
_STANDS_FOR: Final = "{} stands for a value in the documentation: put yours here, or remove it"
_BASE: Final = "YAML reads {} as a number to base 8 or 60: "
_PLAINLY: Final = "write it without colons and leading zeros"
_MALFORMED: Final = (
    "YAML takes {} for a number or boolean, and cannot read it: shorten it, or put it in quotes "
    "if it is a text"
)
_SELF: Final = "this alias refers to what it is in: write the value out"
_DEEP: Final = f"aliases nest deeper than {LIMIT_DEPTH} levels: write the values out"
_MANY: Final = f"more than {LIMIT_NODES:,} values, those of aliases counted wherever they are used"


class Spot(Struct, frozen=True):
    """One value of the file."""

    key: Place
    """Place of its key; in a list, and at the root, its own."""
    place: Place
    data: object
    text: str | None
    """A scalar as it is written; None for lists and mappings."""


class Tree(Struct, frozen=True):
    """A YAML file, read."""

    data: object
    spots: Mapping[Path, Spot]
    problems: tuple[Problem, ...]
    refused: frozenset[Path]
    """Paths whose problem is reported already; their data only stands in."""


def json_path(path: Path) -> str:
    """Return the written form, `$.evals[0].source`."""
    return "$" + "".join(map(_written, path))


def describe_value(data: object, text: str | None) -> str:
    """Return how YAML reads a value, `YAML reads 7 as a number`.

    text: the value as it is written, for a scalar.
    """
    kinds = {str: "text", bool: "a boolean", int: "a number", float: "a number"}
    if isinstance(data, dict):
        return "this is a mapping (`key: value`)"
    if isinstance(data, list):
        return "this is a list"
    if not text:
        return "nothing is given" if data is None else "an empty text is given"
    return f"YAML reads {shown(text)} as {kinds.get(type(data), 'nothing')}"


def _written(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    is_short = len(part) <= LONGEST_SHOWN
    return f".{part}" if is_short and _NAME.fullmatch(part) else f'["{shown(part)}"]'


def read(data: bytes, *, file: str, wants_number: Callable[[Path], bool]) -> Tree:
    """Return the data and places of a file, and every problem with its YAML.

    wants_number: whether a number belongs at a path; there `1e5` is one, though YAML 1.1 takes it
        for a text, and elsewhere it stays one.
    Raises ConfigError if there is nothing to go on with.
    """
    node, problems = read_node(data, file=file)
    walk = _Walk(file, problems, wants_number)
    value = walk.value(node, (), key=walk.place(node), ancestors=())
    return Tree(value, walk.spots, tuple(walk.problems), frozenset(walk.refused))


class _Walk:
    """A walk through the nodes, and its findings."""

    def __init__(
        self, file: str, problems: list[Problem], wants_number: Callable[[Path], bool]
    ) -> None:
        """Begin with the known problems."""
        self.file = file
        self.wants_number = wants_number
        self.problems = problems
        self.spots: dict[Path, Spot] = {}
        self.refused: set[Path] = set()
        self.nodes = 0
        self.constructor = SafeConstructor()

    def place(self, node: yaml.Node) -> Place:
        """Return where the node begins."""
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def problem(self, node: yaml.Node, path: Path, message: str) -> None:
        """Add a problem of the node, and keep others from adding it again."""
        self.problems.append(Problem(self.place(node), json_path(path), message))
        self.refused.add(path)

    def value(
        self, node: yaml.Node, path: Path, *, key: Place, ancestors: tuple[yaml.Node, ...]
    ) -> object:
        """Return the node's data; a stand-in if it is refused."""
        self.count(node, path)
        data: object = None
        if any(node is ancestor for ancestor in ancestors):
            self.problem(node, path, _SELF)
        elif len(ancestors) > LIMIT_DEPTH:
            self.problem(node, path, _DEEP)
        elif isinstance(node, yaml.ScalarNode):
            data = self.scalar(node, path)
            # Without quotes the loader in C says "", and the one in Python None.
            if self.wants_number(path) and not node.style and _EXPONENT.fullmatch(node.value):
                data = float(node.value)
        elif node.tag not in {_TAG_PREFIX + "map", _TAG_PREFIX + "seq"}:
            self.problem(node, path, _TAG.format(_short_tag(node)))
        elif isinstance(node, yaml.SequenceNode):
            data = self.sequence(node, path, (*ancestors, node))
        else:
            data = self.mapping(cast("yaml.MappingNode", node), path, (*ancestors, node))
        text = _text(node) if isinstance(node, yaml.ScalarNode) else None
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
    ) -> list[object]:
        """Return the items."""
        return [
            self.value(item, (*path, index), key=self.place(item), ancestors=ancestors)
            for index, item in enumerate(node.value)
        ]

    def mapping(
        self, node: yaml.MappingNode, path: Path, ancestors: tuple[yaml.Node, ...]
    ) -> dict[str, object]:
        """Return the values by their keys, those of merged mappings included."""
        return {
            key: self.value(value, (*path, key), key=self.place(key_node), ancestors=ancestors)
            for key, (key_node, value) in self.pairs(node, path, ancestors).items()
        }

    def pairs(
        self, node: yaml.MappingNode, path: Path, ancestors: tuple[yaml.Node, ...]
    ) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Return key and value nodes; a key of the mapping itself goes before a merged one."""
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        merged: list[yaml.Node] = []
        for key_node, value in node.value:
            self.count(key_node, path)
            key = self.key(key_node, path)
            if key in own:
                first = self.place(own[key][0]).line
                message = f"this key is already on line {first}: remove one of the two"
                where = json_path((*path, str(key)))
                self.problems.append(Problem(self.place(key_node), where, message))
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
        """Yield the mappings that a merge key takes over."""
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            self.count(source, path)
            if not isinstance(source, yaml.MappingNode):
                self.problem(
                    source, (*path, "<<"), "`<<` takes over mappings (`<<: *name`) only: remove it"
                )
            elif any(source is ancestor for ancestor in ancestors):
                self.problem(source, (*path, "<<"), _SELF)
            elif len(ancestors) > LIMIT_DEPTH:
                self.problem(source, (*path, "<<"), _DEEP)
            else:
                yield source

    def key(self, node: yaml.Node, path: Path) -> str | None:
        """Return the key's text; None if there is none to go on with."""
        if not isinstance(node, yaml.ScalarNode):
            message = "a key must be text, and this is a list or a mapping: write a name"
            self.problems.append(Problem(self.place(node), json_path(path), message))
            return None
        text = _text(node)
        if node.tag == _MERGE_TAG:
            return text
        inner = (*path, text)
        value = self.scalar(node, inner)
        if not isinstance(value, str):
            self.problem(
                node, inner, f"a key must be text, but {describe_value(value, text)}: {QUOTES}"
            )
        return text

    def scalar(self, node: yaml.ScalarNode, path: Path) -> object:
        """Return the text, number, boolean or None; the text as it is written if it is refused."""
        text = _text(node)
        objection = _objection(node, text, is_number=self.wants_number(path))
        if objection is None:
            try:
                return self.plain_value(node, text)
            except (ValueError, LookupError, OverflowError):
                objection = _MALFORMED if _implied_tag(text) == node.tag else _tag_objection(node)
        self.problem(node, path, objection.format(shown(text) or "this"))
        return text

    def plain_value(self, node: yaml.ScalarNode, text: str) -> object:
        """Return the scalar's value; raise one of three errors if it has none."""
        tag = _short_tag(node)
        if tag == "null":
            return None
        if tag == "bool":
            return self.constructor.construct_yaml_bool(node)
        if tag == "int":
            return _check_size(self.constructor.construct_yaml_int(node))
        if tag == "float":
            return self.constructor.construct_yaml_float(node)
        return text


def _text(node: yaml.ScalarNode) -> str:
    """Return the scalar's text; JSON's two halves of a character as that character."""
    text = str(node.value)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _objection(node: yaml.ScalarNode, text: str, *, is_number: bool) -> str | None:
    """Return the problem of a scalar by its look alone, with `{}` for its text, or None."""
    tag = _short_tag(node)
    if _PLACEHOLDER.fullmatch(text):
        return _STANDS_FOR
    if tag == "timestamp":
        return _DATE
    if tag not in _SCALAR_TAGS:
        return _tag_objection(node)
    if tag in {"int", "float"} and _OTHER_BASE.fullmatch(text):
        return _BASE + (_PLAINLY if is_number else QUOTES)
    return None


def _implied_tag(text: str) -> object:
    """Return the tag of a plain scalar that has none written before it."""
    return _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call] # PyYAML's


def _tag_objection(node: yaml.Node) -> str:
    """Return the problem of a tag; its text is no template."""
    return _TAG.format(shown(_short_tag(node)).replace("{", "{{").replace("}", "}}"))


def _check_size(number: int) -> int:
    """Return the number; raise ValueError if it is too long to be printed or to be a float."""
    if number.bit_length() > LIMIT_BITS:
        raise ValueError("too long")
    return number


def _short_tag(node: yaml.Node) -> str:
    """Return `int` of YAML's own tags; others as they are."""
    return str(node.tag).removeprefix(_TAG_PREFIX)
