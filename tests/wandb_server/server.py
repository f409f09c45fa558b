"""The server: who may ask, what goes wrong, and what is remembered of it."""

from __future__ import annotations

import base64
import copy
import json
import threading
import time
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from tests.wandb_server.calls import understand
from tests.wandb_server.faults import Fault, Faults
from tests.wandb_server.graphql import UnknownFieldError
from tests.wandb_server.identity import new_id
from tests.wandb_server.records import Request, Unknown
from tests.wandb_server.replies import answer, endless, failure, injected
from tests.wandb_server.state import RefusedError, State
from tests.wandb_server.transport import HOST, Incoming, Reply, Transport

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.wandb_server.artifacts import Artifact
    from tests.wandb_server.calls import Call
    from tests.wandb_server.runs import Run
    from tests.wandb_server.views import View

API_KEY = "local" + "0123456789abcdef" * 3
"""A key of the form that the SDK accepts: 40 characters or more."""


class WandbServer:
    """W&B for one entity, on a free port of the loopback, from `with` to its end.

    entity: the one that the key may write to, and the default of what names none.
    api_key: the only one that is accepted.
    latency_seconds: how long each request waits before it is answered.
    listing_seconds: how long it takes until a file of a run is listed.
    """

    def __init__(
        self,
        entity: str = "team",
        api_key: str = API_KEY,
        latency_seconds: float = 0.0,
        port: int = 0,
        *,
        listing_seconds: float = 0.0,
    ) -> None:
        self.entity = entity
        self._authorization = "Basic " + base64.b64encode(f"api:{api_key}".encode()).decode()
        self._latency_seconds = latency_seconds
        self._state = State(entity=entity, listing_seconds=listing_seconds)
        self._faults = Faults()
        self._requests: list[Request] = []
        self._unknown: list[Unknown] = []
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._began = time.monotonic()
        self._transport = Transport(port, self._respond)
        self.url = f"http://{HOST}:{self._transport.server_port}"

    def __enter__(self) -> Self:
        """Serve."""
        self._transport.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, with whatever still hangs."""
        self.stop()

    def stop(self) -> None:
        """Close all connections, also those that hang."""
        self._stopping.set()
        self._transport.stop()

    def fault(self, match: str = "*", **what: Any) -> None:
        """Let requests fail: the fields of `Fault` by their names.

        match: over the GraphQL operation's name, file_stream, upload or download.
        """
        self._faults.add(Fault(match=match, **what))

    def clear_faults(self) -> None:
        """Let all requests pass again."""
        self._faults.clear()

    def pass_time(self, seconds: float) -> None:
        """Put the server's clock forward, by which it dates files."""
        with self._lock:
            self._state.ahead_seconds += seconds

    @property
    def requests(self) -> list[Request]:
        """Requests so far, in the order of the answers."""
        with self._lock:
            return list(self._requests)

    @property
    def unknown(self) -> list[Unknown]:
        """Requests that nobody implemented."""
        with self._lock:
            return list(self._unknown)

    def operations(self) -> Counter[str]:
        """Number of requests of each operation."""
        return Counter(request.operation for request in self.requests)

    def runs(self, project: str, *, entity: str | None = None) -> dict[str, Run]:
        """A project's runs as they stand now, by their ids."""
        with self._lock:
            return {run.id: run.snapshot() for run in self._state.runs_of(entity, project)}

    def artifacts(self, project: str, *, entity: str | None = None) -> dict[str, list[Artifact]]:
        """A project's artifacts as they stand now: the versions by the collection's name."""
        owner = (entity or self.entity, project)
        with self._lock:
            return {
                collection.name: [version.snapshot() for version in collection.versions]
                for key, collection in self._state.collections.items()
                if key[:2] == owner
            }

    def views(self, project: str, *, entity: str | None = None) -> list[View]:
        """A project's saved views as they stand now."""
        owner = (entity or self.entity, project)
        with self._lock:
            views = self._state.views.values()
            return [view for view in views if (view.entity, view.project) == owner]

    def add_run(  # noqa: PLR0913 -- each argument is a field of a run
        self,
        project: str,
        id: str,  # noqa: A002 -- what W&B calls it
        *,
        entity: str | None = None,
        display_name: str | None = None,
        group: str | None = None,
        tags: Sequence[str] = (),
        config: Mapping[str, Any] | None = None,
        summary: Mapping[str, Any] | None = None,
        rows: Iterable[Mapping[str, Any]] = (),
        state: str = "finished",
    ) -> None:
        """Have a run as another program left it; a row without `_step` gets its place as one."""
        with self._lock:
            run = self._state.new_run(entity, project, id)
            run.display_name, run.group, run.state = display_name, group, state
            run.tags = list(tags)
            run.config = {key: {"value": value} for key, value in (config or {}).items()}
            run.config["_wandb"] = {"value": {"t": {}}}
            run.summary = dict(summary or {})
            run.history = [json.dumps({"_step": step, **row}) for step, row in enumerate(rows)]

    def add_artifact(
        self,
        project: str,
        name: str,
        type: str,  # noqa: A002 -- what W&B calls it
        *,
        entity: str | None = None,
        aliases: Sequence[str] = (),
    ) -> str:
        """Have a version of an artifact as another program left it; return the server's id."""
        with self._lock:
            collection = self._state.begun_collection(entity, project, name, type)
            version = collection.begin(digest=new_id("digest"), aliases=aliases)
            collection.commit(version)
            return version.id

    def _respond(self, incoming: Incoming) -> Reply | None:
        with self._lock:
            call = understand(incoming, self._state)
        fault = self._faults.take(call.operation, call.run)
        self._stopping.wait(self._latency_seconds + fault.delay_seconds)
        if fault.hang or fault.drop:
            self._remember(call, "hang" if fault.hang else "drop")
            self._stopping.wait(None if fault.hang else 0)
            return None
        reply = (
            injected(fault, incoming) or self._refusal(call) or self._answer(call, lose=fault.lose)
        )
        if fault.endless:
            reply = endless(reply)
        lost = fault.lose and reply.status == HTTPStatus.OK
        self._remember(call, "lost" if lost else reply.status)
        return reply

    def _refusal(self, call: Call) -> Reply | None:
        """W&B's answer to a wrong key."""
        wrong = call.wants_key and call.incoming.authorization != self._authorization
        return failure(401, "user is not logged in") if wrong else None

    def _answer(self, call: Call, *, lose: bool) -> Reply:
        with self._lock:
            # What is lost happens to a copy, so that its answer is the usual one.
            state = copy.deepcopy(self._state) if lose else self._state
            try:
                return answer(call, state, self.url)
            except RefusedError as error:
                return failure(error.status, str(error))
            except (UnknownFieldError, AttributeError, LookupError, TypeError, ValueError) as error:
                return self._not_known(call, f"{type(error).__name__}: {error}")

    def _not_known(self, call: Call, reason: str) -> Reply:
        self._unknown.append(
            Unknown(operation=call.operation, reason=reason, variables=call.variables)
        )
        return failure(400, reason)

    def _remember(self, call: Call, status: int | str) -> None:
        request = Request(
            seconds=time.monotonic() - self._began,
            kind=call.kind,
            operation=call.operation,
            run=call.run,
            status=status,
            variables=call.variables,
        )
        with self._lock:
            self._requests.append(request)
