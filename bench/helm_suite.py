"""A large suite of HELM output: real runs, copied under the names of other models."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SUITE = "large"


def build(archive: Path, folder: Path, *, runs: int) -> None:
    """Write `<folder>/runs/large` with so many runs, each a copy of one in the archive.

    The copies have own models, so that every run counts as the latest of its model.
    """
    with tarfile.open(archive) as tree:
        tree.extractall(folder / "source", filter="data")
    originals = sorted(path.parent for path in (folder / "source").rglob("per_instance_stats.json"))
    for number in range(runs):
        original = originals[number % len(originals)]
        _copy(original, folder / "runs" / SUITE, f"bench/model-{number // len(originals)}")


def _copy(original: Path, suite: Path, model: str) -> None:
    spec = json.loads((original / "run_spec.json").read_text())
    old = spec["adapter_spec"]["model_deployment"]
    sanitized = model.replace("/", "_")
    spec["name"] = spec["name"].replace(old.replace("/", "_"), sanitized)
    spec["adapter_spec"].update(model=model, model_deployment=model)
    target = suite / spec["name"].replace("/", "_")
    target.mkdir(parents=True)
    (target / "run_spec.json").write_text(json.dumps(spec))
    for name in ("stats.json", "per_instance_stats.json", "scenario_state.json"):
        # A second name of the same file: thousands of copies would fill the disk.
        (target / name).hardlink_to(original / name)
