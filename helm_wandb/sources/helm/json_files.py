"""HELM's JSON files → typed structures that skip what is not needed."""

from __future__ import annotations

import re
from json import JSONDecodeError, loads
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from helm_wandb.errors import ArtifactError

if TYPE_CHECKING:
    from helm_wandb.sources.helm.files import Files

_HALF_CHARACTER = re.compile(
    rb"\\ud[89ab]..(?!\\ud[c-f])|(?<!\\ud[89ab]..)\\ud[c-f]..", re.IGNORECASE
)
_Decoded = TypeVar("_Decoded")


def read_json(files: Files, path: str, kind: type[_Decoded]) -> _Decoded:
    """The decoded file; NaN stays NaN.

    Raises ArtifactError, naming the file, where it cannot be read as `kind`.
    """
    data = files.read(path)
    try:
        return _decode(_without_half_characters(data), kind)
    except (ValueError, RecursionError) as error:
        message = (
            f"{files.shown(path)}: not what HELM writes: {error}. If the file was cut short, "
            "run the step that wrote it again."
        )
        raise ArtifactError(message) from error


def _without_half_characters(data: bytes) -> bytes:
    r"""The JSON with `\ufffd` for halves of surrogate pairs, which no UTF-8 text can hold."""
    if b"\\ud" not in data and b"\\uD" not in data:
        return data
    return _HALF_CHARACTER.sub(rb"\\ufffd", data)


def _decode(data: bytes, kind: type[_Decoded]) -> _Decoded:
    """The value; HELM before 0.2.4 writes the bare token NaN, which msgspec refuses."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return msgspec.convert(_loads_with_nan(data), kind)


def _loads_with_nan(data: bytes) -> Any:  # noqa: ANN401 -- JSON may hold anything
    try:
        return loads(data)
    except JSONDecodeError as error:
        message = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise ValueError(message) from error
