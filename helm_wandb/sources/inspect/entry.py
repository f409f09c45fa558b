"""An entry of `evals` that names logs of Inspect."""

from __future__ import annotations

from typing import ClassVar

from helm_wandb.harness.entry import HarnessEval


class InspectEval(HarnessEval, frozen=True, kw_only=True):
    """Inspect's logs, and which of their models and scores are read."""

    MODEL_KEY: ClassVar[str] = "inspect_model"
    OUTPUT_KEY: ClassVar[str] = "inspect_log_dir"
