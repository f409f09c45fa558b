"""The filters and the order of a query for runs: a part of MongoDB's language, as W&B has it.

The docstring of `wandb.Api.runs` lists the operators and the keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.wandb_server.runs import RunRecord

Condition = Mapping[str, Any]

ALIASES = {
    "display_name": "displayName",
    "created_at": "createdAt",
    "heartbeat_at": "heartbeatAt",
    "job_type": "jobType",
}


def matches(run: RunRecord, condition: Condition) -> bool:
    """Whether the run meets all of the condition's keys."""
    return all(_meets(run, key, wanted) for key, wanted in condition.items())


def ordered(runs: Sequence[RunRecord], order: str) -> list[RunRecord]:
    """The runs by keys such as `-summary_metrics.loss,+created_at`; unknown values last."""
    found = list(runs)
    for part in reversed(order.split(",")):
        value = partial(value_of, key=part.lstrip("+-"))
        known = [run for run in found if value(run) is not None]
        unknown = [run for run in found if value(run) is None]
        found = [*sorted(known, key=value, reverse=part.startswith("-")), *unknown]
    return found


def value_of(run: RunRecord, key: str) -> Any:
    """What the run holds under a filter's key; None is nothing.

    Raises KeyError for a property that this server does not know.
    """
    start, _, rest = key.partition(".")
    if start == "config":
        return _inside(run.plain_config, rest.removesuffix(".value"))
    if start in {"summary_metrics", "summaryMetrics"}:
        return _inside(run.summary, rest)
    return run.properties[ALIASES.get(key, key)]


def _meets(run: RunRecord, key: str, wanted: Any) -> bool:
    if key == "$and":
        return all(matches(run, part) for part in wanted)
    if key == "$or":
        return any(matches(run, part) for part in wanted)
    if key == "$nor":
        return not any(matches(run, part) for part in wanted)
    return _fits(value_of(run, key), wanted)


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping) and any(key.startswith("$") for key in wanted):
        return all(OPERATORS[name](value, operand) for name, operand in wanted.items())
    # As in MongoDB, a list fits what one of its items fits.
    if isinstance(value, list) and not isinstance(wanted, list):
        return wanted in value
    return bool(value == wanted)


def _inside(values: Mapping[str, Any], path: str) -> Any:
    if path in values:
        return values[path]
    start, _, rest = path.partition(".")
    below = values.get(start)
    return _inside(below, rest) if rest and isinstance(below, Mapping) else None


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, operand: value is not None and compare(value, operand)


def _found(value: Any, pattern: str) -> bool:
    texts = value if isinstance(value, list) else [value]
    return any(text is not None and re.search(pattern, str(text)) for text in texts)


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": _fits,
    "$ne": lambda value, operand: not _fits(value, operand),
    "$in": lambda value, operands: any(_fits(value, operand) for operand in operands),
    "$nin": lambda value, operands: not any(_fits(value, operand) for operand in operands),
    "$not": lambda value, operand: not _fits(value, operand),
    "$exists": lambda value, operand: (value is not None) is bool(operand),
    "$regex": _found,
    "$gt": _comparison(gt),
    "$gte": _comparison(ge),
    "$lt": _comparison(lt),
    "$lte": _comparison(le),
}
