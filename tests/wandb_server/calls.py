"""A request as the server understands it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from graphql import GraphQLSyntaxError

from tests.wandb_server import graphql, store
from tests.wandb_server.state import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.wandb_server.state import State
    from tests.wandb_server.transport import Incoming

FILE_STREAM = re.compile(r"/files/([^/]+)/([^/]+)/([^/]+)/file_stream")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request: its operation, kind, and run."""

    incoming: Incoming
    kind: str
    """graphql, file_stream, store or other."""
    operation: str
    run: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    query: graphql.Operation | None = None
    """What a call of the kind graphql asks."""
    place: tuple[str, str, str] | None = None
    """The entity, project and run that a call of the kind file_stream is for."""

    @property
    def wants_key(self) -> bool:
        """Whether it needs the key; the URLs of files are secrets themselves."""
        return self.kind in {"graphql", "file_stream"}


def understand(incoming: Incoming, state: State) -> Call:
    """The request as a call; one that cannot be read is of the kind other."""
    try:
        if incoming.path == "/graphql":
            return _graphql(incoming, state)
        if match := FILE_STREAM.fullmatch(incoming.path):
            return _file_stream(incoming, unquote(match[1]), unquote(match[2]), unquote(match[3]))
    except (GraphQLSyntaxError, LookupError, ValueError):
        return _other(incoming)
    return _store(incoming, state) if store.is_file(incoming.path) else _other(incoming)


def _graphql(incoming: Incoming, state: State) -> Call:
    document = json.loads(incoming.body)
    query = graphql.read(document["query"], document.get("variables") or {})
    return Call(
        incoming=incoming,
        kind="graphql",
        operation=query.name,
        run=state.run_of_request(query.name, query.variables),
        variables=query.variables,
        query=query,
    )


def _file_stream(incoming: Incoming, entity: str, project: str, run: str) -> Call:
    return Call(
        incoming=incoming,
        kind="file_stream",
        operation="file_stream",
        run=run,
        variables=json.loads(incoming.body),
        place=(entity, project, run),
    )


def _store(incoming: Incoming, state: State) -> Call:
    operation = "upload" if incoming.method == "PUT" else "download"
    try:
        run = store.run_of(state, incoming.path)
    except RefusedError:
        run = None
    return Call(incoming=incoming, kind="store", operation=operation, run=run)


def _other(incoming: Incoming) -> Call:
    return Call(incoming=incoming, kind="other", operation=f"{incoming.method} {incoming.path}")
