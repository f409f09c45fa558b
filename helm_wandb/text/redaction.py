"""Removal of secrets from texts that others wrote.

A server or a proxy may repeat the header of a request in its answer: encoded, quoted, folded over
lines, in lower case, or cut by whoever shortened the text. So a text is searched for fragments of
each form of a secret, by letters and digits alone, as it is and with its escapes resolved.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache, cached_property
from string import ascii_lowercase, ascii_uppercase
from typing import Any, TypeVar

from msgspec import Struct, field, structs

T = TypeVar("T")

REPLACEMENT = "***"
FRAGMENT_CHARACTERS = 8
"""A shorter piece of a secret may be left. It can occur by chance, and the rest can't be guessed
from it. In hexadecimal, each of these characters is two digits."""
WHOLE_CHARACTERS = 20
"""A shorter secret is only removed whole: parts of a password that a person chose can be words."""
SHORTEST_CHARACTERS = 6
"""A shorter secret isn't removed: it can be guessed anyway, and ordinary words would be lost."""
_USERS = ("api", "x-access-token")
"""Users in the header `Authorization: Basic`, at W&B and at GitHub."""
_FEWEST_LETTERS = 6
"""Letters and digits of a fragment; fewer ones would occur by chance."""
_LABEL = re.compile(r"(?:[A-Za-z]{1,7}[0-9]?[_-])+")
"""The kind of a token, as in `github_pat_`, which isn't secret."""
_RUN = re.compile(r"[^\W_]+")
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_LEVELS = 6
"""Readings of a text: as it is, and with escapes within escapes, as in JSON quoted in JSON."""
_ESCAPE = re.compile(
    r"%([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|\\u\{([0-9A-Fa-f]{1,5})\}"
    r"|\\U000([0-9A-Fa-f]{5})|\\([0-3][0-7]{2})|\\[\\abefnrtv]|&#?[0-9A-Za-z]{1,32};|<w?br ?/?>"
)
"""Those of URLs, JSON, Python, Go, C, and HTML."""
_WITHOUT_TEXT = frozenset({bool, bytes, float, int, type(None)})
_OCTAL = 6
"""The group with an octal number; those before it are hexadecimal."""


class Redactor(Struct, frozen=True, dict=True):
    """Removes some secrets from texts, and leaves all else as it is."""

    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return a text without the secrets."""
        return "Redactor()"

    def text(self, text: str) -> str:
        """Return the text with *** in place of each form of a secret and each fragment of one.

        The time is linear in the text's length.
        """
        if not any(map(self._holds_a_secret, _readings(text))):
            return text
        return _replaced(text, sorted(span for one in _located(text) for span in self._spans(one)))

    def values(self, value: T, *, leave: Collection[str] = ()) -> T:
        """Return the value with all its texts redacted; the same object if nothing changes.

        value: made of texts, mappings, sequences, sets, Structs and dataclasses; all else stays.
        leave: names of fields that stay as they are.
        """
        walk = _Redaction(cache(self.text), leave)
        redacted: T = walk.through(value) if self.secrets else value
        return redacted

    @cached_property
    def _fragments(self) -> Mapping[int, set[str]]:
        """Letters and digits that must not show, by their number."""
        return _by_length(one for secret in self.secrets for one in _fragments_of(secret))

    @cached_property
    def _halves(self) -> Mapping[int, set[str]]:
        """Halves of the fragments, by the length of these.

        Wherever a fragment begins in a text, it holds a half that begins at a multiple of the
        half's length, so that only every third or fourth place is looked at.
        """
        return {
            length: {half for one in fragments for half in _windows(one, _half(length))}
            for length, fragments in self._fragments.items()
        }

    @cached_property
    def _literals(self) -> re.Pattern[str] | None:
        """The secrets that have too few letters and digits to be recognized by them."""
        short = [one for one in self.secrets if len(one) >= SHORTEST_CHARACTERS and _is_short(one)]
        return re.compile("|".join(map(_literal, short))) if short else None

    def _holds_a_secret(self, text: str) -> bool:
        return any(self._hits(_skeleton(text))) or bool(
            self._literals and self._literals.search(text)
        )

    def _hits(self, skeleton: str) -> Iterator[tuple[int, int]]:
        """Yield the places of the first and the last character of each fragment."""
        for length, fragments in self._fragments.items():
            halves, half = self._halves[length], _half(length)
            for at in range(0, len(skeleton), half):
                if skeleton[at : at + half] in halves:
                    for first in range(max(0, at + half - length), at + 1):
                        if skeleton[first : first + length] in fragments:
                            yield first, first + length - 1

    def _spans(self, reading: _Reading) -> Iterator[tuple[int, int]]:
        """Yield start and end, in the original text, of all that must not show."""
        places = [place for run in _RUN.finditer(reading.text) for place in range(*run.span())]
        for first, last in self._hits(_skeleton(reading.text)):
            yield reading.starts[places[first]], reading.ends[places[last]]
        for match in self._literals.finditer(reading.text) if self._literals else ():
            yield reading.starts[match.start()], reading.ends[match.end() - 1]


NO_SECRETS = Redactor()
"""Changes nothing."""


class _Reading(Struct, frozen=True):
    """A text whose escapes are resolved, and where its characters stand in the original text."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def resolved(self) -> _Reading:
        """Return the text with one more level of its escapes resolved."""
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for escape in _ESCAPE.finditer(self.text):
            first, behind = escape.span()
            text = _resolved(escape)
            parts += (self.text[at:first], text)
            starts += (*self.starts[at:first], *[self.starts[first]] * len(text))
            ends += (*self.ends[at:first], *[self.ends[behind - 1]] * len(text))
            at = behind
        text = "".join((*parts, self.text[at:]))
        return _Reading(text, [*starts, *self.starts[at:]], [*ends, *self.ends[at:]])


def masked_forms(secret: str) -> tuple[str, ...]:
    """Return the secret as it is, in base64, and as in a header that authorizes W&B or git.

    Base64 has no padding here, so that it is masked with and without. Of a very short secret
    there are none: the runner would mask letters in all words of the log.
    """
    if len(secret) < SHORTEST_CHARACTERS:
        return ()
    authorized = (secret, *(f"{user}:{secret}" for user in _USERS))
    encoded = (b64encode(_bytes(one)).decode().rstrip("=") for one in authorized)
    return (secret, *encoded)


def _fragments_of(secret: str) -> set[str]:
    """Return the letters and digits of each fragment of each form of a secret."""
    if len(secret) < WHOLE_CHARACTERS:
        whole = {_skeleton(form) for form, _ in _forms(secret)}
        return {one for one in whole if len(one) >= FRAGMENT_CHARACTERS}
    return {
        fragment
        for form, length in _forms(secret)
        for at in range(len(form) - length + 1)
        if (fragment := _fragment(form, at, length))
    }


def _fragment(form: str, at: int, length: int) -> str | None:
    """Return the letters and digits of a part of the form, longer if it has too few of them."""
    for end in range(at + length, len(form) + 1):
        fragment = _skeleton(form[at:end])
        if len(fragment) >= _FEWEST_LETTERS:
            return fragment
    return None


def _forms(secret: str) -> Iterator[tuple[str, int]]:
    """Yield the secret and its encoded forms, each with the length of a fragment of it."""
    yield _unlabelled(secret), FRAGMENT_CHARACTERS
    for data in _encodings(secret):
        if not secret.isascii():
            # Byte by byte, as resolved from the escapes of a URL.
            yield data.decode("latin-1"), FRAGMENT_CHARACTERS
        yield data.hex(), 2 * FRAGMENT_CHARACTERS
        for form in _base64_forms(data):
            yield form, FRAGMENT_CHARACTERS
            # A proxy may encode a whole header, in which the secret is encoded already.
            for twice in _base64_forms(form.encode()):
                yield twice, FRAGMENT_CHARACTERS


def _base64_forms(data: bytes) -> Iterator[str]:
    """Yield the characters that the data decides, at each of three offsets in a longer text.

    At the end, with more data following and with none.
    """
    for offset, undecided in enumerate((0, 2, 3)):
        text = b64encode(bytes(offset) + data).decode().rstrip("=")
        yield text[undecided:]
        yield text[undecided : (offset + len(data)) * 8 // 6]


def _encodings(secret: str) -> Iterator[bytes]:
    """Yield the bytes of a secret; programs disagree on those of letters that ASCII lacks."""
    yield _bytes(secret)
    if not secret.isascii() and max(secret) <= "\xff":
        yield secret.encode("latin-1")


def _bytes(text: str) -> bytes:
    # A variable of the environment can hold half a surrogate pair.
    return text.encode(errors="surrogatepass")


def _unlabelled(secret: str) -> str:
    label = _LABEL.match(secret)
    rest = secret[label.end() :] if label else secret
    return rest if len(rest) >= WHOLE_CHARACTERS else secret


def _is_short(secret: str) -> bool:
    return len(_skeleton(secret)) < FRAGMENT_CHARACTERS


def _literal(secret: str) -> str:
    """Return a pattern of the secret that doesn't match within a longer word."""
    before = r"(?<!\w)" if _RUN.match(secret[0]) else ""
    behind = r"(?!\w)" if _RUN.match(secret[-1]) else ""
    return f"{before}{re.escape(secret)}{behind}"


def _skeleton(text: str) -> str:
    """Return the letters and digits alone, in lower case: what quoting and folding leave."""
    bare = text if text.isalnum() else "".join(_RUN.findall(text))
    lower = bare.lower()
    # A few letters become two, and the places in the text would be others.
    return lower if len(lower) == len(bare) else bare.translate(_LOWER)


def _half(length: int) -> int:
    return (length + 1) // 2


def _windows(text: str, length: int) -> Iterator[str]:
    return (text[at : at + length] for at in range(len(text) - length + 1))


def _by_length(texts: Iterable[str]) -> Mapping[int, set[str]]:
    grouped = defaultdict(set)
    for text in texts:
        grouped[len(text)].add(text)
    return grouped


def _readings(text: str) -> Iterator[str]:
    """Yield the text as it is, and with each further level of its escapes resolved."""
    for _ in range(_LEVELS):
        yield text
        resolved = _ESCAPE.sub(_resolved, text)
        if resolved == text:
            return
        text = resolved


def _located(text: str) -> Iterator[_Reading]:
    """Yield the readings of a text, with the places in the original text."""
    reading = _Reading(text, range(len(text)), range(1, len(text) + 1))
    for resolved in _readings(text):
        if resolved != reading.text:
            reading = reading.resolved()
        yield reading


def _resolved(escape: re.Match[str]) -> str:
    """Return what an escape stands for; a space for a line break."""
    if escape.lastindex:
        return chr(int(escape[escape.lastindex], 8 if escape.lastindex == _OCTAL else 16))
    if escape[0].startswith("&"):
        # Imported here: few texts hold HTML.
        from html import unescape  # noqa: PLC0415

        return unescape(escape[0])
    return "\\" if escape[0] == "\\\\" else " "


def _replaced(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return the text with *** in place of the spans, which may overlap; they are sorted."""
    parts: list[str] = []
    at = 0
    for start, end in spans:
        if start > at or not parts:
            parts += (text[at:start], REPLACEMENT)
        at = max(at, end)
    return "".join((*parts, text[at:]))


class _Redaction(Struct, frozen=True):
    """A way through data of any kind; quick, since a report can hold a million values."""

    redact: Callable[[str], str]
    leave: Collection[str]
    names: dict[type, tuple[str, ...]] = field(default_factory=dict)
    """The fields of each Struct and dataclass."""
    keys: dict[Any, Any] = field(default_factory=dict)
    """Redacted form of each key of a mapping, since most are in many."""

    def through(self, value: Any) -> Any:  # noqa: ANN401 -- any data
        """Return the value with all its texts redacted, as `Redactor.values` says."""
        kind = type(value)
        if kind in _WITHOUT_TEXT:
            return value
        if isinstance(value, str):
            text = value if isinstance(value, Enum) else self.redact(value)
            return value if text == value else kind(*map(self.redact, value.__getnewargs__()))
        if isinstance(value, Mapping):
            made: Any = {self._through_key(key): self.through(item) for key, item in value.items()}
        elif isinstance(value, tuple | list | set | frozenset):
            made = kind(map(self.through, value))
        elif isinstance(value, Struct) or hasattr(kind, "__dataclass_fields__"):
            return self._through_fields(value, kind)
        else:
            return value
        # What holds nothing but the same objects is equal at a glance.
        return value if made == value else made

    def _through_key(self, key: Any) -> Any:  # noqa: ANN401 -- any data
        if key not in self.keys:
            self.keys[key] = self.through(key)
        return self.keys[key]

    def _through_fields(self, value: Any, kind: type) -> Any:  # noqa: ANN401 -- a Struct or dataclass
        is_struct = isinstance(value, Struct)
        if kind not in self.names:
            names = value.__struct_fields__ if is_struct else value.__dataclass_fields__
            self.names[kind] = tuple({*names} - {*self.leave})
        changes = {}
        for name in self.names[kind]:
            old = getattr(value, name)
            new = self.through(old)
            if new is not old:
                changes[name] = new
        if not changes:
            return value
        if is_struct:
            return structs.replace(value, **changes)
        # Imported here: who has a dataclass has loaded it.
        import dataclasses  # noqa: PLC0415

        return dataclasses.replace(value, **changes)
