"""Text from artifacts and configs, made harmless for where it is shown."""

from __future__ import annotations

import re
import unicodedata

_LENGTH = 300
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories of controls, bidirectional marks, surrogates and line ends."""
_HARMLESS = frozenset(" ,-./()=+;:'\"%?")
_PUNCTUATION = {
    code: f"&#{code};"
    for code in range(0x20, 0x7F)
    if not chr(code).isalnum() and chr(code) not in _HARMLESS
}
_LINK_OR_EMOJI = re.compile(r"(?<=www)\.|:(?! )", re.IGNORECASE)
"""`www.` and `https:` begin a link, `:tada:` is an emoji; a colon before a space is neither."""


class Name(str):
    """A word of somebody else: a model's, a metric's, a reason that quotes an artifact."""

    __slots__ = ()


def plain(text: str, *, length: int = _LENGTH) -> str:
    """The text on one line, without anything invisible, at most `length` characters long.

    Line ends and controls become `?`, so that a name can neither break a line nor reorder it.
    """
    seen = "".join("?" if unicodedata.category(char) in _INVISIBLE else char for char in text)
    return seen if len(seen) <= length else seen[: length - 1] + "…"


def markdown(text: str) -> str:
    """The text as GitHub's Markdown, showing just these characters.

    A Name stands in `<code>`, where GitHub looks for no mention, issue number or emoji;
    punctuation is written as HTML entities, which no Markdown construct survives.
    """
    escaped = plain(text).translate(_PUNCTUATION)
    escaped = _LINK_OR_EMOJI.sub(lambda found: f"&#{ord(found.group())};", escaped)
    return f"<code>{escaped}</code>" if isinstance(text, Name) else escaped
