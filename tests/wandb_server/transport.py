"""HTTP on the loopback: requests in, replies out, all connections closed at the end."""

from __future__ import annotations

import contextlib
import gzip
import socket
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOST = "127.0.0.1"
# How soon the server sees that it is to stop.
POLL_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A request as it came, its body unpacked."""

    method: str
    path: str
    authorization: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is sent back."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport(ThreadingHTTPServer):
    """A thread for each connection; `respond` makes a reply, or None to close the connection."""

    # More than the SDK opens at once for all runs of a large report.
    request_queue_size = 128
    # No thread outlives the server.
    daemon_threads = False

    def __init__(self, port: int, respond: Callable[[Incoming], Reply | None]) -> None:
        self.respond = respond
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((HOST, port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(POLL_SECONDS,))

    def start(self) -> None:
        """Serve, in a separate thread."""
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
        reply = self.server.respond(
            Incoming(
                method=self.command,
                path=urlsplit(self.path).path,
                authorization=self.headers.get("Authorization", ""),
                body=self._body(),
            )
        )
        if reply is None:
            self.close_connection = True
        else:
            self._send(reply)

    do_GET = do_POST = do_PUT = _serve  # noqa: N815 -- the names that http.server calls

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json", **reply.headers}
        for name, value in {**headers, "Content-Length": str(len(reply.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing; the server remembers its requests."""


def _hang_up(connection: socket.socket) -> None:
    # It may have been closed from the other side a moment ago.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
