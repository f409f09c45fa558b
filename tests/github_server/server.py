"""The server: who may ask, what goes wrong, and what is remembered of it."""

from __future__ import annotations

import copy
import dataclasses
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from tests.github_server import api, storage
from tests.github_server.faults import Fault, Faults
from tests.github_server.records import Request, Violation
from tests.github_server.seed import Seed
from tests.github_server.state import State
from tests.github_server.transport import Transport, as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.github_server.state import Comment
    from tests.github_server.transport import Incoming, Reply

TOKEN = "local" + "0123456789abcdef" * 2
"""A workflow's token with WORKFLOW_PERMISSIONS in all repositories."""
HOST = "127.0.0.1"
# Answers with the server's own state, which is no part of GitHub.
STATE_PATH = "/_state"


class GithubServer:
    """GitHub on two free ports, from `with` to its end; all its objects were seeded or requested.

    is_checked: whether requests and answers are held against GitHub's description (some 10 ms).
    host: the address to listen at; 0.0.0.0 is all of this machine.
    port, storage_port: 0 is a free one.
    """

    def __init__(
        self, *, is_checked: bool = True, host: str = HOST, port: int = 0, storage_port: int = 0
    ) -> None:
        self._is_checked = is_checked
        self._state = State()
        self._faults = Faults()
        self._requests: list[Request] = []
        self._violations: list[Violation] = []
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._began = time.monotonic()
        self._api = Transport((host, port), self._respond)
        self._storage = Transport((host, storage_port), self._hand_out)
        self.url = f"http://localhost:{self._api.server_port}"
        self.seed = Seed(self._state, self._lock)
        self.seed.token(TOKEN)

    def __enter__(self) -> Self:
        """Serve."""
        self._api.start()
        self._storage.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, with whatever still hangs."""
        self.stop()

    def stop(self) -> None:
        """Close all connections, also those that hang; the requests stay readable."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._api.stop()
            self._storage.stop()

    @property
    def enterprise_url(self) -> str:
        """The API as GitHub Enterprise has it: the same state under another address."""
        return self.url + api.ENTERPRISE

    def fault(self, method: str = "*", path: str = "*", **what: Any) -> None:
        """Let requests fail: the fields of `Fault` by their names."""
        self._faults.add(Fault(method=method, path=path, **what))

    def before(
        self, method: str, path: str, hook: Callable[[], object], *, times: int | None = 1
    ) -> None:
        """Call the hook before such a request is served."""
        self._faults.add(Fault(method=method, path=path, hook=hook, times=times))

    def clear_faults(self) -> None:
        """Let all requests pass again."""
        self._faults.clear()

    @property
    def requests(self) -> list[Request]:
        """The requests so far, in their order."""
        with self._lock:
            return list(self._requests)

    @property
    def writes(self) -> list[Request]:
        """The requests that would change something, answered or not."""
        return [one for one in self.requests if one.method != "GET" and one.path != "/graphql"]

    @property
    def leaks(self) -> list[Request]:
        """The requests that carried a token to where artifacts are fetched from."""
        return [one for one in self.requests if one.listener == "storage" and one.authorization]

    @property
    def violations(self) -> list[Violation]:
        """What GitHub's description does not allow; a test asserts that there are none."""
        with self._lock:
            return list(self._violations)

    def comments(self, repository: str, number: int) -> list[Comment]:
        """A pull request's comments as they stand now, the oldest first."""
        with self._lock:
            return copy.deepcopy(self._state.repository(repository).comments_of(number))

    def snapshot(self) -> dict[str, Any]:
        """What a test in another process looks at, as JSON holds it."""
        with self._lock:
            return {
                "comments": {
                    name: [dataclasses.asdict(comment) for comment in held.comments.values()]
                    for name, held in self._state.repositories.items()
                },
                "requests": [request.as_json() for request in self._requests],
                "violations": [dataclasses.asdict(one) for one in self._violations],
            }

    def _respond(self, incoming: Incoming) -> Reply | None:
        if incoming.path == STATE_PATH:
            return as_json(self.snapshot())
        base_url, incoming = api.addressed(incoming)
        self._check(api.request_violations, incoming)
        reply = self._meet("api", incoming, lambda: self._answer(incoming, base_url))
        return reply and api.with_rate(reply)

    def _answer(self, incoming: Incoming, base_url: str) -> Reply:
        reply = api.answer(self._state, incoming, base_url, self._storage.server_port)
        self._check(api.response_violations, incoming, reply)
        return reply

    def _hand_out(self, incoming: Incoming) -> Reply | None:
        return self._meet("storage", incoming, lambda: storage.answer(self._state, incoming))

    def _check(self, violations: Callable[..., list[Violation]], *what: Incoming | Reply) -> None:
        found = violations(*what) if self._is_checked else []
        with self._lock:
            self._violations += found

    def _meet(self, listener: str, incoming: Incoming, answer: Callable[[], Reply]) -> Reply | None:
        """The answer, unless a fault has it otherwise; remember the request."""
        place = self._remember(listener, incoming)
        fault = self._faults.take(incoming.method, incoming.path)
        if fault.hook:
            fault.hook()
        reply = self._reply(fault, answer, incoming.headers.get("authorization", ""))
        status = reply.status if reply else "hang" if fault.hang else "drop"
        with self._lock:
            self._requests[place] = dataclasses.replace(self._requests[place], status=status)
        self._stopping.wait(None if fault.hang else 0)
        return reply

    def _reply(self, fault: Fault, answer: Callable[[], Reply], authorization: str) -> Reply | None:
        own = self._locked(answer) if fault.served else None
        self._stopping.wait(fault.delay_seconds)
        if fault.spares:
            return own or self._locked(answer)
        return fault.answer.reply(authorization) if fault.answer else None

    def _locked(self, answer: Callable[[], Reply]) -> Reply:
        with self._lock:
            return answer()

    def _remember(self, listener: str, incoming: Incoming) -> int:
        """Its place in the list of requests."""
        request = Request(
            seconds=time.monotonic() - self._began,
            listener=listener,
            method=incoming.method,
            path=incoming.path,
            query=incoming.query,
            headers=incoming.headers,
            body=incoming.body,
        )
        with self._lock:
            self._requests.append(request)
            return len(self._requests) - 1
