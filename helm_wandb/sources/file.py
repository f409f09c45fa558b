"""Scores that the config itself holds → an Evaluation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeGuard

from helm_wandb.comparing.helm_metrics import is_lower_better
from helm_wandb.model import Evaluation, Origin, Reading, Score

if TYPE_CHECKING:
    from helm_wandb.model import FileEval, ScoreKey


def read(spec: FileEval, **_: object) -> Reading:
    """One evaluation; a value that is not a finite number is missing."""
    scores = {
        key: _score(key, value) for key, value in spec.eval_result.items() if _is_known(value)
    }
    return Reading(
        evaluations=(
            Evaluation(
                model=spec.model_name,
                iteration=spec.default_iteration,
                tokens_billions=spec.token_num,
                origin=Origin(source="file", suite=None, token_per_iteration=None),
                scores=scores,
                missing={
                    key: f"the config has {'no number' if value is None else value} for it"
                    for key, value in spec.eval_result.items()
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
        lower_is_better=is_lower_better(key.metric) or False,
        subjects={},
    )
