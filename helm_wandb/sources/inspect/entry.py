"""An entry of `evals` that names logs of Inspect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from helm_wandb.harness.entry import HarnessEval


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectEval(HarnessEval):
    """Inspect's logs, and which of their models and scores are read."""

    MODEL_KEY: ClassVar[str] = "inspect_model"
    OUTPUT_KEY: ClassVar[str] = "inspect_log_dir"
