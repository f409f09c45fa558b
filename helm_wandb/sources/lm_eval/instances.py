"""Instances of scores: those of a task, or of all tasks of a group."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from helm_wandb.harness.instances import join_instances
from helm_wandb.model import Instances, is_close
from helm_wandb.sources.lm_eval.formats import Results
from helm_wandb.sources.lm_eval.samples import TaskSamples
from helm_wandb.sources.lm_eval.scores import read_number, scored_leaves

ReadTask = Callable[[str], TaskSamples | str]
"""Returns the samples of a task, or why there are none."""


def instances_of(
    key: str, task: str, results: Results, read: ReadTask, *, value: float
) -> Instances | str:
    """Return the instances that make the score, or why there are none.

    value: lm-eval's own, which the mean over strata of the means within must reproduce.
    """
    parts: dict[str, Instances] = {}
    for leaf in scored_leaves(key, task, results):
        samples = read(leaf)
        if not isinstance(samples, TaskSamples):
            return samples
        if key not in samples.instances:
            return f"lm-eval wrote no per-sample values of it for {leaf}"
        parts[leaf] = samples.instances[key]
    if not parts:
        return "no task of the group has it"
    arranged = _arrangements(task, parts)
    fitting = [one for one in arranged if one.has_mean(value)]
    if not fitting:
        return f"the mean of its samples is {arranged[0].mean():.6g}, and the score is {value:.6g}"
    is_unweighted = len(fitting) > 1 and _has_error_of_unweighted_mean(key, task, results, parts)
    return fitting[1 if is_unweighted else 0]


def _arrangements(group: str, parts: Mapping[str, Instances]) -> list[Instances]:
    """Return the instances in strata of equal weight, as lm-eval may have weighted a group's tasks.

    Each document may count the same, or each task. Of tasks of one size only the second is
    returned. Groups in the group never have weights: lm-eval's mean is over all tasks in them.
    """
    by_task = join_instances(list(parts.values()))
    if len({len(part.id) for part in parts.values()}) == 1:
        return [by_task]
    return [_pool(group, parts), by_task]


def _has_error_of_unweighted_mean(
    key: str, task: str, results: Results, parts: Iterable[str]
) -> bool:
    """Return whether lm-eval's standard error is that of a mean in which each task counts the same.

    It shows a group's weighting if its tasks' scores are equal, so that any weighting fits.
    """
    metric, _, name = key.partition(",")
    errors = [
        read_number(results.results.get(one, {}).get(f"{metric}_stderr,{name}"))
        for one in (task, *parts)
    ]
    numbers = [one for one in errors if isinstance(one, float)]
    if len(numbers) != len(errors):
        return False
    own, *of_tasks = numbers
    return is_close(own, math.hypot(*of_tasks) / len(of_tasks))


def _pool(group: str, parts: Mapping[str, Instances]) -> Instances:
    """Return the instances of several tasks as one stratum."""
    return join_instances(
        [
            replace(
                part,
                stratum=(group,) * len(part.id),
                id=tuple(f"{task} {identity}" for identity in part.id),
                cluster=tuple(f"{task} {cluster}" for cluster in part.cluster),
            )
            for task, part in parts.items()
        ]
    )


def task_and_document(stratum: str, identity: str) -> tuple[str, str]:
    """Return the task and the document of an instance, also of one in a pooled stratum."""
    task, _, document = identity.rpartition(" ")
    return task or stratum, document
