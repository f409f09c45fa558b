"""Faults of answers and exceptions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests import exceptions

from helm_wandb.github_api.faults import TransientError, answer_fault, exception_fault, unreadable
from helm_wandb.github_api.messages import Cause

WHAT = "show the repository"
DATE = "Tue, 24 Nov 2026 02:00:00 GMT"
NOON = 1_795_485_600
"""That date, in seconds since 1970."""


@pytest.mark.parametrize(
    ("status", "words", "headers", "cause"),
    [
        (302, "", {}, Cause.UNREADABLE),
        (400, "", {}, Cause.INVALID),
        (401, "Bad credentials", {}, Cause.UNAUTHORIZED),
        (403, "Resource not accessible by integration", {}, Cause.FORBIDDEN),
        (403, "Must have admin rights", {"x-ratelimit-remaining": "1"}, Cause.FORBIDDEN),
        (403, "You have exceeded a secondary rate limit", {}, Cause.LIMITED),
        (403, "You have triggered an abuse detection mechanism", {}, Cause.LIMITED),
        (403, "API rate limit exceeded for installation", {}, Cause.LIMITED),
        (403, "", {"retry-after": "5"}, Cause.LIMITED),
        (403, "", {"x-ratelimit-remaining": "0"}, Cause.LIMITED),
        (403, "Unable to create comment because issue is locked.", {}, Cause.LOCKED),
        (404, "Not Found", {}, Cause.NOT_FOUND),
        (408, "", {}, Cause.SERVER),
        (409, "", {}, Cause.INVALID),
        (410, "", {}, Cause.INVALID),
        (422, "rate limit", {}, Cause.INVALID),
        (429, "", {}, Cause.LIMITED),
        (500, "", {}, Cause.SERVER),
        (503, "", {}, Cause.SERVER),
    ],
)
def test_cause_of_an_answer(status: int, words: str, headers: dict[str, str], cause: Cause) -> None:
    """Status, words and headers together separate a permission from a limit and from a lock."""
    fault = answer_fault(status, headers, words, what=WHAT)

    assert fault
    assert cause is fault.cause
    assert f"Could not {WHAT}: " in str(fault)
    assert (cause in (Cause.LIMITED, Cause.SERVER)) == isinstance(fault, TransientError)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_good_answers_show_no_fault(status: int) -> None:
    """Whatever their headers."""
    assert answer_fault(status, {"x-ratelimit-remaining": "0"}, "locked", what=WHAT) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "7", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, 7),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOON + 90), "date": DATE}, 90),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOON - 90), "date": DATE}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOON)}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOON), "date": "?"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "x", "date": DATE}, None),
        ({"x-ratelimit-remaining": "9", "x-ratelimit-reset": str(NOON), "date": DATE}, None),
    ],
)
def test_how_long_a_limit_lasts(headers: dict[str, str], seconds: float | None) -> None:
    """Retry-After first, then the reset of a used-up limit by GitHub's own clock, else unknown."""
    fault = answer_fault(429, headers, "", what=WHAT)

    assert isinstance(fault, TransientError)
    assert seconds == fault.after_seconds
    assert (seconds is not None) == ("asks to wait" in str(fault))


ADDRESS = "http://user:hidden@proxy"


@pytest.mark.parametrize(
    ("error", "cause", "words", "is_transient"),
    [
        (exceptions.SSLError(ADDRESS), Cause.NETWORK, "certificate is not trusted", False),
        (exceptions.ProxyError(ADDRESS), Cause.NETWORK, "the proxy did", True),
        (exceptions.ReadTimeout(ADDRESS), Cause.NETWORK, "did not answer in time", True),
        (TimeoutError(ADDRESS), Cause.NETWORK, "did not answer in time", True),
        (exceptions.ConnectionError(ADDRESS), Cause.NETWORK, "the connection failed", True),
        (exceptions.ChunkedEncodingError(ADDRESS), Cause.NETWORK, "the connection failed", True),
        (OSError(ADDRESS), Cause.NETWORK, "the connection failed", True),
        (RuntimeError(ADDRESS), Cause.UNREADABLE, "the response isn't from GitHub", False),
        (ValueError(ADDRESS), Cause.UNREADABLE, "the response isn't from GitHub", False),
    ],
)
def test_cause_of_an_exception(
    error: Exception, cause: Cause, words: str, *, is_transient: bool
) -> None:
    """Transient faults differ from others, and the exception's words are not repeated."""
    fault = exception_fault(error, what=WHAT)

    assert cause is fault.cause
    assert words in str(fault)
    assert is_transient == isinstance(fault, TransientError)
    assert "hidden" not in str(fault)


@given(st.text())
def test_words_of_a_server_stay_on_a_line_and_short(words: str) -> None:
    """Whatever it says, the message is one line of bounded length."""
    fault = answer_fault(500, {}, words, what=WHAT)

    for message in (str(fault), str(unreadable(WHAT, why=words))):
        assert 1 == len(message.splitlines())
        assert len(message) < 400
