"""An entry of `evals` that names lm-eval's output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from helm_wandb.harness.entry import HarnessEval, score_keys
from helm_wandb.model import EvalEntry, ScoreKey


@dataclass(frozen=True, slots=True, kw_only=True)
class LmEval(HarnessEval):
    """lm-eval's output, and which of its models and scores are read."""

    MODEL_KEY: ClassVar[str] = "lm_eval_model"
    OUTPUT_KEY: ClassVar[str] = "lm_eval_output_dir"

    score_keys: tuple[ScoreKey, ...] = ()
    """Without any, every metric of every task is read."""

    @classmethod
    def parse(cls, entry: EvalEntry) -> LmEval:
        """Return the output that the entry names."""
        return cls(**cls.shared_fields(entry), score_keys=score_keys(entry))
