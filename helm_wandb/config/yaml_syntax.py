"""Bytes of a YAML file to the node of its one document, or a ConfigError that says why not."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import cast

import yaml
from msgspec import Struct

from helm_wandb.errors import ConfigError, Problem
from helm_wandb.model import Place
from helm_wandb.text.words import shorten

LIMIT_BYTES = 1_048_576
"""A config that is longer is refused; a caller need not read more than one byte beyond."""

LIMIT_DEPTH = 50
"""Levels of nesting; the YAML library recurses, and a config needs six."""

LONGEST_SHOWN = 60
"""Characters of a value that a message repeats."""

Loader = type[yaml.SafeLoader] | type[yaml.CSafeLoader]

DEFAULT_LOADER: Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C reads a large config some ten times faster, if it was built."""

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BLANKS = "[\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]"
"""Characters that look like a space or like nothing, and are letters to YAML."""
_ODD_BLANK = re.compile(rf"^[ \t]*(?:- *)*(?:[\w.][\w.-]*: *)?({_BLANKS})|^[^#]*({_BLANKS})[ \t]*$")
"""One before a key or around a value: inside a value it may be meant."""
_TABS = re.compile(r"^\t+", re.MULTILINE)
_SURROGATE = re.compile(r"\\u[dD][89abAB]")
"""The first half of a character beyond U+FFFF, as JSON escapes it."""
_DOTS_LINE = re.compile(r"^([ \t]*)\.\.\.(?=[ \t]*(?:#[^\r\n]*)?\r?$)", re.MULTILINE)
_NO_SPACE_AFTER_COLON = re.compile(r"^\s*(?:- +)*[\w-]+:(?=[^\s/])")
_NO_SPACE_AFTER_DASH = re.compile(r"^\s*-(?=[^\s-])")

_EMPTY = (
    "the config is empty; it needs at least `project: NAME` with `evals:` and one entry in it, "
    "or with `leaderboard: true`"
)
_DOTS = "`...` stands for more in the documentation: put the real lines here, or remove it"
_COLON = "the space after the colon is missing: write `key: value`"
_DASH = "the space after the dash is missing: write `- item`"


class _Sentence(Struct, frozen=True):
    """A YAML error in words for people who do not know the grammar."""

    pattern: str
    """Searched in the library's context and problem, which differ between C and Python."""
    message: str
    at_start: bool = False
    """The place is the beginning of the broken part, not where it was found to be broken."""
    from_missing_space: bool = False
    """The usual cause is a missing space on this line or the one above."""


_SENTENCES = (
    _Sentence(
        "quoted scalar.*(end of stream|document (indicator|separator))",
        "this quote is never closed: add the closing one",
        at_start=True,
    ),
    _Sentence(
        "flow (sequence|mapping)",
        "this bracket is not closed, or a comma is missing after one of its items",
        at_start=True,
    ),
    _Sentence(
        "could not find expected ':'",
        "this line isn't `key: value`: the colon is missing",
        at_start=True,
        from_missing_space=True,
    ),
    _Sentence(
        "mapping values are not allowed",
        "a `key:` inside a value: put a text that holds `: ` in quotes, or fix the "
        "indentation of this line or a missing `: ` in the line above",
        from_missing_space=True,
    ),
    _Sentence(
        "block (mapping|collection)",
        "this line doesn't continue the ones above: fix the indentation so that it "
        "matches the lines around it, or put the whole text in quotes",
    ),
    _Sentence(
        "cannot start any token",
        "a value cannot begin with this character: put it in quotes",
    ),
    _Sentence(
        "quoted scalar.*(escape|hexdecimal)",
        "in double quotes a backslash begins an escape such as \\n: use single quotes",
    ),
    _Sentence(
        "undefined alias|scanning an alias|scanning an anchor",
        "a value that begins with * or & refers to an anchor, and no anchor above has that "
        "name: put it in quotes",
    ),
    _Sentence(
        "duplicate anchor",
        "this &anchor has the name of one above: give it another",
    ),
    _Sentence(
        "block scalar",
        "a value that begins with > or | is read as a block of lines: put it in quotes",
    ),
    _Sentence(
        "node content",
        "a value is missing before this character, or the character is one too many; a text "
        "that begins with it belongs in quotes",
    ),
)


def shown(text: str) -> str:
    """Return the text on one line, shortened, with control characters made visible."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii")
        for one in shorten(text, LONGEST_SHOWN)
    )


def read_node(
    data: bytes, *, file: str, loader: Loader = DEFAULT_LOADER
) -> tuple[yaml.Node, list[Problem]]:
    """Return the document's root node, and the problems that did not hinder reading it.

    Raises ConfigError if there is no document to go on with.
    """
    text = _text(data, file)
    try:
        return _document(text, file, loader), []
    except ConfigError as first:
        without_dots, dots = _without_dots(text, file)
        try:
            return _document(without_dots, file, loader), dots
        except ConfigError as second:
            to_blame = dots if second.problems != first.problems else []
            raise ConfigError([*to_blame, *second.problems]) from second


def _text(data: bytes, file: str) -> str:
    """Return the text, without the byte order mark that YAML allows before it."""
    if len(data) > LIMIT_BYTES:
        raise _failure(
            Place(file, 1, 1),
            f"the file is larger than {LIMIT_BYTES:,} bytes (1 MiB), the limit for a config: "
            "is it another file?",
        )
    text = _decode(data.removeprefix(codecs.BOM_UTF8), file)
    if match := _NOT_YAML.search(text):
        message = f"the character {shown(match[0])} is not allowed in YAML: remove it"
        raise _failure(_place_after(text[: match.start()], file), message)
    if problems := list(_odd_blanks(text, file)):
        raise ConfigError(problems)
    # JSON may be indented with tabs, and places must stay.
    is_json = text.lstrip().startswith("{")
    return _TABS.sub(lambda tabs: " " * len(tabs[0]), text) if is_json else text


def _decode(data: bytes, file: str) -> str:
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"} or data[:100].count(0) > len(data[:100]) // 3:
        raise _failure(
            Place(file, 1, 1), "the file looks like UTF-16 or is binary: save it as UTF-8"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8"
        raise _failure(_place_after(before, file), message) from error


def _odd_blanks(text: str, file: str) -> Iterator[Problem]:
    """Yield a problem for each line with a character that is taken for a space, and is none."""
    for number, line in enumerate(_LINE_BREAK.split(text), start=1):
        if match := _ODD_BLANK.match(line):
            group = match.lastindex or 0
            character = match[group]
            name = unicodedata.name(character, "no name").lower()
            message = (
                f"the character U+{ord(character):04X} ({name}) looks like a space, but YAML reads "
                "it as a letter: replace it with a space, or remove it"
            )
            yield Problem(Place(file, number, match.start(group) + 1), "$", message)


def _document(text: str, file: str, loader: Loader) -> yaml.Node:
    """Return the only document's root node."""
    if _SURROGATE.search(text):
        # The loader in C refuses the two halves that JSON makes of an emoji.
        loader = yaml.SafeLoader
    try:
        _refuse_depth_and_documents(text, file, loader)
        node: yaml.Node | None = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        raise _syntax_failure(error, text.splitlines(), file) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The loader in Python lets chr() and int() fail on odd escapes and directives.
        message = f"YAML cannot read the file: {shown(str(error))}"
        raise _failure(Place(file, 1, 1), message) from error
    if node is None:
        raise _failure(Place(file, 1, 1), _EMPTY)
    return node


def _refuse_depth_and_documents(text: str, file: str, loader: Loader) -> None:
    """Raise ConfigError before the library's recursion could exhaust the stack."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if depth > LIMIT_DEPTH:
            message = f"nested deeper than {LIMIT_DEPTH} levels"
            raise _failure(_place(cast("yaml.Mark", event.start_mark), file), message)
        if documents > 1:
            message = (
                "a second document begins here (`---`): a config is a single one; put it in "
                "another file"
            )
            raise _failure(_place(cast("yaml.Mark", event.start_mark), file), message)


def _without_dots(text: str, file: str) -> tuple[str, list[Problem]]:
    """Return the text less lines that only hold `...`, and a problem for each of them."""
    problems = [
        Problem(Place(file, number, match.end(1) + 1), "$", _DOTS)
        for number, line in enumerate(_LINE_BREAK.split(text), start=1)
        if (match := _DOTS_LINE.match(line))
    ]
    return _DOTS_LINE.sub(r"\1", text), problems


def _syntax_failure(error: yaml.MarkedYAMLError, lines: Sequence[str], file: str) -> ConfigError:
    """Return the library's error as a sentence at the place to look at."""
    mark_of_problem = cast("yaml.Mark", error.problem_mark)
    if _line(lines, mark_of_problem.line)[mark_of_problem.column :].startswith("\t"):
        message = "YAML doesn't allow a tab here: replace it with spaces"
        return _failure(_place(mark_of_problem, file), message)
    words = f"{error.context or ''} {error.problem or ''}"
    for sentence in _SENTENCES:
        if re.search(sentence.pattern, words):
            mark = (sentence.at_start and error.context_mark) or mark_of_problem
            slip = _missing_space(lines, mark.line, file) if sentence.from_missing_space else None
            return slip or _failure(_place(mark, file), sentence.message)
    return _failure(_place(mark_of_problem, file), f"YAML: {shown(str(error.problem))}")


def _missing_space(lines: Sequence[str], line: int, file: str) -> ConfigError | None:
    """Return the likeliest slip, if this line or the one above it has it."""
    for number in (line, line - 1):
        for pattern, message in ((_NO_SPACE_AFTER_COLON, _COLON), (_NO_SPACE_AFTER_DASH, _DASH)):
            if match := pattern.match(_line(lines, number)):
                return _failure(Place(file, number + 1, match.end() + 1), message)
    return None


def _line(lines: Sequence[str], number: int) -> str:
    """Return the line by its number from 0; empty beyond either end."""
    return lines[number] if 0 <= number < len(lines) else ""


def _place(mark: yaml.Mark, file: str) -> Place:
    """Return the place of a mark of the library, which counts from 0."""
    return Place(file, mark.line + 1, mark.column + 1)


def _place_after(before: str, file: str) -> Place:
    """Return the place behind this beginning of a text."""
    lines = _LINE_BREAK.split(before)
    return Place(file, len(lines), len(lines[-1]) + 1)


def _failure(place: Place, message: str) -> ConfigError:
    return ConfigError([Problem(place, "$", message)])
