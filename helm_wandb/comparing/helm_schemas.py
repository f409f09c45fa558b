"""HELM's schemas: the main metric of each benchmark, the label and direction of each metric.

`boards.json` next to this file has them for suites and scores without a schema; `make boards`
writes it. Directions and labels depend on the schema: `Edit sim.` is better when lower for
copyright, and when higher for images.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources

import msgspec


class HelmSchema(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A schema of HELM, reduced to the meaning of the columns in its tables."""

    benchmarks: dict[str, tuple[str, str]] = {}
    """Benchmark → its main metric, empty if the schema names none, and its split."""
    metrics: dict[str, tuple[str, bool | None]] = {}
    """Metric → the label of its column, and whether lower is better."""
    unsplit: tuple[str, ...] = ()
    """Metrics that are shown over all splits, such as those of whole runs."""
    perturbations: dict[str, str] = {}
    """Perturbation → its label."""
    separate_groups: tuple[str, ...] = ()
    """Run groups whose runs appear in no other group, such as HELM's ablations."""

    def label(self, metric: str) -> str:
        """Return the label of the metric's column."""
        return self.metrics.get(metric, (metric, None))[0]

    def names(self, label: str) -> Iterator[str]:
        """Yield the metrics with this label, in the schema's order."""
        return (name for name, (known, _) in self.metrics.items() if known == label)

    def directions(self, metric: str) -> set[bool]:
        """Return the directions of the metrics with this name or label."""
        names = [metric] if metric in self.metrics else self.names(metric)
        return {lower for name in names if (lower := self.metrics[name][1]) is not None}


class Boards(msgspec.Struct, frozen=True, kw_only=True):
    """All schemas of a release of HELM, by name; the content of `boards.json`."""

    helm: str
    """The release, as `0.5.16`."""
    schemas: dict[str, HelmSchema]


@cache
def helm_schemas() -> tuple[HelmSchema, ...]:
    """Return HELM's schemas; of two that differ, the first is the likelier one."""
    data = resources.files("helm_wandb.comparing").joinpath("boards.json").read_bytes()
    return tuple(msgspec.json.decode(data, type=Boards).schemas.values())


def listed_name(benchmark: str, schemas: Iterable[HelmSchema]) -> str:
    """Return the name under which schemas list the benchmark; empty if none does.

    That of `mmlu_anatomy` may be `mmlu`.
    """
    known = {name for schema in schemas for name in schema.benchmarks}
    while benchmark and benchmark not in known:
        benchmark = benchmark.rpartition("_")[0]
    return benchmark


def main_labels(benchmark: str, schemas: Sequence[HelmSchema]) -> list[str]:
    """Return the column labels of the benchmark's main metric; several if the schemas differ."""
    name = listed_name(benchmark, schemas)
    mains = ((one, one.benchmarks[name][0]) for one in schemas if name in one.benchmarks)
    return list(dict.fromkeys(schema.label(metric) for schema, metric in mains if metric))


def split_column(column: str, schemas: Iterable[HelmSchema]) -> tuple[str, str | None]:
    """Return the metric of `EM (Robustness)`, and the perturbation; None without one."""
    labels: Mapping[str, str] = {
        name: label for schema in schemas for name, label in schema.perturbations.items()
    }
    for perturbation, label in labels.items():
        if column.endswith(f" ({label})"):
            return column.removesuffix(f" ({label})"), perturbation
    return column, None


def is_lower_better(
    benchmark: str, metric: str, schemas: Sequence[HelmSchema] | None = None
) -> bool | None:
    """Return the direction of a benchmark's metric, which is given by its name or label.

    None if no schema says it, or schemas differ and none of them lists the benchmark.
    schemas: HELM's own if not given.
    """
    schemas = helm_schemas() if schemas is None else schemas
    label, _ = split_column(metric, schemas)
    name = listed_name(benchmark, schemas)
    listing = [schema for schema in schemas if name in schema.benchmarks]
    for some in (listing, schemas):
        if directions := {lower for schema in some for lower in schema.directions(label)}:
            return directions.pop() if len(directions) == 1 else None
    return None
