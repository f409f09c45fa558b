"""Which statistic of a run is a benchmark's column in a table of HELM.

A suite that was summarized holds its own `schema.json`; for others, and for HELM before 0.4.0,
HELM's own schemas say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from helm_wandb.comparing import helm_schemas
from helm_wandb.comparing.helm_schemas import HelmSchema
from helm_wandb.sources.helm.formats import Schema, SchemaGroup, SchemaMatcher

_ALL_SPLITS = "__all__"
"""HELM's word for any split, or none: Unitxt's metrics are of whole runs."""
_SPLITS = ("test", "valid", "")
"""Splits of a benchmark that no schema lists."""


class Selector(Struct, frozen=True):
    """The statistics of a run that make a column: by name, split and perturbation."""

    name: str
    split: str
    perturbation: str | None
    """None: the unperturbed instances; else the worst case over this kind."""

    @property
    def names(self) -> tuple[str, ...]:
        """The metric's name, and the one that HELM takes if a run lacks it.

        (presentation/summarize.py, get_unique_stat_by_matcher)
        """
        return (self.name, *(("exact_match",) if self.name == "quasi_exact_match" else ()))

    def is_of_split(self, split: str) -> bool:
        """Return whether statistics of this split are selected."""
        return self.split in {split, _ALL_SPLITS}


class Board(Struct, frozen=True, dict=True):
    """The meaning of a suite's columns."""

    own: HelmSchema | None
    """The schema that the suite was summarized with."""
    others: tuple[HelmSchema, ...]
    """HELM's own schemas, the likeliest first."""

    def selectors(self, benchmark: str, column: str) -> Iterator[Selector]:
        """The statistics that the column may stand for, the likeliest first.

        A column is a metric's label or name, with the label of a perturbation if it is a
        worst case: `EM`, `EM (Robustness)`, `exact_match`.
        """
        label, perturbation = helm_schemas.split_column(column, self._schemas)
        statistics = self._main_statistics(benchmark, label) or self._statistics(benchmark, label)
        yield from (Selector(name, split, perturbation) for name, split in statistics)

    def main_metrics(self, benchmark: str) -> list[str]:
        """The column labels of the benchmark's main metric; several if HELM's schemas differ."""
        return helm_schemas.main_labels(benchmark, [one for one, _ in self._listed(benchmark)])

    def is_known(self, benchmark: str) -> bool:
        """Return whether a schema lists the benchmark."""
        return bool(self._listed(benchmark))

    def is_lower_better(self, benchmark: str, metric: str) -> bool | None:
        """The direction of a metric, by its name or label; None if no schema gives one."""
        if self.own is not None and metric in self.own.metrics:
            return self.own.metrics[metric][1]
        return helm_schemas.is_lower_better(benchmark, metric, self._schemas)

    @cached_property
    def separate_groups(self) -> frozenset[str]:
        """Run groups whose runs appear in no other group, such as HELM's ablations."""
        return frozenset(group for schema in self._schemas for group in schema.separate_groups)

    @cached_property
    def _schemas(self) -> tuple[HelmSchema, ...]:
        return (*(() if self.own is None else (self.own,)), *self.others)

    def _listed(self, benchmark: str) -> list[tuple[HelmSchema, str]]:
        """Return the schemas that list the benchmark, and its name there; the suite's own alone."""
        name = helm_schemas.listed_name(benchmark, self._schemas)
        found = [(schema, name) for schema in self._schemas if name in schema.benchmarks]
        return found[:1] if found and found[0][0] is self.own else found

    def _main_statistics(self, benchmark: str, label: str) -> list[tuple[str, str]]:
        """Return the main metrics with this label or name, each with its split."""
        return [
            schema.benchmarks[name]
            for schema, name in self._listed(benchmark)
            if label in {(metric := schema.benchmarks[name][0]), schema.label(metric)}
        ]

    def _statistics(self, benchmark: str, label: str) -> Iterator[tuple[str, str]]:
        """Yield the metrics with this label or name, each with its split."""
        listed = self._listed(benchmark)
        splits = dict.fromkeys(schema.benchmarks[name][1] for schema, name in listed)
        schemas = (*(schema for schema, _ in listed), *self._schemas)
        names = dict.fromkeys((*(n for schema in schemas for n in schema.names(label)), label))
        unsplit = {name for schema, _ in listed for name in schema.unsplit}
        for split in splits or _SPLITS:
            yield from ((name, _ALL_SPLITS if name in unsplit else split) for name in names)


def board_of(schema: Schema | None, benchmarks: frozenset[str]) -> Board:
    """Return the meaning of a suite's columns.

    schema: the one that it was summarized with. benchmarks: all run groups of the suite; where
    HELM's schemas differ, the one with most of them is likeliest.
    """
    others = sorted(
        helm_schemas.helm_schemas(), key=lambda one: -len(benchmarks & one.benchmarks.keys())
    )
    return Board(own=None if schema is None else reduced(schema), others=tuple(others))


def reduced(schema: Schema) -> HelmSchema:
    """Return what the schema says of columns."""
    matchers = {group.name: group.metrics for group in schema.metric_groups}
    hidden = (group.name for group in schema.run_groups if group.visibility != "all_groups")
    return HelmSchema(
        benchmarks={
            group.name: (group.environment.main_name, _main_split(group, matchers))
            for group in schema.run_groups
            if group.environment.main_split
        },
        metrics={one.name: (one.label, one.lower_is_better) for one in schema.metrics},
        unsplit=_unsplit(matcher for group in matchers.values() for matcher in group),
        perturbations={one.name: one.label for one in schema.perturbations},
        separate_groups=tuple(hidden),
    )


def _main_split(group: SchemaGroup, matchers: Mapping[str, Sequence[SchemaMatcher]]) -> str:
    """Return the split in which the main metric is shown."""
    shown = (matcher for name in group.metric_groups for matcher in matchers.get(name, ()))
    splits = {matcher.split for matcher in shown if matcher.name == "${main_name}"}
    return _ALL_SPLITS if splits == {_ALL_SPLITS} else group.environment.main_split


def _unsplit(matchers: Iterable[SchemaMatcher]) -> tuple[str, ...]:
    """Return the metrics that are shown over all splits, and never over one."""
    splits: dict[str, set[str]] = {}
    for matcher in matchers:
        splits.setdefault(matcher.name, set()).add(matcher.split)
    return tuple(
        name for name, of in splits.items() if of == {_ALL_SPLITS} and not name.startswith("$")
    )
