"""Question, reference and answer of a few instances.

Formats: HELM 0.2.4 to 0.5.16, adaptation/scenario_state.py, scenarios/scenario.py, and, of
which option was chosen, metrics/metric.py (PerInstanceStats). Which completion counts, and as
what, is as in metrics/evaluate_reference_metrics.py and presentation/run_display.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path

from helm_wandb.comparing.changed_instances import Place, TextRequests, TextsByPlace
from helm_wandb.errors import ArtifactError
from helm_wandb.harness import families
from helm_wandb.harness.files import Files
from helm_wandb.harness.json_files import encodable, read_json
from helm_wandb.harness.snippets import both_ends, text_end
from helm_wandb.harness.texts import TextTask, collect_texts
from helm_wandb.model import Texts
from helm_wandb.sources.helm import layout
from helm_wandb.sources.helm.entry import HelmEval
from helm_wandb.sources.helm.formats import (
    AnsweredRequest,
    AnsweredScenarioState,
    InstanceStats,
    InstanceWithReferences,
    Text,
)
from helm_wandb.sources.helm.output import open_output
from helm_wandb.sources.helm.runs import Run, Runs

_Key = tuple[str, int]
"""Instance id and train trial."""

_CORRECT = "correct"
_CHOSEN = "predicted_index"
"""HELM's statistic of which reference was the likeliest, if each was a separate request."""


def read(
    spec: HelmEval, *, folder: Path, wanted: TextRequests, only_answers: bool = False
) -> tuple[TextsByPlace, tuple[str, ...]]:
    """Return the texts of the wanted instances in the entry's suite, and what cannot be read.

    Only the entry's benchmarks are read: the scores of others come from elsewhere.
    folder: what a relative `helm_output_dir` is relative to.
    """
    benchmarks = {key.benchmark for key in spec.score_keys}
    own = {run: places for run, places in wanted.items() if run[2] in benchmarks}
    tasks = partial(_tasks, spec, own)
    return collect_texts(spec, folder, open_output, tasks, only_answers) if own else ({}, ())


def _tasks(spec: HelmEval, wanted: TextRequests, files: Files) -> Iterator[TextTask]:
    """Yield a task for each run that holds wanted instances."""
    runs = Runs(layout.find_suite(spec, files))
    for model, checkpoint in families.assign(runs.models(), spec).items():
        iteration = spec.iteration(checkpoint.iteration)
        for evaluated, places in wanted.items():
            if evaluated[:2] == (checkpoint.family, iteration):
                by_stratum: dict[str, dict[_Key, Place]] = defaultdict(dict)
                for place in places:
                    by_stratum[place[0]][place[1:]] = place
                for run in runs.counted(evaluated[2], model):
                    strata = filter(run.holds, by_stratum)
                    if own := dict(chain.from_iterable(by_stratum[one].items() for one in strata)):
                        yield evaluated, partial(_texts, files, run, own)


def _texts(files: Files, run: Run, places: Mapping[_Key, Place]) -> dict[Place, Texts]:
    """The texts of the run's instances, as they were before any perturbation.

    Raises ArtifactError if a file of the run cannot be read.
    """
    path = f"{run.folder}/scenario_state.json"
    if not files.is_file(path):
        raise ArtifactError(f"{files.shown(path)}: doesn't exist, and no other file has them.")
    states = read_json(files, path, AnsweredScenarioState).request_states
    chosen: dict[_Key, float] | None = None
    texts: dict[Place, Texts] = {}
    for state in states:
        key = (encodable(state.instance.id or ""), state.train_trial_index)
        place = places.get(key)
        if place is None or place in texts or state.instance.perturbation is not None:
            continue
        if state.reference_index is not None and chosen is None:
            chosen = _likeliest_references(files, run)
        index = None if chosen is None else chosen.get(key)
        texts[place] = Texts(
            input=text_end(_text(state.instance.input)),
            reference=_reference(state.instance),
            answer=_answer(state, index),
        )
    return texts


def _likeliest_references(files: Files, run: Run) -> dict[_Key, float]:
    """Return the index of the likeliest reference, by instance and trial."""
    path = f"{run.folder}/per_instance_stats.json"
    return {
        (encodable(entry.instance_id), entry.train_trial_index): stat.sum
        for entry in read_json(files, path, tuple[InstanceStats, ...])
        if entry.perturbation is None
        for stat in entry.stats
        if stat.name.name == _CHOSEN
    }


def _answer(state: AnsweredRequest, chosen: float | None) -> str | None:
    """The likeliest completion, or the option that it names; None if there is none.

    chosen: the index of the likeliest reference, if each was a separate request.
    """
    if state.reference_index is not None:
        options = enumerate(state.instance.references)
        return next((both_ends(_text(one.output)) for at, one in options if at == chosen), None)
    completions = state.result.completions if state.result else ()
    if not completions:
        return None
    answer = max(completions, key=lambda completion: completion.logprob).text.strip()
    return both_ends((state.output_mapping or {}).get(answer, answer))


def _reference(instance: InstanceWithReferences) -> str | None:
    """The correct references; None without any."""
    correct = [_text(one.output) for one in instance.references if _CORRECT in one.tags]
    return both_ends(" | ".join(correct)) if correct else None


def _text(one: Text | str) -> str:
    return one if isinstance(one, str) else one.text
