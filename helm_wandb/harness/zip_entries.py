"""The entries of a `.zip`."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from helm_wandb.harness.archive_entries import (
    LINK_CHARACTERS,
    METHODS,
    Contents,
    Entry,
    Folder,
    Link,
    Packed,
    text,
)

_DIRECTORY_BYTES = 64 << 20
"""Bytes of a zip's directory, which is read whole; an entry takes about 150."""
_UNIX = 3
"""The system that a zip with Unix file modes names."""


class _BoundedReader(io.BufferedReader):
    """A stream that bounds zipfile, which reads a directory of any length at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; raise ValueError for more than a directory can have."""
        if size is not None and size > _DIRECTORY_BYTES:
            raise ValueError(f"a directory of {size} bytes")
        return super().read(size)


def zip_entries(path: Path, contents: Contents) -> Iterator[tuple[str, Entry]]:
    """Yield each name and entry; raise ValueError or BadZipFile if the zip is damaged."""
    with (
        _BoundedReader(io.FileIO(path)) as stream,
        zipfile.ZipFile(stream) as archive,
    ):
        total, packed_size = 0, path.stat().st_size
        for info in archive.infolist():
            total += info.file_size
            contents.refuse_total(total, packed_size)
            name = _zip_name(info)
            yield name, _zip_entry(name, info, stream, contents)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return the entry's name; zip tools of Linux write UTF-8 without declaring it."""
    name = info.orig_filename
    if info.flag_bits & 0x800:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _zip_entry(name: str, info: zipfile.ZipInfo, stream: IO[bytes], contents: Contents) -> Entry:
    mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
    kind = stat.S_IFMT(mode)
    if info.flag_bits & 0x1:
        raise contents.refused(name, "is encrypted")
    if info.compress_type not in METHODS:
        raise contents.refused(name, f"is compressed by method {info.compress_type}")
    if name.endswith("/") or kind == stat.S_IFDIR:
        return Folder()
    if kind not in {0, stat.S_IFREG, stat.S_IFLNK}:
        raise contents.refused(name, "is a device, a FIFO or a socket")
    file = Packed(
        offset=info.header_offset,
        size=info.file_size,
        packed_size=info.compress_size,
        method=info.compress_type,
        checksum=info.CRC,
    )
    if kind != stat.S_IFLNK:
        return file
    target = file._replace(size=min(file.size, 4 * LINK_CHARACTERS))
    return Link(text(b"".join(target.chunks(stream))))
