"""The repository at GitHub that a workflow runs in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from helm_wandb.errors import InputError
from helm_wandb.runner.context import RunContext
from helm_wandb.system.budget import Budget
from helm_wandb.system.urls import is_server_url, shown_url

if TYPE_CHECKING:
    from helm_wandb.github_api.repository import Repository

_API_URL = "https://api.github.com"
_GRAPHQL_URL = "https://api.github.com/graphql"
_TIMEOUT_SECONDS = 15.0
"""For one request; requests counts it for each piece of the answer."""


@contextmanager
def open_repository(
    context: RunContext, token: str | None, *, budget_seconds: float
) -> Iterator[Repository | None]:
    """Yield the repository that a workflow runs in; None without a token or a workflow.

    SSL_CERT_FILE names the certificates to trust, as in other programs, unless a variable is set
    that requests itself reads.
    budget_seconds: how long all requests may take together.
    Raises InputError if GITHUB_API_URL is no URL.
    """
    event, environ = context.event, context.environ
    if token is None or not event.repository:
        yield None
        return
    api_url = event.api_url or _API_URL
    if not is_server_url(api_url):
        raise InputError(f"GITHUB_API_URL: {shown_url(api_url)} isn't the URL of a server")
    # Imported here: without a token nothing is requested of GitHub.
    from helm_wandb.github_api.connection import Connection  # noqa: PLC0415
    from helm_wandb.github_api.repository import Repository  # noqa: PLC0415

    has_own = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    repository = Repository(
        connection=Connection(
            token=token,
            redactor=context.redactor,
            api_url=api_url,
            timeout_seconds=_TIMEOUT_SECONDS,
            certificates=None if has_own else environ.get("SSL_CERT_FILE") or None,
        ),
        path=f"/repos/{quote(event.repository)}",
        graphql_url=event.graphql_url or _GRAPHQL_URL,
        budget=Budget(budget_seconds),
    )
    with closing(repository):
        yield repository
