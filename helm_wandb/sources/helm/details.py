"""Fingerprints and per-instance data, added to scores.

The per-instance files are what is large in HELM's output. Each is read once, for all scores
of its run, and over the machine's cores if there is enough to read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.clusters import unmatched_rules
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.harness.files import Files
from helm_wandb.harness.instances import ColumnPool
from helm_wandb.harness.parallel import map_parallel
from helm_wandb.model import Instances, Score, ScoreKey, SubjectScore
from helm_wandb.sources.helm.board import Selector
from helm_wandb.sources.helm.fingerprint import fingerprint
from helm_wandb.sources.helm.instances import RunInstances, instances_of, read_run
from helm_wandb.sources.helm.runs import Run, Runs

Scores = dict["ScoreKey", "Score | str"]


def with_details(
    scores: Mapping[str, Scores],
    files: Files,
    runs: Runs,
    options: ReadOptions,
) -> tuple[dict[str, Scores], tuple[str, ...], tuple[str, ...]]:
    """Return each model's scores with fingerprints and instances, what cannot be read, and notes.

    Instances that don't make HELM's cell are left out.
    """
    tasks = _tasks(scores, runs, options.clusters)
    instances = map_parallel(
        partial(read_run, files=files),
        tasks,
        progress=options.progress,
        keep=partial(_share_columns, pool=ColumnPool()),
    )
    read = {run.spec.name: one for (run, *_), one in zip(tasks, instances, strict=True)}
    faults = tuple(str(one) for one in read.values() if isinstance(one, ArtifactError))
    detailed = {
        model: {
            key: _with_details(one, runs.counted(key.benchmark, model), runs.selectors(key), read)
            if isinstance(one, Score)
            else one
            for key, one in of_model.items()
        }
        for model, of_model in scores.items()
    }
    measured = (
        (key, score)
        for of_model in detailed.values()
        for key, score in of_model.items()
        if isinstance(score, Score)
    )
    return detailed, faults, tuple(unmatched_rules(measured, options.clusters))


def _tasks(
    scores: Mapping[str, Scores], runs: Runs, clusters: Mapping[str, str]
) -> list[tuple[Run, frozenset[Selector], str | None]]:
    """Return each run that some score counts, by name, with what is read of it and its rule."""
    rules: dict[str, str] = {}
    wanted: dict[str, frozenset[Selector]] = defaultdict(frozenset)
    by_name: dict[str, Run] = {}
    for model, of_model in scores.items():
        for key, one in of_model.items():
            if isinstance(one, Score):
                selectors = frozenset(runs.selectors(key))
                for run in runs.counted(key.benchmark, model):
                    by_name[run.spec.name] = run
                    wanted[run.spec.name] |= selectors
                    if key.benchmark in clusters:
                        rules[run.spec.name] = clusters[key.benchmark]
    return [(by_name[name], wanted[name], rules.get(name)) for name in sorted(by_name)]


def _share_columns(
    read: RunInstances | str | ArtifactError, *, pool: ColumnPool
) -> RunInstances | str | ArtifactError:
    if not isinstance(read, dict):
        return read
    return {selector: pool.share(instances) for selector, instances in read.items()}


def _with_details(
    score: Score,
    runs: Sequence[Run],
    selectors: Sequence[Selector],
    read: Mapping[str, RunInstances | str | ArtifactError],
) -> Score:
    instances = instances_of(runs, selectors, read, value=score.value)
    score = replace(score, fingerprint=fingerprint(runs))
    if isinstance(instances, str):
        return replace(score, no_instances=instances)
    counts = _counts(instances)
    return replace(
        score,
        instances=instances,
        n=sum(counts.values()),
        subjects={
            name: SubjectScore(value=part.value, n=_subject_count(name, runs, counts))
            for name, part in score.subjects.items()
        },
    )


def _counts(instances: Instances) -> dict[str, int]:
    """Return the number of instances of each stratum, each counted once over its trials."""
    distinct: dict[str, set[str]] = defaultdict(set)
    for stratum, identity in zip(instances.stratum, instances.id, strict=True):
        distinct[stratum].add(identity)
    return {stratum: len(ids) for stratum, ids in distinct.items()}


def _subject_count(subject: str, runs: Sequence[Run], counts: Mapping[str, int]) -> int:
    own = [run for run in runs if run.subject == subject]
    return sum(count for stratum, count in counts.items() if any(run.holds(stratum) for run in own))
