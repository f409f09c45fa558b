"""The zip of a workflow artifact, which may be anybody's."""

from __future__ import annotations

import io
import stat
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helm_wandb.baselines.artifact_zip import extract_report
from tests.repository_in_memory import packed

LIMIT = 16 << 20
ONE = packed({"report.json": b'{"a": 1}'})
NOT_ONE = "at its top level; exactly one is needed"


def with_member(
    content: bytes = b"{}", *, mode: int = 0, compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """A zip of one report.json of that mode."""
    stream = io.BytesIO()
    info = zipfile.ZipInfo("report.json")
    info.external_attr = mode << 16
    info.compress_type = compression
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(info, content)
    return stream.getvalue()


def patched(data: bytes, at: int, value: bytes, *, in_directory: int) -> bytes:
    """The zip with other bytes in the local header and in the directory's entry."""
    directory = data.index(b"PK\x01\x02")
    for start in (at, directory + in_directory):
        data = data[:start] + value + data[start + len(value) :]
    return data


def why(data: bytes) -> str:
    """Why a zip is refused."""
    with pytest.raises(ValueError, match=r"\w") as caught:
        extract_report(data, limit_bytes=LIMIT)
    return str(caught.value)


def test_the_only_report_is_read_whatever_its_name() -> None:
    """Input report names the file; a folder, a log or a chart next to it does no harm."""
    data = packed({"my.JSON": b"{}", "log.txt": b"x", "sub/other.json": b"[]", "sub/": b""})

    assert b"{}" == extract_report(data, limit_bytes=LIMIT)


@pytest.mark.parametrize(
    "mode", [0, stat.S_IFREG | 0o644], ids=["without a mode", "an ordinary file"]
)
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_large_reports_are_read_whole(mode: int, compression: int) -> None:
    """More than a chunk and more than a directory may be comes out as it went in."""
    content = b"".join(b"%d," % number for number in range(500_000))
    data = with_member(content, mode=mode, compression=compression)

    assert content == extract_report(data, limit_bytes=LIMIT)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "it holds no .json file"),
        ({"a.txt": b""}, "it holds no .json file"),
        ({"../a.json": b"{}"}, "it holds no .json file"),
        ({"/etc/a.json": b"{}"}, "it holds no .json file"),
        ({"..\\a.json": b"{}"}, "it holds no .json file"),
        ({"sub/a.json": b"{}"}, "it holds no .json file"),
        ({"a.json/": b""}, "it holds no .json file"),
        ({"a.json": b"{}", "b.json": b"{}"}, "it holds 2 .json files"),
    ],
)
def test_any_other_number_of_reports_is_refused(files: dict[str, bytes], expected: str) -> None:
    """Nothing is guessed among two, and no path leads anywhere."""
    assert f"{expected} {NOT_ONE}" == why(packed(files))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_is_refused() -> None:
    """Two files of one name are two files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.json", b"{}")
        archive.writestr("a.json", b"[]")

    assert f"it holds 2 .json files {NOT_ONE}" == why(stream.getvalue())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (with_member(b"/etc/passwd", mode=stat.S_IFLNK | 0o777), "its .json is not a regular file"),
        (with_member(mode=stat.S_IFIFO), "its .json is not a regular file"),
        (with_member(compression=zipfile.ZIP_BZIP2), "its .json is compressed by method 12"),
        (with_member(compression=zipfile.ZIP_LZMA), "its .json is compressed by method 14"),
        (patched(ONE, 6, b"\x01", in_directory=8), "its .json is encrypted"),
        (with_member(b"0" * (LIMIT + 1)), "its .json is larger than 16 MiB"),
        (with_member(b"0" * LIMIT), "its .json is compressed more than any report"),
    ],
    ids=["link", "FIFO", "bzip2", "lzma", "encrypted", "large", "bomb"],
)
def test_what_no_artifact_of_ours_is_is_refused(data: bytes, expected: str) -> None:
    """Links, devices, other packings, secrets, and what grows beyond measure."""
    assert expected == why(data)


def test_a_zip_that_lies_about_its_size_is_refused() -> None:
    """No more is unpacked than the directory says, and then the checksum does not match."""
    bomb = with_member(b"0" * LIMIT)
    small = patched(bomb, 22, (1000).to_bytes(4, "little"), in_directory=24)

    assert why(small).startswith("it isn't a zip file, or is damaged (Bad CRC-32")


def test_a_directory_beyond_measure_is_not_read() -> None:
    """A million members would be a million objects."""
    many = packed({f"{'x' * 200}{number}": b"" for number in range(5000)})

    assert "its directory is too large" == why(many)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b'["schema_version", 1]',
        ONE[:-30],
        ONE[30:],
        b"PK\x05\x06" + b"\xff" * 18,
        patched(ONE, 26, b"\xff\xff", in_directory=28),
        patched(ONE, 14, b"\0\0\0\0", in_directory=16),
    ],
    # A zip holds the time when it was made.
    ids=range(8),
)
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    """Truncated, damaged and other files have an error that says so."""
    assert why(data)


def test_a_file_that_was_uploaded_by_itself_is_no_zip() -> None:
    """upload-artifact stores it as it is if `archive` is false; its content is read elsewhere."""
    assert b'{"a": 1' == extract_report(b'{"a": 1', limit_bytes=100)
    with pytest.raises(ValueError, match="is larger than 0 MiB"):
        extract_report(b'{"a": 1', limit_bytes=3)


def test_a_zips_own_words_are_cut() -> None:
    """A member's name stands in zipfile's complaint, and may be as long as a page."""
    long = packed({"x" * 5000 + ".json": b"{}"})
    directory = long.index(b"PK\x01\x02")
    data = long[:40] + b"y" + long[41:directory] + long[directory:]

    assert 250 > len(why(data))


@given(
    st.lists(st.tuples(st.integers(0, len(ONE) - 1), st.integers(0, 255)), max_size=6),
    st.integers(0, len(ONE)),
)
@example([(8, 0xFF)], len(ONE))
def test_whatever_the_bytes_are_only_value_errors_come(
    changes: list[tuple[int, int]], length: int
) -> None:
    """No damage of a zip ends the run."""
    data = bytearray(ONE)
    for at, value in changes:
        data[at] = value
    try:
        content = extract_report(bytes(data[:length]), limit_bytes=LIMIT)
    except ValueError:
        return

    assert b'{"a": 1}' == content
