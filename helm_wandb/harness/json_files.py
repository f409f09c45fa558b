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
        raise ArtifactError(
            f"{files.shown(path)}: unexpected content: {error}. If the file was cut short, "
            "run the step that wrote it again."
        ) from error


def encodable(text: str) -> str:
    r"""Return the text with halves of surrogate pairs, which JSON may hold, as `\ud83d`."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


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


def decode_with_nulls(data: bytes, decoder: msgspec.json.Decoder[_Decoded]) -> _Decoded:
    """Return the value; NaN and infinities become null, with no more memory than JSON takes.

    Raises ValueError, or RecursionError if the nesting has no end.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if b"NaN" not in data and b"Infinity" not in data:
            raise
    return decoder.decode(_NO_NUMBER.sub(lambda match: b"null" if match[1] else match[0], data))
