"""Tasks and groups of a run, and the names of their metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helm_wandb.sources.lm_eval.formats import Results


def metric_keys(values: Mapping[str, Any]) -> list[str]:
    """Return the keys of a task's scores, as `acc,none`, without those of standard errors."""
    return [key for key in values if "," in key and not _is_error_key(key, values)]


def _is_error_key(key: str, values: Mapping[str, Any]) -> bool:
    metric, _, name = key.partition(",")
    return metric.endswith("_stderr") and f"{metric.removesuffix('_stderr')},{name}" in values


def is_group(task: str, results: Results) -> bool:
    """Return whether the name is that of a group."""
    return bool(results.group_subtasks.get(task))


def leaves(task: str, results: Results) -> list[str]:
    """Return the tasks of a group, also those of groups in it; of a task itself."""
    if not is_group(task, results):
        return [task]
    return [part for part in parts_of(task, results) if not is_group(part, results)]


def parts_of(task: str, results: Results) -> list[str]:
    """Return all tasks and groups in a group, each once, in lm-eval's order; none of a task."""
    parts: dict[str, None] = {}
    stack = [task]
    while stack:
        children = results.group_subtasks.get(name := stack.pop(), ())
        if name != task:
            parts[name] = None
        stack += [child for child in reversed(children) if child not in parts and child != task]
    return list(parts)
