"""Writing to standard streams in all their states."""

from __future__ import annotations

import os
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

from helm_wandb import streams


def test_all_is_written_at_once() -> None:
    """What is written can be read at once, without another flush."""
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding="utf-8")
    streams.write(stream, "모델\n")

    assert "모델\n".encode() == raw.getvalue()


def test_an_absent_or_closed_stream_takes_nothing() -> None:
    """A process that was started without the stream goes on."""
    closed = StringIO()
    closed.close()
    for stream in (None, closed):
        streams.write(stream, "x")


def test_a_pipe_that_nobody_reads_is_told_once_and_then_silent() -> None:
    """The first write raises, and neither the next nor closing the stream does."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        with pytest.raises(BrokenPipeError):
            streams.write(stream, "x")
        streams.write(stream, "y")


def test_a_full_disk_is_told() -> None:
    """A write that does not fit raises the error of the system."""
    with (
        Path("/dev/full").open("w", encoding="utf-8") as stream,
        pytest.raises(OSError, match="No space left"),
    ):
        streams.write(stream, "x")
