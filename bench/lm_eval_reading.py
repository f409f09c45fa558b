"""Reading the samples of lm-eval, compared with json.loads of their lines."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from bench.goals import Goal, cpu_seconds, least
from tests import lm_eval_builders

TASKS, QUESTIONS = 20, 1_000
ROUNDS = 3


def goal() -> Goal:
    """Compare the whole reading, on all cores, with decoding alone."""
    with tempfile.TemporaryDirectory(prefix="helm-wandb-bench-") as name:
        folder = Path(name)
        values = [float(at % 3 > 0) for at in range(QUESTIONS)]
        lm_eval_builders.write_run(folder / "model", {f"task_{at}": values for at in range(TASKS)})
        decoding, reading = least(ROUNDS, lambda: _decoding(folder), lambda: _reading(folder))
    what = f"lm-eval: json.loads of {TASKS * QUESTIONS:,} samples / the whole reading"
    return Goal(what=what, value=decoding / reading, goal=2, is_least=True)


def _decoding(folder: Path) -> float:
    start = cpu_seconds()
    for path in folder.rglob("samples_*.jsonl"):
        for line in path.read_bytes().splitlines():
            json.loads(line)
    return cpu_seconds() - start


def _reading(folder: Path) -> float:
    start = cpu_seconds()
    lm_eval_builders.read_output(folder, folder)
    return cpu_seconds() - start
