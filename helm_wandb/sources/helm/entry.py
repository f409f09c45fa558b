"""An entry of `evals` that names a suite of HELM output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.harness.entry import HarnessEval
from helm_wandb.model import EvalEntry, ScoreKey


@dataclass(frozen=True, slots=True, kw_only=True)
class HelmEval(HarnessEval):
    """A suite of HELM output, and which of its models and scores are read."""

    MODEL_KEY: ClassVar[str] = "helm_model"

    helm_output_dir: str
    helm_suite_name: str
    score_keys: tuple[ScoreKey, ...] = CORE_METRICS

    @classmethod
    def parse(cls, entry: EvalEntry) -> HelmEval:
        """Return the suite that the entry names."""
        fields = entry.fields
        tokens = fields.get("token_per_iteration")
        return cls(
            place=entry.place,
            places=entry.places,
            path=entry.path,
            helm_output_dir=fields["helm_output_dir"],
            helm_suite_name=fields["helm_suite_name"],
            model_name=fields.get("model_name"),
            model_glob=fields.get("helm_model"),
            token_per_iteration=None if tokens is None else float(tokens),
            default_iteration=int(fields.get("default_iteration", 0)),
            iteration_pattern=fields.get("iteration_pattern"),
            score_keys=tuple(
                ScoreKey(benchmark["name"], metric)
                for benchmark in fields.get("benchmarks", ())
                for metric in benchmark["metrics"]
            )
            or CORE_METRICS,
        )
