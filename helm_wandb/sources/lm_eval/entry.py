"""An entry of `evals` that names lm-eval's output."""

from __future__ import annotations

from typing import ClassVar

from helm_wandb.harness.entry import HarnessEval


class LmEval(HarnessEval, frozen=True, kw_only=True):
    """lm-eval's output, and which of its models and scores are read."""

    MODEL_KEY: ClassVar[str] = "lm_eval_model"
    OUTPUT_KEY: ClassVar[str] = "lm_eval_output_dir"
