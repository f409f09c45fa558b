"""The zip of a workflow artifact → the one report in it; the zip may be anybody's."""

from __future__ import annotations

import io
import shutil
import stat
import zipfile
import zlib

_DIRECTORY_BYTES = 1 << 20
"""Of a zip's directory, which is read whole; it takes about 150 a member."""
_CHUNK_BYTES = 1 << 16
_RATIO = 200
"""Reports shrink to a twentieth; deflate can pack a thousand to one."""
_SMALL_BYTES = 8 << 20
"""What may shrink to anything."""
_ENCRYPTED = 0x1
_WORDS_LIMIT = 200


class _BoundedBytes(io.BytesIO):
    """zipfile reads the directory at once, and makes an object of each member that it lists."""

    def read(self, size: int | None = -1, /) -> bytes:
        """As ever, but ValueError for more than the directory of an artifact can be."""
        if size is not None and size > _DIRECTORY_BYTES:
            message = "its directory is too large"
            raise ValueError(message)
        return super().read(size)


def report_in(data: bytes, *, limit_bytes: int) -> bytes:
    """The bytes of the only .json file at the top level of a zip; nothing is unpacked to the disk.

    limit_bytes: of what the file may be, unpacked.
    Raises ValueError, with a clause on the zip, for anything else.
    """
    try:
        with zipfile.ZipFile(_BoundedBytes(data)) as archive:
            member = _only_report(archive.infolist())
            _refuse(member, limit_bytes)
            with archive.open(member) as file:
                # Never more than the directory tells, whose number is checked above.
                unpacked = io.BytesIO()
                shutil.copyfileobj(file, unpacked, _CHUNK_BYTES)
                return unpacked.getvalue()
    # Beside its own errors zipfile raises what its parts do, whatever the bytes make of them.
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
        # It may repeat names of the zip's own, of any length.
        message = f"it is no zip, or a damaged one ({str(error)[:_WORDS_LIMIT]})"
        raise ValueError(message) from error


def _only_report(members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    found = [one for one in members if _is_top_level_json(one.filename)]
    if len(found) != 1:
        count = f"{len(found)} .json files" if found else "no .json file"
        message = f"it holds {count} at its top level, and one is needed"
        raise ValueError(message)
    return found[0]


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
        message = "its .json is packed as no report would be"
    else:
        return
    raise ValueError(message)
