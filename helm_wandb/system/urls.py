"""URLs of servers: which are valid, and how they are shown."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_server_url(text: str) -> bool:
    """Whether the text is an http(s) URL with a host, a port that there can be, and no user."""
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_one and not holds_user(text)


def holds_user(text: str) -> bool:
    """Whether a user name or password may stand in it, as in `https://user:password@host`.

    Links and texts that others read hold the URL. An unescaped `/` in a password puts the `@`
    behind what a parser takes for the host, so it is refused anywhere.
    """
    return "@" in text


def shown_url(text: str) -> str:
    """Return the text in quotes, fit for a message, without a user name or password."""
    if not holds_user(text):
        return repr(text)
    scheme, mark, _ = text.partition("://")
    shown = f"{scheme}://***@" if mark and scheme in ("http", "https") else "***@"
    return f"{shown + text.rpartition('@')[2]!r} (with a user name or password: remove it)"
