"""HELM's files, as far as they are read, in HELM 0.2.4 to 0.5.16.

All that isn't declared here is skipped when a file is decoded.
"""

from __future__ import annotations

from typing import Any

import msgspec

# Statistics: stats.json and per_instance_stats.json (metrics/statistic.py, metrics/metric.py).


class Perturbation(msgspec.Struct, gc=False):
    """A change of the questions of a statistic or an instance."""

    name: str = ""
    computed_on: str = ""
    """`worst` for a statistic of the worst case over perturbations of this kind."""
    robustness: bool = False
    fairness: bool = False

    def is_of(self, kind: str) -> bool:
        """Return whether HELM's worst case over this kind counts it."""
        return kind == self.name or (kind in ("robustness", "fairness") and getattr(self, kind))


class StatName(msgspec.Struct, gc=False):
    """The metric and split of a statistic."""

    name: str
    split: str = ""
    sub_split: str = ""


class Stat(msgspec.Struct, gc=False):
    """One statistic."""

    name: StatName
    count: int = 0
    sum: float = 0.0


class RunStatName(StatName, gc=False):
    """The metric, split and perturbation of a statistic of a run."""

    perturbation: Perturbation | None = None


class RunStat(Stat, gc=False):
    """One statistic of a run."""

    name: RunStatName


class InstanceStats(msgspec.Struct, gc=False):
    """The statistics of one instance, from one of HELM's metric classes."""

    stats: tuple[Stat, ...]
    instance_id: str = ""
    train_trial_index: int = 0
    perturbation: Perturbation | None = None


# Questions and answers: scenario_state.json (adaptation/scenario_state.py) and, since 0.5.0,
# instances.json, which helm-summarize writes (presentation/run_display.py).


class Text(msgspec.Struct, gc=False):
    """A text; older versions write the text itself."""

    text: str = ""


class Instance(msgspec.Struct, gc=False):
    """A question."""

    id: str | None = None
    input: Text | str = ""
    perturbation: Perturbation | None = None


class Request(msgspec.Struct, gc=False):
    """A request to a model, of which only the question is read."""

    instance: Instance


class ScenarioState(msgspec.Struct, gc=False):
    """All requests of a run, of which only the questions are read."""

    request_states: tuple[Request, ...]


class Reference(msgspec.Struct, gc=False):
    """A possible answer."""

    output: Text | str = ""
    tags: tuple[str, ...] = ()


class InstanceWithReferences(Instance, gc=False):
    """A question and its possible answers."""

    references: tuple[Reference, ...] = ()


class Completion(msgspec.Struct, gc=False):
    """An answer of the model."""

    text: str = ""
    logprob: float = 0.0


class Result(msgspec.Struct, gc=False):
    """All answers of the model to a request."""

    completions: tuple[Completion, ...] = ()


class AnsweredRequest(msgspec.Struct, gc=False):
    """A request with its answers."""

    instance: InstanceWithReferences
    train_trial_index: int = 0
    reference_index: int | None = None
    """Index of the possible answer that was scored, if each was a separate request."""
    output_mapping: dict[str, str] | None = None
    result: Result | None = None


class AnsweredScenarioState(msgspec.Struct, gc=False):
    """All requests of a run with their answers."""

    request_states: tuple[AnsweredRequest, ...]


# Settings: run_spec.json and run_specs.json.


class ScenarioSpec(msgspec.Struct, frozen=True):
    """The scenario of a run."""

    class_name: str = ""
    args: dict[str, Any] = {}


class RunSpec(msgspec.Struct, frozen=True):
    """The settings of a run."""

    name: str
    adapter_spec: dict[str, Any] = {}
    scenario_spec: ScenarioSpec = ScenarioSpec()
    data_augmenter_spec: dict[str, Any] = {}
    groups: tuple[str, ...] = ()


# Tables: groups/<benchmark>.json (presentation/table.py, and write_groups in
# presentation/summarize.py). A key whose value is None is absent from the file, so that most
# cells have no `value`.


class Cell(msgspec.Struct, frozen=True):
    """One cell; `value` is None if HELM wrote none."""

    value: float | str | None = None
    description: str = ""
    href: str = ""
    run_spec_names: tuple[str, ...] = ()


class Header(msgspec.Struct, frozen=True):
    """The head of a column; `lower_is_better` is None if HELM orders nothing."""

    value: str
    lower_is_better: bool | None = None


class Table(msgspec.Struct, frozen=True):
    """One table; the first column names the model."""

    title: str
    name: str
    header: tuple[Header, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def column(self, metric: str) -> int | None:
        """Return the place of the first column with this label, which is the main metric's."""
        labels = (header.value for header in self.header[1:])
        return next((at for at, label in enumerate(labels, 1) if label == metric), None)


# The schema: schema.json since 0.4.0 (presentation/schema.py).


class SchemaMetric(msgspec.Struct):
    """A metric or perturbation, and how it is shown."""

    name: str
    display_name: str | None = None
    short_display_name: str | None = None
    lower_is_better: bool | None = None

    @property
    def label(self) -> str:
        """The head of its column."""
        return self.short_display_name or self.display_name or self.name


class SchemaMatcher(msgspec.Struct):
    """Statistics that a group of metrics shows: `${main_name}` of split `${main_split}`."""

    name: str
    split: str


class SchemaMetricGroup(msgspec.Struct):
    """Metrics that are shown together."""

    name: str
    metrics: tuple[SchemaMatcher, ...] = ()


class SchemaEnvironment(msgspec.Struct):
    """The main metric of a benchmark."""

    main_name: str = ""
    main_split: str = ""


class SchemaGroup(msgspec.Struct):
    """A benchmark, or a group of benchmarks."""

    name: str
    environment: SchemaEnvironment = msgspec.field(default_factory=SchemaEnvironment)
    metric_groups: tuple[str, ...] = ()
    visibility: str = "all_groups"


class Schema(msgspec.Struct):
    """The schema that a suite was summarized with."""

    metrics: tuple[SchemaMetric, ...] = ()
    perturbations: tuple[SchemaMetric, ...] = ()
    metric_groups: tuple[SchemaMetricGroup, ...] = ()
    run_groups: tuple[SchemaGroup, ...] = ()
