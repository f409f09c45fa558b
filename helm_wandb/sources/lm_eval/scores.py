"""Scores of a run: lm-eval's own numbers."""

from __future__ import annotations

import math

from helm_wandb.harness.names import benchmark_name
from helm_wandb.model import Score, SubjectScore
from helm_wandb.sources.lm_eval.formats import Results
from helm_wandb.sources.lm_eval.tasks import leaves, metric_keys, parts_of

_BYPASS = "bypass"
_LONGEST = 40


def find_key(metric: str, task: str, results: Results) -> str | None:
    """Return lm-eval's key of a metric that a config names; None if there is none, or several.

    metric: `acc,none`, or `acc` if the task has one filter.
    """
    keys = metric_keys(results.results[task])
    if metric in keys:
        return metric
    own = [key for key in keys if key.partition(",")[0] == metric]
    return own[0] if len(own) == 1 else None


def describe_absence(metric: str, task: str, results: Results) -> str:
    """Return why `find_key` finds none."""
    keys = metric_keys(results.results[task])
    own = [key for key in keys if key.partition(",")[0] == metric]
    if own:
        return f"lm-eval has it for several filters: name one of {'; '.join(own)}"
    return f"lm-eval has no such metric of this task; it has: {'; '.join(keys) or 'none'}"


def read_score(key: str, task: str, results: Results) -> Score | str:
    """Return the value of a key of the task or group, or why there is none."""
    if key.partition(",")[0] == _BYPASS:
        return "lm-eval ran with --predict_only, which computes no score"
    value = read_number(results.results[task][key])
    if isinstance(value, str):
        return value
    return Score(
        value=value,
        n=_count(key, task, results),
        lower_is_better=_lower_is_better(key, task, results),
        subjects=_subjects(key, task, results),
    )


def scored_leaves(key: str, task: str, results: Results) -> list[str]:
    """Return the tasks of a group that have the metric: its score is over these."""
    return [leaf for leaf in leaves(task, results) if key in results.results.get(leaf, ())]


def read_number(value: object) -> float | str:
    """Return a number that lm-eval wrote, or why it is none."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            return "lm-eval wrote a number larger than any float"
        return number if math.isfinite(number) else f"lm-eval wrote {number} for it"
    if isinstance(value, str):
        return f"lm-eval wrote {value[:_LONGEST]!r} for it"
    kind = {list: "a list", dict: "a mapping", bool: str(value).lower()}.get(type(value), "null")
    return f"lm-eval wrote {kind} for it, not a number"


def _subjects(key: str, task: str, results: Results) -> dict[str, SubjectScore]:
    """Return the tasks and groups in a group that have the metric; none of a task."""
    values = {
        part: read_number(results.results[part][key])
        for part in parts_of(task, results)
        if key in results.results.get(part, ())
    }
    return {
        benchmark_name(part): SubjectScore(value=value, n=_count(key, part, results))
        for part, value in values.items()
        if isinstance(value, float)
    }


def _count(key: str, task: str, results: Results) -> int | None:
    """Return the number of documents that the score is over; None if a task's is unknown."""
    counts = [results.n_samples.get(leaf) for leaf in scored_leaves(key, task, results)]
    known = [one.effective for one in counts if one and one.effective is not None]
    return sum(known) if known and len(known) == len(counts) and min(known) >= 0 else None


def _lower_is_better(key: str, task: str, results: Results) -> bool | None:
    """Return the metric's direction; a group without one has that of all its tasks."""
    metric = key.partition(",")[0]
    own = results.higher_is_better.get(task, {})
    names = [task] if metric in own else scored_leaves(key, task, results)
    directions = {results.higher_is_better.get(name, {}).get(metric) for name in names}
    higher = directions.pop() if len(directions) == 1 else None
    return None if higher is None else not higher
