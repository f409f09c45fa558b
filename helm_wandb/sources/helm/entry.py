"""An entry of `evals` that names a suite of HELM output."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.harness.entry import HarnessEval
from helm_wandb.model import EvalEntry, ScoreKey

KINDS = ("runs", "releases")
"""The folders of HELM's output that hold suites and releases."""


class HelmEval(HarnessEval, frozen=True, kw_only=True):
    """A suite of HELM output, and which of its models and scores are read."""

    MODEL_KEY: ClassVar[str] = "helm_model"
    OUTPUT_KEY: ClassVar[str] = "helm_output_dir"

    helm_suite_name: str
    score_keys: tuple[ScoreKey, ...] = CORE_METRICS

    @classmethod
    def fields_of(cls, entry: EvalEntry) -> dict[str, Any]:
        """Return all fields of the suite that the entry names."""
        fields = super().fields_of(entry)
        return {
            **fields,
            "helm_suite_name": entry.fields["helm_suite_name"],
            "score_keys": fields["score_keys"] or CORE_METRICS,
        }

    @classmethod
    def with_output(cls, fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """Return the fields of an entry that reads another output, or another suite: `x/runs/y`."""
        suite = PurePath(name)
        if suite.parent.name not in KINDS:
            return {**fields, cls.OUTPUT_KEY: name}
        output = str(suite.parent.parent)
        kind = suite.parent.name
        return {**fields, cls.OUTPUT_KEY: output, "helm_suite_name": f"{kind}/{suite.name}"}

    @classmethod
    def output_path(cls, fields: Mapping[str, Any]) -> str:
        """Return the path of the suite that an entry with these fields reads."""
        suite = fields["helm_suite_name"].strip("/")
        has_kind = suite.startswith(tuple(f"{kind}/" for kind in KINDS))
        return str(PurePath(fields[cls.OUTPUT_KEY], suite if has_kind else f"runs/{suite}"))
