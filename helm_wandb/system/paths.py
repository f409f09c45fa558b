"""Search of the files that a user names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path

from msgspec import Struct

from helm_wandb.errors import ArtifactError

WORKSPACE = Path("/github/workspace")
"""The workspace inside the action's container, which is the working folder there."""
_NOT_EXPANDED = "A leading ~ and $NAME are not expanded here: write the whole path."
ENTRIES = 100_000
"""Files and folders that are looked at for one glob."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_ABSOLUTE = (
    "It is an absolute path: inside the action's container only the workspace exists, as "
    "/github/workspace. Give the path relative to the workspace."
)
_IS_URL = "It is a URL, and only files of this machine are read: download it in an earlier step."
_IS_GLOB = "It is a glob, and one name is needed: write the whole path."


def hint(name: str, folder: Path) -> str:
    """Return where a file that does not exist may be instead, in a sentence; empty if unknown.

    folder: the folder that the name is relative to.
    """
    is_known = name.startswith("/") or _exists(folder / name)
    return misread(name, folder) or (
        "" if is_known else f"It is looked for in {folder.absolute()}."
    )


def _exists(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:  # no file system has such a name
        return False


def follow_links(path: Path | str) -> str:
    """Return the absolute path with all links followed; as it is if one can't be read."""
    try:
        return os.path.realpath(path)
    except OSError:  # as in /proc, where a link may be read by its owner only
        return os.path.abspath(path)  # noqa: PTH100 -- removes `..` too


def is_file(path: Path) -> bool:
    """Return whether a file is there; `Path.is_file` raises errors before Python 3.14."""
    return os.path.isfile(path)  # noqa: PTH113 -- as above


def is_folder(path: Path) -> bool:
    """Return whether a folder is there; `Path.is_dir` raises errors before Python 3.14."""
    return os.path.isdir(path)  # noqa: PTH112 -- as above


def refuse_absent(name: str, folder: Path) -> None:
    """Raise ArtifactError if nothing is at the path, relative to the folder."""
    if not os.path.lexists(folder / name):
        raise ArtifactError(f"{name}: doesn't exist. {hint(name, folder)}".rstrip())


def misread(name: str, folder: Path, *, may_be_glob: bool = False) -> str | None:
    """Return why a name is read as another one than its writer meant, and what to write.

    may_be_glob: whether `*` stands for any text here.
    """
    if _URL.match(name):
        return _IS_URL
    if name.startswith("/"):
        return _ABSOLUTE if folder.absolute() == WORKSPACE else None
    if name.startswith("~") or "$" in name:
        return _NOT_EXPANDED
    return _IS_GLOB if has_magic(name) and not may_be_glob else None


class TooManyError(Exception):
    """A glob for which more files and folders would be looked at than ENTRIES."""


def matches(pattern: str, folder: Path, *, folders: bool = False) -> list[str]:
    """Return the files that a glob matches, sorted, relative to the folder if the glob is.

    folders: whether folders count too.

    `**` stands for any folders, and follows no links to them. Hidden names are matched only if
    the glob has their dot. Raises TooManyError.
    """
    names = set(_GlobSearch(folder=folder, left=ENTRIES).candidates(pattern))
    # Path.is_file raises errors, and takes `file/.` for the file.
    exists = os.path.exists if folders else os.path.isfile
    return sorted(name for name in names if exists(os.path.join(folder, name)))  # noqa: PTH118


def is_matched(path: str, pattern: str, folder: Path) -> bool:
    """Return whether the glob matches a path as `matches` does, if a file were there.

    path: absolute and without links. folder: what the glob is relative to.
    """
    parts = pattern.split("/")
    fixed = next((at for at, part in enumerate(parts) if has_magic(part)), len(parts))
    start = Path(follow_links(folder / "/".join(parts[:fixed])))
    if not Path(path).is_relative_to(start):
        return False
    return _match_parts(Path(path).relative_to(start).parts, list(filter(None, parts[fixed:])))


def _match_parts(names: Sequence[str], parts: Sequence[str]) -> bool:
    """Return whether the glob's parts match these names, of which `**` stands for any number."""
    ends = _skip_stars({0}, parts)
    for name in names:
        after: set[int] = set()
        for at in ends - {len(parts)}:
            is_shown = parts[at].startswith(".") or not name.startswith(".")
            if is_shown and fnmatchcase(name, parts[at]):
                after.add(at if parts[at] == "**" else at + 1)
        ends = _skip_stars(after, parts)
    return len(parts) in ends


def _skip_stars(ends: set[int], parts: Sequence[str]) -> set[int]:
    """Return the places in the glob, with those after each `**` there, which may match nothing."""
    reached = set(ends)
    for at, part in enumerate(parts):
        if at in reached and part == "**":
            reached.add(at + 1)
    return reached


class _GlobSearch(Struct, kw_only=True):
    """The search for one glob. `glob.glob` follows links in circles, and has no bound."""

    folder: Path
    left: int
    """Entries that may still be looked at."""

    def candidates(self, pattern: str) -> Iterator[str]:
        """Yield the paths that match; some may not exist, and some may be folders."""
        parts = [part for part in pattern.split("/") if part]
        todo = [("/" if pattern.startswith("/") else "", _less_repeated(parts))]
        # Not by recursion: folders may be nested deeper than Python can call.
        while todo:
            at, parts = todo.pop()
            if not parts:
                yield at
            elif parts[0] == "**":
                if len(parts) > 1:
                    todo.append((at, parts[1:]))
                for entry in self._entries(at, "*"):
                    if entry.is_dir(follow_symlinks=False):
                        todo.append((_join(at, entry.name), parts))
                    elif len(parts) == 1:
                        yield _join(at, entry.name)
            elif has_magic(parts[0]):
                todo += [(_join(at, one.name), parts[1:]) for one in self._entries(at, parts[0])]
            else:
                todo.append((_join(at, parts[0]), parts[1:]))

    def _entries(self, at: str, part: str) -> Iterator[os.DirEntry[str]]:
        """Yield what is in a folder under a name that matches; nothing if it cannot be read."""
        self._count()
        try:
            with os.scandir(self.folder / at) as entries:
                for entry in entries:
                    self._count()
                    is_shown = part.startswith(".") or not entry.name.startswith(".")
                    if is_shown and fnmatchcase(entry.name, part):
                        yield entry
        except (OSError, ValueError):
            return

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooManyError


def _less_repeated(parts: list[str]) -> list[str]:
    """Return the parts of a glob without a `**` that follows another one."""
    return [part for at, part in enumerate(parts) if part != "**" or parts[at - 1 : at] != ["**"]]


def _join(at: str, name: str) -> str:
    return f"{at}{name}" if at.endswith("/") or not at else f"{at}/{name}"
