"""Settings of evaluations as the fields of a fingerprint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

from helm_wandb.harness.json_files import encodable, sorted_json

EMPTY: tuple[object, ...] = ("", None, [], {})
"""Values that are the same as none: versions of a harness differ in which of them they write."""
_LONG = 60
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""Address of an object that has no text: another one in each run."""


def join_settings(settings: Iterable[Mapping[str, str]]) -> dict[str, object]:
    """Return the fields of several runs as one fingerprint.

    A field that differs from run to run (the subject, say) is the sorted list of its values.
    """
    found: dict[str, set[str]] = {}
    for one in settings:
        for name, value in one.items():
            found.setdefault(name, set()).add(value)
    return {
        name: next(iter(values)) if len(values) == 1 else sorted(values)
        for name, values in sorted(found.items())
    }


def setting_text(value: object) -> str:
    """Return the value as short text that differs if the value does; 0 and 0.0 are one value.

    A long text stands as its beginning and a hash.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = encodable(value if isinstance(value, str) else sorted_json(value))
    if len(text) <= _LONG:
        return text
    digest = sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{text[: _LONG - 12]}… {digest}"


def without_addresses(value: object) -> object:
    """Return the value without the addresses of Python's objects in it."""
    if isinstance(value, list | dict):
        value = sorted_json(value)
    return _ADDRESS.sub("", value) if isinstance(value, str) else value
