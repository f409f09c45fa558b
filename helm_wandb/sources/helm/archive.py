"""HELM output in a `.tar`, `.tar.gz` or `.zip`, read file by file where it lies.

Nothing is unpacked by name, so that no entry can be written anywhere. Only a `.tar.gz` is first
decompressed to a temporary `.tar`, since each step backwards in it would begin it anew: 111 MB
of 400 runs open in 0.14 s, where unpacking them as files takes 1.8 s.
"""

from __future__ import annotations

import gzip
import io
import posixpath
import stat
import tarfile
import tempfile
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from helm_wandb.errors import ArtifactError
from helm_wandb.render.safe_text import plain
from helm_wandb.sources.helm.files import MUST_BE, leads_out, no_file, refuse_size, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from helm_wandb.sources.helm.files import Limits

_BLOCK = 512
_CHUNK_BYTES = 1 << 20
_EXTENSION_BYTES = 1 << 20
"""Of a header that extends the next one: a name has 4,096 at most, some attributes 64 KB."""
_DIRECTORY_BYTES = 64 << 20
"""Of a zip's directory, which is read whole; HELM's takes about 150 an entry."""
_LINK_CHARACTERS = 4096
_UNIX = 3
"""The system by which a zip tells that it kept Unix file modes."""
_LINKS_FOLLOWED = 40
_NAMES_SHOWN = 20
_DAMAGES = (
    EOFError,
    NotImplementedError,  # zipfile: made by a version that it does not know
    OverflowError,
    ValueError,
    gzip.BadGzipFile,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


class Stored(NamedTuple):
    """A file of a tar: just these bytes."""

    offset: int
    size: int

    def content(self, stream: IO[bytes]) -> bytes:
        """The file's bytes; EOFError where the archive has become shorter."""
        stream.seek(self.offset)
        data = stream.read(self.size)
        if len(data) != self.size:
            message = "it ends before the file does"
            raise EOFError(message)
        return data


class Packed(NamedTuple):
    """A file of a zip."""

    offset: int
    """Of its own header, which stands before its bytes."""
    size: int
    packed_size: int
    is_deflated: bool
    checksum: int

    def content(self, stream: IO[bytes]) -> bytes:
        """The file's bytes, uncompressed; ValueError where they are not what was packed.

        The zip may lie about both sizes: not more than the file's own is ever made, nor much
        more read.
        """
        stream.seek(self.offset)
        header = stream.read(30)
        lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        stream.seek(lengths, io.SEEK_CUR)
        data = stream.read(min(self.packed_size, 2 * self.size + 1024))
        if self.is_deflated:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, self.size + 1)
        if len(data) != self.size or zlib.crc32(data) != self.checksum:
            message = "a checksum does not fit"
            raise ValueError(message)
        return data


class Link(NamedTuple):
    """A symbolic link."""

    target: str


class _HardLink(NamedTuple):
    """Another name of a file that came before."""

    target: str


class _Folder(NamedTuple):
    """A folder; it may also be known only from what lies in it."""


_Entry = Stored | Packed | Link | _HardLink | _Folder


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Archive:
    """What an archive holds; the methods are as Files tells."""

    path: str
    """Of the zip, or of the uncompressed tar; each read opens it anew."""
    shown_as: str
    limits: Limits
    root: str
    """Where HELM's output folder is in the archive: `` or `name/`."""
    nodes: Mapping[str, Stored | Packed | Link] = field(repr=False)
    folders: Mapping[str, tuple[str, ...]] = field(repr=False)
    """The sorted names in each."""

    def is_file(self, path: str) -> bool:
        """Whether something other than a folder is there."""
        place = self._found(path)
        return place is None or place in self.nodes

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        return self._found(path) in self.folders

    def names(self, folder: str) -> list[str]:
        """The sorted names in the folder."""
        return list(self.folders[self._inside(folder)]) if self.is_folder(folder) else []

    def size(self, path: str) -> int:
        """The file's bytes, uncompressed."""
        return self._file(path).size

    def read(self, path: str) -> bytes:
        """The file's content."""
        file = self._file(path)
        refuse_size(self.shown(path), file.size, self.limits)
        with _faults_told(self.shown(path)), open(self.path, "rb") as stream:  # noqa: PTH123 -- quicker
            return file.content(stream)

    def shown(self, path: str) -> str:
        """The path in the archive, after the archive's own name."""
        return _shown(self.shown_as, self.root + path)

    def _found(self, path: str) -> str | None:
        """The place, or None where the last part itself is a link that leads out."""
        place = self._place(path)
        if place is None:
            self._inside(posixpath.dirname(path))
        return place

    def _place(self, path: str) -> str | None:
        """The path in the archive, all links followed, or None where it leads out of the root."""
        root = self.root.rstrip("/")
        place, rest, followed = root, path.split("/")[::-1], 0
        if path.startswith("/"):
            return None
        while rest:
            part = rest.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                if place == root:
                    return None
                place = posixpath.dirname(place)
                continue
            node = self.nodes.get(entry := posixpath.join(place, part))
            if not isinstance(node, Link):
                place = entry
                continue
            followed += 1
            if node.target.startswith("/"):
                return None
            if followed > _LINKS_FOLLOWED:
                return entry
            rest += node.target.split("/")[::-1]
        return place

    def _inside(self, path: str) -> str:
        place = self._place(path)
        if place is None:
            raise leads_out(self.shown(path), _shown(self.shown_as, self.root))
        return place

    def _file(self, path: str) -> Stored | Packed:
        place = self._inside(path)
        file = self.nodes.get(place)
        if isinstance(file, Stored | Packed):
            return file
        kind = "a folder" if place in self.folders else None
        raise no_file(self.shown(path), "a link that leads nowhere" if file else kind)


@contextmanager
def opened(path: Path, *, shown_as: str, limits: Limits) -> Iterator[Archive]:
    """The files of the archive; a temporary file is gone when the context ends.

    Raises ArtifactError where it is none, or a bad one, or holds no output of HELM.
    """
    with ExitStack() as resources:
        with _faults_told(plain(shown_as)):
            path = path.absolute()
            head = _head(path)
            contents = _Contents(shown_as, limits)
            if head.startswith((b"PK\3\4", b"PK\5\6")):
                contents.add_all(_zip_entries(path, contents))
            else:
                if head.startswith(b"\x1f\x8b"):
                    path = resources.enter_context(_decompressed(path, shown_as, limits))
                elif not _is_tar(head):
                    raise _no_archive(shown_as)
                contents.add_all(_tar_entries(path, contents))
            archive = contents.archive(path)
        yield archive


@contextmanager
def _faults_told(shown: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGES as error:
        message = (
            f"{shown}: the archive is damaged or was cut short: {plain(str(error))}. Pack it "
            "again, or fetch it again from where it was packed."
        )
        raise ArtifactError(message) from error
    except OSError as error:
        raise unreadable(shown, error) from error


class _Contents:
    """Collects what an archive holds; of several entries of one name the last counts, as in tar."""

    def __init__(self, shown_as: str, limits: Limits) -> None:
        self._shown_as = shown_as
        self._limits = limits
        self._nodes: dict[str, Stored | Packed | Link] = {}
        self._folders: dict[str, set[str]] = {"": set()}
        self._characters = 0

    def add_all(self, entries: Iterator[tuple[str, _Entry]]) -> None:
        """Take them in; ArtifactError for one that is not what HELM's output can hold."""
        for count, (name, entry) in enumerate(entries, 1):
            self._refuse_over(self._limits.entries, count, "entries")
            path = self._path(name)
            if isinstance(entry, _Folder):
                self._add_folder(path)
            elif path:
                self._nodes[path] = self._linked(path, entry)
            else:
                raise self.refused(name, "is a file without a name")
            self._enter(path)

    def archive(self, path: Path) -> Archive:
        """All of it; ArtifactError where it is no output of HELM."""
        both = self._nodes.keys() & self._folders.keys()
        if both:
            raise self.refused(min(both), "is there as a file and as a folder")
        return Archive(
            path=str(path),
            shown_as=self._shown_as,
            limits=self._limits,
            root=self._root(),
            nodes=self._nodes,
            folders={folder: tuple(sorted(names)) for folder, names in self._folders.items()},
        )

    def refused(self, name: str, why: str) -> ArtifactError:
        """The error of an entry that is not read."""
        return ArtifactError(
            f"{_shown(self._shown_as, name)}: {why}, so the archive is not read. Pack "
            "HELM's output folder anew (tar -czf helm.tar.gz FOLDER)."
        )

    def refuse_total(self, size: int, packed_size: int) -> None:
        """Nothing, or the ArtifactError of an archive that holds too many bytes."""
        self._refuse_over(_allowed_bytes(packed_size, self._limits), size, "bytes")

    def _path(self, name: str) -> str:
        parts = [part for part in name.split("/") if part not in {"", "."}]
        if name.startswith("/"):
            raise self.refused(name, "has an absolute name")
        if ".." in parts:
            raise self.refused(name, "leads out of the archive")
        path = "/".join(parts)
        self._count(path)
        return path

    def _linked(
        self, path: str, entry: Stored | Packed | Link | _HardLink
    ) -> Stored | Packed | Link:
        if isinstance(entry, Link):
            if len(entry.target) > _LINK_CHARACTERS:
                raise self.refused(path, "is a link to a name without end")
            self._count(entry.target)
        if not isinstance(entry, _HardLink):
            return entry
        file = self._nodes.get(self._path(entry.target))
        if not isinstance(file, Stored):
            why = f"is a hard link to {plain(entry.target)}, which is no file of the archive"
            raise self.refused(path, why)
        return file

    def _enter(self, path: str) -> None:
        """Note the path in the folder above it, and a new folder in that above, and so on."""
        while path:
            folder, _, name = path.rpartition("/")
            is_known = folder in self._folders
            self._add_folder(folder)
            self._folders[folder].add(name)
            if is_known:
                return
            path = folder

    def _add_folder(self, path: str) -> None:
        if path in self._folders:
            return
        self._count(path)
        self._folders[path] = set()
        self._refuse_over(self._limits.entries, len(self._folders), "folders")

    def _count(self, path: str) -> None:
        self._characters += len(path)
        self._refuse_over(self._limits.name_characters, self._characters, "characters of names")

    def _root(self) -> str:
        """Where `runs/` or `releases/` is: the top, or the one folder that has them."""
        tops = ["", *(f"{name}/" for name in sorted(self._folders[""]))]
        found = [top for top in tops if {f"{top}runs", f"{top}releases"} & self._folders.keys()]
        if len(found) == 1 or "" in found:
            return found[0]
        place = plain(self._shown_as)
        if found:
            message = f"{place}: several folders have runs/ or releases/: {_listed(found)}. "
        else:
            there = _listed(sorted(self._folders[""])) or "nothing"
            message = (
                f"{place}: neither runs/ nor releases/ is at its top or one folder below. At its "
                f"top there is: {there}. "
            )
        message += "Pack the one folder that helm-run wrote to (its --output-path)."
        raise ArtifactError(message)

    def _refuse_over(self, limit: int, amount: int, what: str) -> None:
        if amount > limit:
            raise _too_much(self._shown_as, limit, what)


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_BLOCK)


def _is_tar(head: bytes) -> bool:
    """Whether a tar begins so: with a header whose checksum is right, or with its end."""
    if head == bytes(_BLOCK):
        return True
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


@contextmanager
def _decompressed(path: Path, shown_as: str, limits: Limits) -> Iterator[Path]:
    """A temporary file with the uncompressed tar."""
    with tempfile.TemporaryDirectory(prefix="helm-") as folder:
        unpacked = Path(folder) / "helm.tar"
        try:
            _decompress(path, unpacked, shown_as, limits)
        except gzip.BadGzipFile:
            raise
        except OSError as error:
            message = (
                f"{plain(shown_as)}: cannot be decompressed to {folder}: {error.strerror}. Set "
                "TMPDIR to where there is room, or pack a .zip, which needs none."
            )
            raise ArtifactError(message) from error
        yield unpacked


def _decompress(path: Path, target: Path, shown_as: str, limits: Limits) -> None:
    allowed = _allowed_bytes(path.stat().st_size, limits)
    with gzip.open(path) as packed, target.open("wb") as unpacked:
        chunk = packed.read(_BLOCK)
        if not _is_tar(chunk):
            raise _no_archive(shown_as)
        while chunk:
            unpacked.write(chunk)
            if unpacked.tell() > allowed:
                raise _too_much(shown_as, allowed, "bytes")
            chunk = packed.read(_CHUNK_BYTES)


def _tar_entries(path: Path, contents: _Contents) -> Iterator[tuple[str, _Entry]]:
    """Each entry and its name; TarError, EOFError or ValueError where the tar is damaged.

    tarfile itself takes a damaged header for the end, and reads headers of any length.
    """
    with path.open("rb") as stream:
        end = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        extension: dict[str, str] = {}
        while (block := stream.read(_BLOCK)) != bytes(_BLOCK):
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
            entry = _tar_entry(name, header, stream.tell(), contents)
            yield name, entry
            if isinstance(entry, Stored):
                _skip(stream, entry.size, end)


def _skip(stream: IO[bytes], size: int, end: int) -> None:
    """The stream after a file's bytes, and what fills its last block."""
    start = stream.tell()
    if not 0 <= size <= end - start:
        message = f"a file of {size} bytes where {end - start} are left"
        raise EOFError(message)
    stream.seek(start + -(-size // _BLOCK) * _BLOCK)


def _extension(header: tarfile.TarInfo, stream: IO[bytes]) -> dict[str, str]:
    """What a GNU long name or a PAX header tells of the next entry."""
    if not 0 <= header.size <= _EXTENSION_BYTES:
        message = f"a header of {header.size} bytes"
        raise ValueError(message)
    data = stream.read(-(-header.size // _BLOCK) * _BLOCK)[: header.size]
    match header.type:
        case tarfile.GNUTYPE_LONGNAME:
            return {"path": _text(data.partition(b"\0")[0])}
        case tarfile.GNUTYPE_LONGLINK:
            return {"linkpath": _text(data.partition(b"\0")[0])}
        case tarfile.XGLTYPE:  # of all entries that follow: a comment, where Git packed it
            return {}
        case _:
            return dict(_pax_records(data))


def _pax_records(data: bytes) -> Iterator[tuple[str, str]]:
    r"""Key and value of each `LENGTH KEY=VALUE\n`; POSIX.1-2001, pax, "Extended Header"."""
    start = 0
    while start < len(data):
        space = data.index(b" ", start, start + 20)
        length = int(data[start:space])
        record = data[space + 1 : start + length]
        if len(record) != length - (space + 1 - start) or not record.endswith(b"\n"):
            message = "a header is not what its length tells"
            raise ValueError(message)
        key, _, value = record[:-1].partition(b"=")
        yield _text(key), _text(value)
        start += length


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _tar_entry(name: str, header: tarfile.TarInfo, offset: int, contents: _Contents) -> _Entry:
    match header.type:
        case tarfile.DIRTYPE:
            return _Folder()
        case tarfile.AREGTYPE if name.endswith("/"):  # so did tar before POSIX
            return _Folder()
        case tarfile.REGTYPE | tarfile.AREGTYPE | tarfile.CONTTYPE:
            return Stored(offset, header.size)
        case tarfile.SYMTYPE:
            return Link(header.linkname)
        case tarfile.LNKTYPE:
            return _HardLink(header.linkname)
        case tarfile.FIFOTYPE:
            why = "is a FIFO"
        case tarfile.CHRTYPE | tarfile.BLKTYPE:
            why = "is a device"
        case tarfile.GNUTYPE_SPARSE:
            why = "is packed as a sparse file"
        case _:
            why = f"is an entry of unknown type {header.type!r}"
    raise contents.refused(name, why)


class _BoundedReader(io.BufferedReader):
    """zipfile reads the directory at once, of whatever length the archive tells."""

    def read(self, size: int | None = -1, /) -> bytes:
        """As ever, but ValueError for more than the directory of HELM's output can be."""
        if size is not None and size > _DIRECTORY_BYTES:
            message = f"a directory of {size} bytes"
            raise ValueError(message)
        return super().read(size)


def _zip_entries(path: Path, contents: _Contents) -> Iterator[tuple[str, _Entry]]:
    """Each entry and its name; ValueError or BadZipFile where the zip is damaged."""
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
    """The entry's name; a zip tool of Linux writes UTF-8 without telling so."""
    name = info.orig_filename
    if info.flag_bits & 0x800:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _zip_entry(name: str, info: zipfile.ZipInfo, stream: IO[bytes], contents: _Contents) -> _Entry:
    mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
    kind = stat.S_IFMT(mode)
    if info.flag_bits & 0x1:
        raise contents.refused(name, "is encrypted")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise contents.refused(name, f"is compressed by method {info.compress_type}")
    if name.endswith("/") or kind == stat.S_IFDIR:
        return _Folder()
    if kind not in {0, stat.S_IFREG, stat.S_IFLNK}:
        raise contents.refused(name, "is a device, a FIFO or a socket")
    file = Packed(
        offset=info.header_offset,
        size=info.file_size,
        packed_size=info.compress_size,
        is_deflated=info.compress_type == zipfile.ZIP_DEFLATED,
        checksum=info.CRC,
    )
    if kind != stat.S_IFLNK:
        return file
    target = file._replace(size=min(file.size, 4 * _LINK_CHARACTERS))
    return Link(_text(target.content(stream)))


def _allowed_bytes(packed_size: int, limits: Limits) -> int:
    return min(limits.total_bytes, max(limits.harmless_bytes, packed_size * limits.ratio))


def _no_archive(shown_as: str) -> ArtifactError:
    return ArtifactError(f"{plain(shown_as)}: has another format. It {MUST_BE}.")


def _too_much(shown_as: str, limit: int, what: str) -> ArtifactError:
    return ArtifactError(
        f"{plain(shown_as)}: holds over {limit:,} {what}, more than is read from an archive of "
        "its size. Unpack it in a step before, and give the folder."
    )


def _shown(shown_as: str, name: str) -> str:
    return plain(f"{shown_as}:{name}" if name else shown_as)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return plain(", ".join(names[:_NAMES_SHOWN])) + more
