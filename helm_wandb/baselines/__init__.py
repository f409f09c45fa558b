"""The baselines of this run's models."""

from helm_wandb.baselines.files import read_baseline_file
from helm_wandb.baselines.matches import BaselineMatch
from helm_wandb.baselines.pairs import partners, steps
from helm_wandb.baselines.search import BaselineRequest, BaselineResult, resolve

__all__ = [
    "BaselineMatch",
    "BaselineRequest",
    "BaselineResult",
    "partners",
    "read_baseline_file",
    "resolve",
    "steps",
]
