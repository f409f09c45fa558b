"""The files that a user names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from helm_wandb.errors import ABSOLUTE_PATH
from helm_wandb.sources import paths

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("at_most", "content"), [(2, b"ab"), (3, b"abc"), (4, b"abc")])
def test_no_more_is_read_than_is_asked_for(at_most: int, content: bytes, tmp_path: Path) -> None:
    """A file without measure takes no more memory than the caller allows."""
    (tmp_path / "file").write_bytes(b"abc")

    assert content == paths.content(tmp_path / "file", at_most=at_most)


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    """Nobody may ever write to it."""
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(ValueError, match="it is no ordinary file"):
        paths.content(tmp_path / "fifo", at_most=1)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """The system's error is the caller's to tell."""
    with pytest.raises(IsADirectoryError):
        paths.content(tmp_path, at_most=1)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("/home/me/x", ABSOLUTE_PATH),
        ("~/x", paths.NOT_EXPANDED),
        ("$HOME/x", paths.NOT_EXPANDED),
        ("out/${RUN}/x", paths.NOT_EXPANDED),
        ("out/x~", None),
    ],
)
def test_names_that_lead_elsewhere_are_explained(name: str, hint: str | None) -> None:
    """An absolute path is of another machine than the container; a shell expands the others."""
    assert hint == paths.hint(name)
