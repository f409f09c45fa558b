"""The secrets that an environment holds besides the action's inputs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

VARIABLES = (
    "WANDB_API_KEY",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
)
"""Each holds a key or a token, and nothing else."""
_HEADERS_VARIABLE = "WANDB_X_EXTRA_HTTP_HEADERS"
"""A JSON object; the SDK sends these headers along with each request."""
_SECRET_HEADER = re.compile("auth|cookie|credential|key|password|secret|token", re.IGNORECASE)


def secret_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return each secret once: keys, tokens, passwords in URLs, and what authorizes by a header."""
    secrets = [environ.get(name, "").strip() for name in VARIABLES]
    for name, value in environ.items():
        if name.upper().endswith(("PROXY", "URL")):
            secrets += _in_url(value)
    secrets += _in_headers(environ.get(_HEADERS_VARIABLE, ""))
    return tuple(dict.fromkeys(filter(None, secrets)))


def _in_url(url: str) -> Iterator[str]:
    """Yield the password of a URL, and the credentials whole, as they are and unquoted."""
    credentials = url.rpartition("://")[2].rpartition("@")[0]
    password = credentials.partition(":")[2]
    if password:
        yield from (password, credentials, unquote(password), unquote(credentials))


def _in_headers(text: str) -> Iterator[str]:
    """Yield what follows the scheme, as in `Bearer TOKEN`, in each header that authorizes."""
    try:
        headers = json.loads(text)
    except ValueError:
        return
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if _SECRET_HEADER.search(name) and str(value).strip():
            yield str(value).split()[-1]
