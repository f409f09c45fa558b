"""Zstandard, by the standard library from Python 3.14 on, and before by its backport."""

from __future__ import annotations

import sys
from collections.abc import Iterator

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MOST_FRAMES = 1_000
"""Frames of a file. Inspect begins one every 200 MiB; each costs time, even if it is empty."""


def decompress(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Yield the uncompressed bytes, at most so many at once; there may be several frames.

    The library refuses a frame that needs more than 128 MiB of memory.
    Raises ValueError if the bytes are damaged.
    """
    frame, frames = zstd.ZstdDecompressor(), 1
    try:
        for piece in pieces:
            data = piece
            while data or not frame.needs_input:
                if chunk := frame.decompress(data, most):
                    yield chunk
                data = frame.unused_data
                if frame.eof:
                    frame, frames = zstd.ZstdDecompressor(), frames + 1
                if frames > _MOST_FRAMES:
                    raise ValueError(f"more than {_MOST_FRAMES:,} frames")
    except zstd.ZstdError as error:
        raise ValueError(str(error)) from error
