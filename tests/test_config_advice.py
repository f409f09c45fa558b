"""The advice of messages about configs: whoever follows it gets a valid config.

Each kind of advice is an edit of the text here, at the place that the message names. If a message
offers alternatives, one of them must help.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from helm_wandb.config import parse
from helm_wandb.config.messages import resolve
from helm_wandb.errors import ConfigError, Problem
from tests.conftest import DATA, ROOT

SCHEMA: Mapping[str, Any] = json.loads((ROOT / "schema/config.schema.json").read_text("utf-8"))
INVALID = sorted((DATA / "config/invalid").glob("*.yaml"))
MOST_PROBLEMS = 40

Edit = Callable[["Place"], str]


def problems_of(text: str) -> list[Problem]:
    """Return the problems of a config; none if it is valid."""
    try:
        parse(text.encode(), file="config.yaml", schema=SCHEMA)
    except ConfigError as error:
        return list(error.problems)
    return []


# Where to edit


class Place:
    """A problem in a text, and the edits of the text there."""

    def __init__(self, text: str, problem: Problem, match: re.Match[str]) -> None:
        """Keep what the message says."""
        self.text = text
        self.path = parsed(problem.path)
        self.match = match
        self.line = problem.place.line - 1
        before = text.splitlines(keepends=True)[: self.line]
        self.at = len("".join(before)) + problem.place.column - 1
        self.end_of_line = (text + "\n").index("\n", self.at)

    def cut(self, start: int, end: int, new: str = "") -> str:
        """Return the text with another part."""
        if start == end and self.text[start - 1 : start] == ":":
            new = f" {new}"
        return self.text[:start] + new + self.text[end:]

    def span(self, *, key: bool = False) -> tuple[int, int]:
        """Return where the value, or its key, begins and ends."""
        node = self.node(key=key)
        start, end = node.start_mark.index, node.end_mark.index
        return start, start + len(self.text[start:end].rstrip())

    def node(self, *, key: bool = False) -> Any:
        """Return the value, or its key; of a key given twice the second."""
        node: Any = yaml.compose(self.text, Loader=yaml.SafeLoader)
        own: Any = node
        for part in self.path:
            if isinstance(part, int):
                own = node = node.value[part]
                continue
            pairs = [pair for pair in node.value if pair[0].value == part]
            own, node = pairs[-1]
        return own if key else node

    def with_value(self, value: object) -> str:
        """Return the text with another value here."""
        return self.cut(*self.span(), in_flow(value))

    def without_key(self) -> str:
        """Return the text without the key and its value, or without the item of a list."""
        start, end = self.span(key=True)[0], self.span()[1]
        if comma := re.compile(r"\s*,\s*").match(self.text, end):
            end = comma.end()
        elif comma := re.compile(r"[\s\S]*?(\s*,\s*)$").match(self.text[:start]):
            start = comma.start(1)
        return self.cut(start, end)

    def with_key(self, written: str) -> str:
        """Return the text with one more key in the mapping here."""
        start, _ = self.span()
        if self.text[start : start + 1] == "{":
            return self.cut(start + 1, start + 1, f"{written}, ")
        indent = start - (self.text.rfind("\n", 0, start) + 1)
        return self.cut(start, start, f"{written}\n{' ' * indent}")

    def sample(self) -> object:
        """Return the schema's example of a value here, or a pattern if it has none."""
        return next(iter(subschema(self.path, self.text).get("examples", ["(x)"])))


def parsed(path: str) -> tuple[str | int, ...]:
    """Return the parts of `$.evals[0]["mmlu.EM"]`."""
    parts = re.findall(r'\.([\w-]+)|\[(\d+)\]|\["(.*?)"\]', path)
    return tuple(int(index) if index else name or quoted for name, index, quoted in parts)


def in_flow(value: object) -> str:
    """Return the value on one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("...\n").strip()


def subschema(path: tuple[str | int, ...], text: str) -> Mapping[str, Any]:
    """Return the schema of the value at a path; of an entry's, the schema of its source."""
    found = SCHEMA
    for depth, part in enumerate(path):
        found = resolve(found, SCHEMA)
        if isinstance(part, str) and part in found.get("properties", {}):
            found = found["properties"][part]
        elif isinstance(part, str):
            found = found["additionalProperties"]
        elif depth == 1:
            entry = yaml.safe_load(text)["evals"][part]
            source = entry.get("source") if isinstance(entry, dict) else None
            found = SCHEMA["$defs"].get(source, SCHEMA["$defs"]["helm"])
        else:
            found = found["items"]
    return resolve(found, SCHEMA)


# What messages advise


def write(place: Place) -> str:
    """Write what stands in backticks in the value's place."""
    return place.with_value(yaml.safe_load(place.match[1]))


def did_you_mean(place: Place) -> str:
    """Replace the value, the key, or both."""
    meant = yaml.safe_load(place.match[1])
    if "the key " not in place.match.string:
        return place.with_value(meant)
    whole = (place.span(key=True)[0], place.span()[1])
    if isinstance(meant, dict):
        return place.cut(*whole, in_flow(meant)[1:-1])
    return place.cut(*place.span(key=True), in_flow(meant))


def rename(place: Place) -> str:
    """Give the key another name."""
    return place.cut(*place.span(key=True), place.match[1])


def quote_key(place: Place) -> str:
    """Put the key in quotes."""
    start, end = place.span(key=True)
    return place.cut(start, end, f"'{place.text[start:end]}'")


def quote_value(place: Place) -> str:
    """Put the value in quotes."""
    start, end = place.span()
    return place.cut(start, end, f"'{place.text[start:end]}'")


def quote_line(place: Place) -> str:
    """Put all that stands after the first colon or dash of the line in quotes."""
    start = place.text.rfind("\n", 0, place.at) + 1
    line = place.text[start : place.end_of_line]
    return place.cut(start, place.end_of_line, re.sub(r"(: |- )(.*)", r"\1'\2'", line, count=1))


def indent_as_above(place: Place) -> str:
    """Let the line begin in the column of the key above."""
    above = place.text.splitlines()[place.line - 1]
    column = len(above) - len(above.lstrip(" -"))
    start = place.text.rfind("\n", 0, place.at) + 1
    line = place.text[start : place.end_of_line]
    return place.cut(start, place.end_of_line, " " * column + line.strip())


def use_single_quotes(place: Place) -> str:
    """Replace the line's double quotes."""
    start = place.text.rfind("\n", 0, place.at) + 1
    return place.cut(
        start, place.end_of_line, place.text[start : place.end_of_line].replace('"', "'")
    )


def close_bracket(place: Place) -> str:
    """Add the bracket at the end of the line."""
    closing = {"[": "]", "{": "}"}[place.text[place.at]]
    return place.cut(place.end_of_line, place.end_of_line, closing)


def add_comma(place: Place) -> str:
    """Add a comma before the last key of the line."""
    line = place.text[place.at : place.end_of_line]
    return place.cut(place.at, place.end_of_line, re.sub(r" (\w+: [^ ]*)$", r", \1", line))


def clean_url(place: Place) -> str:
    """Remove user name and password."""
    start, end = place.span()
    return place.cut(start, end, re.sub(r"//.*@", "//", place.text[start:end]))


def remove_quotes(place: Place) -> str:
    """Write the value without its quotes."""
    start, end = place.span()
    return place.cut(start, end, place.text[start:end].strip("\"'"))


def remove_tag(place: Place) -> str:
    """Remove the word with the exclamation mark."""
    return place.cut(
        place.at, place.end_of_line, re.sub(r"!\S+ ?", "", place.text[place.at : place.end_of_line])
    )


def remove_blank(place: Place) -> str:
    """Replace the line's characters that look like spaces."""
    start = place.text.rfind("\n", 0, place.at) + 1
    blank = place.text[place.at]
    return place.cut(
        start, place.end_of_line, place.text[start : place.end_of_line].replace(blank, " ")
    )


def begin_with_dash(place: Place) -> str:
    """Make the mapping the item of a list."""
    start, end = place.span()
    return place.cut(start, end, "- " + place.text[start:end].replace("\n", "\n  "))


def use_pattern(pattern: str) -> Edit:
    """Write a regular expression that does what is advised."""
    return lambda place: place.with_value(pattern)


def shorten(place: Place) -> str:
    """Write as many characters as the message allows."""
    start, _ = place.span()
    return place.cut(start + int(place.match[1].replace(",", "")), place.span()[1])


def remove_one(place: Place) -> str:
    """Remove the key or item that is there twice; a benchmark with its metrics."""
    if place.path[-1] != "name":
        return place.without_key()
    place.path = place.path[:-1]
    start, end = place.span()
    dash = re.compile(r"\n *- $").search(place.text[:start])
    return place.cut(dash.start(), end) if dash else place.without_key()


def remove_line(place: Place) -> str:
    """Remove the whole line."""
    return place.cut(place.text.rfind("\n", 0, place.at) + 1, place.end_of_line + 1)


def example(place: Place) -> str:
    """Write the schema's example."""
    return place.with_value(place.sample())


ADVICE: Iterable[tuple[str, Edit]] = (
    (r"write `(.*)`$", write),
    (r"is missing: add `(.*?)`", lambda place: place.with_key(place.match[1])),
    (r"is missing: .*for example `(.*)`$", lambda place: place.with_key(place.match[1])),
    (r"the key `(evals)` is missing", lambda place: place.with_key("evals: [" + in_flow(
        subschema(("evals", 0), "evals: [{}]")["examples"][0]) + "]")),
    (r"unknown key: did you mean `(.*)`\?$", rename),
    (r"did you mean `(.*)`\?$", did_you_mean),
    (r"did you mean (.*)\?$", lambda place: place.with_value(place.match[1])),
    (r"the key .*for example `(.*)`$", rename),
    (r"for example `(.*)`(?:, or remove the key)?$", write),
    (r"(?:unknown key: remove it|belongs to entries .*: remove it|takes over .*: remove it)",
     Place.without_key),
    (r"remove one( of the two)?$", remove_one),
    (r"`\.\.\.` stands for more .* remove it$", remove_line),
    (r"stands for a value in the documentation", example),
    (r"stands for a value in the documentation", remove_line),
    (r"is not replaced by its value", lambda place: (
        place.cut(*place.span(key=True), "x") if place.at == place.span(key=True)[0]
        else example(place))),
    (r"no YAML tags; remove it$", remove_tag),
    (r"remove the quotes$", remove_quotes),
    (r"no user name or password: remove it", clean_url),
    (r"looks like a space", remove_blank),
    (r"replace it with spaces$", lambda place: place.text.replace("\t", "  ")),
    (r"write it without colons and leading zeros$",
     lambda place: place.with_value(int(place.text[slice(*place.span())].lstrip("0")))),
    (r"write the value out$", lambda place: re.sub(
        r"\*\w+", lambda _: in_flow(place.sample()), place.text, count=1)),
    (r"write a name$", lambda place: place.cut(place.at, place.text.index(":", place.at), "x")),
    (r"use single quotes$", use_single_quotes),
    (r"this bracket is not closed", close_bracket),
    (r"or a comma is missing", add_comma),
    (r"add the closing one$",
     lambda place: place.cut(place.end_of_line, place.end_of_line, place.text[place.at])),
    (r"the space after the (?:colon|dash) is missing",
     lambda place: place.cut(place.at, place.at, " ")),
    (r"is a space after a colon missing\?$", lambda place: place.text.replace(":", ": ", 1)),
    (r"put a text that holds `: ` in quotes", quote_line),
    (r"fix the indentation", indent_as_above),
    (r"^a key .* put it in quotes", quote_key),
    (r"put it in quotes", quote_value),
    (r"put it in quotes", quote_key),
    (r"put it in quotes", quote_line),
    (r"put it in another file$", lambda place: place.text[: place.at]),
    (r"with `leaderboard: true`$", lambda _: "project: x\nleaderboard: true\n"),
    (r"begin each entry with `- `$", begin_with_dash),
    (r"must be (\w+), but", lambda place: place.with_value(place.match[1])),
    (r"must be one of (\w+),", lambda place: place.with_value(place.match[1])),
    (r"must be at (?:most|least) ([\d.,]+)$",
     lambda place: place.with_value(yaml.safe_load(place.match[1].replace(",", "")))),
    (r"must be greater than (\d+)$", lambda place: place.with_value(int(place.match[1]) + 0.04)),
    (r"must be a finite number, or `null`", lambda place: place.with_value(None)),
    (r"must be a finite number$", lambda place: place.with_value(1)),
    (r"must have at most ([\d,]+) characters", shorten),
    (r"must be one line without control characters", lambda place: place.with_value("x")),
    (r"close the bracket$", use_pattern("step-([0-9]+)")),
    (r"match the text around the group instead", use_pattern("step-([0-9]+)")),
    (r"backreferences are not supported|write `\\z`|repeat at most|see https", use_pattern("(a)")),
    (r"drop the second sign", use_pattern("a+")),
    (r"give (?:one|a value)$", lambda place: place.with_value(
        subschema(place.path, place.text).get("examples", [1])[0])),
)  # fmt: skip
"""Words of messages → the edit that they advise; the first that matches is tried first."""


def followed(text: str, problem: Problem) -> Iterator[str]:
    """Yield the text as each piece of a message's advice would have it."""
    for words, edit in ADVICE:
        if match := re.search(words, problem.message):
            with suppress(yaml.YAMLError):
                yield edit(Place(text, problem, match))


def is_gone(problem: Problem, before: list[Problem], text: str) -> bool:
    """Return whether a text lacks the problem and, if the schema's, has no other for it."""
    after = [(one.path, one.message) for one in problems_of(text)]
    if (problem.path, problem.message) in after and len(after) >= len(before):
        return False
    if problem.path == "$" or " YAML " in f" {problem.message} ":
        return True
    known = {one.message for one in before}
    is_whole = "write `" in problem.message
    return all(
        one[1] in known or "is in this list twice" in one[1]
        for one in after
        if one[0] == problem.path or (is_whole and one[0].startswith(problem.path))
    )


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_who_follows_the_advice_gets_a_valid_config(path: Path) -> None:
    """Each message's advice removes its problem and brings no other; in the end all is valid."""
    text = path.read_text(encoding="utf-8")
    for _ in range(MOST_PROBLEMS):
        problems = problems_of(text)
        if not problems:
            return
        problem = problems[0]
        helpful = (one for one in followed(text, problem) if is_gone(problem, problems, one))
        text = next(helpful, "")

        assert text, f"no advice that helps: {problem}"
    pytest.fail("following the advice does not end")
