"""Names of a harness's tasks and metrics, as they are recorded."""

from __future__ import annotations

import re

from helm_wandb.harness.json_files import encodable

_NOT_IN_A_NAME = re.compile("[./\\\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that the name of a benchmark in a config can't hold."""
_NOT_IN_A_METRIC = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def benchmark_name(task: str) -> str:
    """Return the name that a task is recorded under."""
    return _NOT_IN_A_NAME.sub("_", encodable(task)) or "_"


def metric_name(key: str) -> str:
    """Return the name that a metric is recorded under."""
    return _NOT_IN_A_METRIC.sub("_", encodable(key))
