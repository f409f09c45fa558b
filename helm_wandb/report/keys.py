"""Keys of a JSON document, checked without decoding the document, which would fill the memory."""

from __future__ import annotations

import json
import re

import msgspec
from msgspec import Struct, field

OPEN_KEYS_BYTES = 16 << 20
"""Memory of the keys of an object and of the objects around it; enough for 90,000 short ones."""
_KEY_BYTES = 96
"""Memory of a key without its text, which can be four times as long when it is decoded."""
MOST_PARTS = 5_000_000
"""Objects and keys of a document, at most, small objects counted once; it takes some seconds."""
_LONGEST_BYTES = 1 << 20
"""Length of a key, at most: more than the longest name, written as escapes."""
_SHOWN = 80
_SMALL_STRINGS = 200
"""Strings in an object whose keys are taken at once, at most."""


class _Grammar(Struct, frozen=True):
    """Patterns of JSON without whitespace.

    They are possessive: whatever a document holds, nothing is tried twice, or kept to return to.
    """

    token: re.Pattern[bytes]
    """All up to the next key, brace or small object: of one of these, a group."""
    key: re.Pattern[bytes]
    """A key of a small object, as a group; or what is to be passed over.

    Small objects have short strings without escapes.
    """

    @classmethod
    def of_string(cls, string: bytes) -> _Grammar:
        """Return the patterns for documents whose strings all match this one."""
        rest = rb'[^"{}]*+'
        # Most objects of a large report have this form, which repeats no key.
        subject = rb'\{"value":[^"{}:]{1,99}+"n":[^"{}:]{1,99}+\}'
        short = rb'"[^"\\]{0,999}+"'
        small = rb'\{(?:(?:%b|%b)[^"{}]{0,999}+){0,%d}+\}' % (short, subject, _SMALL_STRINGS)
        value = rb"(?:%b(?!:)|%b)" % (string, subject)
        token = rb"%b(?:%b%b)*+(?:(%b)|(%b):|([{}])|\Z)" % (rest, value, rest, small, string)
        key = rb"(%b):|%b|%b" % (string, string, subject)
        return cls(re.compile(token, re.DOTALL), re.compile(key, re.DOTALL))


_PLAIN = _Grammar.of_string(rb'"[^"]*+"')
_WITH_QUOTES = _Grammar.of_string(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
"""For documents with quotes in strings; to find its way takes twice as long."""


def check_keys(document: bytes | memoryview, *, listed: str, at_most: int) -> None:
    """Raise ValueError for a key that stands twice in one object.

    Another reader might believe the other value. Raise it also for an object of too many keys,
    for a list of too many objects, and for what is not JSON in UTF-8.

    listed: the key of that list in the outermost object.
    at_most: how many objects may be in the list.
    """
    text = msgspec.json.format(document, indent=-1)
    grammar = _WITH_QUOTES if b'\\"' in text else _PLAIN
    objects = _Objects(listed=json.dumps(listed).encode(), at_most=at_most)
    for count, token in enumerate(grammar.token.finditer(text)):
        if count > MOST_PARTS:
            raise ValueError(f"$: it has more than {MOST_PARTS:,} objects and keys")
        small, key, brace = token.groups()
        if key:
            objects.add(key)
        elif small:
            objects.open()
            objects.add_all(list(filter(None, grammar.key.findall(small))))
            objects.close()
        elif brace == b"{":
            objects.open()
        elif brace:
            objects.close()


class _Objects(Struct):
    """The objects around a place in a document."""

    listed: bytes
    at_most: int
    count: int = 0
    """Objects in the list so far."""
    outermost: bytes = b""
    """The latest key of the outermost object."""
    keys: set[bytes] = field(default_factory=set)
    """The keys so far of the innermost object."""
    around: list[set[bytes]] = field(default_factory=list)
    """The keys of the others; the first are those of no object."""
    open_bytes: int = 0
    """Memory of all these keys when they are decoded."""

    def open(self) -> None:
        """Enter an object."""
        if len(self.around) == 1 and self.outermost == self.listed:
            self.count += 1
            if self.count > self.at_most:
                raise ValueError(
                    f"$.{json.loads(self.listed)}: there are more than {self.at_most:,}: write "
                    "them to several reports"
                )
        self.around.append(self.keys)
        self.keys = set()

    def close(self) -> None:
        """Leave the innermost object."""
        self.open_bytes -= sum(map(_memory, self.keys))
        self.keys = self.around.pop()

    def add_all(self, keys: list[bytes]) -> None:
        """Enter the values of all keys of a small object, one after the other."""
        if len(set(keys)) < len(keys):
            for key in keys:
                self.add(key)

    def add(self, key: bytes) -> None:
        """Enter the value of a key of the innermost object."""
        if b"\\" in key or len(key) > _LONGEST_BYTES:
            key = _without_escapes(key)
        if key in self.keys:
            text = json.loads(key)[:_SHOWN]
            raise ValueError(f"$: the key {json.dumps(text)} is in one object twice")
        self.keys.add(key)
        self.open_bytes += _memory(key)
        if self.open_bytes > OPEN_KEYS_BYTES:
            raise ValueError("$: an object has more keys, or longer ones, than any of a report")
        if len(self.around) == 1:
            self.outermost = key


def _memory(key: bytes) -> int:
    return _KEY_BYTES + 4 * len(key)


def _without_escapes(key: bytes) -> bytes:
    r"""Return a key with no more escapes than it needs: `"a"` for `"\u0061"`."""
    if len(key) > _LONGEST_BYTES:
        raise ValueError(f"$: a key is longer than {_LONGEST_BYTES:,} bytes")
    return json.dumps(json.loads(key), ensure_ascii=False).encode()
