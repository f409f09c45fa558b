"""What went wrong with a request to GitHub → a GithubError, with the token nowhere in it."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from helm_wandb.github_api.bounded import TooLargeError
from helm_wandb.github_api.messages import Cause, GithubError
from helm_wandb.text.safe_text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS_LIMIT = 200
_CAUSES = {401: Cause.UNAUTHORIZED, 403: Cause.FORBIDDEN, 404: Cause.NOT_FOUND}
_REDIRECT, _REQUEST_FAULT, _SERVER_FAULT = 300, 400, 500
_FORBIDDEN, _REQUEST_TIMEOUT, _TOO_MANY = 403, 408, 429
_LIMIT_WORDS = ("rate limit", "abuse detection")
"""Of limits that come as 403, often without any header that tells how long."""


class TransientError(GithubError):
    """A fault that may pass by itself."""

    def __init__(self, cause: Cause, message: str, *, after_seconds: float | None = None) -> None:
        """after_seconds: when GitHub asks to be asked again; None: it does not say."""
        super().__init__(cause, message)
        self.after_seconds = after_seconds


def of_answer(
    status: int, headers: Mapping[str, str], words: str, *, what: str
) -> GithubError | None:
    """The fault that an answer tells of; None where it is as it should be.

    headers: with names in lower case. words: what GitHub says. what: what was asked, in words.
    Source: GitHub's "Troubleshooting the REST API" and "Rate limits for the REST API".
    """
    if status < _REDIRECT:
        return None
    said = plain(words)[:_WORDS_LIMIT]
    message = f"GitHub was asked to {what}, and answered HTTP {status}{said and f' ({said})'}"
    if status < _REQUEST_FAULT:
        return GithubError(Cause.UNREADABLE, f"{message}: a redirect that is not followed")
    if _is_limit(status, headers, words):
        return _limit(message, _after_seconds(headers))
    if status >= _SERVER_FAULT or status == _REQUEST_TIMEOUT:
        return TransientError(Cause.SERVER, message)
    if status == _FORBIDDEN and "locked" in words.lower():
        return GithubError(Cause.LOCKED, message)
    return GithubError(_CAUSES.get(status, Cause.INVALID), message)


def of_exception(error: Exception, *, what: str) -> GithubError:
    """The fault that an exception of PyGithub, requests or the system tells of.

    Their own words are not repeated: they may name a proxy with its password, or a signed URL.
    """
    # Imported here: it is there already where such an exception is.
    from requests import exceptions  # noqa: PLC0415

    asked = f"GitHub was asked to {what}"
    if isinstance(error, exceptions.SSLError):
        cure = "Name the file of the certificates to trust in REQUESTS_CA_BUNDLE"
        return GithubError(Cause.NETWORK, f"{asked}, and its certificate is not trusted. {cure}")
    if isinstance(error, exceptions.ProxyError):
        return TransientError(Cause.NETWORK, f"{asked}, and the proxy did not pass it on")
    if isinstance(error, TimeoutError | exceptions.Timeout):
        return TransientError(Cause.NETWORK, f"{asked}, and did not answer in time")
    if isinstance(error, ValueError | RuntimeError):
        return unreadable(what, why=str(error) if isinstance(error, TooLargeError) else "")
    return TransientError(Cause.NETWORK, f"{asked}, and the connection failed")


def unreadable(what: str, *, why: str = "") -> GithubError:
    """The fault of an answer that is none of GitHub's, but a proxy's page say."""
    detail = why and f" ({plain(why)[:_WORDS_LIMIT]})"
    message = f"GitHub was asked to {what}, and what answered is no answer of GitHub's{detail}"
    return GithubError(Cause.UNREADABLE, message)


def _limit(message: str, after_seconds: float | None) -> TransientError:
    asks = "" if after_seconds is None else f", and asks to wait {after_seconds:.0f} seconds"
    return TransientError(Cause.LIMITED, f"{message}{asks}", after_seconds=after_seconds)


def _is_limit(status: int, headers: Mapping[str, str], words: str) -> bool:
    if status == _TOO_MANY:
        return True
    told = any(one in words.lower() for one in _LIMIT_WORDS) or "retry-after" in headers
    return status == _FORBIDDEN and (told or headers.get("x-ratelimit-remaining") == "0")


def _after_seconds(headers: Mapping[str, str]) -> float | None:
    """How long GitHub asks to wait; by its own clock, where it names a time."""
    asked = _whole(headers.get("retry-after"))
    if asked is not None:
        return asked
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
