"""Where evaluations come from: one module or package a source, and the table of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helm_wandb.model import HelmEval
from helm_wandb.sources import file, report
from helm_wandb.sources.helm.reader import read as read_helm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from helm_wandb.comparing.changed_instances import TextRequests, TextsByPlace
    from helm_wandb.model import FileEval, Reading, ReportEval

_SHOWN = 3
"""Files without texts that are named."""
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


def texts(
    specs: Iterable[HelmEval | FileEval | ReportEval], *, folder: Path, wanted: TextRequests
) -> tuple[TextsByPlace, tuple[str, ...]]:
    """What was asked and answered, of the wanted instances; and notes on what cannot be read.

    Only HELM's own output has texts. Where two entries have the same instance, the first counts,
    as it does for scores.
    """
    if not wanted:
        return {}, ()
    # Imported here: most runs mark nothing.
    from helm_wandb.sources.helm import answers  # noqa: PLC0415

    found: TextsByPlace = {}
    faults: list[str] = []
    for spec in specs:
        if isinstance(spec, HelmEval):
            of_spec, unread = answers.read(spec, folder=folder, wanted=wanted)
            for whose, more in of_spec.items():
                found[whose] = more | found.get(whose, {})
            faults += unread
    return found, tuple(_told(faults))


def _told(faults: Iterable[str]) -> Iterator[str]:
    reasons = list(faults)
    for reason in reasons[:_SHOWN]:
        yield f"Texts of changed instances are left out: {reason}"
    more = len(reasons) - _SHOWN
    if more > 0:
        yield f"Texts of changed instances are left out for {more} more such reasons."
