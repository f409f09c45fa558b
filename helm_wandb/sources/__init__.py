"""Where evaluations come from: one module or package a source, and the table of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helm_wandb.model import FileEval, HelmEval, Reading
from helm_wandb.sources import file
from helm_wandb.sources.helm import reader as helm

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = {"helm": helm.read, "file": file.read}
"""The config's word for a source → its reader."""


def read(spec: HelmEval | FileEval, *, folder: Path) -> Reading:
    """What an entry of the config means; relative paths are relative to the folder.

    Raises UserError where it cannot be read.
    """
    match spec:
        case HelmEval():
            return helm.read(spec, folder=folder)
        case FileEval():
            return file.read(spec, folder=folder)
