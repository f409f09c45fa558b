"""Downloads by way of GitHub's API, with a size limit; only the API gets the token."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from helm_wandb.github_api.faults import answer_fault, unreadable

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

    from helm_wandb.github_api.connection import Connection

_REDIRECTS = 5
_PIECE_BYTES = 65_536
_SERVER_FAULT, _REQUEST_FAULT = 500, 400
_PORTS = {"http": 80, "https": 443}


def fetch(connection: Connection, path: str, *, limit_bytes: int, what: str) -> bytes:
    """Return the bytes at a path below the API's URL.

    PyGithub's own downloads refuse the hosts that store artifacts, have no timeout there, and
    send the token to another port.
    what: the request, in words. Raises GithubError, of UNREADABLE if the file exceeds the limit,
    and the exceptions of requests.
    """
    # Imported here: most runs download nothing.
    from requests import Session  # noqa: PLC0415

    api = connection.api_url.rstrip("/")
    url = f"{api}{path}"
    with Session() as session:
        session.auth = _anonymous
        for _ in range(_REDIRECTS + 1):
            is_api = _origin(url) == _origin(api)
            with session.get(
                url,
                headers={
                    "Accept-Encoding": "identity",
                    "User-Agent": "helm-wandb-action",
                    **(connection.authorization() if is_api else {}),
                },
                stream=True,
                allow_redirects=False,
                timeout=connection.timeout_seconds,
                verify=connection.certificates or True,
            ) as response:
                if not response.is_redirect:
                    return _content(connection, response, limit_bytes=limit_bytes, what=what)
                url = _redirect_target(url, response.headers["location"], api=api, what=what)
    raise unreadable(what, why="too many redirects")


def _anonymous(request: PreparedRequest) -> PreparedRequest:
    """Return the request as it is; otherwise requests would send the host's login of ~/.netrc."""
    return request


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _redirect_target(url: str, location: str, *, api: str, what: str) -> str:
    """Return the target of a redirect; raises GithubError if it is less safe than the API."""
    target = urljoin(url, location)
    if urlsplit(target).scheme not in {"https", urlsplit(api).scheme}:
        raise unreadable(what, why="a redirect to what is not https")
    return target


def _content(connection: Connection, response: Response, *, limit_bytes: int, what: str) -> bytes:
    """Return the body; no more than the limit is in memory at any time."""
    status = response.status_code
    is_api = _origin(response.url) == _origin(connection.api_url)
    if not is_api and _REQUEST_FAULT <= status < _SERVER_FAULT:
        raise unreadable(what, why=f"HTTP {status} from GitHub's file storage")
    body = bytearray()
    for piece in response.iter_content(_PIECE_BYTES):
        body += piece
        if len(body) > limit_bytes:
            raise unreadable(what, why=f"it is larger than {limit_bytes} bytes")
    headers = {name.lower(): value for name, value in response.headers.items()}
    said = connection.refusal_message(bytes(body)) if status >= _REQUEST_FAULT else ""
    fault = answer_fault(status, headers, said, what=what)
    if fault:
        raise fault
    return bytes(body)
