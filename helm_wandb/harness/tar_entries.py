"""The entries of a `.tar`, and the `.tar` of a `.tar.gz`."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.archive_entries import (
    Contents,
    Entry,
    Folder,
    HardLink,
    Link,
    Stored,
    allowed_bytes,
    no_archive,
    text,
    too_much,
)
from helm_wandb.harness.files import Limits
from helm_wandb.system import scratch
from helm_wandb.text.safe_text import plain

BLOCK = 512
"""Bytes of a header; a file fills whole blocks."""
_CHUNK_BYTES = 1 << 20
_EXTENSION_BYTES = 1 << 20
"""Bytes of a header that extends the next one: a name has at most 4,096, attributes 64 KB."""


def is_tar(head: bytes) -> bool:
    """Return whether a tar begins so: with a header whose checksum is right, or with its end."""
    if head == bytes(BLOCK):
        return True
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


@contextmanager
def decompress(path: Path, shown_as: str, limits: Limits) -> Iterator[Path]:
    """Return a temporary file with the uncompressed tar."""
    with scratch.folder() as folder:
        unpacked = folder / "output.tar"
        try:
            _write_unpacked(path, unpacked, shown_as, limits)
        except gzip.BadGzipFile:
            raise
        except OSError as error:
            raise ArtifactError(
                f"{plain(shown_as)}: cannot be decompressed to {folder}: {error.strerror}. Set "
                "TMPDIR to a folder with free space, or pack a .zip, which needs none."
            ) from error
        yield unpacked


def _write_unpacked(path: Path, target: Path, shown_as: str, limits: Limits) -> None:
    allowed = allowed_bytes(path.stat().st_size, limits)
    with gzip.open(path) as packed, target.open("wb") as unpacked:
        chunk = packed.read(BLOCK)
        if not is_tar(chunk):
            raise no_archive(shown_as)
        while chunk:
            unpacked.write(chunk)
            if unpacked.tell() > allowed:  # prose: quoted
                raise too_much(shown_as, allowed, "bytes")
            chunk = packed.read(_CHUNK_BYTES)


def tar_entries(path: Path, contents: Contents) -> Iterator[tuple[str, Entry]]:
    """Yield each name and entry; raise TarError, EOFError or ValueError if the tar is damaged.

    tarfile itself takes a damaged header for the end, and reads headers of any length.
    """
    with path.open("rb") as stream:
        end = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        extension: dict[str, str] = {}
        while (block := stream.read(BLOCK)) != bytes(BLOCK):
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            if header.type in b"LKxXg":
                extension |= _extension(header, stream)
                continue
            name = extension.get("path") or header.name
            header.size = int(extension.get("size") or header.size)
            header.linkname = extension.get("linkpath") or header.linkname
            if any(key.startswith("GNU.sparse.") for key in extension):
                header.type = tarfile.GNUTYPE_SPARSE
            extension = {}
            entry = _tar_entry(name, header, stream.tell(), contents)  # prose: quoted
            yield name, entry
            if isinstance(entry, Stored):
                _skip(stream, entry.size, end)


def _skip(stream: IO[bytes], size: int, end: int) -> None:
    """Move the stream behind a file's bytes and the rest of its last block."""
    start = stream.tell()  # prose: quoted
    if not 0 <= size <= end - start:
        raise EOFError(f"a file of {size} bytes, and only {end - start} are left")
    stream.seek(start + -(-size // BLOCK) * BLOCK)


def _extension(header: tarfile.TarInfo, stream: IO[bytes]) -> dict[str, str]:
    """Return what a GNU long name or a PAX header says of the next entry."""
    if not 0 <= header.size <= _EXTENSION_BYTES:
        raise ValueError(f"a header of {header.size} bytes")
    data = stream.read(-(-header.size // BLOCK) * BLOCK)[: header.size]
    match header.type:
        case tarfile.GNUTYPE_LONGNAME:
            return {"path": text(data.partition(b"\0")[0])}
        case tarfile.GNUTYPE_LONGLINK:
            return {"linkpath": text(data.partition(b"\0")[0])}
        case tarfile.XGLTYPE:  # about all entries that follow: a comment, if Git packed it
            return {}
        case _:
            return dict(_pax_records(data))


def _pax_records(data: bytes) -> Iterator[tuple[str, str]]:
    r"""Yield key and value of each `LENGTH KEY=VALUE\n`; POSIX.1-2001, pax, "Extended Header"."""
    start = 0
    while start < len(data):
        space = data.index(b" ", start, start + 20)
        length = int(data[start:space])
        record = data[space + 1 : start + length]
        if len(record) != length - (space + 1 - start) or not record.endswith(b"\n"):
            raise ValueError("a header doesn't have the length that it names")
        key, _, value = record[:-1].partition(b"=")
        yield text(key), text(value)
        start += length


def _tar_entry(name: str, header: tarfile.TarInfo, offset: int, contents: Contents) -> Entry:
    match header.type:
        case tarfile.DIRTYPE:
            return Folder()
        case tarfile.AREGTYPE if name.endswith("/"):  # tar before POSIX wrote folders so
            return Folder()
        case tarfile.REGTYPE | tarfile.AREGTYPE | tarfile.CONTTYPE:
            return Stored(offset, header.size)
        case tarfile.SYMTYPE:
            return Link(header.linkname)
        case tarfile.LNKTYPE:
            return HardLink(header.linkname)
        case tarfile.FIFOTYPE:
            why = "is a FIFO"
        case tarfile.CHRTYPE | tarfile.BLKTYPE:
            why = "is a device"
        case tarfile.GNUTYPE_SPARSE:
            why = "is packed as a sparse file"
        case _:
            why = f"is an entry of unknown type {header.type!r}"
    raise contents.refused(name, why)
