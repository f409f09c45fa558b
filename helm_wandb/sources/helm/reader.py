"""A suite of HELM output → Evaluations."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from helm_wandb.errors import ArtifactError
from helm_wandb.model import Evaluation, Origin, Reading, Score, ScoreKey
from helm_wandb.sources.helm import families, layout
from helm_wandb.sources.helm.scores import scores_by_model
from helm_wandb.sources.helm.tables import RunSpec, Table, index_runs, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from helm_wandb.model import HelmEval
    from helm_wandb.sources.helm.families import Checkpoint
    from helm_wandb.sources.helm.layout import SuiteFolder

_NO_TABLE = "HELM wrote no table of it: not run, or unknown to the schema it summarized with"

ScoresByModel = dict[str, dict[ScoreKey, "Score | str"]]


def read(spec: HelmEval, *, folder: Path) -> Reading:
    """The evaluations of the models that the entry means, each with every score asked for.

    A score that is not there is in `missing`, with the reason; a value is HELM's own cell.
    folder: what a relative `helm_output_dir` is relative to.
    Raises ArtifactError where the suite or all that was asked for is not there, or a file
    cannot be read; ConfigError where the entry does not tell which model it means.
    """
    suite = layout.find_suite(spec, folder=folder)
    runs = _Runs(suite)
    scores, absent, faults = _scores(spec, suite, runs)
    checkpoints = families.assign(runs.models() | scores.keys(), spec)
    found = [
        _evaluation(spec, checkpoint, scores.get(model, {}), absent)
        for model, checkpoint in checkpoints.items()
    ]
    if not any(evaluation.scores for evaluation in found):
        raise ArtifactError("\n".join(faults) or _nothing(spec, suite))
    order = sorted(found, key=lambda evaluation: (evaluation.model, evaluation.iteration))
    return Reading(evaluations=tuple(order), faults=faults)


class _Runs:
    """Which model each run of the suite is of."""

    def __init__(self, suite: SuiteFolder) -> None:
        listed = suite.summary / "run_specs.json"
        self._models = (
            index_runs(read_json(listed, tuple[RunSpec, ...])) if listed.is_file() else {}
        )
        self._folder = suite.runs

    def models(self) -> set[str]:
        """The ids of all models that the suite lists."""
        return set(self._models.values())

    def model_of(self, run: str) -> str | None:
        """The run's model, from the suite's list or else from the run's own file."""
        if run not in self._models:
            own = self._folder / run.replace("/", "_") / "run_spec.json"
            self._models.update(index_runs([read_json(own, RunSpec)]) if own.is_file() else {})
        return self._models.get(run)


def _scores(
    spec: HelmEval, suite: SuiteFolder, runs: _Runs
) -> tuple[ScoresByModel, dict[ScoreKey, str], tuple[str, ...]]:
    """Model id → its scores; what no model can have, with the reason; unreadable files."""
    scores: ScoresByModel = defaultdict(dict)
    absent: dict[ScoreKey, str] = {}
    faults = []
    for benchmark, metrics in _by_benchmark(spec.asked).items():
        path = suite.summary / "groups" / f"{benchmark}.json"
        if not path.is_file():
            absent.update({ScoreKey(benchmark, metric): _NO_TABLE for metric in metrics})
            continue
        try:
            tables = read_json(path, tuple[Table, ...])
        except ArtifactError as error:
            faults.append(str(error))
            absent.update({ScoreKey(benchmark, metric): str(error) for metric in metrics})
            continue
        found = scores_by_model(tables, benchmark, metrics, model_of_run=runs.model_of)
        for model, of_model in found.items():
            scores[model].update({ScoreKey(benchmark, name): s for name, s in of_model.items()})
    return scores, absent, tuple(faults)


def _by_benchmark(keys: Iterable[ScoreKey]) -> dict[str, list[str]]:
    metrics = defaultdict(list)
    for key in keys:
        metrics[key.benchmark].append(key.metric)
    return metrics


def _evaluation(
    spec: HelmEval,
    checkpoint: Checkpoint,
    scores: Mapping[ScoreKey, Score | str],
    absent: Mapping[ScoreKey, str],
) -> Evaluation:
    iteration = checkpoint.iteration
    tokens = None
    if iteration is not None and spec.token_per_iteration is not None:
        tokens = iteration * spec.token_per_iteration
    no_row = dict.fromkeys(spec.asked, "HELM's table has no row of this model")
    outcome = {**no_row, **absent, **scores}
    return Evaluation(
        model=checkpoint.family,
        iteration=spec.default_iteration if iteration is None else iteration,
        tokens_billions=tokens,
        origin=Origin(
            source="helm",
            suite=spec.helm_suite_name,
            token_per_iteration=spec.token_per_iteration,
        ),
        scores={key: found for key, found in outcome.items() if isinstance(found, Score)},
        missing={key: why for key, why in outcome.items() if isinstance(why, str)},
    )


def _nothing(spec: HelmEval, suite: SuiteFolder) -> str:
    asked = ", ".join(map(str, spec.asked))
    there = ", ".join(sorted(path.stem for path in (suite.summary / "groups").glob("*.json")))
    return (
        f"{spec.place}: suite {spec.helm_suite_name!r} has none of what was asked for ({asked}). "
        f"Its benchmarks are: {there or 'none'}. Name them under benchmarks."
    )
