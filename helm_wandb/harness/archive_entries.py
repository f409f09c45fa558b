"""Entries of an archive, and the refusal of those that no harness's output has."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, NamedTuple

from helm_wandb.errors import ArtifactError, UnknownOutputError
from helm_wandb.harness.files import CHUNK_BYTES, MUST_BE, Limits
from helm_wandb.text.safe_text import plain
from helm_wandb.text.words import join_truncated

LINK_CHARACTERS = 4096
"""Characters of a link's target, at most."""
_NAMES_SHOWN = 20


class Stored(NamedTuple):
    """A file of a tar: just these bytes."""

    offset: int
    size: int

    def chunks(self, stream: IO[bytes]) -> Iterator[bytes]:
        """Yield the bytes piece by piece; raise EOFError if the archive has become shorter."""
        stream.seek(self.offset)
        left = self.size
        while left and (chunk := stream.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk
        if left:
            raise EOFError("it ends before the file does")


class Packed(NamedTuple):
    """A file of a zip."""

    offset: int
    """Offset of its header, which stands before its bytes."""
    size: int
    packed_size: int
    method: int
    """One of `METHODS`."""
    checksum: int

    def chunks(self, stream: IO[bytes]) -> Iterator[bytes]:
        """Yield the uncompressed bytes piece by piece; raise ValueError if others were packed.

        The zip may lie about both sizes: no more than `size` is ever unpacked, nor much more read.
        """
        size, checksum = 0, 0
        for chunk in self._unpack(stream):
            size += len(chunk)
            checksum = zlib.crc32(chunk, checksum)
            if size > self.size:
                break
            yield chunk
        if size != self.size or checksum != self.checksum:
            raise ValueError("a checksum does not fit")

    def _unpack(self, stream: IO[bytes]) -> Iterator[bytes]:
        stream.seek(self.offset)
        header = stream.read(30)
        lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        stream.seek(lengths, io.SEEK_CUR)
        left = min(self.packed_size, 2 * self.size + 1024)
        unpack = METHODS[self.method]
        yield from unpack(_pieces(stream, left), min(self.size + 1, CHUNK_BYTES))


def _pieces(stream: IO[bytes], left: int) -> Iterator[bytes]:
    while left and (data := stream.read(min(left, CHUNK_BYTES))):
        left -= len(data)
        yield data


def _stored(pieces: Iterator[bytes], _: int) -> Iterator[bytes]:
    return pieces


def _inflate(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Yield the uncompressed bytes, at most so many at once."""
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    for data in pieces:
        chunk = unpacking.decompress(data, most)
        while chunk:
            yield chunk
            chunk = unpacking.decompress(unpacking.unconsumed_tail, most)


def _decompress_zstandard(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    # Imported here: only logs of Inspect need the library.
    from helm_wandb.harness.zstandard import decompress  # noqa: PLC0415

    return decompress(pieces, most)


METHODS: Mapping[int, Callable[[Iterator[bytes], int], Iterator[bytes]]] = {
    zipfile.ZIP_STORED: _stored,
    zipfile.ZIP_DEFLATED: _inflate,
    93: _decompress_zstandard,
}
"""Compression methods of a zip, and what unpacks them."""


class Link(NamedTuple):
    """A symbolic link."""

    target: str


class HardLink(NamedTuple):
    """Another name of a file that came before."""

    target: str


class Folder(NamedTuple):
    """A folder; it may also be known only from what lies in it."""


Entry = Stored | Packed | Link | HardLink | Folder


class Tree(NamedTuple):
    """The content of an archive."""

    root: str
    """Place of the output folder in the archive: `` or `name/`."""
    nodes: Mapping[str, Stored | Packed | Link]
    folders: Mapping[str, tuple[str, ...]]
    """The sorted names in each."""


class Contents:
    """Collects the entries of an archive; of several with one name the last counts, as in tar."""

    def __init__(self, shown_as: str, limits: Limits) -> None:
        self._shown_as = shown_as
        self._limits = limits
        self._nodes: dict[str, Stored | Packed | Link] = {}
        self._folders: dict[str, set[str]] = {"": set()}
        self._characters = 0

    def add_all(self, entries: Iterator[tuple[str, Entry]]) -> None:
        """Add the entries; raise ArtifactError for one that no output has."""
        for count, (name, entry) in enumerate(entries, 1):
            self._refuse_over(self._limits.entries, count, "entries")
            path = self._path(name)
            if isinstance(entry, Folder):
                self._add_folder(path)
            elif path:
                self._nodes[path] = self._linked(path, entry)
            else:
                raise self.refused(name, "is a file without a name")
            self._enter(path)

    def tree(self, top_folders: Sequence[str]) -> Tree:
        """Return the content; raise ArtifactError if it lacks the folders of `open_output`."""
        both = self._nodes.keys() & self._folders.keys()
        if both:
            raise self.refused(min(both), "is there as a file and as a folder")
        return Tree(
            root=self._root(top_folders),
            nodes=self._nodes,
            folders={folder: tuple(sorted(names)) for folder, names in self._folders.items()},
        )

    def refused(self, name: str, why: str) -> ArtifactError:
        """Return the error of an entry that is not read."""
        return ArtifactError(
            f"{shown(self._shown_as, name)}: {why}, so the archive is not read. Pack "
            "the output folder again (tar -czf output.tar.gz FOLDER)."
        )

    def refuse_total(self, size: int, packed_size: int) -> None:
        """Raise ArtifactError if the archive holds too many bytes."""
        self._refuse_over(allowed_bytes(packed_size, self._limits), size, "bytes")

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
        self, path: str, entry: Stored | Packed | Link | HardLink
    ) -> Stored | Packed | Link:
        if isinstance(entry, Link):
            if len(entry.target) > LINK_CHARACTERS:
                raise self.refused(path, "is a link to a name without end")
            self._count(entry.target)
        if not isinstance(entry, HardLink):
            return entry
        file = self._nodes.get(self._path(entry.target))
        if not isinstance(file, Stored):
            raise self.refused(
                path, f"is a hard link to {plain(entry.target)}, which is no file of the archive"
            )
        return file

    def _enter(self, path: str) -> None:
        """Add the name to the folder above it, and a new folder to that above, and so on."""
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

    def _root(self, top_folders: Sequence[str]) -> str:
        """Return where one of these folders is: at the top, or in the one folder that has any."""
        if not top_folders:
            return ""
        names = [f"{name}/" for name in top_folders]
        tops = ["", *(f"{name}/" for name in sorted(self._folders[""]))]
        roots = [top for top in tops if {top + one for one in top_folders} & self._folders.keys()]
        if len(roots) == 1 or "" in roots:
            return roots[0]
        place = plain(self._shown_as)
        if roots:
            message = f"{place}: several folders have {' or '.join(names)}: {_listed(roots)}. "
        else:
            there = _listed(sorted(self._folders[""])) or "nothing"
            message = (
                f"{place}: neither {' nor '.join(names)} is at its top or one folder below. At "
                f"its top there is: {there}. "
            )
        message += "Pack the one folder that the evaluation wrote to (its --output-path)."
        raise (ArtifactError if roots else UnknownOutputError)(message)

    def _refuse_over(self, limit: int, amount: int, what: str) -> None:
        if amount > limit:
            raise too_much(self._shown_as, limit, what)


def text(name: bytes) -> str:
    """Return a name that an archive holds: UTF-8, or whatever else its bytes are."""
    return name.decode("utf-8", "surrogateescape")


def allowed_bytes(packed_size: int, limits: Limits) -> int:
    """Return how many bytes an archive of this size may hold."""
    return min(limits.total_bytes, max(limits.harmless_bytes, packed_size * limits.ratio))


def no_archive(shown_as: str) -> ArtifactError:
    """Return the error of a file that is no archive."""
    return UnknownOutputError(f"{plain(shown_as)}: has another format. It {MUST_BE}.")


def too_much(shown_as: str, limit: int, what: str) -> ArtifactError:
    """Return the error of an archive that holds more than the limit."""
    return ArtifactError(
        f"{plain(shown_as)}: holds over {limit:,} {what}, more than is read from an archive of "
        "its size. Unpack it in an earlier step, and give the folder."
    )


def shown(shown_as: str, name: str) -> str:
    """Return the name in an archive after the archive's own."""
    return plain(f"{shown_as}:{name}" if name else shown_as)


def _listed(names: list[str]) -> str:
    return plain(join_truncated(names, _NAMES_SHOWN))
