"""Writing to standard streams in all their states."""

from __future__ import annotations

import os
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

from helm_wandb.system import streams


def test_all_is_written_at_once() -> None:
    """What is written can be read at once, without another flush."""
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding="utf-8")
    streams.write(stream, "모델\n")

    assert "모델\n".encode() == raw.getvalue()


@pytest.mark.parametrize(
    ("encoding", "text", "expected"),
    [
        ("ascii", "Δ −1.2 pp [−2.5, ±0.0] → “=” …", b'delta -1.2 pp [-2.5, +-0.0] -> "=" ...'),
        (
            "ascii",
            "▼ regressed, ▲ improved, x ↓, –, ───, 3 × 2",
            b"v regressed, ^ improved, x v, -, ---, 3 x 2",
        ),
        ("ascii", "모델", b"??"),
        ("latin-1", "é ±1", b"\xe9 \xb11"),
        ("latin-1", "é −1", b"\xe9 -1"),
        ("utf-8", "−1 ± \ud800", b"-1 +- ?"),
    ],
)
def test_signs_that_the_encoding_lacks_are_simpler_ones(
    encoding: str, text: str, expected: bytes
) -> None:
    """A number keeps its sign on any stream, and only a stranger's letters become `?`."""
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding=encoding)
    streams.write(stream, text)

    assert expected == raw.getvalue()


def test_an_absent_or_closed_stream_takes_nothing() -> None:
    """A process that was started without the stream goes on."""
    closed = StringIO()
    closed.close()
    for stream in (None, closed):
        streams.write(stream, "x")


def test_a_pipe_that_nobody_reads_is_reported_once_and_then_silent() -> None:
    """The first write raises, and neither the next nor closing the stream does."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        with pytest.raises(BrokenPipeError):
            streams.write(stream, "x")
        streams.write(stream, "y")


def test_a_full_disk_is_reported() -> None:
    """A write that does not fit raises the error of the system."""
    with (
        Path("/dev/full").open("w", encoding="utf-8") as stream,
        pytest.raises(OSError, match="No space left"),
    ):
        streams.write(stream, "x")
