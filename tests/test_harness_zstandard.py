"""Zstandard, piece by piece."""

from __future__ import annotations

import hashlib
import sys

import pytest

from helm_wandb.harness.zstandard import decompress

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NOISE = hashlib.shake_128(b"").digest(5_000)
DATA = NOISE * 100 + bytes(1_000_000)


@pytest.mark.parametrize("length", [1, 7, 1_000, 1_000_000])
def test_pieces_of_any_length_are_decompressed(length: int) -> None:
    """Frames follow each other, also empty ones; no piece is larger than the limit."""
    packed = b"".join(map(zstd.compress, (DATA, b"", NOISE)))
    pieces = (packed[start : start + length] for start in range(0, len(packed), length))
    found = list(decompress(pieces, 4_096))

    assert DATA + NOISE == b"".join(found)
    assert 4_096 >= max(map(len, found))


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (b"no frame", "Unknown frame descriptor"),
        (zstd.compress(b"") * 1_000 + zstd.compress(b"x"), "more than 1,000 frames"),
    ],
)
def test_bad_bytes_are_a_value_error(packed: bytes, message: str) -> None:
    """What zip readers know of damage."""
    with pytest.raises(ValueError, match=message):
        list(decompress(iter([packed]), 4_096))


def test_a_frame_cut_short_has_less() -> None:
    """The reader of the zip compares the size."""
    packed = zstd.compress(NOISE)

    assert len(NOISE) > len(b"".join(decompress(iter([packed[:-100]]), 4_096)))
