"""Whether a text shows a secret, by rules that the product knows nothing of.

It tries what somebody would try who wants the secret: resolve each kind of escape, join what was
folded, ignore the case, and look for eight characters of the secret or of its encoded forms.
"""

from __future__ import annotations

import base64
import html
import re
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FRAGMENT = 8
_ROUNDS = 3
_UNICODE = re.compile(r"\\+(?:u|x)([0-9a-fA-F]{4}|[0-9a-fA-F]{2})")


def shown(secret: str, text: str) -> list[str]:
    """The fragments of a secret and of its encoded forms that a text shows."""
    readings = set(_readings(text))
    return sorted({one for one in fragments(secret) if any(one in read for read in readings)})


def leaking_files(secret: str, folder: Path) -> list[str]:
    """The files below a folder that show a secret, their names included."""
    files = [path for path in folder.rglob("*") if path.is_file() or path.is_symlink()]
    return [
        f"{path}: {found}"
        for path in files
        if (found := shown(secret, f"{path.name}\n{_content(path)}"))
    ]


@cache
def fragments(secret: str) -> frozenset[str]:
    """All that must not show, in lower case."""
    found = set()
    for form, length in _forms(secret):
        found |= {form[at : at + length] for at in range(max(1, len(form) - length + 1))}
    return frozenset(one.lower() for one in found)


def _forms(secret: str) -> Iterator[tuple[str, int]]:
    data = secret.encode()
    yield secret, FRAGMENT
    yield data.hex(), 2 * FRAGMENT
    for before in (b"", b"x", b"xx"):
        encoded = base64.b64encode(before + data).decode().rstrip("=")
        # The first and the last character can hold bits of what stands around the secret.
        own = encoded[(0, 2, 3)[len(before)] : -1]
        yield own, FRAGMENT
        yield own.replace("+", "-").replace("/", "_"), FRAGMENT


def _readings(text: str) -> Iterator[str]:
    for _ in range(_ROUNDS):
        for one in (text, unquote(text), html.unescape(text), _UNICODE.sub(_character, text)):
            yield one.lower()
            yield re.sub(r"\\[nrt]|[\s\\\"'\0]", "", one).lower()
        text = html.unescape(unquote(_UNICODE.sub(_character, text)))


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16))


def _content(path: Path) -> str:
    return path.read_bytes().decode("latin-1") if path.is_file() else ""
