"""Text from artifacts and configs, made harmless for where it is shown."""

from __future__ import annotations

import re

from helm_wandb.text.visible import visible
from helm_wandb.text.words import shorten

_NAME_LENGTH = 300
_TEXT_LENGTH = 5_000
_HARMLESS = frozenset(" ,-./()=+;:'\"%?")
_PUNCTUATION = {
    code: f"&#{code};"
    for code in range(0x20, 0x7F)
    if not chr(code).isalnum() and chr(code) not in _HARMLESS
}
_LINK_OR_EMOJI = re.compile(r"(?<=www)\.|:(?! )", re.IGNORECASE)
"""`www.` and `https:` begin a link, `:tada:` is an emoji; a colon before a space is neither."""
_BLOCK = re.compile(r"^ |^[-+=](?![0-9])|^[0-9](?=[0-9]*[.)](?: |$))| $")
"""Characters that begin a list, a rule or code at a line's start, and spaces that are trimmed."""
_REFERENCE = re.compile(r"&#(?:35|36|58|64);|\bGH-(?=[0-9])", re.IGNORECASE)
"""`#`, `$`, `:` and `@` as entities, and GH-1: GitHub looks for mentions, issues, emoji and
formulas when entities are characters again; only a comment keeps the text apart (cmark-gfm 181)."""
_COMMIT = re.compile(r"(?<![0-9a-z])[0-9a-f]{7,}(?![0-9a-z])", re.IGNORECASE)
"""Text that GitHub links if there is such a commit, in a fork too: 7 hex digits and more."""
_SHORTER = re.compile(r"[0-9a-f]{6}(?=[0-9a-f])", re.IGNORECASE)
_WEB_ADDRESS = re.compile(r"https?://[^\s\\]+")


class Name(str):
    """A word of somebody else: a model's, a metric's, a reason that quotes an artifact."""

    __slots__ = ()


class OwnName(Name):
    """A model's name that stands out among others: it is one of this run's own."""

    __slots__ = ()


def plain(text: str) -> str:
    """Return the text on one line, without anything invisible, cut if it is very long.

    Line ends and controls become `?`, so that a name can neither break a line nor reorder it.
    In a Name so do all spaces but U+0020, so that two names that differ look different.
    """
    is_name = isinstance(text, Name)
    seen = shorten(text, _NAME_LENGTH if is_name else _TEXT_LENGTH)
    return visible(str(seen), is_name=is_name)


def markdown(text: str) -> str:
    """Return the text as GitHub's Markdown, showing just these characters.

    A Name stands in `<code>`, an OwnName in bold too. Punctuation is written as HTML entities,
    which no Markdown construct survives.
    """
    escaped = plain(text).translate(_PUNCTUATION)
    for special in (_LINK_OR_EMOJI, _BLOCK):
        escaped = special.sub(_entity, escaped)
    escaped = _REFERENCE.sub(r"\g<0><!-- -->", escaped)
    if isinstance(text, OwnName):
        return f"<strong><code>{escaped}</code></strong>"
    return f"<code>{escaped}</code>" if isinstance(text, Name) else _COMMIT.sub(_parted, escaped)


def _parted(match: re.Match[str]) -> str:
    return _SHORTER.sub(r"\g<0><!-- -->", match.group())


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match.group())};"


def link(text: str, *, url: str) -> str:
    """Return a Markdown link that shows just this text, or the text alone if the URL isn't http(s).

    Reports of other runs may hold any URL.
    """
    if plain(url) != url or not _WEB_ADDRESS.fullmatch(url):
        return markdown(text)
    return f"[{markdown(text)}](<{url.translate(_PUNCTUATION)}>)"
