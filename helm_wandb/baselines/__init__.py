"""What this run's models are compared with."""

from helm_wandb.baselines.files import of_file
from helm_wandb.baselines.found import Found
from helm_wandb.baselines.pairs import partners, steps
from helm_wandb.baselines.resolving import Asked, Choice, Resolved, resolve
from helm_wandb.baselines.telling import notes
from helm_wandb.runner.event import Trigger

__all__ = [
    "Asked",
    "Choice",
    "Found",
    "Resolved",
    "Trigger",
    "notes",
    "of_file",
    "partners",
    "resolve",
    "steps",
]
