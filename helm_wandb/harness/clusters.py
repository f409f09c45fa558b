"""Clusters of instances, by a rule of the config."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from helm_wandb.comparing.evaluations import group_values
from helm_wandb.harness.instances import shared_text, text_hash
from helm_wandb.harness.json_files import sorted_json
from helm_wandb.model import EACH_INSTANCE, Score, ScoreKey
from helm_wandb.text.patterns import Pattern

_Sample = TypeVar("_Sample")

_FIELD = re.compile(r"([a-z]{1,20})(?:\.[A-Za-z_][A-Za-z0-9_-]*)+")


def finder(
    rule: str | None,
    *,
    record: str,
    value_of: Callable[[_Sample], object],
    text_of: Callable[[_Sample], str],
) -> Callable[[_Sample], str | None] | None:
    """Return a function that names a sample's cluster; None if each sample is one.

    record: the name of the sample's record in rules. value_of: reads it.
    text_of: reads the input, in which a regular expression is searched.
    """
    if rule is None or rule == EACH_INSTANCE:
        return None
    if is_field(rule, record):
        names = rule.split(".")[1:]
        return lambda sample: _hashed(_at(value_of(sample), names))
    pattern = Pattern.compile(rule)
    return lambda sample: _hashed(shared_text(pattern, text_of(sample)))


def is_field(rule: str, record: str) -> bool:
    """Return whether the rule names a field of a sample's record, as `doc.passage`."""
    field = _FIELD.fullmatch(rule)
    return field is not None and field[1] == record


def describe_unmatched(rule: str | None, benchmark: str) -> str:
    """Return a sentence on a rule that no sample of the benchmark matches."""
    return (
        f"compare.clusters: {rule!r} is in no sample of {benchmark}, so each question counts as "
        "independent."
    )


def unmatched_rules(
    scores: Iterable[tuple[ScoreKey, Score]], rules: Mapping[str, str]
) -> Iterator[str]:
    """Yield a note on each rule that matches no instance of its benchmark."""
    by_benchmark = group_values(
        (key.benchmark, score.instances) for key, score in scores if score.instances
    )
    for benchmark, rule in rules.items():
        columns = by_benchmark.get(benchmark, ())
        if columns and rule != EACH_INSTANCE and all(one.cluster == one.id for one in columns):
            yield describe_unmatched(rule, benchmark)


def _hashed(value: object) -> str | None:
    if value is None:
        return None
    return text_hash(value if isinstance(value, str) else sorted_json(value))


def _at(value: object, names: Iterable[str]) -> object:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
