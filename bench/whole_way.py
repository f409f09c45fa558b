"""The command from start to end: the start alone, and many runs compared with a baseline."""

from __future__ import annotations

import compileall
import json
from pathlib import Path

from bench import helm_suite
from bench.goals import Cost, Goal, cost, least

ROOT = Path(__file__).parent.parent
ARCHIVES = ROOT / "tests/data/helm"
EXAMPLE = ["wandb_writer.py", "--config", "configs/mymodel_example.yaml", "--print-only"]
IMPORTS = ["-c", "import yaml, jsonschema, msgspec, jinja2, rich"]
ROUNDS = 15
FEW, MANY = 500, 2_000


def start() -> Goal:
    """Compare print-only with the bare imports of the libraries that this tool is made of."""
    # Python doesn't keep byte code everywhere.
    compileall.compile_dir(ROOT / "helm_wandb", quiet=1)
    ours, imports = least(
        ROUNDS,
        lambda: cost(EXAMPLE, folder=ROOT).cpu_seconds,
        lambda: cost(IMPORTS, folder=ROOT).cpu_seconds,
    )
    return Goal(what="start: print-only / bare imports", value=ours / imports, goal=0.9)


def goals(folder: Path) -> list[Goal]:
    """Compare a candidate's suites with those of its baseline."""
    few, many = (_candidate(folder / str(runs), runs) for runs in (FEW, MANY))
    name = f"whole way with a baseline, {MANY:,} runs"
    growth = many.cpu_seconds / few.cpu_seconds
    return [
        Goal(what=name, value=many.cpu_seconds, goal=18, unit="s"),
        Goal(what=f"{name}: peak", value=many.peak_megabytes, goal=200, unit="MiB"),
        Goal(what=f"{name} / {FEW}", value=growth, goal=4.2),
    ]


def _candidate(folder: Path, runs: int) -> Cost:
    """Return what the candidate's run costs, with its report, HTML report and baseline."""
    for side in ("baseline", "candidate"):
        helm_suite.build(ARCHIVES / f"{side}.tar.gz", folder / side, runs=runs)
        entry = {
            "eval_type": "helm",
            "helm_output_dir": side,
            "helm_suite_name": helm_suite.SUITE,
        }
        (folder / f"{side}.yaml").write_text(json.dumps({"project": "bench", "evals": [entry]}))
    cost(_arguments("baseline"), folder=folder)
    return cost([*_arguments("candidate"), "--baseline", "baseline.json"], folder=folder)


def _arguments(side: str) -> list[str]:
    outputs = ["--report", f"{side}.json", "--html", f"{side}.html", "--print-only"]
    return [str(ROOT / "wandb_writer.py"), "--config", f"{side}.yaml", *outputs]
