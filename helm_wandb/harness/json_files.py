"""JSON files of a harness, decoded to structs."""

from __future__ import annotations

import re
from json import JSONDecodeError, loads
from typing import TypeVar

import msgspec

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.files import Files

_Decoded = TypeVar("_Decoded")

_NO_NUMBER = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|(-?Infinity|NaN)', re.DOTALL)
"""A string, which is passed over, or a token that isn't JSON."""


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


def decode_with_nan(data: bytes, decoder: msgspec.json.Decoder[_Decoded]) -> _Decoded:
    """Return the value; Python's json writes the bare token NaN, which msgspec refuses.

    Raises ValueError, or RecursionError if the nesting has no end.
    """
    try:
        return decoder.decode(data)
    except msgspec.DecodeError as error:
        if not _may_hold_nan(data, error):
            raise
    try:
        return msgspec.convert(loads(data), decoder.type)
    except JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: {error.msg}") from error


def decode_with_nulls(data: bytes, decoder: msgspec.json.Decoder[_Decoded]) -> _Decoded:
    """Return the value; NaN and infinities become null, with no more memory than JSON takes.

    Raises ValueError, or RecursionError if the nesting has no end.
    """
    try:
        return decoder.decode(data)
    except msgspec.DecodeError as error:
        if not _may_hold_nan(data, error):
            raise
    return decoder.decode(_NO_NUMBER.sub(lambda match: b"null" if match[1] else match[0], data))


def _may_hold_nan(data: bytes, error: msgspec.DecodeError) -> bool:
    """Return whether the data may be JSON but for NaN and infinities."""
    is_json = isinstance(error, msgspec.ValidationError)
    return not is_json and (b"NaN" in data or b"Infinity" in data)
