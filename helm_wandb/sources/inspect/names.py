"""Names of tasks and metrics, as they are recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import NamedTuple

from helm_wandb.harness.names import benchmark_name, metric_name
from helm_wandb.sources.inspect.formats import EvalScore, Metric, Results

_SPREADS = frozenset({"stderr", "bootstrap_stderr", "std", "var", "ci", "ci_wilson"})
"""Inspect's metrics that describe how values vary, and are no scores."""
_GROUPED = "grouped"
_ALL = "all"


class Named(NamedTuple):
    """A metric of a log."""

    score: EvalScore
    key: str
    """Its key among the score's metrics."""

    @property
    def metric(self) -> Metric:
        """The metric's value."""
        return self.score.metrics[self.key]

    @property
    def is_spread(self) -> bool:
        """Whether it says how values vary."""
        names = {self.metric.name, self.metric.group or "", self._inner_name()}
        return not _SPREADS.isdisjoint(name.rpartition("/")[2] for name in names)

    @property
    def group_key(self) -> str | None:
        """The key of the metadata that `grouped` groups by."""
        key = self.metric.params.get("group_key")
        return key if self.metric.group == _GROUPED and isinstance(key, str) else None

    @property
    def is_part(self) -> bool:
        """Whether it is over one group of the samples, and another metric over all."""
        whole = self._whole()
        return whole is not None and whole != self.key

    @property
    def parts(self) -> dict[str, Metric]:
        """The values over groups of the samples, by group, if this one is over all of them."""
        if self._whole() != self.key:
            return {}
        return {
            key: metric
            for key, metric in self.score.metrics.items()
            if key != self.key and metric.params == self.metric.params
            if metric.group == self.metric.group
        }

    def _whole(self) -> str | None:
        """Return the key of the value over all groups; None if there is none."""
        label = self.metric.params.get("all_label", _ALL)
        is_grouped = self.metric.group == _GROUPED and self.metric.params.get("all") is not False
        return label if is_grouped and label in self.score.metrics else None

    def _inner_name(self) -> str:
        """Return the metric that `grouped` computes of each group."""
        inner = self.metric.params.get("metric")
        name = inner.get("name") if isinstance(inner, dict) else None
        return name if isinstance(name, str) else ""


def benchmark_names(tasks: Collection[str]) -> dict[str, str]:
    """Return the name that each task is recorded under: without its package, if that is unique."""
    short = {task: benchmark_name(task.rpartition("/")[2]) for task in tasks}
    counts = Counter(short.values())
    return {
        task: name if counts[name] == 1 else benchmark_name(task) for task, name in short.items()
    }


def named_metrics(results: Results) -> dict[str, Named]:
    """Return all metrics by the names that they are recorded under: `scorer.metric`.

    If several have that name, the reducer or the scorer is part of it.
    """
    metrics = list(_metrics(results))
    plain = Counter(_plain_name(one) for one in metrics)
    reduced = Counter(_reduced_name(one) for one in metrics)
    named: dict[str, Named] = {}
    for one in metrics:
        name = _plain_name(one)
        if plain[name] > 1:
            name = _reduced_name(one)
        if reduced[_reduced_name(one)] > 1:
            name = f"{one.score.scorer or ''}.{name}"
        named.setdefault(metric_name(name), one)
    return named


def find_name(metric: str, named: Collection[str]) -> str | None:
    """Return the name of a metric that a config names; None if there is none, or several.

    metric: `match.accuracy`, or `accuracy` if one scorer has it.
    """
    if metric in named:
        return metric
    own = matching_names(metric, named)
    return own[0] if len(own) == 1 else None


def matching_names(metric: str, named: Collection[str]) -> list[str]:
    """Return the names that a config's may stand for."""
    return [
        name
        for name in named
        if metric in {name.partition(",")[0], name.partition(",")[0].partition(".")[2]}
    ]


def _metrics(results: Results) -> Iterator[Named]:
    for score in results.scores:
        for key in score.metrics:
            yield Named(score, key)


def _plain_name(one: Named) -> str:
    return f"{one.score.name}.{one.key}"


def _reduced_name(one: Named) -> str:
    reducer = one.score.reducer
    return f"{_plain_name(one)},{reducer}" if reducer else _plain_name(one)
