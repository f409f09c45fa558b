"""Scores that stand in the config itself."""

from __future__ import annotations

import math
from typing import TypeGuard

from helm_wandb.comparing.helm_schemas import is_lower_better
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.model import EvalEntry, Evaluation, Origin, Reading, Score, ScoreKey


def read(entry: EvalEntry, _: ReadOptions | None = None) -> Reading:
    """Return the entry's evaluation; a value that isn't a finite number is missing."""
    fields = entry.fields
    tokens = fields.get("token_num")
    values: dict[ScoreKey, float | None] = {
        ScoreKey(benchmark, metric): value
        for benchmark, metrics in fields["eval_result"].items()
        for metric, value in metrics.items()
    }
    scores = {key: _score(key, value) for key, value in values.items() if _is_known(value)}
    return Reading(
        evaluations=(
            Evaluation(
                model=fields["model_name"],
                iteration=int(fields.get("default_iteration", 0)),
                tokens_billions=None if tokens is None else float(tokens),
                origin=Origin(source="file", suite=None, token_per_iteration=None),
                scores=scores,
                missing={
                    key: f"the config has {'no number' if value is None else value} for it"
                    for key, value in values.items()
                    if key not in scores
                },
            ),
        )
    )


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _score(key: ScoreKey, value: float) -> Score:
    return Score(
        value=float(value),
        n=None,
        lower_is_better=is_lower_better(key.benchmark, key.metric) or False,
        subjects={},
    )
