"""A HELM output folder reads the same as a folder and as any archive of it, and is no trap."""

from __future__ import annotations

import gzip
import io
import multiprocessing
import os
import pickle
import resource
import socket
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import tracemalloc
import zipfile
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.files import Limits
from helm_wandb.sources.helm.output import open_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from helm_wandb.harness.files import Files

BOOLQ = "runs/nightly/boolq:model=acme_assistant/stats.json"
TREE: dict[str, Any] = {
    "runs": {
        "nightly": {
            "groups": {"boolq.json": b"[]", "mmlu.json": b"[1]"},
            "boolq:model=acme_assistant": {"stats.json": b'[{"name": 1}]' * 99},
            "mmlu,data_augmentation=canonical:subject=x,model=acme_assistant": {"stats.json": b""},
            "eval_cache": {},
        }
    },
    "releases": {"v1": {"groups.json": b"\x00\xff"}},
}
KINDS = ("folder", "tar", "tar.gz", "zip")
NOBODY = 65534


def build(tree: dict[str, Any], folder: Path) -> Path:
    """The folder, filled with the tree: names to bytes or to trees."""
    folder.mkdir()
    for name, content in tree.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            build(content, folder / name)
    return folder


def packed(folder: Path, kind: str, *, top: str = "", tar_format: int = tarfile.PAX_FORMAT) -> Path:
    """The folder's content as an archive of the kind, below `top`; or the folder itself."""
    if kind == "folder":
        return folder
    path = folder.with_name(f"helm.{kind}")
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zip_archive:
            for entry in sorted(folder.rglob("*")):
                zip_archive.write(entry, f"{top}{entry.relative_to(folder)}")
        return path
    mode: Any = "w:gz" if kind == "tar.gz" else "w"
    with tarfile.open(path, mode, format=tar_format) as tar_archive:
        tar_archive.add(folder, top or ".")
    return path


def content(files: Files, folder: str = "") -> dict[str, Any]:
    """Everything that can be read below the folder, as the tree that `build` takes."""
    tree: dict[str, Any] = {}
    for name in files.names(folder):
        path = f"{folder}/{name}" if folder else name
        tree[name] = content(files, path) if files.is_folder(path) else files.read(path)
    return tree


def tar_of(*entries: tuple[str, bytes | dict[str, Any]]) -> bytes:
    """A tar of names with a content, or with the fields of a header that has none."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, entry in entries:
            header = tarfile.TarInfo(name)
            data = entry if isinstance(entry, bytes) else b""
            header.size = len(data)
            for field, value in ({} if isinstance(entry, bytes) else entry).items():
                setattr(header, field, value)
            archive.addfile(header, io.BytesIO(data))
    return out.getvalue()


def zip_of(*entries: tuple[str, bytes, int]) -> bytes:
    """A zip of names with their content and Unix mode."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


def refusal(path: Path, read: str = "", limits: Limits | None = None) -> str:
    """Return the error of opening, or of reading the path."""
    with (
        pytest.raises(ArtifactError) as raised,
        open_output(path, shown_as=path.name, limits=limits) as files,
    ):
        files.read(read)
    text = str(raised.value)
    text.encode()  # a log takes it
    assert text.splitlines() == [text]
    return text


def refusal_of(data: bytes, folder: Path, read: str = "", limits: Limits | None = None) -> str:
    """Return the error of opening an archive of these bytes, or of reading the path in it."""
    path = folder / "helm"
    path.write_bytes(data)
    return refusal(path, read, limits)


@pytest.fixture(params=KINDS)
def tree_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """TREE as a folder and as each kind of archive."""
    return packed(build(TREE, tmp_path / "helm"), request.param)


@contextmanager
def as_nobody() -> Iterator[Path]:
    """A folder that anyone may enter, for one who is not root: root may read everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        build(TREE, folder / "helm")
        yield folder / "helm"


@contextmanager
def rights_given_up() -> Iterator[None]:
    """The process as another user than root."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


# What is read


def test_every_kind_reads_the_same(tree_path: Path) -> None:
    """A folder and each archive of it hold the same names and bytes, empty folders too."""
    with open_output(tree_path, shown_as="helm") as files:
        actual = content(files)

    assert TREE == actual


def test_kinds_are_reported(tree_path: Path) -> None:
    """What is absent is neither a file nor a folder."""
    with open_output(tree_path, shown_as="helm") as files:
        actual = (
            [files.is_file(path) for path in (BOOLQ, "runs", "runs/x", f"{BOOLQ}/x", "")],
            [files.is_folder(path) for path in (BOOLQ, "runs", "runs/x", f"{BOOLQ}/x", "")],
            [files.names(path) for path in (BOOLQ, "runs", "runs/x")],
        )

    expected = (
        [True, False, False, False, False],
        [False, True, False, False, True],
        [[], ["nightly"], []],
    )
    assert expected == actual


def test_others_may_open_a_file(tree_path: Path) -> None:
    """A real file has the content as long as the context lasts; one of an archive is temporary."""
    with open_output(tree_path, shown_as="helm") as files:
        with files.local(BOOLQ) as path:
            assert TREE["runs"]["nightly"]["boolq:model=acme_assistant"]["stats.json"] == (
                path.read_bytes()
            )
        assert tree_path.is_dir() == path.exists()
        with pytest.raises(ArtifactError), files.local("runs"):
            pass


@pytest.mark.parametrize("name", ["x" * 300, "nul\0", "runs/../nul\0", "\ud800", "x/" * 3000])
def test_a_name_that_no_file_can_have_is_absent(tree_path: Path, name: str) -> None:
    """A benchmark's name comes from a config: an impossible one is just not there."""
    with open_output(tree_path, shown_as="helm") as files:
        actual = (files.is_file(name), files.is_folder(name), files.names(name))

    assert (False, False, []) == actual


NAMES = some.text(
    some.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=30
).filter(lambda name: name not in {".", ".."})
TREES = some.recursive(
    some.dictionaries(NAMES, some.binary(max_size=2000), max_size=4),
    lambda below: some.dictionaries(NAMES, some.binary(max_size=9) | below, max_size=4),
    max_leaves=12,
)


@given(below=TREES, top=some.sampled_from(["", "checkpoints/", "./", "ü:=/"]), gnu=some.booleans())
def test_any_tree_reads_the_same(below: dict[str, Any], top: str, *, gnu: bool) -> None:
    """Whatever the names and bytes, folder, .tar, .tar.gz and .zip of it read the same."""
    tree = {"runs": below}
    with tempfile.TemporaryDirectory() as name:
        folder = build(tree, Path(name) / "folder")
        for kind in KINDS:
            form = tarfile.GNU_FORMAT if gnu else tarfile.PAX_FORMAT
            with open_output(packed(folder, kind, top=top, tar_format=form), shown_as="x") as files:
                actual = content(files)

            assert tree == actual


def test_real_output_reads_from_its_archive(root: Path, helm_trees: Path) -> None:
    """The archives of real HELM output, one folder deep, read as the folders they unpack to."""
    for archive in sorted((root / "tests/data/helm").glob("*.tar.gz")):
        with (
            open_output(archive, shown_as="x") as packed_files,
            open_output(helm_trees / archive.name.removesuffix(".tar.gz"), shown_as="x") as files,
        ):
            assert content(files) == content(packed_files)


def test_a_zip_of_a_linux_tool_keeps_its_names(tmp_path: Path) -> None:
    """UTF-8 names that a zip does not declare as such are read as what they are."""
    data = zip_of(("runs/modAAle", b"1", 0o100644)).replace(b"modAAle", "modèle".encode())
    (tmp_path / "helm").write_bytes(data)
    with open_output(tmp_path / "helm", shown_as="x") as files:
        actual = files.names("runs")

    assert ["modèle"] == actual


def test_a_zip_in_another_code_page_keeps_its_names(tmp_path: Path) -> None:
    """Names that are not UTF-8 are read as the zip format has it."""
    data = zip_of(("runs/modAle", b"1", 0o100644)).replace(b"modAle", b"mod\x8ale")
    (tmp_path / "helm").write_bytes(data)
    with open_output(tmp_path / "helm", shown_as="x") as files:
        actual = files.names("runs")

    assert ["modèle"] == actual


def test_a_zip64_is_read(tmp_path: Path) -> None:
    """A zip with the large form of its sizes reads like any other."""
    with (
        zipfile.ZipFile(tmp_path / "helm", "w") as archive,
        archive.open("runs/a", "w", force_zip64=True) as entry,
    ):
        entry.write(b"content")
    with open_output(tmp_path / "helm", shown_as="x") as files:
        actual = files.read("runs/a")

    assert b"content" == actual


def test_the_last_of_several_entries_counts(tmp_path: Path) -> None:
    """As in tar, a later entry of the same name replaces the earlier one."""
    (tmp_path / "helm").write_bytes(tar_of(("runs/a", b"old"), ("./runs//a", b"new")))
    with open_output(tmp_path / "helm", shown_as="x") as files:
        actual = content(files)

    assert {"runs": {"a": b"new"}} == actual


def test_a_hard_link_is_its_file(tmp_path: Path) -> None:
    """A file that tar kept once under two names is read under both."""
    folder = build({"runs": {"a": b"1"}}, tmp_path / "helm")
    (folder / "runs" / "b").hardlink_to(folder / "runs" / "a")
    with open_output(packed(folder, "tar"), shown_as="x") as files:
        actual = content(files)

    assert {"runs": {"a": b"1", "b": b"1"}} == actual


def test_long_names_are_read(tmp_path: Path) -> None:
    """Names and links over 100 characters, which GNU tar writes ahead of an entry, are read."""
    name = "model=" + "m" * 200
    folder = build({"runs": {name: {"a": b"1"}}}, tmp_path / "helm")
    (folder / "runs" / "b").symlink_to(f"{name}/a")
    path = packed(folder, "tar", tar_format=tarfile.GNU_FORMAT)
    with open_output(path, shown_as="x") as files:
        actual = content(files)

    assert {"runs": {name: {"a": b"1"}, "b": b"1"}} == actual


def test_an_old_tar_of_another_make_is_read(tmp_path: Path) -> None:
    """A tar from before POSIX, whose folders are files with a slash, and a Git comment are read."""
    folder = "d" * 200
    old = tar_of(
        ("runs/", {"type": tarfile.AREGTYPE}),
        (f"runs/{folder}/", {"type": tarfile.AREGTYPE}),
        ("runs/a", b"1"),
    )
    comment = tarfile.TarInfo.create_pax_global_header({"comment": "a commit"})
    (tmp_path / "helm").write_bytes(comment + old)
    with open_output(tmp_path / "helm", shown_as="x") as files:
        actual = content(files)

    assert {"runs": {"a": b"1", folder: {}}} == actual


# Where it is read


def _size(files: Files) -> int:
    return len(files.read(BOOLQ))


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_processes_share_it(tree_path: Path, start: str) -> None:
    """Forked and spawned processes read through the same object, also at once."""
    with (
        open_output(tree_path, shown_as="helm") as files,
        multiprocessing.get_context(start).Pool(2) as pool,
    ):
        actual = pool.map(_size, [files] * 8)

    assert [13 * 99] * 8 == actual


def test_a_copy_reads_the_same_from_another_folder(
    tree_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pickled copy reads on where the current folder is another one."""
    monkeypatch.chdir(tree_path.parent)
    with open_output(Path(tree_path.name), shown_as="helm") as files:
        monkeypatch.chdir("/")
        actual = content(pickle.loads(pickle.dumps(files)))  # noqa: S301 -- our own

    assert TREE == actual


@pytest.mark.parametrize("runs", ["runs", "no output of HELM"])
def test_no_temporary_file_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: str
) -> None:
    """The uncompressed copy of a .tar.gz is gone when it ended well, and when it was refused."""
    path = packed(build({runs: {}}, tmp_path / "helm"), "tar.gz")
    temporary = build({}, tmp_path / "temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    seen = []
    with suppress(ArtifactError), open_output(path, shown_as="helm"):
        seen = list(temporary.iterdir())

    assert (int(runs == "runs"), []) == (len(seen), list(temporary.iterdir()))


def test_an_error_of_the_reader_is_left_alone(tree_path: Path) -> None:
    """An error of the reader is not blamed on the archive."""
    with (
        pytest.raises(ValueError, match="invalid literal"),
        open_output(tree_path, shown_as="helm"),
    ):
        int("x")


def test_no_room_for_a_temporary_file_is_reported(tmp_path: Path) -> None:
    """A full disk is reported with a way around it."""
    path = packed(build({"runs": {"a": os.urandom(90_000)}}, tmp_path / "helm"), "tar.gz")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limit[1]))
    try:
        actual = refusal(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    assert actual.startswith("helm.tar.gz: cannot be decompressed to ")
    assert actual.endswith(
        ". Set TMPDIR to a folder with free space, or pack a .zip, which needs none."
    )


def test_a_folder_pays_for_no_archive(tmp_path: Path) -> None:
    """Reading a folder imports none of the modules that unpack archives."""
    code = (
        "import sys; from pathlib import Path\n"
        "from helm_wandb.sources.helm.output import open_output\n"
        "before = set(sys.modules)\n"
        f"with open_output(Path({str(tmp_path)!r}), shown_as='x') as files: files.names('')\n"
        "print(*{'tarfile', 'zipfile', 'gzip', 'tempfile'} & (set(sys.modules) - before))\n"
        "print(*{'tarfile', 'zipfile', 'gzip'} & set(sys.modules))"
    )
    actual = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert "\n\n" == actual.stdout


# What messages name


def test_messages_name_the_file(tmp_path: Path) -> None:
    """A file of a folder is named by its path, one of an archive after the archive's name."""
    folder = build(TREE, tmp_path / "helm")
    actual = []
    for path in (folder, packed(folder, "tar"), packed(folder, "zip", top="nightly/")):
        with open_output(path, shown_as="demo/x") as files:
            actual += [files.shown(BOOLQ), files.shown("")]

    expected = [
        f"demo/x/{BOOLQ}", "demo/x",
        f"demo/x:{BOOLQ}", "demo/x",
        f"demo/x:nightly/{BOOLQ}", "demo/x:nightly/",
    ]  # fmt: skip
    assert expected == actual


@pytest.mark.parametrize("kind", ["folder", "tar", "tar.gz"])
def test_a_hostile_name_stays_one_harmless_line(tmp_path: Path, kind: str) -> None:
    """Line ends, marks that turn the text and undecodable bytes do not reach a message."""
    name = os.fsdecode(b"a\n::error::\xe2\x80\xae\xff\x1b[1m")
    path = packed(build({"runs": {name: b"1"}}, tmp_path / "helm"), kind)
    with open_output(path, shown_as="x") as files:
        actual = (files.names("runs"), files.read(f"runs/{name}"), files.shown(name))

    shown = "a?::error::???[1m"
    assert ([name], b"1", f"x/{shown}" if kind == "folder" else f"x:{shown}") == actual


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_reported(tmp_path: Path, kind: str) -> None:
    """Reading a folder, or nothing, says so."""
    path = packed(build(TREE, tmp_path / "helm"), kind)
    between = "/" if kind == "folder" else ":"

    assert [
        f"{path.name}{between}runs: is a folder, not a file. Check the step that wrote it.",
        f"{path.name}{between}runs/x: doesn't exist. Check the step that wrote it.",
    ] == [refusal(path, "runs"), refusal(path, "runs/x")]


# Folders: links, special files, rights


@pytest.mark.parametrize("kind", ["folder", "tar", "tar.gz"])
def test_links_inside_are_followed(tmp_path: Path, kind: str) -> None:
    """Links to a file or a folder of the same output read as what they lead to."""
    folder = build(TREE, tmp_path / "helm")
    (folder / "runs/latest").symlink_to("nightly")
    (folder / "runs/again").symlink_to("../runs/./latest")
    (folder / "releases/table.json").symlink_to("../runs/again/groups/mmlu.json")
    with open_output(packed(folder, kind), shown_as="x") as files:
        actual = (
            files.is_folder("runs/latest"),
            files.names("runs"),
            files.names("runs/again"),
            files.is_file("releases/table.json"),
            files.read("releases/table.json"),
            files.read("runs/latest/groups/../groups/boolq.json"),
        )

    names = sorted(TREE["runs"]["nightly"])
    assert (True, ["again", "latest", "nightly"], names, True, b"[1]", b"[]") == actual


def test_links_of_a_zip_are_followed(tmp_path: Path) -> None:
    """A zip that keeps links as links reads as what they lead to."""
    entries = [("runs/a/b", b"1", 0o100644), ("runs/latest", b"a", stat.S_IFLNK | 0o777)]
    (tmp_path / "helm").write_bytes(zip_of(*entries))
    with open_output(tmp_path / "helm", shown_as="x") as files:
        actual = files.read("runs/latest/b")

    assert b"1" == actual


@pytest.mark.parametrize("kind", ["folder", "tar", "tar.gz"])
@pytest.mark.parametrize(
    "target", ["/nowhere/runs/nightly", "/etc", "../../..", "../../helm2", "latest", "gone"]
)
def test_a_stray_link_hurts_no_listing(tmp_path: Path, kind: str, target: str) -> None:
    """HELM's own `runs/latest`, where it leads elsewhere or nowhere, is listed as no folder."""
    folder = build(TREE, tmp_path / "helm")
    (folder / "runs/latest").symlink_to(target)
    with open_output(packed(folder, kind), shown_as="x") as files:
        names = files.names("runs")
        actual = [name for name in names if files.is_folder(f"runs/{name}")]

    assert (["latest", "nightly"], ["nightly"]) == (names, actual)


@pytest.mark.parametrize("kind", ["folder", "tar", "tar.gz"])
@pytest.mark.parametrize("target", ["/etc", "../../../../../../../../../../../../etc"])
def test_a_link_that_leads_out_is_refused(tmp_path: Path, kind: str, target: str) -> None:
    """A suite or file behind a link that leaves the output is refused, never taken for absent."""
    folder = build(TREE, tmp_path / "helm")
    (folder / "runs/mine").symlink_to(target)
    (folder / "runs/passwd").symlink_to(f"{target}/passwd")
    path = packed(folder, kind)
    between = "/" if kind == "folder" else ":"
    advice = (
        f"leads out of {path.name}, and only files in it are read. Replace the link with a "
        "copy of its target (cp -rL)."
    )
    with open_output(path, shown_as=path.name) as files:
        actual = files.is_file("runs/passwd")
        for ask in (files.is_folder, files.is_file, files.names, files.read):
            with pytest.raises(ArtifactError, match="leads out of"):
                ask("runs/mine/groups")

    assert actual
    assert f"{path.name}{between}runs/passwd: {advice}" == refusal(path, "runs/passwd")
    assert f"{path.name}{between}runs/mine/passwd: {advice}" == refusal(path, "runs/mine/passwd")


@pytest.mark.parametrize("path", ["../helm2/secret", "runs/../../helm2/secret", "/etc/passwd"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, tree_path: Path, path: str) -> None:
    """A path from a config cannot leave the output, nor enter a folder whose name begins alike."""
    build({"secret": b"1"}, tmp_path / "helm2")

    assert "leads out of" in refusal(tree_path, path)


@pytest.mark.parametrize("kind", ["folder", "tar", "tar.gz"])
def test_links_in_a_circle_end(tmp_path: Path, kind: str) -> None:
    """Links that lead to each other are reported, and not followed forever."""
    folder = build(TREE, tmp_path / "helm")
    (folder / "runs/a").symlink_to("b")
    (folder / "runs/b").symlink_to("a")
    (folder / "runs/c").symlink_to(".")
    path = packed(folder, kind)

    assert refusal(path, "runs/a").endswith(
        ": is a broken link, not a file. Check the step that wrote it."
    )
    with open_output(path, shown_as="x") as files:
        assert files.is_folder("runs/c/c/c/nightly")


def test_special_files_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A FIFO, on which a reader would wait forever, a socket and a device are named."""
    folder = build(TREE, tmp_path / "helm")
    monkeypatch.chdir(folder)  # a socket's path may not be long
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    actual = {name: refusal(folder, name) for name in ("fifo", "socket")}

    expected = {
        "fifo": "helm/fifo: is a FIFO, not a file. Check the step that wrote it.",
        "socket": "helm/socket: is a socket, not a file. Check the step that wrote it.",
    }
    assert expected == actual
    assert (
        "null: is a device. It must be an evaluation's output folder, or a .tar, .tar.gz or .zip "
        "of it." == refusal(Path("/dev/null"))
    )
    assert refusal(folder / "fifo").startswith("fifo: is a FIFO. It must be ")


def test_what_may_not_be_read_is_reported() -> None:
    """A file, a folder and an archive without the right to read them are named."""
    with as_nobody() as folder:
        archive = packed(folder, "tar")
        (folder / "runs/nightly/groups/boolq.json").chmod(0)
        (folder / "releases").chmod(0)
        archive.chmod(0)
        with rights_given_up():
            actual = [
                refusal(folder, "runs/nightly/groups/boolq.json"),
                refusal(folder, "releases/v1/groups.json"),
                refusal(archive),
            ]
            with (
                open_output(folder, shown_as="helm") as files,
                pytest.raises(ArtifactError, match=r"^helm/releases: cannot be read: Permission"),
            ):
                files.names("releases")

    denied = "cannot be read: Permission denied. Check the step that wrote it."
    assert [
        f"helm/runs/nightly/groups/boolq.json: {denied}",
        f"helm/releases/v1/groups.json: {denied}",
        f"helm.tar: {denied}",
    ] == actual


def test_a_link_that_may_not_be_read_is_reported() -> None:
    """In /proc, only its owner may read where a link leads."""
    with as_nobody() as folder:
        (folder / "link").symlink_to("/proc/1/cwd")
        with rights_given_up():
            actual = refusal(folder, "link"), refusal(Path("/proc/1"), "cwd")

    denied = "cannot be read: Permission denied. Check the step that wrote it."
    assert (f"helm/link: {denied}", f"1/cwd: {denied}") == actual


def test_what_does_not_exist_is_reported(tmp_path: Path) -> None:
    """A path that leads to nothing is named."""
    expected = "helm: cannot be read: No such file or directory. Check the step that wrote it."

    assert expected == refusal(tmp_path / "helm")


@pytest.mark.parametrize("kind", KINDS)
def test_what_vanishes_is_reported(tmp_path: Path, kind: str) -> None:
    """A folder or archive that goes away in between is reported, with the file that was wanted."""
    path = packed(build(TREE, tmp_path / "helm"), kind)
    with open_output(path, shown_as="x") as files:
        assert files.is_file(BOOLQ)
        _move_away(files, path)
        with pytest.raises(ArtifactError, match=r"stats\.json: (cannot be read|doesn't exist)"):
            files.read(BOOLQ)


def _move_away(files: Files, path: Path) -> None:
    real = Path(getattr(files, "path", path))
    real.rename(real.with_name("away"))


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_an_archive_that_shrinks_is_reported(tmp_path: Path, kind: str) -> None:
    """An archive that is cut while it is read is reported as damaged."""
    path = packed(build({"runs": {"a": os.urandom(9000)}}, tmp_path / "helm"), kind)
    with open_output(path, shown_as="x") as files:
        os.truncate(getattr(files, "path", path), 5000)
        with pytest.raises(ArtifactError, match=r"^x:runs/a: the archive is damaged or was cut"):
            files.read("runs/a")


def test_a_file_without_a_true_size_is_reported() -> None:
    """A file that holds more than its size says, as one that grows, is not read by half."""
    assert (
        "self/status: changed while it was read. Wait until what writes it has ended, then run "
        "this again." == refusal(Path("/proc/self"), "status")
    )


# Archives that are none, or not of HELM


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"{}" * 999, b"\x1f\x8b", gzip.compress(b"{}"), b"BZh9", b"\x00" * 99],
    ids=["empty", "begun", "JSON", "gzip head", "gzip of JSON", "bzip2", "zeros"],
)
def test_what_is_no_archive_is_reported(tmp_path: Path, data: bytes) -> None:
    """Anything else than a folder or an archive is refused, with what is expected."""
    actual = refusal_of(data, tmp_path)

    expected = {
        b"\x1f\x8b": "helm: the archive is damaged or was cut short: Compressed file ended before "
        "the end-of-stream marker was reached. Pack it again, or fetch it again from where it was "
        "packed."
    }.get(
        data,
        "helm: has another format. It must be an evaluation's output folder, or a .tar, .tar.gz or "
        ".zip of it.",
    )
    assert expected == actual


NOT_THERE = "neither runs/ nor releases/ is at its top or one folder below. At its top there is:"
MANY: dict[str, Any] = {f"{number:02}": {} for number in range(25)}
NO_OUTPUTS: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({}, f"{NOT_THERE} nothing."),
    "suite": ({"groups": {}, "a\nb": b""}, f"{NOT_THERE} a?b, groups."),
    "many": (MANY, f"{NOT_THERE} {', '.join(list(MANY)[:20])} and 5 more."),
    "deep": ({"a": {"b": {"runs": {}}}}, f"{NOT_THERE} a."),
    "several": (
        {"a": {"runs": {}}, "b": {"releases": {}}},
        "several folders have runs/ or releases/: a/, b/.",
    ),
}


@pytest.mark.parametrize(("tree", "expected"), NO_OUTPUTS.values(), ids=NO_OUTPUTS)
@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_an_archive_of_something_else_is_reported(
    tmp_path: Path, kind: str, tree: dict[str, Any], expected: str
) -> None:
    """Without one place for runs/ or releases/ it says what is there, and what to pack."""
    path = packed(build(tree, tmp_path / "helm"), kind)
    advice = "Pack the one folder that the evaluation wrote to (its --output-path)."

    assert f"{path.name}: {expected} {advice}" == refusal(path)


def test_a_tar_of_nothing_is_reported(tmp_path: Path) -> None:
    """A tar without any entry is an archive, but not of HELM's output."""
    assert f"helm: {NOT_THERE} nothing." in refusal_of(tar_of(), tmp_path)


# Hostile archives

HOSTILE_TARS: dict[str, tuple[list[tuple[str, Any]], str]] = {
    "absolute": ([("/runs/a", b"1")], "helm:/runs/a: has an absolute name"),
    "parent": ([("runs/../../a", b"1")], "helm:runs/../../a: leads out of the archive"),
    "no name": ([("./.", b"1")], "helm:./.: is a file without a name"),
    "FIFO": ([("runs/a", {"type": tarfile.FIFOTYPE})], "helm:runs/a: is a FIFO"),
    "device": ([("runs/a", {"type": tarfile.CHRTYPE})], "helm:runs/a: is a device"),
    "disk": ([("runs/a", {"type": tarfile.BLKTYPE})], "helm:runs/a: is a device"),
    "unknown": ([("runs/a", {"type": b"M"})], "helm:runs/a: is an entry of unknown type b'M'"),
    "old sparse": (
        [("runs/a", {"type": tarfile.GNUTYPE_SPARSE})],
        "helm:runs/a: is packed as a sparse file",
    ),
    "sparse": (
        [("runs/a", {"pax_headers": {"GNU.sparse.major": "1"}})],
        "helm:runs/a: is packed as a sparse file",
    ),
    "hard link out": (
        [("runs/a", {"type": tarfile.LNKTYPE, "linkname": "../b"})],
        "helm:../b: leads out of the archive",
    ),
    "hard link to nothing": (
        [("runs/a", {"type": tarfile.LNKTYPE, "linkname": "b\nc"})],
        "helm:runs/a: is a hard link to b?c, which is no file of the archive",
    ),
    "long link": (
        [("runs/a", {"type": tarfile.SYMTYPE, "linkname": "b/" * 3000})],
        "helm:runs/a: is a link to a name without end",
    ),
    "link as folder": (
        [("runs/a", {"type": tarfile.SYMTYPE, "linkname": "/etc"}), ("runs/a/passwd", b"1")],
        "helm:runs/a: is there as a file and as a folder",
    ),
}


@pytest.mark.parametrize(("entries", "expected"), HOSTILE_TARS.values(), ids=HOSTILE_TARS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["tar", "tar.gz"])
def test_a_hostile_tar_is_refused(
    tmp_path: Path,
    pack: Callable[[bytes], bytes],
    entries: list[tuple[str, Any]],
    expected: str,
) -> None:
    """An entry that would write elsewhere, wait forever or fill the disk is refused by name."""
    advice = (
        ", so the archive is not read. Pack the output folder again (tar -czf output.tar.gz "
        "FOLDER)."
    )

    assert expected + advice == refusal_of(pack(tar_of(*entries)), tmp_path)


ENCRYPTED = zip_of(("runs/a", b"1", 0)).replace(
    b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
)
HOSTILE_ZIPS = {
    "absolute": (zip_of(("/runs/a", b"1", 0)), "helm:/runs/a: has an absolute name"),
    "parent": (zip_of(("../a", b"1", 0)), "helm:../a: leads out of the archive"),
    "FIFO": (
        zip_of(("runs/a", b"", stat.S_IFIFO | 0o644)),
        "helm:runs/a: is a device, a FIFO or a socket",
    ),
    "encrypted": (ENCRYPTED, "helm:runs/a: is encrypted"),
    "long link": (
        zip_of(("runs/a", b"a/" * 3000, stat.S_IFLNK | 0o777)),
        "helm:runs/a: is a link to a name without end",
    ),
}


@pytest.mark.parametrize(("data", "expected"), HOSTILE_ZIPS.values(), ids=HOSTILE_ZIPS)
def test_a_hostile_zip_is_refused(tmp_path: Path, data: bytes, expected: str) -> None:
    """An entry that no zip of HELM's output holds is refused by name."""
    assert expected == refusal_of(data, tmp_path).partition(", so the archive")[0]


def test_another_compression_is_reported(tmp_path: Path) -> None:
    """A zip by a method that not every Python has is refused, with the method."""
    with zipfile.ZipFile(tmp_path / "helm.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("runs/a", b"1")

    expected = "helm.zip:runs/a: is compressed by method 14"
    assert expected == refusal(tmp_path / "helm.zip").partition(", so the archive")[0]


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_cut_archive_is_reported(tmp_path: Path, kind: str, part: float) -> None:
    """An archive that lost its end is refused, and never read as if it held less."""
    path = packed(build(TREE, tmp_path / "helm"), kind)
    end = path.read_bytes().rstrip(b"\0") if kind == "tar" else path.read_bytes()
    path.write_bytes(end[: int(len(end) * part)])

    assert refusal(path).startswith(f"{path.name}: the archive is damaged or was cut short: ")


@pytest.mark.parametrize("length", [512, 1024, 2560])
def test_a_tar_cut_between_two_blocks_is_reported(tmp_path: Path, length: int) -> None:
    """A tar without the mark of its end was cut, even if its last file is whole."""
    data = tar_of(("runs/a", bytes(2000)), ("runs/b", b"1"))

    assert "helm: the archive is damaged or was cut short" in refusal_of(data[:length], tmp_path)


def test_a_damaged_header_is_not_the_end(tmp_path: Path) -> None:
    """Entries after a damaged header are not dropped silently."""
    data = bytearray(tar_of(("runs/a", b"1"), ("runs/b", b"1")))
    data[1024] ^= 1
    actual = refusal_of(bytes(data), tmp_path)

    assert "the archive is damaged or was cut short: bad checksum" in actual


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(entries=8), "over 8 entries"),
        (Limits(name_characters=60), "over 60 characters of names"),
    ],
)
def test_an_archive_of_too_many_names_is_refused(
    tmp_path: Path, kind: str, limits: Limits, expected: str
) -> None:
    """The index, which is held in memory, has an end."""
    path = packed(build(TREE, tmp_path / "helm"), kind)

    assert (
        f"{path.name}: holds {expected}, more than is read from an archive of its size. Unpack it "
        "in an earlier step, and give the folder." == refusal(path, limits=limits)
    )


def test_a_path_of_too_many_folders_is_refused(tmp_path: Path) -> None:
    """One entry cannot make more folders than there may be entries."""
    data = tar_of(("runs/" + "a/" * 50 + "b", b"1"))

    assert "holds over 40 folders" in refusal_of(data, tmp_path, limits=Limits(entries=40))


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(total_bytes=1_000_000), "over 1,000,000 bytes"),
        (Limits(harmless_bytes=1_000_000, ratio=1), "over 1,000,000 bytes"),
    ],
    ids=["total", "ratio"],
)
def test_a_bomb_is_refused(tmp_path: Path, kind: str, limits: Limits, expected: str) -> None:
    """An archive of more bytes than HELM's could have is refused before it has filled the disk."""
    path = packed(build({"runs": {"a": bytes(2_000_000)}}, tmp_path / "helm"), kind)

    assert expected in refusal(path, limits=limits)


def test_a_tar_is_no_bomb(tmp_path: Path) -> None:
    """An uncompressed tar already lies there: its size needs no limit."""
    path = packed(build({"runs": {"a": bytes(2_000_000)}}, tmp_path / "helm"), "tar")
    with open_output(path, shown_as="x", limits=Limits(total_bytes=1, harmless_bytes=1)) as files:
        actual = len(files.read("runs/a"))

    assert 2_000_000 == actual


@contextmanager
def memory_below(limit_bytes: int) -> Iterator[None]:
    """Fails where the block takes more memory."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < limit_bytes


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_file_is_refused_with_its_size(tmp_path: Path, kind: str) -> None:
    """A file over the limit is not read, and none of its 100 MB ever are in memory."""
    folder = build({"runs": {}}, tmp_path / "helm")
    with (folder / "runs/a").open("wb") as large:
        large.truncate(100_000_000)
    path = packed(folder, kind)
    with memory_below(5_000_000):
        actual = refusal(path, "runs/a", Limits(file_bytes=1000, ratio=2000))

    assert (
        f"{path.name}{'/' if kind == 'folder' else ':'}runs/a: has 100,000,000 bytes, and files "
        "over 1,000 are not read. Evaluate fewer instances (helm-run --max-eval-instances; "
        "--limit of lm_eval or inspect)." == actual
    )


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    """A file that would unpack to far more than it says takes no more memory than that."""
    large = 50_000_000
    honest = zip_of(("runs/a", bytes(large), 0o100644))
    lying = honest.replace(large.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    with memory_below(2_000_000):
        actual = refusal_of(lying, tmp_path, "runs/a")

    assert actual.startswith("helm:runs/a: the archive is damaged or was cut short: a checksum")


def test_a_name_without_end_is_refused(tmp_path: Path) -> None:
    """A tar's name that has an absurd length is never read into memory."""
    header = tarfile.TarInfo("runs")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    path = tmp_path / "helm"
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT))
    os.truncate(path, 2 << 30)
    with memory_below(2_000_000):
        actual = refusal(path)

    assert actual.startswith(
        "helm: the archive is damaged or was cut short: a header of 1073741824 bytes. "
    )


def test_a_directory_without_end_is_refused(tmp_path: Path) -> None:
    """A zip's directory that has an absurd length is never read into memory."""
    size = 1 << 30
    path = tmp_path / "helm"
    path.write_bytes(b"PK\3\4")
    os.truncate(path, size)
    with path.open("ab") as archive:
        archive.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, 0, 0))
    with memory_below(2_000_000):
        actual = refusal(path)

    assert actual.startswith(
        "helm: the archive is damaged or was cut short: a directory of 1073741824 bytes. "
    )


@pytest.mark.parametrize(
    "records",
    [b"9 path=a\n99 b=c\n", b"0 a=b\n", b"-5 a=b\n", b"x a=b\n", b"nothing", b"9 size=-\n"],
)
def test_a_header_that_contradicts_itself_is_refused(tmp_path: Path, records: bytes) -> None:
    """A PAX header whose lengths are wrong makes the tar a damaged one."""
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, len(records)
    data = header.tobuf() + records.ljust(512, b"\0") + tar_of(("runs/a", b"1"))

    assert "the archive is damaged or was cut short" in refusal_of(data, tmp_path)


INTACT = {
    "tar": tar_of(("runs/a", b"12345"), ("runs/" + "b" * 120, b"1"),
                  ("runs/c", {"type": tarfile.SYMTYPE, "linkname": "a"})),
    "zip": zip_of(("runs/a", b"12345", 0o100644), ("runs/c", b"a", stat.S_IFLNK | 0o777)),
}  # fmt: skip
INTACT["tar.gz"] = gzip.compress(INTACT["tar"], mtime=0)


@given(
    kind=some.sampled_from(sorted(INTACT)),
    changes=some.lists(some.tuples(some.integers(0, 12_000), some.integers(0, 255)), max_size=4),
    cut=some.none() | some.integers(0, 2000),
)
def test_a_damaged_archive_is_no_crash(
    kind: str, changes: list[tuple[int, int]], cut: int | None
) -> None:
    """Whatever happened to an archive's bytes, it is read or refused with a sentence."""
    data = bytearray(INTACT[kind])
    for place, value in changes:
        data[place % len(data)] = value
    with tempfile.NamedTemporaryFile() as damaged:
        damaged.write(data[:cut])
        damaged.flush()
        _read_or_refused(Path(damaged.name))


def _read_or_refused(path: Path) -> None:
    with suppress(ArtifactError), open_output(path, shown_as="helm") as files:
        content(files)


def test_a_checksum_is_checked(tmp_path: Path) -> None:
    """A zip's file that changed on the way is refused, not read."""
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("runs/a", b"12345")
    data = stored.getvalue().replace(b"12345", b"12354")

    assert zlib.crc32(b"12345") != zlib.crc32(b"12354")
    assert "a checksum does not fit" in refusal_of(data, tmp_path, "runs/a")
