"""HTTP: requests in, replies out, all connections closed at the end."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# How soon the server sees that it is to stop.
POLL_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A request as it came."""

    method: str
    path: str
    """Without the query, still quoted."""
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """The names in lower case."""
    body: bytes = b""

    @property
    def host(self) -> str:
        """The address by which the client knows this server, with the port."""
        return self.headers.get("host", "localhost")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is sent back."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """A Content-Length among them is sent as it is, also if it lies."""


def as_json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply of JSON."""
    return Reply(
        status=status,
        body=json.dumps(content).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


class Transport(ThreadingHTTPServer):
    """A thread for each connection; `respond` makes a reply, or None to close the connection."""

    request_queue_size = 128
    # No thread outlives the server.
    daemon_threads = False

    def __init__(
        self, address: tuple[str, int], respond: Callable[[Incoming], Reply | None]
    ) -> None:
        self.respond = respond
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(POLL_SECONDS,))

    def start(self) -> None:
        """Serve in a separate thread."""
        self._thread.start()

    def stop(self) -> None:
        """Serve no more, and close all connections."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                _hang_up(connection)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, then serve it."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection, and close it."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Don't report that a client went away; report all else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A reply leaves in one piece and at once.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Transport

    def _serve(self) -> None:
        target = urlsplit(self.path)
        reply = self.server.respond(
            Incoming(
                method=self.command,
                path=target.path,
                query=tuple(parse_qsl(target.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self._body(),
            )
        )
        if reply is None:
            self.close_connection = True
        else:
            self._send(reply)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 -- what http.server calls

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, reply: Reply) -> None:
        length = str(len(reply.body))
        headers = {"Content-Length": length, **reply.headers}
        # A client that waits for more than there is sees the end of the connection.
        self.close_connection |= headers["Content-Length"] != length
        self.send_response(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing; the server remembers its requests."""


def _hang_up(connection: socket.socket) -> None:
    # It may have been closed from the other side a moment ago.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
