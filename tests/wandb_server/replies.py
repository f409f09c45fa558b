"""What is sent back for a call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.wandb_server import store
from tests.wandb_server.mutations import Mutations
from tests.wandb_server.queries import Queries
from tests.wandb_server.state import RefusedError
from tests.wandb_server.transport import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.wandb_server.calls import Call
    from tests.wandb_server.faults import Fault
    from tests.wandb_server.state import State
    from tests.wandb_server.transport import Incoming

# Telemetry of the SDK itself; a server without it answers 404, and the SDK leaves it at that.
TELEMETRY = "/sdk/otel/"


def answer(call: Call, state: State, base_url: str) -> Reply:
    """The reply to a call, which may change the state.

    Raises RefusedError if W&B would refuse, and UnknownFieldError, AttributeError, LookupError,
    TypeError or ValueError for what this server does not know.
    """
    if call.query:
        root = (Mutations if call.query.kind == "mutation" else Queries)(state, base_url).root()
        return as_json({"data": call.query.answer(root)})
    if call.place:
        state.writable_run(*call.place).stream(call.variables)
        return as_json({"exitcode": None, "limits": {}, "stopped": False})
    if call.kind == "store":
        return _file(call.incoming, state)
    if call.incoming.path.startswith(TELEMETRY):
        return failure(404, "not found")
    raise LookupError(call.operation)


def injected(fault: Fault, incoming: Incoming) -> Reply | None:
    """The reply that a fault asks for, or None."""
    if fault.status is None:
        return None
    body = fault.body(incoming.authorization) if callable(fault.body) else fault.body
    if isinstance(body, str):
        return Reply(status=fault.status, body=body.encode(), headers=fault.headers)
    message = {"errors": [{"message": f"injected {fault.status}"}]}
    return as_json(message if body is None else body, fault.status, fault.headers)


def endless(reply: Reply) -> Reply:
    """The reply, whose pages say that others follow, and whose cursors lead to the first."""
    content = json.loads(reply.body, object_hook=_before_the_first_page)
    return as_json(content, reply.status, reply.headers)


def _before_the_first_page(node: dict[str, Any]) -> dict[str, Any]:
    start = {"hasNextPage": True, "endCursor": "0", "cursor": "0"}
    return {key: start.get(key, value) for key, value in node.items()}


def failure(status: int, message: str) -> Reply:
    """An error as W&B words it, with the HTTP status that the SDK decides by."""
    return as_json({"errors": [{"message": message}], "data": None}, status)


def as_json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply of JSON."""
    return Reply(status=status, body=json.dumps(content).encode(), headers=headers or {})


def _file(incoming: Incoming, state: State) -> Reply:
    if incoming.method == "PUT":
        store.put(state, incoming.path, incoming.body)
        return as_json({})
    content = store.get(state, incoming.path)
    if content is None:
        raise RefusedError(404, "no such file")
    return Reply(status=200, body=content, headers={"Content-Type": "application/octet-stream"})
