"""A certificate authority of the user's own, and a server of its in front of another."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import threading
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOST = "127.0.0.1"
_CHUNK_BYTES = 65536


class Authority:
    """An authority that nobody knows, and the one certificate that it has signed."""

    def __init__(self, folder: Path) -> None:
        """folder: where the server's key and certificate are kept."""
        now = dt.datetime.now(dt.UTC)
        own, servers = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
        )
        issuer = _name("an authority of the user's own")

        def signed(builder: x509.CertificateBuilder) -> bytes:
            valid = builder.serial_number(x509.random_serial_number()).issuer_name(issuer)
            valid = valid.not_valid_before(now - dt.timedelta(hours=1))
            valid = valid.not_valid_after(now + dt.timedelta(hours=1))
            return valid.sign(own, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

        builder = x509.CertificateBuilder().subject_name(issuer).public_key(own.public_key())
        constraint = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = signed(builder.add_extension(constraint, critical=True))
        builder = x509.CertificateBuilder().subject_name(_name(_HOST))
        builder = builder.public_key(servers.public_key())
        address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(_HOST))])
        key = servers.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self._chain = folder / "server.pem"
        self._chain.write_bytes(key + signed(builder.add_extension(address, critical=False)))

    @contextmanager
    def before(self, url: str) -> Iterator[str]:
        """The URL of a server that hands on to the other what it decrypts."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._chain)
        loop = asyncio.new_event_loop()
        port = int(urlsplit(url).port or 80)
        server = loop.run_until_complete(
            asyncio.start_server(lambda *ends: _hand_on(port, *ends), _HOST, 0, ssl=context)
        )
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield f"https://{_HOST}:{server.sockets[0].getsockname()[1]}"
        finally:
            asyncio.run_coroutine_threadsafe(_end(server), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _hand_on(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answers, upstream = await asyncio.open_connection(_HOST, port)
    await asyncio.gather(_copy(reader, upstream), _copy(answers, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()
