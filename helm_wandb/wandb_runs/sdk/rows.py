"""W&B's form of a row: `mmlu.EM` under `mmlu`, and a subject's value one level deeper.

With a dot in its key the SDK would ignore `summary=`, and with an escaped one
`step_metric=`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def nest(row: Mapping[str, object], subjects: Mapping[str, str]) -> dict[str, object]:
    """Return a row or summary as it is stored, given the subjects in its names.

    If a metric has the name of a subject, that subject's values are stored next to it, not in it.
    """
    stored: dict[str, Any] = {}
    for name, value in row.items():
        benchmark, dot, metric = name.partition(".")
        if not dot or benchmark in row:
            stored[name] = value
            continue
        level = stored.setdefault(benchmark, {})
        subject = subjects.get(name)
        if subject is not None and f"{benchmark}.{subject}" not in row:
            level = level.setdefault(subject, {})
            metric = metric.removeprefix(f"{subject}.")
        level[metric] = value
    return stored
