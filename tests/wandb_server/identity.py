"""IDs and times that W&B assigns."""

from __future__ import annotations

import base64
import itertools
from datetime import UTC, datetime, timedelta

_NUMBERS = itertools.count(1)


def new_id(kind: str) -> str:
    """An id as W&B makes them: base64 of the kind and a number that no other has."""
    return base64.b64encode(f"{kind}:{next(_NUMBERS)}".encode()).decode()


def now(ahead_seconds: float = 0.0) -> str:
    """The time in UTC as W&B writes it; microseconds differ if two are made at once."""
    time = datetime.now(tz=UTC) + timedelta(seconds=ahead_seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
