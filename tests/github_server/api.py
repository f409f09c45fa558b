"""The answer to a request, and what GitHub's description has against either."""

from __future__ import annotations

import dataclasses
import json
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.github_server import description
from tests.github_server.answers import RefusedError
from tests.github_server.calls import Call
from tests.github_server.rates import rate_headers
from tests.github_server.records import Violation
from tests.github_server.routes import ROUTES
from tests.github_server.tokens import owner

if TYPE_CHECKING:
    from tests.github_server.calls import Route
    from tests.github_server.state import State
    from tests.github_server.transport import Incoming, Reply

ENTERPRISE = "/api/v3"
ENTERPRISE_GRAPHQL = "/api/graphql"


def addressed(incoming: Incoming) -> tuple[str, Incoming]:
    """The API's URL as the client knows it, and the request with a path under that."""
    url = f"http://{incoming.host}"
    if incoming.path == ENTERPRISE_GRAPHQL:
        return url + ENTERPRISE, dataclasses.replace(incoming, path="/graphql")
    if incoming.path.startswith(f"{ENTERPRISE}/"):
        path = incoming.path.removeprefix(ENTERPRISE)
        return url + ENTERPRISE, dataclasses.replace(incoming, path=path)
    return url, incoming


def find(incoming: Incoming) -> tuple[Route, dict[str, str]] | None:
    """What answers the request, with the values in its path."""
    found = ((route, route.match(incoming.method, incoming.path)) for route in ROUTES)
    return next(((route, values) for route, values in found if values is not None), None)


def answer(state: State, incoming: Incoming, base_url: str, storage_port: int) -> Reply:
    """The reply, which may change the state."""
    try:
        return _answer(state, incoming, base_url, storage_port)
    except RefusedError as error:
        return error.answer.reply()


def with_rate(reply: Reply) -> Reply:
    """The reply with the rate limit's headers, unless it has its own."""
    return dataclasses.replace(reply, headers={**rate_headers(), **reply.headers})


def _answer(state: State, incoming: Incoming, base_url: str, storage_port: int) -> Reply:
    """The reply; raises RefusedError if GitHub would refuse."""
    token = owner(state.tokens, incoming.headers.get("authorization"))
    route, values = find(incoming) or (None, {})
    if route is None:
        raise RefusedError(404)
    call = Call(
        incoming=incoming,
        state=state,
        token=token,
        base_url=base_url,
        storage_url=_storage_url(base_url, storage_port),
        values=values,
    )
    if route.right:
        route.right.demand(token, call.repository)
    return route.handler(call)


def request_violations(incoming: Incoming) -> list[Violation]:
    """What GitHub's description does not allow in the request."""
    if find(incoming) is None:
        return [_violation("request", incoming, "nobody implemented this method and path")]
    incoming_request = _exchange(incoming)
    problems = description.request_problems(incoming_request) if incoming_request else []
    return [_violation("request", incoming, problem) for problem in problems]


def response_violations(incoming: Incoming, reply: Reply) -> list[Violation]:
    """What GitHub's description does not allow in the reply.

    Of GraphQL there is none: there it is the request that is at fault, by the reply's own errors.
    """
    incoming_request = _exchange(incoming)
    if incoming_request:
        problems = description.response_problems(incoming_request, reply)
        return [_violation("response", incoming, problem) for problem in problems]
    is_graphql = incoming.path == "/graphql" and reply.status == HTTPStatus.OK
    errors = json.loads(reply.body).get("errors", ()) if is_graphql else ()
    return [_violation("request", incoming, error["message"]) for error in errors]


def _exchange(incoming: Incoming) -> description.Exchange | None:
    """The request as the description may know it."""
    route, values = find(incoming) or (None, {})
    if route is None or route.described is None:
        return None
    return description.Exchange(
        incoming=incoming, template=route.described, path=route.path(values)
    )


def _violation(of: str, incoming: Incoming, reason: str) -> Violation:
    return Violation(of=of, method=incoming.method, path=incoming.path, reason=reason)


def _storage_url(base_url: str, port: int) -> str:
    """Another host where that is possible: localhost has a second name, others another port."""
    name = urlsplit(base_url).hostname or ""
    return f"http://{'127.0.0.1' if name == 'localhost' else name}:{port}"
