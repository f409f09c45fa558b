"""The requests that the server remembers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, and how it was answered."""

    seconds: float
    """When it came, since the server's start."""
    listener: str
    """api, or storage, which is where artifacts are fetched from."""
    method: str
    path: str
    """Without `/api/v3` and without the query."""
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str] = field(repr=False)
    """The names in lower case."""
    body: bytes
    status: int | str | None = None
    """The HTTP status, or drop or hang, by what the fault did; None is not answered yet."""

    @property
    def authorization(self) -> str | None:
        """The Authorization header."""
        return self.headers.get("authorization")

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        body = self.body.decode(errors="replace")
        return {**asdict(self), "headers": dict(self.headers), "body": body}

    def json(self) -> Any:
        """What the body holds."""
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Violation:
    """What GitHub's own description does not allow."""

    of: str
    """request, or response: the latter is a fault of this server."""
    method: str
    path: str
    reason: str
