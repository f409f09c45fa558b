"""Files in folders where somebody else may have put links, FIFOs or devices."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from helm_wandb.system import files
from helm_wandb.system.files import (
    RefusalError,
    append_whole,
    create_folder,
    hand_over,
    write_new,
    write_whole,
)
from tests.full_disk import files_of_at_most

if TYPE_CHECKING:
    from collections.abc import Callable

OWNER = 1000
is_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def test_what_is_new_belongs_to_the_owner_of_its_folder(tmp_path: Path) -> None:
    """What root writes into somebody's workspace, with the folders on the way, is that one's."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    # Only root can give it away.
    with suppress(PermissionError):
        os.chown(workspace, 1001, 1001)
    write_whole(workspace / "out" / "deep" / "report.json", b"{}")

    owner = workspace.stat().st_uid
    assert [owner] * 3 == [path.stat().st_uid for path in workspace.rglob("*")]


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(tmp_path: Path) -> None:
    """On a full disk the file stays as it was, and no half of the new one is left next to it."""
    path = tmp_path / "report.json"
    write_whole(path, b"old")
    with files_of_at_most(100), pytest.raises(OSError, match="File too large") as caught:
        write_whole(path, b"x" * 100_000)

    assert str(path) == caught.value.filename
    assert (b"old", [path]) == (path.read_bytes(), list(tmp_path.iterdir()))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, which is somebody else's; next to it lies `outside`."""
    (tmp_path / "outside").mkdir()
    folder = tmp_path / "checkout"
    folder.mkdir()
    with suppress(PermissionError):
        os.chown(folder, OWNER, OWNER)
    monkeypatch.chdir(folder)
    return folder


def write(path: Path) -> None:
    """Write a file whole."""
    write_whole(path, b"new")


def rewrite(path: Path) -> None:
    """Create a file."""
    write_new(path, b"new")


@pytest.mark.parametrize("write_at", [write, rewrite, create_folder])
@pytest.mark.parametrize(
    "name", ["out/x", "{checkout}/out/x", "{alias}/out/x", "deep/../out/x", "deep/out/x"]
)
def test_nothing_is_written_through_a_link(
    name: str, write_at: Callable[[Path], None], checkout: Path
) -> None:
    """Below the working folder a link on the way is named, and what it leads to stays as it was."""
    (checkout / "deep").mkdir()
    alias = checkout.with_name("alias")
    alias.symlink_to(checkout)
    name = name.format(checkout=checkout, alias=alias)
    for link in ("out", "deep/out"):
        (checkout / link).symlink_to(checkout.parent / "outside")
    with pytest.raises(RefusalError, match="it is a link, and nothing is written") as caught:
        write_at(Path(name))

    expected = name.removesuffix("/x").removeprefix("deep/../")
    assert expected == caught.value.filename
    assert [] == list((checkout.parent / "outside").iterdir())


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize("target", ["nowhere", ".", "/dev"])
def test_a_link_is_refused_wherever_it_leads(target: str) -> None:
    """A link to nothing, to the working folder itself or to devices is refused too."""
    Path("out").symlink_to(target)

    with pytest.raises(RefusalError):
        write(Path("out/stdout"))
    assert [Path("out")] == list(Path().iterdir())


def test_links_elsewhere_are_the_users_own(checkout: Path) -> None:
    """A path that leads out of the working folder is followed, and its folders are created."""
    (checkout.parent / "link").symlink_to("outside")
    write(Path("../link/deep/report.json"))
    write(checkout.parent / "link/other.json")

    assert b"new" == (checkout.parent / "outside/deep/report.json").read_bytes()
    assert b"new" == (checkout.parent / "outside/other.json").read_bytes()


def special(path: Path, kind: str) -> None:
    """Put something there that is not a file."""
    match kind:
        case "a FIFO":
            os.mkfifo(path)
        case "a folder":
            path.mkdir()
        case _:
            with socket.socket(socket.AF_UNIX) as server:
                # The path itself may be too long for an address.
                server.bind(os.path.relpath(path))


@pytest.mark.parametrize("kind", ["a FIFO", "a folder", "a socket"])
def test_what_is_not_a_file_is_refused(kind: str, checkout: Path) -> None:
    """Nothing waits for the other end of a FIFO, and nothing is left next to it."""
    special(checkout / "report.json", kind)
    with pytest.raises(RefusalError, match=f"it is {kind}, and not a file") as caught:
        write(Path("report.json"))

    assert "report.json" == caught.value.filename
    assert [Path("report.json")] == list(Path().iterdir())


def test_a_link_to_a_device_is_replaced(checkout: Path) -> None:
    """Below the working folder a link to standard output does not lead there."""
    (checkout / "report.json").symlink_to("/dev/stdout")
    write(Path("report.json"))

    assert not Path("report.json").is_symlink()
    assert b"new" == Path("report.json").read_bytes()


def test_a_device_elsewhere_is_written_to(checkout: Path) -> None:
    """A FIFO that somebody reads gets all, also what it cannot hold at once."""
    fifo = checkout.parent / "fifo"
    os.mkfifo(fifo)
    data = os.urandom(200_000)
    # Opened for both, it is there before the writer is, and never ends.
    reader = os.open(fifo, os.O_RDWR)
    with ThreadPoolExecutor(1) as pool, os.fdopen(reader, "rb") as stream:
        read = pool.submit(stream.read, len(data))
        write_whole(fifo, data)

        assert data == read.result()


def test_a_fifo_that_nobody_reads_is_refused(checkout: Path) -> None:
    """It is not waited for."""
    os.mkfifo(checkout.parent / "fifo")

    with pytest.raises(RefusalError, match="nothing reads from it"):
        write(checkout.parent / "fifo")


def test_a_fifo_that_nobody_reads_on_is_given_up(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is full is waited for a while."""
    fifo = checkout.parent / "fifo"
    os.mkfifo(fifo)
    monkeypatch.setattr(files, "_PATIENCE_SECONDS", 0.0)
    with os.fdopen(os.open(fifo, os.O_RDWR)), pytest.raises(RefusalError, match="has read from it"):
        write_whole(fifo, bytes(2_000_000))


def test_a_descriptor_stays_what_it_is(tmp_path: Path) -> None:
    """Standard output that is led into a file is written to, and not replaced."""
    path = tmp_path / "output"
    with path.open("wb") as stream:
        write(Path(f"/proc/self/fd/{stream.fileno()}"))

    assert b"new" == path.read_bytes()


@is_root
def test_what_was_there_keeps_its_owner(checkout: Path) -> None:
    """Folders on the way, and what has a second name elsewhere, stay root's."""
    (checkout / "out").mkdir()
    write(Path("out/deep/report.json"))

    owners = {str(path): path.stat().st_uid for path in Path("out").rglob("*")}
    assert {"out/deep": 0, "out/deep/report.json": 0} == owners


@is_root
def test_only_own_files_are_handed_over(checkout: Path) -> None:
    """What links lead to, FIFOs and files with another name keep their owner."""
    outside = checkout.parent / "outside"
    folder = checkout / "made"
    (folder / "deep").mkdir(parents=True)
    (outside / "file").touch()
    (folder / "deep/file").touch()
    (folder / "hard").hardlink_to(outside / "file")
    (folder / "link").symlink_to(outside / "file")
    (folder / "deep/link").symlink_to(outside)
    os.mkfifo(folder / "fifo")
    hand_over(folder, like=checkout)

    found = [folder, *folder.rglob("*"), outside, outside / "file"]
    kept = {path for path in found if path.lstat().st_uid != OWNER}
    assert {outside, outside / "file", folder / "hard", folder / "fifo"} == kept


def test_a_file_that_is_there_is_not_created_again(checkout: Path) -> None:
    """A link counts as well, wherever it leads."""
    (checkout / "config.yaml").symlink_to("../outside/config.yaml")

    with pytest.raises(FileExistsError):
        rewrite(Path("config.yaml"))
    assert [] == list((checkout.parent / "outside").iterdir())


def test_half_a_new_file_is_not_left(checkout: Path) -> None:
    """On a full disk nothing is left."""
    with files_of_at_most(100), pytest.raises(OSError, match="File too large"):
        write_new(checkout / "config.yaml", bytes(100_000))

    assert [] == list(Path().iterdir())


# Reading


@pytest.mark.parametrize(("at_most", "content"), [(2, b"ab"), (3, b"abc"), (4, b"abc")])
def test_no_more_is_read_than_is_requested(at_most: int, content: bytes, tmp_path: Path) -> None:
    """A file without measure takes no more memory than the caller allows."""
    (tmp_path / "file").write_bytes(b"abc")

    assert content == files.content(tmp_path / "file", at_most=at_most)


@pytest.mark.parametrize("target", ["fifo", "/dev/zero"])
def test_what_never_ends_is_not_read(target: str, tmp_path: Path) -> None:
    """Nobody may ever write to a FIFO, and a device may never end."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(target)

    with pytest.raises(ValueError, match="it is not a regular file"):
        files.content(tmp_path / "link", at_most=1)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """The caller says what the system's error is about."""
    with pytest.raises(IsADirectoryError):
        files.content(tmp_path, at_most=1)


def test_what_cannot_be_appended_whole_is_not_appended(tmp_path: Path) -> None:
    """On a full disk the file ends as it did before, so that a reader never meets half a text."""
    path = tmp_path / "summary.md"
    append_whole(path, b"old\n")
    append_whole(path, b"new\n")
    with files_of_at_most(100), pytest.raises(OSError, match="File too large"):
        append_whole(path, b"x" * 100_000)

    assert b"old\nnew\n" == path.read_bytes()
