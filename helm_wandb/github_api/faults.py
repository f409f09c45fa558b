"""A failed request to GitHub → a GithubError, without the token."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from helm_wandb.github_api.messages import Cause, GithubError
from helm_wandb.github_api.size_limit import TooLargeError
from helm_wandb.text.safe_text import plain

_WORDS_LIMIT = 200
_CAUSES = {401: Cause.UNAUTHORIZED, 403: Cause.FORBIDDEN, 404: Cause.NOT_FOUND}
_REDIRECT, _REQUEST_FAULT, _SERVER_FAULT = 300, 400, 500
_FORBIDDEN, _REQUEST_TIMEOUT, _TOO_MANY = 403, 408, 429
_LIMIT_WORDS = ("rate limit", "abuse detection")
"""Words of rate limits that come as 403, often without a header that says how long."""


class TransientError(GithubError):
    """A fault after which a retry may succeed."""

    def __init__(self, cause: Cause, message: str, *, after_seconds: float | None = None) -> None:
        """after_seconds: the wait that GitHub wants; None: it does not say."""
        super().__init__(cause, message)
        self.after_seconds = after_seconds


def answer_fault(
    status: int, headers: Mapping[str, str], words: str, *, what: str
) -> GithubError | None:
    """Return the fault of an answer; None if it is a success.

    headers: with names in lower case. words: GitHub's message. what: the request, in words.
    Source: GitHub's "Troubleshooting the REST API" and "Rate limits for the REST API".
    """
    if status < _REDIRECT:
        return None
    said = plain(words)[:_WORDS_LIMIT]
    message = f"Could not {what}: GitHub returned HTTP {status}{said and f' ({said})'}"
    if status < _REQUEST_FAULT:
        return GithubError(Cause.UNREADABLE, f"{message}: a redirect that is not followed")
    if _is_limit(status, headers, words):
        return _limit(message, _after_seconds(headers))
    if status >= _SERVER_FAULT or status == _REQUEST_TIMEOUT:
        return TransientError(Cause.SERVER, message)
    if status == _FORBIDDEN and "locked" in words.lower():
        return GithubError(Cause.LOCKED, message)
    return GithubError(_CAUSES.get(status, Cause.INVALID), message)


def exception_fault(error: Exception, *, what: str) -> GithubError:
    """Return the fault of an exception of PyGithub, requests or the system.

    Their own words are not repeated: they may name a proxy with its password, or a signed URL.
    """
    # Imported here: such an exception comes from requests, so it is loaded already.
    from requests import exceptions  # noqa: PLC0415

    failure = f"Could not {what}:"
    if isinstance(error, exceptions.SSLError):
        advice = "Name the file of the certificates to trust in REQUESTS_CA_BUNDLE"
        return GithubError(
            Cause.NETWORK, f"{failure} GitHub's certificate is not trusted. {advice}"
        )
    if isinstance(error, exceptions.ProxyError):
        return TransientError(Cause.NETWORK, f"{failure} the proxy didn't forward the request")
    if isinstance(error, TimeoutError | exceptions.Timeout):
        return TransientError(Cause.NETWORK, f"{failure} GitHub did not answer in time")
    if isinstance(error, ValueError | RuntimeError):
        return unreadable(what, why=str(error) if isinstance(error, TooLargeError) else "")
    return TransientError(Cause.NETWORK, f"{failure} the connection failed")


def unreadable(what: str, *, why: str = "") -> GithubError:
    """Return the fault of a response that isn't from GitHub, such as a proxy's page."""
    detail = why and f" ({plain(why)[:_WORDS_LIMIT]})"
    message = f"Could not {what}: the response isn't from GitHub{detail}"
    return GithubError(Cause.UNREADABLE, message)


def _limit(message: str, after_seconds: float | None) -> TransientError:
    asks = "" if after_seconds is None else f", and asks to wait {after_seconds:.0f} seconds"
    return TransientError(Cause.LIMITED, f"{message}{asks}", after_seconds=after_seconds)


def _is_limit(status: int, headers: Mapping[str, str], words: str) -> bool:
    if status == _TOO_MANY:
        return True
    is_named = any(one in words.lower() for one in _LIMIT_WORDS) or "retry-after" in headers
    return status == _FORBIDDEN and (is_named or headers.get("x-ratelimit-remaining") == "0")


def _after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the wait that GitHub wants, by its own clock if it names a time."""
    seconds = _whole(headers.get("retry-after"))
    if seconds is not None:
        return seconds
    reset = _whole(headers.get("x-ratelimit-reset"))
    if headers.get("x-ratelimit-remaining") != "0" or reset is None:
        return None
    try:
        now = parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None
    return max(0.0, reset - now)


def _whole(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() else None
