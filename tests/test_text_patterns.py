"""Regular expressions end: those of a config in RE2, our own over hostile texts."""

from __future__ import annotations

import json
import pkgutil
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

import helm_wandb
from helm_wandb.config import parse
from helm_wandb.errors import ConfigError
from helm_wandb.harness.families import assign
from helm_wandb.text.patterns import Pattern
from helm_wandb.wandb_runs.receipt_texts import shorten_detail

from .conftest import ROOT
from .limits import ends_within
from .test_sources_helm import spec

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTH = 100_000
SAFETY_SECONDS = 60.0


@pytest.mark.parametrize(
    ("pattern", "unit"),
    [
        (r"(a+)+$", "a"),
        (r"^(?:\w+\s?)*$", "a "),
        (r"(?:a|aa|aaa)*b", "a"),
        (r"(?:x+x+)+y", "x"),
        (r".*.*.*=.*", "a"),
    ],
)
def test_catastrophic_patterns_find_nothing_and_end(pattern: str, unit: str) -> None:
    """What takes Python's engine longer than the universe lasts is answered at once."""
    text = unit * (LENGTH // len(unit)) + "!"

    assert Pattern.compile(pattern).search(text) is None


@pytest.mark.parametrize(
    ("pattern", "text", "spans"),
    [
        (r"(?P<name>\d+)", "m-12", [(2, 4), (2, 4)]),
        (r"a(b)?", "xa", [(1, 2), (-1, -1)]),
        (r"(?i)PASSAGE: (.*)", "é passage: ü\nQuestion", [(2, 12), (11, 12)]),
        (r"\p{L}+", "12 한국어", [(3, 6)]),
        (r"b", "\ud800é\U0001f600b", [(3, 4)]),
        (r"b", "a", None),
    ],
)
def test_spans_count_characters(
    pattern: str, text: str, spans: list[tuple[int, int]] | None
) -> None:
    """The whole match comes first, then each group; a lone surrogate is a character too."""
    assert spans == Pattern.compile(pattern).search(text)


def test_the_iteration_is_found_in_time_proportional_to_the_id() -> None:
    """A model's id and the pattern may both be hostile."""
    entry = spec("output", "suite", iteration_pattern=r"(?:[a-z]+)+-([0-9]+)$")
    found = assign(["a" * LENGTH + "!", "org/m-5"], entry)

    assert {None, 5} == {checkpoint.iteration for checkpoint in found.values()}


def test_a_config_of_one_long_pattern_is_refused_before_it_is_compiled() -> None:
    """A pattern has as many characters as a name; a longer one would compile for minutes."""
    data = f"project: p\ncompare: {{clusters: {{a: '{'[a-z]?' * 100_000}'}}}}\n"

    with ends_within(SAFETY_SECONDS), pytest.raises(ConfigError, match="at most 1,000 characters"):
        parse(data.encode(), file="config.yaml", schema=schema("config"))


def schema(name: str) -> Any:
    """The schema of this name."""
    return json.loads((ROOT / f"schema/{name}.schema.json").read_text())


def own_patterns() -> dict[str, re.Pattern[str]]:
    """All patterns of our modules and schemas, by their places."""
    found = {}
    for _, name, _ in pkgutil.walk_packages(helm_wandb.__path__, "helm_wandb."):
        for key, value in vars(import_module(name)).items():
            if isinstance(value, re.Pattern):
                found[f"{name}.{key}"] = of_text(value)
    for name in ("config", "report"):
        for text in patterns_in(schema(name)):
            found[f"{name}: {text}"] = re.compile(text)
    return found


def of_text(pattern: re.Pattern[Any]) -> re.Pattern[str]:
    """Return the same pattern, of text if it is one of bytes."""
    if isinstance(pattern.pattern, bytes):
        return re.compile(pattern.pattern.decode(), pattern.flags)
    return pattern


def patterns_in(data: object) -> Iterator[str]:
    """Values of the keyword `pattern`."""
    match data:
        case dict():
            if isinstance(data.get("pattern"), str):
                yield data["pattern"]
            for value in data.values():
                yield from patterns_in(value)
        case list():
            for value in data:
                yield from patterns_in(value)
        case _:
            pass


ONLY_WHOLE = {"_FIELD", "_PLACEHOLDER", "_EXPONENT", "_OTHER_BASE", "_GIVEN_UP", "_ANSWER"}
"""Patterns that are only matched with whole texts; a search would try each place."""
OWN_PATTERNS = own_patterns()


@pytest.mark.parametrize("place", OWN_PATTERNS)
def test_own_patterns_take_time_proportional_to_the_text(place: str) -> None:
    """Repetitions of each pattern's own parts, and one that breaks the match, are searched."""
    pattern = OWN_PATTERNS[place]
    literals = set(re.findall(r"[A-Za-z]{2,}|[ -~]", pattern.pattern))
    for unit in {*"a0é \t\n\r/-_<.\"':#&", ". ", "- ", "0.", "&#", *literals}:
        text = unit * (LENGTH // len(unit)) + "\0!"
        with ends_within(SAFETY_SECONDS):
            pattern.fullmatch(text)
            pattern.match(text)
            if place.rpartition(".")[2] not in ONLY_WHOLE:
                pattern.search(text)


@pytest.mark.parametrize(
    "unit",
    ["giving up after 1 attempt(s): ", ' while retrying: Get "x": ', '{"errors":[{"message":"'],
)
def test_faults_of_any_length_are_shortened(unit: str) -> None:
    """What an SDK says may repeat a server's words, which may be made to be slow to match."""
    with ends_within(SAFETY_SECONDS):
        assert shorten_detail(unit * (LENGTH // len(unit)))
