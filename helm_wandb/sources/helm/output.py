"""HELM's output, opened as a folder or an archive."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from helm_wandb.harness import output
from helm_wandb.harness.files import Files, Limits
from helm_wandb.sources.helm.entry import KINDS


def open_output(
    path: Path, *, shown_as: str, limits: Limits | None = None
) -> AbstractContextManager[Files]:
    """Return the files of the folder that has `runs/` or `releases/`; see harness/output.py."""
    return output.open_output(path, shown_as=shown_as, limits=limits, top_folders=KINDS)
