"""The runs of a suite: their specs, models and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain

from msgspec import Struct

from helm_wandb.comparing.evaluations import group_values
from helm_wandb.errors import ArtifactError
from helm_wandb.harness.json_files import encodable, read_json
from helm_wandb.model import ScoreKey
from helm_wandb.sources.helm.board import Board, Selector, board_of
from helm_wandb.sources.helm.formats import RunSpec, Schema, Table
from helm_wandb.sources.helm.layout import Suite
from helm_wandb.sources.helm.tables import run_names
from helm_wandb.text.words import count_noun, join_truncated

RENAMED = {"summarization_xsum": "summarization_xsum_sampled"}
"""Benchmark → its run group in HELM since 0.5.8, which is how the names of its runs begin too."""
_OLDER_NAMES = {newer: older for older, newer in RENAMED.items()}
_NOT_IN_NAMES = str.maketrans("./\\", "___")
"""Characters that a benchmark's name in a config can't have; groups of Unitxt have dots."""
_MODEL_ARGUMENTS = ("model=", "model_deployment=")


class Run(Struct, frozen=True):
    """One run: a scenario, a model, and the settings."""

    folder: str
    """Folder of its files, relative to the HELM output."""
    spec: RunSpec

    @property
    def model(self) -> str:
        """Id of its deployment, or of its model before HELM 0.4.0; empty if unknown."""
        adapter = self.spec.adapter_spec
        model = adapter.get("model_deployment") or adapter.get("model")
        return encodable(model) if isinstance(model, str) else ""

    @property
    def subject(self) -> str:
        """The scenario's arguments as HELM's tables title them: `subject: anatomy`."""
        arguments = self.spec.scenario_spec.args.items()
        return encodable(", ".join(f"{key}: {value}" for key, value in arguments))

    @property
    def scenario(self) -> str:
        """The scenario's class, without its module, which HELM's versions move."""
        return self.spec.scenario_spec.class_name.rpartition(".")[2]

    @property
    def stratum(self) -> str:
        """The run's name less its model, the same for each model and HELM with these settings."""
        kind, _, arguments = self.spec.name.partition(":")
        others = [one for one in arguments.split(",") if not one.startswith(_MODEL_ARGUMENTS)]
        name = _OLDER_NAMES.get(kind, kind)
        return encodable(f"{name}:{','.join(others)}".rstrip(":"))

    def holds(self, stratum: str) -> bool:
        """Return whether the stratum is the run's, or that of a sub-split of it."""
        return f"{stratum} ".startswith(f"{self.stratum} ")


class Runs:
    """All runs of a suite, by name."""

    def __init__(self, suite: Suite) -> None:
        """Read the suite's list of specs, and what it lacks from the runs themselves."""
        self._suite = suite
        self.faults: list[str] = []
        self.notes: list[str] = []
        self._in_tables: dict[str, frozenset[str] | None] = {}
        self._counted: dict[str, dict[str, list[Run]]] = {}
        self._selectors: dict[ScoreKey, list[Selector]] = {}
        self._runs: dict[str, Run] = {}
        for run in self._read(suite):
            if not run.model:
                continue
            first = self._runs.setdefault(run.spec.name, run)
            if first is not run:
                self.faults.append(
                    f"{run.folder}: holds the same run as {first.folder}, which was read; "
                    "remove one of the two"
                )

    def all(self) -> list[Run]:
        """Return all runs of the suite whose model is known."""
        return list(self._runs.values())

    def models(self) -> set[str]:
        """Return the ids of all models that the suite holds."""
        return {run.model for run in self.all()}

    @cached_property
    def benchmarks(self) -> frozenset[str]:
        """All run groups that some run is in."""
        return frozenset(group for run in self.all() for group in run.spec.groups)

    def model_of(self, name: str) -> str | None:
        """Return the model of a run."""
        run = self._runs.get(name)
        return run.model if run else None

    @cached_property
    def names(self) -> list[str]:
        """The names by which a config can name the run groups, sorted."""
        return sorted({_name_in_config(group) for group in self.benchmarks})

    def name_of(self, benchmark: str) -> str:
        """Return the run group that a config names so; its own name if there is none."""
        return self._groups.get(benchmark, benchmark)

    @cached_property
    def _groups(self) -> dict[str, str]:
        """Name in a config → run group of the suite."""
        renamed = {old: new for old, new in RENAMED.items() if new in self.benchmarks}
        named = {_name_in_config(group): group for group in self.benchmarks}
        return renamed | named | {group: group for group in self.benchmarks}

    def selectors(self, key: ScoreKey) -> list[Selector]:
        """Return the statistics of a run that may make the score, the likeliest first."""
        if key not in self._selectors:
            found = self.board.selectors(self.name_of(key.benchmark), key.metric)
            self._selectors[key] = list(dict.fromkeys(found))
        return self._selectors[key]

    def counted(self, benchmark: str, model: str) -> list[Run]:
        """Return the model's runs that HELM counts for the benchmark."""
        return self.by_model(benchmark).get(model, [])

    def by_model(self, benchmark: str) -> dict[str, list[Run]]:
        """Return each model's runs that HELM counts for the benchmark, without its ablations."""
        group = self.name_of(benchmark)
        if group not in self._counted:
            self._counted[group] = group_values(
                (run.model, run) for run in self.all() if self._counts(run, group)
            )
        return self._counted[group]

    def _counts(self, run: Run, group: str) -> bool:
        own = self.board.separate_groups.intersection(run.spec.groups)
        return group in run.spec.groups and (not own or group in own)

    @cached_property
    def board(self) -> Board:
        """The meaning of the suite's columns."""
        path = self._suite.schema
        schema = None if path is None else read_json(self._suite.files, path, Schema)
        return board_of(schema, self.benchmarks)

    def _read(self, suite: Suite) -> Iterable[Run]:
        if suite.listed_specs is None:
            return self._read_folders(suite.run_folders())
        specs = read_json(suite.files, suite.listed_specs, tuple[RunSpec, ...])
        folders = {spec.name: suite.folder_of(spec.name) for spec in specs}
        others = list(self._read_folders(suite.run_folders(frozenset(folders.values()))))
        renamed = {
            run.spec.name: run
            for run in others
            if run.spec.name in folders and not suite.files.is_folder(folders[run.spec.name])
        }
        listed = [renamed.get(spec.name) or Run(folders[spec.name], spec) for spec in specs]
        unlisted = [run for run in others if run.spec.name not in folders]
        return [*listed, *self._choose_unlisted(unlisted, frozenset(run.model for run in listed))]

    def _choose_unlisted(self, runs: Sequence[Run], models: frozenset[str]) -> list[Run]:
        """Return the runs that HELM summarized, though its list of specs lacks them.

        So it is if two summarized suites were copied into one folder: one list replaces the other.
        HELM's tables name these runs, unless its schema knows none of a run's groups: then it
        counts if its model is known.
        """
        known = models | {run.model for run in runs if self._is_in_tables(run)}
        chosen = [
            run
            for run in runs
            if self._is_in_tables(run) or (run.model in known and not self._has_tables(run))
        ]
        names = {run.spec.name for run in chosen}
        others = [run.spec.name for run in runs if run.spec.name not in names]
        if others:
            self.notes.append(
                f"{self._suite.files.shown(self._suite.runs)} has "
                f"{count_noun(len(others), 'finished run')} that HELM's tables lack: "
                f"{encodable(join_truncated(others))}. Run helm-summarize again to include all."
            )
        return chosen

    def _is_in_tables(self, run: Run) -> bool:
        return any(run.spec.name in (self._runs_in_tables(one) or ()) for one in run.spec.groups)

    def _has_tables(self, run: Run) -> bool:
        return any(self._runs_in_tables(one) is not None for one in run.spec.groups)

    def _runs_in_tables(self, benchmark: str) -> frozenset[str] | None:
        """Return the runs that the benchmark's tables name; None if it has no tables."""
        if benchmark not in self._in_tables:
            path = self._suite.table(benchmark)
            self._in_tables[benchmark] = None if path is None else self._read_run_names(path)
        return self._in_tables[benchmark]

    def _read_run_names(self, path: str) -> frozenset[str]:
        try:
            tables = read_json(self._suite.files, path, tuple[Table, ...])
        except ArtifactError:  # reported where the scores are read
            return frozenset()
        rows = (row for table in tables for row in table.rows)
        return frozenset(chain.from_iterable(map(run_names, rows)))

    def _read_folders(self, folders: Iterable[str]) -> Iterator[Run]:
        for folder in folders:
            try:
                spec = read_json(self._suite.files, f"{folder}/run_spec.json", RunSpec)
                yield Run(folder, spec)
            except ArtifactError as error:
                self.faults.append(str(error))


def _name_in_config(group: str) -> str:
    return encodable(group).translate(_NOT_IN_NAMES)
