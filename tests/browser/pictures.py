"""The README's pictures: what people see of real HELM output, as a browser shows it.

`python -m tests.browser.pictures` retakes them, into docs/pictures.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from helm_wandb import baselines, pipeline
from helm_wandb.comparing.gate import GatePolicy
from helm_wandb.model import Provenance
from helm_wandb.render import comment, markdown
from helm_wandb.render.html import html_report
from helm_wandb.report import to_json
from helm_wandb.runner.inputs import BaselineChoice
from tests.browser.browser import Browser
from tests.conftest import DATA, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from helm_wandb.model import Evaluation, Report

FOLDER = ROOT / "docs" / "pictures"
DIGESTS = FOLDER / "sources.json"
_WIDTH = 900
_HEIGHT = 1560
"""Greatest height of a picture, in CSS pixels."""
_SCALE = 2
_COLOURS = 64
_LIMIT_BYTES = 65_536
_MAIN = Provenance(
    tool_version="1.0.0", track="branch/main", ref="refs/heads/main", commit="4be1c02" + "0" * 33
)
_PULL_REQUEST = Provenance(
    tool_version="1.0.0",
    track="pr/42",
    ref="refs/pull/42/merge",
    commit="9c3d5f1" + "0" * 33,
    pull_request=42,
    run_url="https://github.com/org/repository/actions/runs/1",
    attempt=1,
)
"""Made up, so that a picture changes only where its form does."""
_ENTRY = "  - {{eval_type: helm, helm_output_dir: {0}, helm_suite_name: {1}{2}}}\n"
_ASSISTANT = "nightly", ""
_CURVE = "toyproj-toyllama", ", model_name: toyproj-llama, token_per_iteration: 0.0042"
_TREES = {"baseline": _ASSISTANT, "candidate": _ASSISTANT, "checkpoints": _CURVE}


def sources() -> dict[str, str]:
    """Picture → the Markdown or HTML that it is a picture of."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for tree in _TREES:
            with tarfile.open(DATA / "helm" / f"{tree}.tar.gz") as packed:
                packed.extractall(folder, filter="data")
        (folder / "main.json").write_bytes(to_json(_report(folder, "baseline")))
        compared = _report(folder, "candidate", baseline="main.json")
        several = _report(folder, "candidate", "checkpoints", baseline="main.json")
    return {
        "comment": comment.render(compared, limit_bytes=_LIMIT_BYTES),
        "summary": markdown.render(several, limit_bytes=_LIMIT_BYTES),
        "report": html_report.render(several),
    }


def _report(folder: Path, *trees: str, baseline: str | None = None) -> Report:
    """The report of the trees' evaluations, compared with a baseline if one is named."""
    entries = (_ENTRY.format(tree, *_TREES[tree]) for tree in trees)
    (folder / "config.yaml").write_text(f"project: p\nevals:\n{''.join(entries)}")
    outcome = pipeline.run(
        pipeline.load_config("config.yaml", folder=folder, root=ROOT),
        pipeline.Plan(
            folder=folder,
            provenance=_PULL_REQUEST if baseline else _MAIN,
            baseline=_in_file(baseline, folder) if baseline else None,
            gate_policy=GatePolicy(on_regression=True),
            with_details=True,
        ),
        sinks=[],
    )
    assert outcome.report
    return outcome.report


def _in_file(name: str, folder: Path) -> Callable[[Sequence[Evaluation]], baselines.BaselineResult]:
    file = baselines.read_baseline_file(name, folder=folder, named_by="baseline")
    request = baselines.BaselineRequest(choice=BaselineChoice.FILE, file=file)
    return partial(baselines.resolve, request=request)


def digests(texts: Mapping[str, str]) -> dict[str, str]:
    """Picture → sha256 of what it is a picture of.

    Of the picture itself it would change with each browser and font.
    """
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def take(texts: Mapping[str, str], folder: Path) -> None:
    """Write the pictures, and what they are of."""
    folder.mkdir(parents=True, exist_ok=True)
    with Browser(os.environ) as browser, tempfile.TemporaryDirectory() as name:
        for picture, text in texts.items():
            path = folder / f"{picture}.png"
            step = {"picture": {"path": str(path), "height": _HEIGHT}}
            if text.startswith("<!doctype html>"):
                page = Path(name) / "page.html"
                page.write_text(text)
                browser.page(page, step, width=_WIDTH, scale=_SCALE)
            else:
                browser.github(text, step, width=_WIDTH, scale=_SCALE)
            _shrink(path)
    (folder / DIGESTS.name).write_text(json.dumps(digests(texts), indent=1) + "\n")


def _shrink(path: Path) -> None:
    """Write the picture with fewer colours, where Debian's pngquant is at hand."""
    if pngquant := shutil.which("pngquant"):
        options = ("--force", "--strip", "--output", path)
        subprocess.run((pngquant, *options, str(_COLOURS), path), check=True)


if __name__ == "__main__":
    take(sources(), FOLDER)
