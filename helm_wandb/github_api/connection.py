"""One request to GitHub's API, by PyGithub; no other module knows that library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

import msgspec

from helm_wandb.github_api.messages import Cause, GithubError
from helm_wandb.github_api.size_limit import limit_answers

if TYPE_CHECKING:
    from github.Requester import (
        HTTPRequestsConnectionClass,
        HTTPSRequestsConnectionClass,
        Requester,
    )

    from helm_wandb.text.redaction import Redactor

Query: TypeAlias = Mapping[str, str | int]

_TOKEN = re.compile(r"[!-~]+")
"""Characters that a header can carry."""
_API_VERSION = "2022-11-28"
PAGE_LENGTH = 100
"""GitHub's maximum; its default is 30."""
ANSWER_LIMIT_BYTES = 32 << 20
"""A page of 100 comments of 65,536 characters, all of four bytes, takes 26 MB."""


class _Refusal(msgspec.Struct, frozen=True):
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """GitHub's answer, of any status."""

    status: int
    headers: Mapping[str, str]
    """With names in lower case."""
    text: str

    @property
    def next_url(self) -> str:
        """The URL of the next page; empty on the last one."""
        # Imported here: an answer comes from requests, so it is loaded already.
        from requests.utils import parse_header_links  # noqa: PLC0415

        links = parse_header_links(self.headers.get("link", ""))
        return next((link.get("url", "") for link in links if link.get("rel") == "next"), "")


@dataclass(frozen=True, kw_only=True)
class Connection:
    """GitHub's API, with a token.

    Proxies and certificates are those that requests takes from the environment.
    """

    token: str = field(repr=False)
    redactor: Redactor
    """Removes secrets, the token among them, from GitHub's messages."""
    api_url: str
    timeout_seconds: float
    certificates: str | None = None
    """The file of those to trust; None: requests chooses."""

    def send(
        self,
        verb: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
    ) -> Answer:
        """Return the answer to one request; redirects of GET are followed on the same host.

        path: below the API's URL, or a URL, whose host and scheme are ignored, so that the token
        goes nowhere else. Raises the exceptions of PyGithub and requests.
        """
        status, headers, text = self._requester.requestJson(
            verb, path, parameters=dict(query or {}), input=body, cnx=self._channel
        )
        return Answer(status=status, headers=headers, text=text)

    def authorization(self) -> dict[str, str]:
        """Return the headers of a request with the token; raises GithubError."""
        self._check()
        return {"Authorization": f"token {self.token}"}

    def refusal_message(self, text: str | bytes) -> str:
        """Return what a refusal says, without secrets, which a proxy may repeat in it.

        It is empty if the refusal isn't GitHub's.
        """
        try:
            return self.redactor.text(msgspec.json.decode(text, type=_Refusal).message)
        except (ValueError, RecursionError):
            return ""

    def close(self) -> None:
        """Close the connections that were opened."""
        if "_channel" in self.__dict__:
            self._channel.close()
        if "_requester" in self.__dict__:
            self._requester.close()

    @cached_property
    def _requester(self) -> Requester:
        self._check()
        # Imported here: only runs that use GitHub pay for it.
        from github import Auth, Github  # noqa: PLC0415

        return Github(
            auth=Auth.Token(self.token),
            base_url=self.api_url,
            timeout=ceil(self.timeout_seconds),
            user_agent="helm-wandb-action",
            per_page=PAGE_LENGTH,
            verify=self.certificates or True,
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
            api_version=_API_VERSION,
        ).requester

    @cached_property
    def _channel(self) -> HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass:
        """PyGithub's connection, with a limit to the answers that it reads into memory."""
        from github import Requester  # noqa: PLC0415 - as above

        url = urlsplit(self.api_url)
        kind: type[HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass] = (
            Requester.HTTPSRequestsConnectionClass
            if url.scheme == "https"
            else Requester.HTTPRequestsConnectionClass
        )
        channel = kind(
            url.hostname or "",
            url.port,
            timeout=ceil(self.timeout_seconds),
            verify=self.certificates or True,
        )
        limit_answers(channel.session, limit_bytes=ANSWER_LIMIT_BYTES)
        return channel

    def _check(self) -> None:
        """Raise GithubError if the token cannot be one; requests would repeat it in its error."""
        if not _TOKEN.fullmatch(self.token):
            raise GithubError(
                Cause.UNAUTHORIZED,
                "the GitHub token is empty or has invalid characters",
            )
