"""The config that `init` writes."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent

from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.model import FirstEntry
from helm_wandb.text.yaml_text import to_yaml

_HEAD = """\
# The W&B project for the runs; created if it doesn't exist.
project: helm-evaluations
# leaderboard: true  # rank the project's models, too, and record the ranking
"""


def first_config(entry: FirstEntry) -> str:
    """Return a config with this entry of `evals`, which ranks models by what the entry reads."""
    keys = entry.score_keys if set(entry.score_keys) - set(CORE_METRICS) else ()
    return f"{_HEAD}{_ranking(list(map(str, keys)))}evals:\n  - {indent(entry.yaml, '    ')[4:]}"


def _ranking(metrics: Sequence[str]) -> str:
    """Return `leaderboard_metrics`, for a suite with others than the core metrics."""
    if not metrics:
        return ""
    return (
        "# What models are ranked by. Without this: HELM's core metrics, or all if it has none.\n"
        + to_yaml({"leaderboard_metrics": metrics})
    )
