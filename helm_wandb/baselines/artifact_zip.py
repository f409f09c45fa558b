"""The zip of a workflow artifact → the one report in it; a stranger may have written the zip."""

from __future__ import annotations

import io
import shutil
import stat
import zipfile
import zlib

_DIRECTORY_BYTES = 1 << 20
"""Limit of a zip's directory, which is read whole; a member takes about 150 bytes."""
_CHUNK_BYTES = 1 << 16
_RATIO = 200
"""Reports shrink to a twentieth; deflate can pack a thousand to one."""
_SMALL_BYTES = 8 << 20
"""Size up to which any ratio is accepted."""
_ENCRYPTED = 0x1
_WORDS_LIMIT = 200


class _BoundedBytes(io.BytesIO):
    """A zip with a bounded directory, which zipfile reads at once, with an object a member."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as usual; raises ValueError if the size is larger than an artifact's directory."""
        if size is not None and size > _DIRECTORY_BYTES:
            raise ValueError("its directory is too large")
        return super().read(size)


def extract_report(data: bytes, *, limit_bytes: int) -> bytes:
    """Return the bytes of the only .json file at the top level of a zip, without using the disk.

    data: the zip; a JSON object, as an artifact with `archive: false` is, is returned as it is.
    limit_bytes: of the file, unpacked.
    Raises ValueError, with a clause on the zip, for anything else.
    """
    if data.startswith(b"{"):
        if len(data) > limit_bytes:
            raise ValueError(f"it is larger than {limit_bytes >> 20} MiB")
        return data
    try:
        with zipfile.ZipFile(_BoundedBytes(data)) as archive:
            member = _only_report(archive.infolist())
            _refuse(member, limit_bytes)
            with archive.open(member) as file:
                # Never more than the directory says, whose number is checked above.
                unpacked = io.BytesIO()
                shutil.copyfileobj(file, unpacked, _CHUNK_BYTES)
                return unpacked.getvalue()
    # Besides its own errors zipfile lets those of its parts through.
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OverflowError,
        OSError,
        RuntimeError,
        UnicodeDecodeError,
    ) as error:
        # The error may repeat names from the zip, of any length.
        raise ValueError(
            f"it isn't a zip file, or is damaged ({str(error)[:_WORDS_LIMIT]})"
        ) from error


def _only_report(members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    reports = [one for one in members if _is_top_level_json(one.filename)]
    if len(reports) != 1:
        count = f"{len(reports)} .json files" if reports else "no .json file"
        raise ValueError(f"it holds {count} at its top level; exactly one is needed")
    return reports[0]


def _is_top_level_json(name: str) -> bool:
    return name.lower().endswith(".json") and not {"/", "\\"} & set(name)


def _refuse(member: zipfile.ZipInfo, limit_bytes: int) -> None:
    """Raise ValueError for a member that no artifact of ours has."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        message = "its .json is not a regular file"
    elif member.flag_bits & _ENCRYPTED:
        message = "its .json is encrypted"
    elif member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        message = f"its .json is compressed by method {member.compress_type}"
    elif member.file_size > limit_bytes:
        message = f"its .json is larger than {limit_bytes >> 20} MiB"
    elif member.file_size > max(_SMALL_BYTES, _RATIO * member.compress_size):
        message = "its .json is compressed more than any report"
    else:
        return
    raise ValueError(message)
