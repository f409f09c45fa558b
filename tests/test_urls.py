"""What counts as the URL of a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.urls import is_server_url


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


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    """No text makes it raise."""
    assert is_server_url(f"https://{text}") in (True, False)
