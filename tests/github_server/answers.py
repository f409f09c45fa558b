"""GitHub's refusals, for faults and for the server's own checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tests.github_server.transport import Reply, as_json

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENTATION = "https://docs.github.com/rest"
RATE_LIMITS = f"{DOCUMENTATION}/using-the-rest-api/rate-limits-for-the-rest-api"
WORDS = {
    401: "Bad credentials",
    403: "Resource not accessible by integration",
    404: "Not Found",
    410: "Gone",
    422: "Validation Failed",
    429: "API rate limit exceeded",
    500: "Server Error",
    502: "Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A fixed reply to any request."""

    status: int
    body: Any = None
    """Bytes and text as they are, all else as JSON; None is what GitHub says with the status.

    A function makes it from the request's Authorization header, as a proxy that repeats it.
    """
    headers: Mapping[str, str] = field(default_factory=dict)

    def reply(self, authorization: str = "") -> Reply:
        """The answer as it is sent to a request with this header."""
        body = self.body(authorization) if callable(self.body) else self.body
        if body is None:
            return as_json(error(self.status), self.status, self.headers)
        if not isinstance(body, bytes | str):
            return as_json(body, self.status, self.headers)
        sent = body.encode() if isinstance(body, str) else body
        return Reply(status=self.status, body=sent, headers=self.headers)


def error(status: int, message: str | None = None, **more: Any) -> dict[str, Any]:
    """The JSON of an error."""
    words = message or WORDS.get(status, HTTPStatus(status).phrase)
    return {
        "message": words,
        "documentation_url": DOCUMENTATION,
        "status": str(status),
        **more,
    }


class RefusedError(Exception):
    """GitHub would not do this; the words are its own."""

    def __init__(self, status: int, message: str | None = None, **more: Any) -> None:
        super().__init__(message)
        self.answer = Answer(status=status, body=error(status, message, **more))


BAD_CREDENTIALS = Answer(status=401)
MISSING_PERMISSION = Answer(status=403)
LOCKED = Answer(
    status=403,
    body=error(
        403,
        "Unable to create comment because issue is locked.",
        documentation_url="https://help.github.com/articles/locking-conversations/",
    ),
)
# The one that names no time to wait: GitHub's secondary limits often come without Retry-After.
SECONDARY_LIMIT = Answer(
    status=403,
    body=error(
        403,
        "You have exceeded a secondary rate limit and have been temporarily blocked from content "
        "creation. Please retry your request again later.",
        documentation_url=f"{RATE_LIMITS}#about-secondary-rate-limits",
    ),
)
PRIMARY_LIMIT = Answer(
    status=403,
    body=error(
        403,
        "API rate limit exceeded for installation ID 1.",
        documentation_url=f"{RATE_LIMITS}#about-primary-rate-limits",
    ),
    headers={"X-RateLimit-Remaining": "0"},
)
BAD_GATEWAY = Answer(
    status=502,
    body="<html><body><h1>Unicorn!</h1></body></html>",
    headers={"Content-Type": "text/html"},
)
NOT_JSON = Answer(
    status=200,
    body="<html>A proxy is in the way.</html>",
    headers={"Content-Type": "text/html"},
)
GRAPHQL_ERROR = Answer(
    status=200,
    body={"errors": [{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}]},
)
# What it claims to be: more than any memory holds.
HUGE_ZIP = Answer(
    status=200,
    body=b"PK\x03\x04",
    headers={"Content-Type": "application/zip", "Content-Length": str(10**12)},
)


def too_many_requests(retry_after_seconds: int) -> Answer:
    """The limit that says how long to wait."""
    body = {**SECONDARY_LIMIT.body, "status": "429"}
    return Answer(status=429, body=body, headers={"Retry-After": str(retry_after_seconds)})
