"""HELM's output, opened as a folder or an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from helm_wandb.harness import output

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from helm_wandb.harness.files import Files, Limits

_TOP_FOLDERS = ("runs", "releases")


def open_output(
    path: Path, *, shown_as: str, limits: Limits | None = None
) -> AbstractContextManager[Files]:
    """Return the files of the folder that has `runs/` or `releases/`; see harness/output.py."""
    return output.open_output(path, shown_as=shown_as, limits=limits, top_folders=_TOP_FOLDERS)
