"""GitHub's own description of its API, against which requests and answers are held."""

from __future__ import annotations

import functools
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openapi_core import OpenAPI

    from tests.github_server.transport import Incoming, Reply

FILE = Path(__file__).parent.parent / "data" / "github" / "openapi.json"
HOST = "https://api.github.com"
# What any operation may answer, and the description lists few.
REFUSAL = {
    "description": "",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/basic-error"}}},
}


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request with the path that the description has for it."""

    incoming: Incoming
    template: str
    """The path in the description."""
    path: str
    """With each value quoted wholly."""


def request_problems(exchange: Exchange) -> list[str]:
    """What the description does not allow in the request."""
    description, lock = _description()
    with lock:
        problems = _messages(description.iter_request_errors(_request(exchange)))
    return problems + _unknown_parameters(exchange)


def response_problems(exchange: Exchange, reply: Reply) -> list[str]:
    """What the description does not allow in the reply."""
    description, lock = _description()
    with lock:
        return _messages(description.iter_response_errors(_request(exchange), _response(reply)))


@functools.cache
def _description() -> tuple[OpenAPI, threading.Lock]:
    """The description, read once, and the lock that its reading wants."""
    # Half a second, which a server that checks nothing does not wait.
    from openapi_core import OpenAPI  # noqa: PLC0415

    return OpenAPI.from_dict(_with_refusals(_read())), threading.Lock()


@functools.cache
def _read() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def _with_refusals(description: dict[str, Any]) -> dict[str, Any]:
    for operations in description["paths"].values():
        for operation in operations.values():
            operation["responses"].setdefault("4XX", REFUSAL)
    return description


def _unknown_parameters(exchange: Exchange) -> list[str]:
    """The parameters of the query that the description does not know, and GitHub passes over."""
    description = _read()
    operation = description["paths"][exchange.template][exchange.incoming.method.lower()]
    known = {_named(description, parameter) for parameter in operation.get("parameters", ())}
    return [
        f"unknown parameter: {name}" for name, _ in exchange.incoming.query if name not in known
    ]


def _named(description: dict[str, Any], parameter: dict[str, Any]) -> str:
    kind_and_name = parameter.get("$ref", "").split("/")[2:]
    whole = functools.reduce(dict.__getitem__, kind_and_name, description["components"])
    return str((whole if kind_and_name else parameter)["name"])


def _request(exchange: Exchange) -> Any:
    from openapi_core.testing import MockRequest  # noqa: PLC0415 -- as above

    incoming = exchange.incoming
    return MockRequest(
        HOST,
        incoming.method,
        exchange.path,
        args=dict(incoming.query),
        headers=dict(incoming.headers),
        data=incoming.body,
        content_type=incoming.headers.get("content-type", "application/json"),
    )


def _response(reply: Reply) -> Any:
    from openapi_core.testing import MockResponse  # noqa: PLC0415 -- as above

    headers = dict(reply.headers)
    kind = headers.get("Content-Type", "application/json")
    return MockResponse(reply.body, reply.status, headers, kind)


def _messages(errors: Iterable[Exception]) -> list[str]:
    return [_words(error) for error in errors]


def _words(error: Exception) -> str:
    """The places in the body that are wrong, or else the error itself."""
    causes = getattr(error.__cause__, "schema_errors", ())
    places = "; ".join(f"{cause.json_path}: {cause.message}" for cause in causes)
    return places or str(error)
