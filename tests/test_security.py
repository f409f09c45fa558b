"""SECURITY.md names the bounds that the code keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helm_wandb.baselines.artifacts import ZIP_LIMIT_BYTES
from helm_wandb.comparing import history
from helm_wandb.config import yaml_syntax, yaml_tree
from helm_wandb.harness.files import Limits
from helm_wandb.report import reading
from helm_wandb.sources import report
from helm_wandb.system import paths

if TYPE_CHECKING:
    from pathlib import Path


def test_the_bounds_are_those_of_the_code(root: Path) -> None:
    """Each row of the table has the numbers that the readers refuse more than."""
    limits = Limits()
    expected = {
        "a config": (
            f"{yaml_syntax.LIMIT_BYTES >> 20} MiB, {yaml_syntax.LIMIT_DEPTH} levels, "
            f"{yaml_tree.LIMIT_NODES:,} values"
        ),
        "a file of HELM, lm-eval or Inspect": f"{limits.file_bytes >> 30} GiB,",
        "an archive of evaluations": (
            f"{limits.total_bytes >> 30} GiB and {limits.ratio} times its own size once that is "
            f"over {limits.harmless_bytes >> 20} MiB; {limits.entries:,} entries; "
            f"{limits.name_characters >> 20} Mi characters"
        ),
        "a report JSON": (
            f"{report.LIMIT_BYTES >> 20} MiB; no key twice in an object; fingerprints "
            f"{reading.DEPTH} levels deep; {reading.EVALUATIONS:,} evaluations; "
            f"{reading.SCORES:,} scores; {reading.INSTANCES:,} instances of a score. Reading takes "
            "at most three times the memory of the file, or that of a small file and "
            f"{reading.LEAST_MEMORY_BYTES >> 20} MiB. A history has up to {history.SERIES:,} "
            f"metrics of {history.POINTS} points, and is read only from a baseline |"
        ),
        "a glob of reports": f"{paths.ENTRIES:,} files and folders are looked at",
        "a workflow artifact": f"{ZIP_LIMIT_BYTES >> 20} MiB as zip,",
    }
    text = (root / "SECURITY.md").read_text()

    assert [] == [what for what, bound in expected.items() if f"| {what} | {bound}" not in text]
