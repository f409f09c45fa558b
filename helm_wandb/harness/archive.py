"""A harness's output in a `.tar`, `.tar.gz` or `.zip`, read file by file from the archive.

Nothing is unpacked by name, so that no entry can be written anywhere. Only a `.tar.gz` is first
decompressed to a temporary `.tar`, since each step backwards in it would start from its beginning.
"""

from __future__ import annotations

import gzip
import posixpath
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.archive_entries import (
    Contents,
    Link,
    Packed,
    Stored,
    Tree,
    no_archive,
    shown,
)
from helm_wandb.harness.files import Limits, leads_out, no_file, refuse_size, unreadable
from helm_wandb.harness.tar_entries import BLOCK, decompress, is_tar, tar_entries
from helm_wandb.harness.zip_entries import zip_entries
from helm_wandb.system import scratch
from helm_wandb.text.safe_text import plain

_LINKS_FOLLOWED = 40
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


class Archive(Struct, frozen=True, kw_only=True, eq=False):
    """The content of an archive, as in Files."""

    path: str
    """The zip, or the uncompressed tar, which each read opens."""
    shown_as: str
    limits: Limits
    tree: Tree

    def is_file(self, path: str) -> bool:
        """Return whether anything but a folder is there."""
        place = self._checked_place(path)
        return place is None or place in self.tree.nodes

    def is_folder(self, path: str) -> bool:
        """Return whether a folder is there."""
        return self._checked_place(path) in self.tree.folders

    def names(self, folder: str) -> list[str]:
        """Return the sorted names in the folder."""
        return list(self.tree.folders[self._inside(folder)]) if self.is_folder(folder) else []

    def read(self, path: str) -> bytes:
        """Return the file's content."""
        file = self._file(path)
        refuse_size(self.shown(path), file.size, self.limits)
        with _name_damage(self.shown(path)), open(self.path, "rb") as stream:  # noqa: PTH123 -- quicker
            return b"".join(file.chunks(stream))

    def chunks(self, path: str) -> Iterator[bytes]:
        """Yield the file's content piece by piece."""
        file = self._file(path)
        with _name_damage(self.shown(path)), open(self.path, "rb") as stream:  # noqa: PTH123 -- quicker
            yield from file.chunks(stream)

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        """Return a temporary file with the content."""
        with scratch.folder() as folder:
            copy = folder / "file"
            with copy.open("wb") as stream:
                stream.writelines(self.chunks(path))
            yield copy

    def shown(self, path: str) -> str:
        """Return the path in the archive after the archive's name."""
        return shown(self.shown_as, self.tree.root + path)

    def _checked_place(self, path: str) -> str | None:
        """Return the place; None if the last part itself is a link that leads out."""
        place = self._place(path)
        if place is None:
            self._inside(posixpath.dirname(path))
        return place

    def _place(self, path: str) -> str | None:
        """Return the path in the archive, all links followed; None if it leads out of the root."""
        root = self.tree.root.rstrip("/")
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
            node = self.tree.nodes.get(entry := posixpath.join(place, part))
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
            raise leads_out(self.shown(path), shown(self.shown_as, self.tree.root))
        return place

    def _file(self, path: str) -> Stored | Packed:
        place = self._inside(path)
        file = self.tree.nodes.get(place)
        if isinstance(file, Stored | Packed):
            return file
        raise no_file(
            self.shown(path),
            "a broken link" if file else "a folder" if place in self.tree.folders else None,
        )


@contextmanager
def open_archive(
    path: Path, *, shown_as: str, limits: Limits, top_folders: Sequence[str]
) -> Iterator[Archive]:
    """Return the files of the archive; a temporary file is gone when the context ends.

    top_folders: as in `open_output`.
    Raises ArtifactError if it is no archive, or a bad one, or holds none of the folders.
    """
    with ExitStack() as resources:
        with _name_damage(plain(shown_as)):
            path = path.absolute()
            head = _head(path)
            contents = Contents(shown_as, limits)
            if head.startswith((b"PK\3\4", b"PK\5\6")):
                contents.add_all(zip_entries(path, contents))
            else:
                if head.startswith(b"\x1f\x8b"):
                    path = resources.enter_context(decompress(path, shown_as, limits))
                elif not is_tar(head):
                    raise no_archive(shown_as)
                contents.add_all(tar_entries(path, contents))
            tree = contents.tree(top_folders)
        yield Archive(path=str(path), shown_as=shown_as, limits=limits, tree=tree)


@contextmanager
def _name_damage(shown: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGES as error:
        raise ArtifactError(
            f"{shown}: the archive is damaged or was cut short: {plain(str(error))}. Pack it "
            "again, or fetch it again from where it was packed."
        ) from error
    except OSError as error:
        raise unreadable(shown, error) from error


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(BLOCK)
