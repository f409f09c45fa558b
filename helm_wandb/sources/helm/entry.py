"""An entry of `evals` that names a suite of HELM output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.model import EvalEntry, Place, ScoreKey


@dataclass(frozen=True, slots=True, kw_only=True)
class HelmEval:
    """A suite of HELM output, and which of its models and scores are read."""

    place: Place
    places: Mapping[str, Place] = field(default_factory=dict)
    """Place of each key's value."""
    path: str
    """The entry's JSON path, `$.evals[0]`."""
    helm_output_dir: str
    helm_suite_name: str
    model_name: str | None = None
    helm_model: str | None = None
    """A glob over HELM's model ids."""
    token_per_iteration: float | None = None
    """Billions of tokens."""
    default_iteration: int = 0
    iteration_pattern: str | None = None
    """A regular expression for `patterns`, with one group, searched in the model id."""
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
            helm_model=fields.get("helm_model"),
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

    def at(self, key: str) -> Place:
        """Return the place of the key's value, or of the entry if it lacks the key."""
        return self.places.get(key, self.place)
