"""Where evaluations come from: one module or package a source, and the table of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helm_wandb.sources import file, report
from helm_wandb.sources.helm.reader import read as read_helm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from helm_wandb.model import FileEval, HelmEval, Reading, ReportEval

SOURCES: Mapping[str, Callable[..., Reading]] = {
    "helm": read_helm,
    "file": file.read,
    "report": report.read,
}
"""The config's word for a source → its reader, which is called as `read` is."""


def read(
    spec: HelmEval | FileEval | ReportEval,
    *,
    folder: Path,
    with_details: bool,
    clusters: Mapping[str, str],
    progress: Callable[[int, int], None],
) -> Reading:
    """What an entry of the config means; relative paths are relative to the folder.

    with_details: read fingerprints and per-instance scores too, where they cost time.
    clusters: benchmark → the config's rule for which instances depend on each other.
    progress: is told how many of all runs are read, while there are many.
    Raises UserError where it cannot be read.
    """
    return SOURCES[spec.source](
        spec, folder=folder, with_details=with_details, clusters=clusters, progress=progress
    )
