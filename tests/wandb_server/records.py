"""Records of the requests that the server got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, and how it was answered."""

    seconds: float
    """Since the server's start."""
    kind: str
    """graphql, file_stream, store or other."""
    operation: str
    """The GraphQL operation's name, file_stream, upload, download, or method and path."""
    run: str | None
    """The id of the run that it is about, if the request names it."""
    status: int | str
    """The HTTP status, or drop, hang or lost, by what the fault did."""
    variables: Mapping[str, Any]
    """The GraphQL variables, or what the file stream holds."""


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A request that nobody implemented."""

    operation: str
    reason: str
    variables: Mapping[str, Any]
