"""Files in folders where somebody else may have put links, FIFOs or devices.

A checkout holds whatever its author wants. So below the working folder each folder of a path is
opened inside its parent, and no link is followed. A path that leads elsewhere is the
user's own choice: only the command line takes one, and links on the way to it are followed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import select
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from msgspec import Struct

from helm_wandb.system import signals

_MODE = 0o644
"""Later steps of a workflow read it as another user."""
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
"""O_PATH opens folders that may only be passed through, too; not every system has it."""
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DEVICE = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_INHERITED = re.compile(r"/dev/stdin|/(?:dev|proc/self)/fd/[0-9]+")
"""Files that a shell provides: standard input, and `<(command)`."""
_PATIENCE_SECONDS = 60.0
"""Seconds that a FIFO or a terminal may take to read on."""
_THROUGH_A_LINK = (
    "it is a link, and nothing is written through links. Replace it with a folder, or write "
    "elsewhere"
)
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class RefusalError(OSError):
    """Something that must not be written to; `strerror` says why, and what to do."""


def content(path: Path, *, at_most: int) -> bytes:
    """Return the first bytes of a file, `at_most` of them.

    A pipe is read to its end if this process inherited it and the path says so, as /dev/stdin
    does. Raises OSError if it cannot be read, ValueError if it is not a regular file but, for
    example, a FIFO.
    """
    if _INHERITED.fullmatch(str(path)):
        with path.open("rb") as stream:
            return stream.read(at_most)
    # Path.open takes no opener.
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is not a regular file")
        return file.read(at_most)


def append_whole(path: Path, data: bytes) -> None:
    """Append all of the data to a file of the runner's, or none of it.

    The file is created if it does not exist. Its path comes from the runner, not from the
    checkout, so links are followed. Raises OSError.
    """
    with (
        signals.deferred(),
        open(path, "ab", buffering=0, opener=_without_waiting) as file,
    ):
        before = os.fstat(file.fileno()).st_size
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(file.fileno(), rest) :]
        except OSError:
            with suppress(OSError):
                file.truncate(before)
            raise


def _without_waiting(path: str, flags: int) -> int:
    """Open a path as `os.open` does, but do not wait for the other end of a FIFO."""
    return os.open(path, flags | os.O_NONBLOCK, _MODE)


def write_whole(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Replace a file whole, so that nobody reads half of it; a link in its place is replaced.

    data: the content, or the pieces of it.
    Folders on the way are created. What is new belongs to the owner of the folder it lies in.
    A device outside of the working folder is written to. Raises OSError, whose `filename` is the
    path or the folder on the way that causes it; RefusalError for a link on the way, and for
    something in the file's place that is not a file.
    """
    pieces = [data] if isinstance(data, bytes) else data
    if is_device(path):
        _write_through(path, pieces)
        return
    with _folder(path.parent, create=True) as at, _named(path):
        name = path.name or "."
        _refuse_special(name, at)
        # A new name each time: somebody may have put a link at a name that can be foreseen.
        temporary = f".helm-wandb-{secrets.token_hex(8)}"
        remove = partial(os.unlink, temporary, dir_fd=at)
        with signals.cleaning(remove):
            _create(temporary, pieces, at)
            try:
                os.replace(temporary, name, src_dir_fd=at, dst_dir_fd=at)
            except BaseException:
                remove()
                raise


def write_new(path: Path, data: bytes) -> None:
    """Create a file in a folder that exists; nothing is left of one that cannot be written whole.

    Raises FileExistsError if something has its name, and OSError as `write_whole` does.
    """
    with signals.deferred(), _folder(path.parent, create=False) as at, _named(path):
        _create(path.name or ".", [data], at)


def create_folder(path: Path) -> None:
    """Create a folder and those on the way to it, unless they exist.

    What is new belongs to the owner of the folder it lies in. Raises OSError as `write_whole`.
    """
    with _folder(path, create=True):
        pass


def try_lock(descriptor: int) -> bool:
    """Return whether the lock of an open file or folder is ours; True if it can have none."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    return True


def hand_over(folder: Path, *, like: Path) -> None:
    """Give a folder that this process created, and all in it, to the owner of another folder.

    In a container we are root, and a workspace belongs to the runner's user, who could not
    delete root's files: the next checkout would fail. What links lead to, devices, and files that
    have another name elsewhere keep their owner.
    """
    owner = os.lstat(like)
    for _, folders, names, at in os.fwalk(folder):
        for name in (".", *folders, *names):
            _give(name, at, owner)


def _give(name: str, at: int, owner: os.stat_result) -> None:
    """Give root's file or folder to a user; some file systems know no owners."""
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    with suppress(OSError):
        status = os.stat(name, dir_fd=at, follow_symlinks=False)
        kind = stat.S_IFMT(status.st_mode)
        is_only_name = kind in {stat.S_IFREG, stat.S_IFLNK} and status.st_nlink == 1
        if status.st_uid == 0 and (is_only_name or kind == stat.S_IFDIR):
            os.chown(name, owner.st_uid, owner.st_gid, dir_fd=at, follow_symlinks=False)


def _create(name: str, pieces: Iterable[bytes], at: int) -> None:
    """Create a file in an open folder, or leave nothing."""
    descriptor = os.open(name, _NEW_FILE, _MODE, dir_fd=at)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fchmod(descriptor, _MODE)
        _give(name, at, os.fstat(at))
    except BaseException:
        os.unlink(name, dir_fd=at)
        raise


def _refuse_special(name: str, at: int) -> None:
    """Raise RefusalError if neither a file nor a link nor nothing has the name."""
    try:
        mode = os.stat(name, dir_fd=at, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        kind = KINDS[stat.S_IFMT(mode)]
        raise RefusalError(
            errno.EEXIST, f"it is {kind}, and not a file. Remove it, or give another path"
        )


class _Way(Struct, frozen=True, kw_only=True):
    """The folders that lead to one, each in its parent."""

    begin: Path
    names: tuple[str, ...]
    follows_links: bool
    shown_from: Path
    """Name of `begin` in messages."""

    @property
    def is_system(self) -> bool:
        """Whether it leads to where the system keeps its devices."""
        return self.begin == Path("/") and self.names[:1] in {("dev",), ("proc",)}


def _way(path: Path) -> _Way:
    """Return the way to a folder, which follows no links below the working folder."""
    # Unlike Path.resolve it follows no links.
    whole = Path(os.path.abspath(path))  # noqa: PTH100
    here = Path.cwd()
    for begin in (*reversed(whole.parents), whole):
        with suppress(OSError):
            if begin.samefile(here):
                names = whole.relative_to(begin).parts
                shown_from = begin if path.is_absolute() else Path()
                return _Way(begin=begin, names=names, follows_links=False, shown_from=shown_from)
    whole = path.absolute()
    root = Path(whole.anchor)
    return _Way(begin=root, names=whole.parts[1:], follows_links=True, shown_from=root)


@contextmanager
def _folder(path: Path, *, create: bool) -> Iterator[int]:
    """Open a folder; if links may not be followed, one on the way is refused."""
    with _named(path):
        way = _way(path)
        at = os.open(way.begin, _FOLDER)
    try:
        for count, name in enumerate(way.names, start=1):
            with _named(way.shown_from.joinpath(*way.names[:count])):
                inner = _entered(name, at, follows_links=way.follows_links, create=create)
            os.close(at)
            at = inner
        yield at
    finally:
        os.close(at)


def _entered(name: str, at: int, *, follows_links: bool, create: bool) -> int:
    """Open a folder in an open one."""
    flags = _FOLDER if follows_links else _FOLDER | os.O_NOFOLLOW
    try:
        return os.open(name, flags, dir_fd=at)
    except FileNotFoundError:
        if not create:
            raise
    except OSError:
        if not follows_links and _is_link(name, at):
            raise RefusalError(errno.ELOOP, _THROUGH_A_LINK) from None
        raise
    # Another process may create it at the same moment.
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=at)
        _give(name, at, os.fstat(at))
    return os.open(name, flags, dir_fd=at)


def _is_link(name: str, at: int) -> bool:
    with suppress(OSError):
        return stat.S_ISLNK(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)
    return False


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an OSError name the path, not what it is called inside an open folder."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def is_device(path: Path) -> bool:
    """Return whether something outside of the working folder is not a file that can be replaced.

    `/dev/stdout` is a link, which must stay even if standard output is a file.
    """
    try:
        way = _way(path.parent)
        mode = path.stat().st_mode
    except OSError:
        return False
    is_replaceable = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    is_kept = not is_replaceable or (way.is_system and path.is_symlink())
    return is_kept and (way.follows_links or way.is_system)


def _write_through(path: Path, pieces: Iterable[bytes]) -> None:
    """Write to a device or FIFO, and give up if nothing reads from it."""
    with _named(path):
        descriptor = _open_device(path)
        try:
            for piece in pieces:
                rest = memoryview(piece)
                while rest:
                    _wait_for_reader(descriptor)
                    rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)


def _open_device(path: Path) -> int:
    try:
        return os.open(path, _DEVICE)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        raise RefusalError(
            errno.ENXIO, "nothing reads from it. Start the reader first, or give another path"
        ) from error


def _wait_for_reader(descriptor: int) -> None:
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    if not ready.poll(_PATIENCE_SECONDS * 1000):
        raise RefusalError(
            errno.ETIMEDOUT, f"nothing has read from it for {_PATIENCE_SECONDS:.0f} seconds"
        )
