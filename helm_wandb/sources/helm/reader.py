"""The evaluations in a suite of HELM output."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from msgspec.structs import replace

from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.errors import ArtifactError
from helm_wandb.harness import families
from helm_wandb.harness.entry import ReadOptions, metrics_by_benchmark
from helm_wandb.harness.evaluations import (
    build_evaluations,
    describe_others,
    model_ids,
    refuse_long_names,
)
from helm_wandb.harness.families import Checkpoint
from helm_wandb.harness.json_files import read_json
from helm_wandb.harness.output import open_entry
from helm_wandb.model import Reading, Score, ScoreKey
from helm_wandb.sources.helm import details, layout
from helm_wandb.sources.helm.entry import HelmEval
from helm_wandb.sources.helm.formats import Table
from helm_wandb.sources.helm.layout import Suite
from helm_wandb.sources.helm.metric_choice import choose_metrics, metrics_of_runs
from helm_wandb.sources.helm.output import open_output
from helm_wandb.sources.helm.raw import RunStats, score_of_runs
from helm_wandb.sources.helm.runs import RENAMED, Run, Runs
from helm_wandb.sources.helm.scores import scores_by_model
from helm_wandb.sources.helm.tables import headline, score_labels
from helm_wandb.text.nearest import almost_same, list_nearest, nearest_first

ScoresByModel = dict[str, dict[ScoreKey, "Score | str"]]
"""Model id → score, or why there is none."""

_COMPUTED = (
    "HELM wrote no tables of {}, unknown to the schema it summarized with: computed from the runs."
)
_NO_CORE = "Suite {} has none of HELM's 16 core metrics: each benchmark's main metric is read."
_BY_LABEL = (
    "Models {} have runs neither in run_specs.json nor in a run folder. They are listed by their "
    "labels in HELM's tables, and may be the same as others here. Copy the run folders too."
)
_EXPLAINED = 20
"""Metrics and benchmarks that are absent, and compared with those that are there."""
_NO_RUN = "not run in this suite"
_NO_ROW = "not run for this model"


def read(spec: HelmEval, options: ReadOptions) -> Reading:
    """Return the evaluations of the entry's models, each with all scores that the entry names.

    A score that the suite lacks is in `missing`, with the reason. A value is HELM's own cell; for
    a benchmark without tables it is computed from the runs as HELM would.
    Raises ArtifactError if the suite or all scores are absent, or a file cannot be read;
    ConfigError if the entry does not say which model it means.
    """
    with open_entry(spec, options.folder, open_output) as files:
        return _Reader(spec, layout.find_suite(spec, files)).reading(options)


class _Reader:
    """Reads one suite for one entry."""

    def __init__(self, spec: HelmEval, suite: Suite) -> None:
        self._suite = suite
        self._runs = Runs(suite)
        self._faults = list(self._runs.faults)
        self._notes = list(self._runs.notes)
        self._spec = replace(spec, score_keys=self._requested_keys(spec))
        self._computed: list[str] = []
        """Benchmarks that a summarized suite has no tables of."""
        self._raw_metrics: dict[str, list[str]] = {}
        """Benchmark → metrics that its runs have."""

    def reading(self, options: ReadOptions) -> Reading:
        """Return the evaluations with all scores that the entry names."""
        scores, absent = self._scores()
        ids = self._runs.models() | scores.keys()
        refuse_long_names(
            ids,
            owner=f"{self._spec.place}: a model of suite {self._spec.helm_suite_name!r}",
            advice="Give it a shorter one, and run HELM again.",
        )
        checkpoints = families.assign(ids, self._spec)
        if not any(isinstance(score, Score) for m in checkpoints for score in scores[m].values()):
            raise ArtifactError(*(self._faults or [self._describe_nothing()]))
        if options.with_details:
            wanted = families.latest_ids(checkpoints, self._spec, count=2)
            kept = {model: scores[model] for model in wanted if model in scores}
            detailed, unread, notes = details.with_details(
                kept, self._suite.files, self._runs, options
            )
            scores |= detailed
            self._faults += unread
            self._notes += notes
        where = f"Suite {self._spec.helm_suite_name}"
        self._notes += describe_others(ids, checkpoints, self._spec, where=where)
        self._note_labels(checkpoints)
        if self._computed:
            self._notes.append(_COMPUTED.format(", ".join(self._computed)))
        defaults = {**dict.fromkeys(self._spec.score_keys, _NO_ROW), **absent}
        evaluations = build_evaluations(
            self._spec,
            checkpoints,
            {model: {**defaults, **scores[model]} for model in checkpoints},
            source="helm",
            suite=layout.split_name(self._spec.helm_suite_name)[1],
        )
        return Reading(
            evaluations=evaluations,
            faults=tuple(self._faults),
            notes=tuple(self._notes),
            model_ids=model_ids(self._spec, checkpoints),
        )

    def _requested_keys(self, spec: HelmEval) -> tuple[ScoreKey, ...]:
        """Return the metrics to read: by default the main ones of a suite without core ones."""
        if spec.score_keys != CORE_METRICS or any(
            self._runs.by_model(key.benchmark) for key in CORE_METRICS
        ):
            return spec.score_keys
        keys = tuple(
            ScoreKey(name, metric)
            for name in self._runs.names
            for metric in self._main_metrics(self._runs.name_of(name))
        )
        if keys:
            self._notes.append(_NO_CORE.format(spec.helm_suite_name))
        return keys or spec.score_keys

    def _main_metrics(self, group: str) -> Iterable[str]:
        if not self._runs.by_model(group):
            return ()
        try:
            return choose_metrics(group, self._suite, self._runs)
        except ArtifactError:  # reported where the scores are read
            return self._runs.board.main_metrics(group)[:1]

    def _scores(self) -> tuple[ScoresByModel, dict[ScoreKey, str]]:
        """Return each model's scores; and those that no model can have, with the reason."""
        scores: ScoresByModel = defaultdict(dict)
        absent: dict[ScoreKey, str] = {}
        nowhere: list[str] = []
        for benchmark, metrics in metrics_by_benchmark(self._spec.score_keys).items():
            try:
                by_model = self._read_benchmark(benchmark, metrics)
            except ArtifactError as error:
                self._faults.append(str(error))
                absent.update({ScoreKey(benchmark, metric): str(error) for metric in metrics})
                continue
            if not by_model:
                nowhere.append(benchmark)
                absent.update({ScoreKey(benchmark, metric): _NO_RUN for metric in metrics})
            for model, of_model in by_model.items():
                scores[model] |= {ScoreKey(benchmark, name): one for name, one in of_model.items()}
        if nowhere and self._spec.score_keys != CORE_METRICS:
            self._notes.append(self._describe_absent(nowhere))
        return scores, absent

    def _note_labels(self, chosen: Mapping[str, Checkpoint]) -> None:
        labels = chosen.keys() - self._runs.models()
        if labels and self._runs.models():
            self._notes.append(_BY_LABEL.format(families.quote_names(labels)))

    def _describe_absent(self, benchmarks: Sequence[str]) -> str:
        there = self._benchmarks()
        close = ", ".join(
            filter(None, (almost_same(there, one) for one in benchmarks[:_EXPLAINED]))
        )
        return (
            f"Suite {self._spec.helm_suite_name} has no run of {', '.join(benchmarks)}. "
            f"It has: {', '.join(there)}.{f' Did you mean {close}?' if close else ''}"
        )

    def _read_benchmark(
        self, benchmark: str, metrics: list[str]
    ) -> dict[str, dict[str, Score | str]]:
        """Return each model's scores by metric: from HELM's tables, else from the runs."""
        group = self._runs.name_of(benchmark)
        if group == RENAMED.get(benchmark):
            self._notes.append(f"{benchmark} was found as {group}, its newer name in HELM.")
        table = self._suite.table(group)
        if table is None:
            by_model = self._read_runs(group, metrics)
            if by_model and self._suite.summary is not None:
                self._computed.append(group)
            return by_model
        tables = read_json(self._suite.files, table, tuple[Table, ...])
        return scores_by_model(tables, group, metrics, model_of_run=self._runs.model_of)

    def _read_runs(self, group: str, metrics: list[str]) -> dict[str, dict[str, Score | str]]:
        return {
            model: self._read_model(runs, group, metrics)
            for model, runs in self._runs.by_model(group).items()
        }

    def _read_model(
        self, runs: Sequence[Run], group: str, metrics: Iterable[str]
    ) -> dict[str, Score | str]:
        """Return a model's scores by metric; a file that cannot be read costs all of them."""
        board = self._runs.board
        try:
            scores = {
                metric: score_of_runs(runs, metric, group, board=board, stats=self._stats)
                for metric in metrics
            }
        except ArtifactError as error:
            self._faults.append(str(error))
            return dict.fromkeys(metrics, str(error))
        return {
            metric: self._describe_no_statistic(group, metric) if score is None else score
            for metric, score in scores.items()
        }

    def _describe_no_statistic(self, group: str, metric: str) -> str:
        try:
            there = list_nearest(self._metrics_of_runs(group), metric)
        except ArtifactError:  # reported where its scores are read
            there = ""
        return f"none of its runs has a statistic for {metric!r}" + (
            f"; there are: {there}" if there else ""
        )

    def _metrics_of_runs(self, group: str) -> list[str]:
        if group not in self._raw_metrics:
            found = metrics_of_runs(group, self._suite, self._runs)
            self._raw_metrics[group] = list(dict.fromkeys(found))
        return self._raw_metrics[group]

    @cached_property
    def _stats(self) -> RunStats:
        names = frozenset(
            name
            for key in self._spec.score_keys
            for selector in self._runs.selectors(key)
            for name in selector.names
        )
        return RunStats(self._suite.files, names)

    def _benchmarks(self) -> list[str]:
        return self._runs.names or sorted(self._suite.benchmarks())

    def _describe_nothing(self) -> str:
        """Return what the suite has instead of what the entry names, and which of it is meant."""
        keys = ", ".join(map(str, self._spec.score_keys))
        lists: list[str] = []
        meant: list[str] = []
        for benchmark, metrics in metrics_by_benchmark(self._spec.score_keys[:_EXPLAINED]).items():
            name = almost_same(self._benchmarks(), benchmark) or benchmark
            there = self._metrics_near(ScoreKey(name, metrics[0]))
            if there and not (name == benchmark and set(metrics) <= set(there)):
                lists.append(f"The metrics of {name} are: {', '.join(there)}.")
            if close := dict.fromkeys(filter(None, (almost_same(there, one) for one in metrics))):
                meant.append(f"{{name: {name}, metrics: [{', '.join(close)}]}}")
        benchmarks = f"Its benchmarks are: {', '.join(self._benchmarks()) or 'none'}."
        question = f"Did you mean [{', '.join(meant)}]? " if lists and meant else ""
        return (
            f"{self._spec.place}: suite {self._spec.helm_suite_name!r} has none of the metrics "
            f"named ({keys}). {' '.join(lists) or benchmarks} {question}Name them under benchmarks."
        )

    def _metrics_near(self, key: ScoreKey) -> list[str]:
        """Return the metrics of the benchmark, those first that are spelled most like the key's."""
        group = self._runs.name_of(key.benchmark)
        path = self._suite.table(group)
        if path is None:
            return nearest_first(self._metrics_of_runs(group), key.metric)
        table = headline(read_json(self._suite.files, path, tuple[Table, ...]), group)
        return nearest_first(score_labels(table), key.metric) if table else []
