"""JSON files of a harness, decoded to structs."""

from __future__ import annotations

from json import JSONDecodeError, dumps, loads
from typing import TypeVar

import msgspec

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.files import Files

_Decoded = TypeVar("_Decoded")

_NO_NUMBERS = (b"-Infinity", b"Infinity", b"NaN")
"""Tokens that Python's json writes, and that aren't JSON."""


def read_json(files: Files, path: str, kind: type[_Decoded]) -> _Decoded:
    """Return the decoded file; NaN stays NaN.

    Raises ArtifactError, with the file's name, if it cannot be read as `kind`.
    """
    data = files.read(path)
    try:
        return decode_with_nan(data, msgspec.json.Decoder(kind))
    except (ValueError, RecursionError) as error:
        raise unexpected_content(files.shown(path), error) from error


def unexpected_content(shown: str, error: Exception) -> ArtifactError:
    """Return the error for a file, or a line of one, that can't be decoded."""
    return ArtifactError(
        f"{shown}: unexpected content: {error}. If the file was cut short, run the step that wrote "
        "it again."
    )


def encodable(text: str) -> str:
    r"""Return the text with halves of surrogate pairs, which JSON may hold, as `\ud83d`."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def sorted_json(value: object) -> str:
    """Return decoded JSON as text with sorted keys, or `…` if it is nested too deeply for that."""
    try:
        return dumps(value, sort_keys=True)
    except RecursionError:
        return "…"


def decode_with_nan(data: bytes, decoder: msgspec.json.Decoder[_Decoded]) -> _Decoded:
    """Return the value; Python's json writes the bare token NaN, which msgspec refuses.

    Raises ValueError, or RecursionError if the nesting has no end.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if b"NaN" not in data and b"Infinity" not in data:
            raise
    try:
        return msgspec.convert(loads(data), decoder.type)
    except JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: {error.msg}") from error


def without_nan(data: bytes) -> bytes | bytearray:
    """Return the JSON with `[]` in place of NaN and infinities, which msgspec refuses.

    That takes no more memory than the JSON itself; decoding by `json` may take twenty times that.
    """
    found = [token for token in _NO_NUMBERS if token in data]
    if not found:
        return data
    changed = bytearray(data)
    for token in found:
        start, is_in_string = 0, False
        while (at := changed.find(token, start)) >= 0:
            is_in_string ^= _count_quotes(changed[start:at]) % 2 == 1
            end = at + len(token)
            if not is_in_string:
                changed[at:end] = b"[]".ljust(len(token))
            start = end
    return changed


def _count_quotes(part: bytearray) -> int:
    """Return the number of quotes that begin or end a string; no escape may be cut in two."""
    plain = part.replace(rb"\\", b"")
    return plain.count(b'"') - plain.count(rb"\"")
