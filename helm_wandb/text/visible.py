"""Text in which every character shows: what a reader cannot see, or what acts, becomes `?`."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from typing import Literal

_REPLACEMENT = "?"
_MARKS_IN_A_ROW = 4
"""Written languages rarely put more marks on one letter; longer runs cover the lines around."""
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories of controls, bidirectional marks, surrogates and line ends."""
_IGNORABLE = (
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *((0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3)),
    *((0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
"""Default_Ignorable_Code_Point in DerivedCoreProperties.txt of Unicode 17.0: shown as nothing."""
_BLANK = frozenset("\u2800\U00013441\U00013442\U00016fe4\U0001d159")
"""Drawn as an empty space, and no space by their category: Braille's blank, two of Egyptian
hieroglyphs, the filler of Khitan, a note without a head."""
_NON_JOINER, _JOINER = "\u200c", "\u200d"
_SELECTORS = "\ufe0e\ufe0f"
"""They ask for a sign as text or as an emoji."""
_KEYCAP = "\u20e3"
_KEYS = frozenset("0123456789#*")
_EMOJI_OF_OTHER_KINDS = frozenset("\u203c\u2049\u2139\u3030\u303d")
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_VIRAMA = 9
"""The combining class of the signs that join two letters of an Indic script."""
_Kind = Literal["shown", "mark", "space", "hidden", "joiner", "selector"]


def visible(text: str, *, is_name: bool = False) -> str:
    """Return the text on one line, with `?` for each character that cannot be seen.

    Joiners and selectors stay inside the words and emoji that are written with them.
    is_name: whether a space that is not U+0020 becomes `?` too, so that two names that differ
    look different; otherwise only a tab becomes a space.
    """
    if text.isascii() and text.isprintable():
        return text
    # A text has few different characters: a long one is looked at by these first.
    if all(_kind(char) == "shown" for char in set(text)):
        return text
    shown = []
    marks = _MARKS_IN_A_ROW
    for at, char in enumerate(text):
        kind = _kind(char)
        marks = marks + 1 if kind == "mark" else 0
        if kind == "shown" or (kind == "mark" and marks <= _MARKS_IN_A_ROW):
            shown.append(char)
        elif kind == "space" and not is_name:
            shown.append(" " if char == "\t" else char)
        else:
            shown.append(char if _belongs(kind, text, at) else _REPLACEMENT)
    return "".join(shown)


def visible_lines(text: str) -> str:
    """Return the lines of a text, each made visible; only a line feed ends a line."""
    return "\n".join(visible(line) for line in text.split("\n"))


@lru_cache(4096)
def _kind(char: str) -> _Kind:
    if char in (_NON_JOINER, _JOINER):
        return "joiner"
    if char in _SELECTORS:
        return "selector"
    category = unicodedata.category(char)
    if char == "\t" or (category == "Zs" and char != " "):
        return "space"
    code = ord(char)
    if category in _INVISIBLE or char in _BLANK or any(a <= code <= b for a, b in _IGNORABLE):
        return "hidden"
    return "mark" if category in ("Mn", "Me") else "shown"


def _belongs(kind: _Kind, text: str, at: int) -> bool:
    """Whether a joiner or selector changes how its neighbours are drawn."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if kind == "selector":
        return _is_sign(before) or (before in _KEYS and after == _KEYCAP)
    if kind == "joiner":
        return _joins(before, text[at], after)
    return False


def _joins(before: str, joiner: str, after: str) -> bool:
    """Whether a joiner stands where RFC 5892, appendix A.1 and A.2, or an emoji has one."""
    if before and unicodedata.combining(before) == _VIRAMA:
        return True
    if joiner == _NON_JOINER:
        return before in _joining("initial") and after in _joining("final")
    is_emoji = before in (*_SELECTORS, *_SKIN_TONES) or _is_sign(before)
    return bool(before) and is_emoji and _is_sign(after)


def _is_sign(char: str) -> bool:
    """Whether the character may be drawn as an emoji."""
    if not char or char.isascii() or _kind(char) != "shown":
        return False
    return unicodedata.category(char) in ("So", "Sm") or char in _EMOJI_OF_OTHER_KINDS


@cache
def _joining(form: str) -> frozenset[str]:
    """Return the Arabic letters that have a form.

    form: `initial`, as letters that join the next one have, or `final`, the last of a word.
    """
    forms = (unicodedata.decomposition(chr(code)).split() for code in range(0xFB50, 0xFF00))
    letters = (parts[1:] for parts in forms if parts[:1] == [f"<{form}>"])
    return frozenset(chr(int(codes[0], 16)) for codes in letters if len(codes) == 1)
