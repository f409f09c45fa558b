"""HELM's schemas: which statistic of a run is a benchmark's column in a table.

A suite that was summarized holds its own `schema.json`; for others, and for HELM before
0.4.0, `boards.json` next to this file has what HELM's own schemas say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from helm_wandb.sources.helm.formats import Schema


@dataclass(frozen=True, slots=True)
class Selector:
    """The statistics of a run that make a column: by name, split and perturbation."""

    name: str
    split: str
    perturbation: str | None
    """None: the unperturbed instances; else the worst case over this kind."""

    @property
    def names(self) -> tuple[str, ...]:
        """The metric's name, and the one that HELM takes where a run lacks it.

        (presentation/summarize.py, get_unique_stat_by_matcher)
        """
        return (self.name, *(("exact_match",) if self.name == "quasi_exact_match" else ()))


@dataclass(frozen=True, slots=True)
class Board:
    """A schema, reduced to the meaning of the columns."""

    benchmarks: Mapping[str, tuple[tuple[str, str], ...]]
    """Benchmark → its main metric and split; several if HELM's schemas differ."""
    metrics: Mapping[str, tuple[str, bool | None]]
    """Metric → its column label, and whether lower is better."""
    perturbations: Mapping[str, str]
    """Perturbation → its label."""
    groups_of_their_own: frozenset[str]
    """Run groups whose runs appear in no other group, such as HELM's ablations."""

    def selectors(self, benchmark: str, column: str) -> Iterator[Selector]:
        """The statistics that the column may stand for, the likeliest first.

        A column is a metric's label or name, with the label of a perturbation where it is a
        worst case: `EM`, `EM (Robustness)`, `exact_match`.
        """
        label, perturbation = self._split_column(column)
        environment = self._main_metrics(benchmark)
        main = [(name, split) for name, split in environment if label in (name, self._label(name))]
        if main:
            yield from (Selector(name, split, perturbation) for name, split in main)
            return
        splits = dict.fromkeys(split for _, split in environment) or ("test", "valid")
        for split in splits:
            for name in self._names(label):
                yield Selector(name, split, perturbation)

    def main_metrics(self, benchmark: str) -> list[str]:
        """The column labels of the benchmark's main metric; several if HELM's schemas differ."""
        return list(dict.fromkeys(self._label(name) for name, _ in self._main_metrics(benchmark)))

    def is_known(self, benchmark: str) -> bool:
        """Return whether a schema names the benchmark's main metric."""
        return bool(self._main_metrics(benchmark))

    def is_lower_better(self, metric: str) -> bool | None:
        """The direction of a metric by its name; None where the schema gives none."""
        return self.metrics.get(metric, (metric, None))[1]

    def _main_metrics(self, benchmark: str) -> tuple[tuple[str, str], ...]:
        """The benchmark's main metrics; those of `mmlu` for `mmlu_anatomy`."""
        name = benchmark
        while name not in self.benchmarks and "_" in name:
            name = name.rpartition("_")[0]
        return self.benchmarks.get(name, ())

    def _split_column(self, column: str) -> tuple[str, str | None]:
        """The metric's label and the perturbation of `EM (Robustness)`."""
        for perturbation, label in self.perturbations.items():
            if column.endswith(f" ({label})"):
                return column.removesuffix(f" ({label})"), perturbation
        return column, None

    def _label(self, name: str) -> str:
        return self.metrics.get(name, (name, None))[0]

    def _names(self, label: str) -> Iterator[str]:
        yield from (name for name, (known, _) in self.metrics.items() if known == label)
        yield label


class _BuiltIn(msgspec.Struct):
    benchmarks: dict[str, tuple[tuple[str, str], ...]]
    metrics: dict[str, tuple[str, bool | None]]
    perturbations: dict[str, str]
    groups_of_their_own: tuple[str, ...]


def board_of(schema: Schema) -> Board:
    """Return what the schema says of columns, and HELM's own schemas of benchmarks it lacks."""
    own = built_in()
    benchmarks = {
        group.name: ((group.environment.main_name, group.environment.main_split),)
        for group in schema.run_groups
        if group.environment.main_split
    }
    metrics = {one.name: (one.label, one.lower_is_better) for one in schema.metrics}
    hidden = (group.name for group in schema.run_groups if group.visibility != "all_groups")
    return Board(
        benchmarks={**own.benchmarks, **benchmarks},
        # First in the order of this schema, which says which of two with one label is likelier.
        metrics={**metrics, **own.metrics, **metrics},
        perturbations={**own.perturbations, **{p.name: p.label for p in schema.perturbations}},
        groups_of_their_own=own.groups_of_their_own | set(hidden),
    )


def built_in() -> Board:
    """Return HELM's classic, lite, capabilities, safety, mmlu, air_bench and ewok schemas."""
    data = Path(__file__).with_name("boards.json").read_bytes()
    schemas = msgspec.json.decode(data, type=_BuiltIn)
    return Board(
        benchmarks=schemas.benchmarks,
        metrics=schemas.metrics,
        perturbations=schemas.perturbations,
        groups_of_their_own=frozenset(schemas.groups_of_their_own),
    )
