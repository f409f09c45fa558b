"""The repository at GitHub that a workflow runs in."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from helm_wandb.github_api.repository import Repository
    from helm_wandb.runner.event import Event
    from helm_wandb.text.redaction import Redactor


@contextmanager
def open_repository(
    event: Event,
    environ: Mapping[str, str],
    token: str | None,
    *,
    redactor: Redactor,
    budget_seconds: float,
) -> Iterator[Repository | None]:
    """Yield the repository that a workflow runs in; None without a token or a workflow.

    environ: names the certificates to trust. SSL_CERT_FILE counts as in other programs, unless
    a variable is set that requests itself reads.
    redactor: removes secrets from what GitHub answers.
    budget_seconds: how long all requests may take together.
    Raises InputError if GITHUB_API_URL is no URL.
    """
    if token is None or not event.repository:
        yield None
        return
    # Imported here: without a token nothing is requested of GitHub.
    from helm_wandb.github_api.repository import API_URL, GRAPHQL_URL, connect  # noqa: PLC0415

    has_own = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    repository = connect(
        token,
        event.repository,
        api_url=event.api_url or API_URL,
        graphql_url=event.graphql_url or GRAPHQL_URL,
        certificates=None if has_own else environ.get("SSL_CERT_FILE") or None,
        redactor=redactor,
        budget_seconds=budget_seconds,
    )
    with closing(repository):
        yield repository
