"""What GitHub gives each thing: a number, an opaque id, and the time."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime


def now() -> str:
    """The time in UTC as GitHub writes it."""
    return written(datetime.now(tz=UTC))


def written(moment: datetime) -> str:
    """A time as GitHub writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, number: int | str) -> str:
    """The id that GraphQL would know it by."""
    return base64.b64encode(f"{kind}{number}".encode()).decode()


def number_of(name: str) -> int:
    """The same number for the same name, within 31 bits."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") >> 1
