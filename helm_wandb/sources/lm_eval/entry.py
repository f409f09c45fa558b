"""An entry of `evals` that names lm-eval's output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from helm_wandb.harness.entry import HarnessEval


@dataclass(frozen=True, slots=True, kw_only=True)
class LmEval(HarnessEval):
    """lm-eval's output, and which of its models and scores are read."""

    MODEL_KEY: ClassVar[str] = "lm_eval_model"
    OUTPUT_KEY: ClassVar[str] = "lm_eval_output_dir"
