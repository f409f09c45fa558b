"""What the builders of all harnesses' outputs share."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any, TypeVar

from helm_wandb.harness.entry import ReadOptions
from helm_wandb.model import Place
from tests.conftest import DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from helm_wandb.model import Reading

_Spec = TypeVar("_Spec")


def unpack(harness: str, folder: Path, name: str = "*") -> Path:
    """Unpack the trees of a harness's real output of this name, or all, into the folder."""
    for archive in sorted((DATA / harness).glob(f"{name}.tar.gz")):
        with tarfile.open(archive) as tree:
            tree.extraction_filter = getattr(tarfile, "data_filter", None)
            tree.extractall(folder)  # noqa: S202 -- our own archives
    return folder


def spec_of(kind: type[_Spec], output: str | Path, **changes: Any) -> _Spec:
    """An entry of this kind that reads an output."""
    fields = {"place": Place("config.yaml", 3, 5), "path": "$.evals[0]", "output_dir": str(output)}
    return kind(**{**fields, **changes})


def read_entry(  # noqa: PLR0913 -- as the entry has
    read: Callable[[_Spec, ReadOptions], Reading],
    kind: type[_Spec],
    output: str | Path,
    folder: Path,
    *,
    with_details: bool = True,
    clusters: Mapping[str, str] | None = None,
    **changes: Any,
) -> Reading:
    """Return the reading of an output, by an entry of this kind."""
    options = ReadOptions(folder=folder, with_details=with_details, clusters=clusters or {})
    return read(spec_of(kind, output, **changes), options)
