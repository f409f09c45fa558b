"""Writing to standard streams, which may be closed, full, or of another encoding."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO

_ASCII = str.maketrans(
    {"±": "+-", "…": "...", "→": "->", "Δ": "delta", "❌": "FAIL", "✅": "OK"}
    | {"⚠": "!", "\N{INFORMATION SOURCE}": "i", "\N{VARIATION SELECTOR-16}": ""}
    | dict(zip("−–─×▼▲↓“”▁▂▃▄▅▆▇█", '---xv^v""_.-~=+*#', strict=True))
)
"""The signs of our own texts, if a stream's encoding lacks them."""


def write(stream: TextIO | None, text: str) -> None:
    """Write all of the text now, in simpler signs or `?` if the stream's encoding lacks some.

    stream: None if the process was started without it; then nothing is written.
    Raises OSError if it cannot be written (BrokenPipeError: nobody reads on), once; from
    then on what is written is lost silently, so that Python does not fail again at its exit.
    """
    if stream is None or stream.closed:
        return
    try:
        stream.write(_encodable(text, stream.encoding or "utf-8"))
        stream.flush()
    except OSError:
        _silence(stream)
        raise


def _encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, errors="replace").decode(encoding)
    return text


def _silence(stream: TextIO) -> None:
    with suppress(OSError, ValueError), Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
