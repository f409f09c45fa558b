"""lm-eval's results file, as far as it is read.

Formats: lm-eval 0.4.5 to 0.4.13, loggers/evaluation_tracker.py, evaluator.py, evaluator_utils.py.
Fields that are absent in some of these versions have a default.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Counts(msgspec.Struct):
    """Documents of a task."""

    original: int | None = None
    effective: int | None = None
    """Fewer with `--limit`."""

    @property
    def is_limited(self) -> bool:
        """Return whether only some of the documents were evaluated."""
        return None not in (self.original, self.effective) and self.effective != self.original


class RunConfig(msgspec.Struct):
    """How lm-eval was called."""

    model: Any = None
    """The kind of model, as `hf`; or its name if it was handed over as an object."""
    model_args: Any = None
    """`pretrained=org/name,revision=main`, or the same as a mapping; since 0.4.9 mostly that."""
    model_revision: Any = None
    limit: Any = None
    gen_kwargs: Any = None
    fewshot_seed: Any = None


class Results(msgspec.Struct, rename={"n_shot": "n-shot", "n_samples": "n-samples"}, kw_only=True):
    """A results file."""

    results: dict[str, dict[str, Any]]
    """Task or group → `metric,filter`, `metric_stderr,filter`, and other keys without a comma."""
    configs: dict[str, dict[str, Any]]
    config: RunConfig
    group_subtasks: dict[str, list[str]] = {}
    """Group → its children; 0.4.5 has tasks too, without any."""
    versions: dict[str, Any] = {}
    n_shot: dict[str, Any] = {}
    higher_is_better: dict[str, dict[str, bool | None]] = {}
    n_samples: dict[str, Counts] = {}
    """Sample counts of tasks, without groups."""
    model_name: str | None = None
    """Since 0.4.6 or so."""
    chat_template_sha: str | None = None
    system_instruction_sha: str | None = None
    fewshot_as_multiturn: bool | None = None
