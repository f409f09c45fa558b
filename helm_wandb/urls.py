"""What counts as the URL of a server."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_server_url(text: str) -> bool:
    """Whether the text is an http(s) URL with a host, and a port that there can be."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
