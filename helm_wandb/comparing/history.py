"""The scores of the base branch's last runs, which each report hands on to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import isfinite

from helm_wandb.comparing.evaluations import latest
from helm_wandb.comparing.pairing import split_strata
from helm_wandb.comparing.statistics import standard_error
from helm_wandb.model import Evaluation, HistoryPoint, MetricHistory, Score, ScoreKey

POINTS = 20
"""Points of a metric that are kept."""
SERIES = 1_000
"""Metrics of all models that are kept, those of this run first."""
LONGEST_COMMIT = 64
LONGEST_NAMES = 300
"""Characters of a model and a metric together; those with longer names aren't kept."""


def extend_history(
    earlier: Iterable[MetricHistory], evaluations: Iterable[Evaluation], commit: str | None
) -> tuple[MetricHistory, ...]:
    """Return the baseline's history, with the latest iteration of each model of this run added.

    A run that evaluates an iteration of a commit again replaces its point. Metrics that this run
    lacks stay.
    """
    series = {(one.model, one.key): one for one in earlier}
    own = {
        (one.model, one.key): one
        for evaluation in latest(evaluations)
        for one in _extended(series, evaluation, commit)
    }
    # Its own are the first, with their new points.
    kept = filter(_is_short, (own | series | own).values())
    return tuple(islice(kept, SERIES))


def _extended(
    series: Mapping[tuple[str, ScoreKey], MetricHistory], evaluation: Evaluation, commit: str | None
) -> Iterator[MetricHistory]:
    for key, score in evaluation.scores.items():
        earlier = series.get((evaluation.model, key))
        points = [*(earlier.points if earlier else ()), _point(evaluation, score, commit)]
        yield MetricHistory(
            model=evaluation.model, key=key, points=tuple(_distinct(points)[-POINTS:])
        )


def _distinct(points: Sequence[HistoryPoint]) -> list[HistoryPoint]:
    """Return the points without those of the last one's commit and iteration."""
    *before, last = points
    same = (last.commit, last.iteration)
    return [*(one for one in before if not one.commit or (one.commit, one.iteration) != same), last]


def _point(evaluation: Evaluation, score: Score, commit: str | None) -> HistoryPoint:
    strata = split_strata(score.instances) if score.instances else None
    error = standard_error(strata, score.repeats) if strata else None
    return HistoryPoint(
        commit=commit and commit[:LONGEST_COMMIT],
        iteration=evaluation.iteration,
        value=score.value,
        standard_error=error if error is not None and isfinite(error) else None,
    )


def _is_short(one: MetricHistory) -> bool:
    return len(one.model) + len(one.key) <= LONGEST_NAMES
