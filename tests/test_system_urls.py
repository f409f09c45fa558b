"""What counts as the URL of a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.system.urls import is_server_url, shown_url


@pytest.mark.parametrize(
    "url",
    ["https://api.wandb.ai", "http://localhost:8080", "https://h/path/", "http://[::1]:80"],
)
def test_servers(url: str) -> None:
    """Scheme and host make a server's URL; port and path may follow."""
    assert is_server_url(url)


@pytest.mark.parametrize(
    "text",
    ["", "garbage", "example.com", "ftp://h", "https://", "https://h:99999", "http://[::1", "//h"],
)
def test_others(text: str) -> None:
    """Without an http scheme or a host, or with a port that cannot be, it is none."""
    assert not is_server_url(text)


SECRETS = [
    "http://user:s3cret@host",
    "https://s3cret@host",
    "http://user:s3@cret@host",
    "http://user:8/s3cret@host",
    "http://user:s3/cret@host",
    "http://user:s3?cret#@host",
    "HTTP://user:s3cret@host",
    "user:s3cret@host",
    "s3cret://user@host",
]


@pytest.mark.parametrize("url", SECRETS)
def test_users_are_refused_and_not_shown(url: str) -> None:
    """A URL with a user or password is neither published nor quoted in a message."""
    shown = shown_url(url)

    assert not is_server_url(url)
    assert "@host' (with a user name or password: remove it)" in shown
    assert not [part for part in ("s3", "cret", "user:") if part in shown]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", "'x'"),
        ("ftp://h", "'ftp://h'"),
        ("https://u:p@h", "'https://***@h' (with a user name or password: remove it)"),
        ("u:p@h", "'***@h' (with a user name or password: remove it)"),
    ],
)
def test_urls_are_shown_in_quotes(text: str, expected: str) -> None:
    """What a message shows of a URL is all of it, or all but what stands before the @."""
    assert expected == shown_url(text)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    """No text makes it raise."""
    assert is_server_url(f"https://{text}") in (True, False)
