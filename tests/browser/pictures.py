"""The README's pictures, light and dark: what people see of real HELM output, in a browser.

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
from argparse import Namespace
from contextlib import chdir
from functools import partial
from io import StringIO
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from helm_wandb import baselines, compare_command, pipeline
from helm_wandb.comparing.gate import GatePolicy
from helm_wandb.model import Provenance
from helm_wandb.render import comment, markdown, terminal
from helm_wandb.render.html import html_report
from helm_wandb.report import to_json
from helm_wandb.runner.inputs import BaselineChoice
from helm_wandb.system.progress import no_progress
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
_LOCAL = Provenance(tool_version="1.0.0", track="local")
_HELM = "demo/helm"
"""Where the example expects HELM's output."""
_ENTRY = (
    f"  - {{{{eval_type: helm, helm_output_dir: {_HELM}/{{0}}, helm_suite_name: {{1}}{{2}}}}}}\n"
)
_ASSISTANT = "nightly", ""
_CURVE = "toyproj-toyllama", ", model_name: toyproj-llama, token_per_iteration: 0.0042"
_TREES = {"baseline": _ASSISTANT, "candidate": _ASSISTANT, "checkpoints": _CURVE}
_COLUMNS, _ROWS = 100, 24
_COMMAND = "helm-wandb compare main pr --fail-on regression"
_SCREEN = """<!doctype html>
<meta charset="utf-8">
<style>
:root {{
  color-scheme: light dark;
  background: light-dark(#f6f8fa, #151b23); color: light-dark(#1f2328, #f0f6fc);
}}
body {{ margin: 24px }}
pre {{ margin: 0; font: 14px/1.3 monospace }}
</style>
<pre>{code}</pre>
"""


def sources() -> dict[str, str]:
    """Picture → the Markdown or HTML that it is a picture of."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for tree in _TREES:
            with tarfile.open(DATA / "helm" / f"{tree}.tar.gz") as packed:
                packed.extractall(folder / _HELM, filter="data")
        main = _report(folder, _config("baseline"), _MAIN)
        compared = _report(folder, _config("candidate"), _PULL_REQUEST, main)
        several = _report(folder, _config("candidate", "checkpoints"), _PULL_REQUEST, main)
        (folder / "main").symlink_to(f"{_HELM}/baseline")
        (folder / "pr").symlink_to(f"{_HELM}/candidate")
        with chdir(folder):
            printed = _compared("main", "pr")
    return {
        "comment": comment.render(compared, limit_bytes=_LIMIT_BYTES),
        "summary": markdown.render(several, limit_bytes=_LIMIT_BYTES),
        "report": html_report.render(several),
        "terminal": _screen(terminal.render(printed, width=_COLUMNS, colour=True)),
    }


def _config(*trees: str) -> str:
    """The config of the trees' evaluations."""
    return f"project: p\nevals:\n{''.join(_ENTRY.format(tree, *_TREES[tree]) for tree in trees)}"


def _report(
    folder: Path, config: str, provenance: Provenance, baseline: Report | None = None
) -> Report:
    """The report of a config, compared with a baseline if there is one."""
    (folder / "config.yaml").write_text(config)
    outcome = pipeline.run(
        pipeline.load_config("config.yaml", folder=folder, root=ROOT),
        pipeline.Plan(
            folder=folder,
            provenance=provenance,
            baseline=_in_file(baseline, folder) if baseline else None,
            gate_policy=GatePolicy(on_regression=True),
            with_details=True,
            keeps_answers=True,
        ),
        sinks=[],
    )
    assert outcome.report
    return outcome.report


def _compared(before: str, after: str) -> Report:
    """The report of the command `compare`."""
    sides = compare_command.open_sides(Namespace(before=before, after=after), ROOT)
    plan = pipeline.Plan(
        folder=Path(),
        provenance=_LOCAL,
        baseline=compare_command.find_baseline(*sides, no_progress),
        gate_policy=GatePolicy(on_regression=True),
        with_details=True,
    )
    outcome = pipeline.run(sides[1].config, plan, sinks=[])
    assert outcome.report
    return outcome.report


def _in_file(
    report: Report, folder: Path
) -> Callable[[Sequence[Evaluation]], baselines.BaselineResult]:
    (folder / "main.json").write_bytes(to_json(report))
    file = baselines.read_baseline_file("main.json", folder=folder, named_by="baseline")
    request = baselines.BaselineRequest(choice=BaselineChoice.FILE, file=file)
    return partial(baselines.resolve, request=request)


def _screen(printed: str) -> str:
    """The page of a terminal's screen: the command, and as much of what it prints as fits."""
    lines = (f"$ {_COMMAND}", *printed.splitlines())
    console = Console(file=StringIO(), width=_COLUMNS, record=True)
    console.print(Text.from_ansi("\n".join(lines[:_ROWS])))
    return console.export_html(code_format=_SCREEN, inline_styles=True)


def digests(texts: Mapping[str, str]) -> dict[str, str]:
    """Picture → sha256 of what it is a picture of.

    Of the picture itself it would change with each browser and font.
    """
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def path_of(picture: str, *, dark: bool, folder: Path = FOLDER) -> Path:
    """The file of a picture in one of its two colour schemes."""
    return folder / f"{picture}{'-dark' if dark else ''}.png"


def take(texts: Mapping[str, str], folder: Path) -> None:
    """Write the pictures, and what they are of."""
    folder.mkdir(parents=True, exist_ok=True)
    with Browser(os.environ) as browser:
        for (picture, text), dark in product(texts.items(), (False, True)):
            path = path_of(picture, dark=dark, folder=folder)
            _take(browser, text, path, dark=dark)
            _shrink(path)
    (folder / DIGESTS.name).write_text(json.dumps(digests(texts), indent=1) + "\n")


def _take(browser: Browser, text: str, path: Path, *, dark: bool) -> None:
    step = {"picture": {"path": str(path), "height": _HEIGHT}}
    look = {"width": _WIDTH, "scale": _SCALE, "dark": dark}
    if not text.startswith("<!doctype html>"):
        browser.github(text, step, **look)
        return
    with tempfile.TemporaryDirectory() as name:
        page = Path(name) / "page.html"
        page.write_text(text)
        browser.page(page, step, **look)


def _shrink(path: Path) -> None:
    """Write the picture with fewer colours, where Debian's pngquant is at hand."""
    if pngquant := shutil.which("pngquant"):
        options = ("--force", "--strip", "--output", path)
        subprocess.run((pngquant, *options, str(_COLOURS), path), check=True)


if __name__ == "__main__":
    take(sources(), FOLDER)
