"""One request to GitHub's API, by PyGithub; no other module knows that library."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from helm_wandb.github_api import answers
from helm_wandb.github_api.bounded import bound
from helm_wandb.github_api.messages import Cause, GithubError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from github.Requester import (
        HTTPRequestsConnectionClass,
        HTTPSRequestsConnectionClass,
        Requester,
    )

    from helm_wandb.text.redaction import Redactor

_TOKEN = re.compile(r"[!-~]+")
"""What a header can carry."""
_API_VERSION = "2022-11-28"
PAGE_LENGTH = 100
"""The most that GitHub gives; its default is 30."""
ANSWER_LIMIT_BYTES = 32 << 20
"""A page of 100 comments of 65,536 characters, all of four bytes, takes 26 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What GitHub answered, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """With names in lower case."""
    text: str

    @property
    def next_url(self) -> str:
        """The URL of the next page; empty where this is the last."""
        # Imported here: it is there already where an answer is.
        from requests.utils import parse_header_links  # noqa: PLC0415

        links = parse_header_links(self.headers.get("link", ""))
        return next((link.get("url", "") for link in links if link.get("rel") == "next"), "")


@dataclass(frozen=True, kw_only=True)
class Connection:
    """GitHub's API, asked in a token's name.

    Proxies and certificates are those that requests takes from the environment.
    """

    token: str = field(repr=False)
    redactor: Redactor
    """Removes secrets, the token among them, from what GitHub says."""
    api_url: str
    timeout_seconds: float
    certificates: str | None = None
    """A file of those to trust, where it is not requests' own choice."""

    def ask(
        self,
        verb: str,
        path: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: object = None,
    ) -> Answer:
        """The answer to one request, of any status; redirects of GET are followed on the host.

        path: below the API's URL, or a URL, of which host and scheme are not looked at: the
        token goes nowhere else. Raises what PyGithub and requests raise.
        """
        status, headers, text = self._requester.requestJson(
            verb, path, parameters=dict(parameters or {}), input=body, cnx=self._channel
        )
        return Answer(status=status, headers=headers, text=text)

    def authorization(self) -> dict[str, str]:
        """The headers of a request in the token's name; raises GithubError."""
        self._check()
        return {"Authorization": f"token {self.token}"}

    def words(self, text: str | bytes) -> str:
        """What a refusal says, though a proxy may repeat in it what it was sent."""
        return self.redactor.text(answers.refusal_message(text))

    def close(self) -> None:
        """Close what was opened."""
        if "_channel" in self.__dict__:
            self._channel.close()
        if "_requester" in self.__dict__:
            self._requester.close()

    @cached_property
    def _requester(self) -> Requester:
        self._check()
        # Imported here: only what asks GitHub pays for it.
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
        """PyGithub's own way to a server, with a limit to what it reads into memory."""
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
        bound(channel.session, limit_bytes=ANSWER_LIMIT_BYTES)
        return channel

    def _check(self) -> None:
        """Raise GithubError where the token cannot be one; requests would repeat it."""
        if not _TOKEN.fullmatch(self.token):
            message = "the GitHub token holds characters that no token has, or none at all"
            raise GithubError(Cause.UNAUTHORIZED, message)
