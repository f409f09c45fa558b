"""Words that many sentences need: counted nouns, and the first of many names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_NUMBER = re.compile(r"(?<![^\s(])([+−±]?[0-9][0-9.,]*+|[▲▼]) (?=[a-z])")
SHOWN = 3
"""Texts of a list, before "and 2 more"."""


def count_noun(number: int, noun: str) -> str:
    """Return `1 model` or `2 models`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def keep_units(text: str) -> str:
    """Return the text, whose numbers and marks stay on the line of the word after them."""
    return _NUMBER.sub("\\1\N{NO-BREAK SPACE}", text)


def shorten(text: str, limit: int) -> str:
    """Return the text, ending in … if it is longer than so many characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def shorten_middle(text: str, limit: int) -> str:
    """Return the text's first and last characters, with … between them if there are more."""
    half = limit // 2
    return text if len(text) <= limit else f"{text[: half - 1]}…{text[-half:]}"


def truncate(
    sentences: Sequence[str], rest: Callable[[int], str], limit: int = SHOWN
) -> tuple[str, ...]:
    """Return the first sentences and, if there are more, one about the others.

    rest: makes that sentence of their number.
    """
    hidden = len(sentences) - limit
    return (*sentences[:limit], *([rest(hidden)] if hidden > 0 else []))


def join_truncated(
    texts: Sequence[str],
    limit: int | None = SHOWN,
    *,
    separator: str = ", ",
    last: str = " and ",
    rest: str = "more",
) -> str:
    """Return the first texts, and how many more there are: `a, b, c and 2 more`.

    limit: how many are shown; None: all. last: what stands before the number. rest: after it.
    """
    hidden = len(texts) - len(texts[:limit])
    return separator.join(texts[:limit]) + (f"{last}{hidden} {rest}" if hidden else "")
