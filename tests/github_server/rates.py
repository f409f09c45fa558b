"""The rate limit, which is never reached unless a fault says so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.github_server.transport import as_json

if TYPE_CHECKING:
    from tests.github_server.calls import Call
    from tests.github_server.transport import Reply

LIMIT = 5000
WINDOW_SECONDS = 3600


def overview(_: Call) -> Reply:
    """GET /rate_limit."""
    rate = {"limit": LIMIT, "remaining": LIMIT - 1, "reset": _reset(), "used": 1}
    return as_json({"rate": rate, "resources": {"core": rate, "search": rate}})


def rate_headers() -> dict[str, str]:
    """What every answer of the API says of it."""
    return {
        "X-RateLimit-Limit": str(LIMIT),
        "X-RateLimit-Remaining": str(LIMIT - 1),
        "X-RateLimit-Reset": str(_reset()),
        "X-RateLimit-Used": "1",
        "X-RateLimit-Resource": "core",
    }


def _reset() -> int:
    return int(time.time()) + WINDOW_SECONDS
