"""What W&B gives each thing: an id of its own, and the time."""

from __future__ import annotations

import base64
import itertools
from datetime import UTC, datetime

_NUMBERS = itertools.count(1)


def new_id(kind: str) -> str:
    """An id as W&B makes them: base64 of the kind and a number that no other has."""
    return base64.b64encode(f"{kind}:{next(_NUMBERS)}".encode()).decode()


def now() -> str:
    """The time in UTC as W&B writes it; microseconds tell apart what is made at once."""
    return datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
