"""The fingerprint of a score: the settings of its task, less the model."""

from __future__ import annotations

from collections.abc import Mapping

from helm_wandb.harness.settings import EMPTY, setting_text, without_addresses
from helm_wandb.sources.inspect.formats import EvalScore, Header

_NOT_SETTINGS = frozenset(
    {
        "adaptive_connections",
        "attempt_timeout",
        "batch",
        "cache",
        "cache_prompt",
        "max_connections",
        "max_retries",
        "timeout",
    }
)
"""Options of generation that say how requests are sent, not what is generated."""


def fingerprint(header: Header, score: EvalScore) -> dict[str, object]:
    """Return named fields of the task's settings, less the model.

    Packages and the revision of the code aren't settings, and neither is what is empty.
    """
    spec = header.eval
    fields: dict[str, object] = {
        **_generation(header),
        **{f"task {name}": value for name, value in spec.task_args.items()},
        **{f"scorer {name}": value for name, value in score.params.items()},
        "task": spec.task,
        "version": spec.task_version,
        "dataset": spec.dataset.name,
        "solvers": [[step.solver, step.params] for step in header.plan.steps],
        "scorer": score.scorer,
        "limit": spec.config.limit,
        "samples": spec.config.sample_id,
    }
    if (spec.config.epochs or 1) > 1:
        default = "none" if spec.config.epochs_reducer == [] else "mean"
        fields |= {"epochs": spec.config.epochs, "reducer": score.reducer or default}
    return {
        name: setting_text(without_addresses(value))
        for name, value in sorted(fields.items())
        if value not in EMPTY
    }


def _generation(header: Header) -> Mapping[str, object]:
    options = {**header.plan.config, **header.eval.model_generate_config}
    return {name: value for name, value in options.items() if name not in _NOT_SETTINGS}
