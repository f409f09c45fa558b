"""Scores of a log: Inspect's own numbers."""

from __future__ import annotations

import math

from helm_wandb.harness.names import benchmark_name
from helm_wandb.model import Score, SubjectScore, finite_number
from helm_wandb.sources.inspect.names import Named

_WORDS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_LOWER_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


def read_score(named: Named) -> Score | str:
    """Return the metric's value, or why there is none."""
    value = finite_number(named.metric.value)
    if value is None:
        unscored = named.score.unscored_samples and not named.score.scored_samples
        return f"Inspect has no number for it{': no sample was scored' if unscored else ''}"
    return Score(
        value=value,
        n=None if named.is_part else _count(named.score.scored_samples),
        lower_is_better=None if named.is_spread else False,
        subjects={
            benchmark_name(group): SubjectScore(value=number, n=None)
            for group, part in named.parts.items()
            if (number := finite_number(part.value)) is not None
        },
    )


def read_value(value: object) -> float | None:
    """Return a sample's score as Inspect's metrics count it; None if it is unscored, or no scalar.

    Source: value_to_float in inspect_ai's scorer/_metric.py.
    """
    if isinstance(value, str):
        return _WORDS.get(value, _LOWER_WORDS.get(value.lower(), _parsed(value)))
    return float(value) if isinstance(value, bool) else finite_number(value)


def _parsed(text: str) -> float:
    """Return the number that the text is; 0 for other texts, as Inspect counts them."""
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _count(samples: int | None) -> int | None:
    return samples if samples is not None and samples >= 0 else None
