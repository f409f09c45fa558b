"""The secrets that an environment holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helm_wandb.runner import known_secrets
from helm_wandb.wandb_runs.sdk.service import _environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("WANDB_API_KEY", " k1\n", ["k1"]),
        ("GITHUB_TOKEN", "t1", ["t1"]),
        ("ACTIONS_RUNTIME_TOKEN", "t1", ["t1"]),
        ("GH_TOKEN", "  ", []),
        ("GITHUB_SHA", "a1", []),
        ("HTTPS_PROXY", "http://u:p1@proxy:3128", ["p1", "u:p1"]),
        ("https_proxy", "u:p1@proxy", ["p1", "u:p1"]),
        ("ALL_PROXY", "socks5://u:p%401@x@proxy", ["p%401@x", "u:p%401@x", "p@1@x", "u:p@1@x"]),
        ("NO_PROXY", "localhost,10.0.0.1:80", []),
        ("HTTP_PROXY", "http://proxy:3128", []),
        ("HTTP_PROXY", "http://u@proxy:3128", []),
        ("INPUT_WANDB-BASE-URL", "https://u:p1@host", ["p1", "u:p1"]),
        (
            "WANDB_X_EXTRA_HTTP_HEADERS",
            '{"Authorization": "Bearer t1", "X-Api-Key": "t2", "X-Team": "red", "Cookie": ""}',
            ["t1", "t2"],
        ),
        ("WANDB_X_EXTRA_HTTP_HEADERS", "[1]", []),
        ("WANDB_X_EXTRA_HTTP_HEADERS", "{", []),
    ],
)
def test_secrets_are_found_where_programs_keep_them(
    name: str, value: str, expected: list[str]
) -> None:
    """Keys and tokens, passwords of proxies and servers, and what a header authorizes with."""
    assert tuple(expected) == known_secrets.secret_variables({name: value})


@pytest.mark.parametrize("name", known_secrets.VARIABLES)
def test_the_sdks_process_is_given_no_token(name: str, tmp_path: Path) -> None:
    """No key or token is among the variables of W&B's process, which has no use for them."""
    given = _environment({name: "t1", "PATH": "/bin"}, str(tmp_path))

    assert "/bin" == given["PATH"]
    assert "t1" not in given.values()


def test_each_secret_is_found_once() -> None:
    """A token is often in several variables."""
    environ = {"GITHUB_TOKEN": "t1", "GH_TOKEN": "t1", "WANDB_API_KEY": "k1"}

    assert ("k1", "t1") == known_secrets.secret_variables(environ)
