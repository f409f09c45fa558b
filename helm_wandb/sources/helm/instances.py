"""Per-instance scores of runs, in columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import nan

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.files import Files
from helm_wandb.harness.instances import join_instances, shared_text, text_hash
from helm_wandb.harness.json_files import encodable, read_json
from helm_wandb.model import EACH_INSTANCE, Instances
from helm_wandb.sources.helm.board import Selector
from helm_wandb.sources.helm.formats import (
    Instance,
    InstanceStats,
    Perturbation,
    ScenarioState,
    Stat,
)
from helm_wandb.sources.helm.runs import Run
from helm_wandb.text.patterns import Pattern

_PASSAGE_END = "\nQuestion:"
PASSAGE_SCENARIOS = frozenset({"BoolQScenario", "LSATScenario", "NewsQAScenario"})
"""Scenarios whose instances may share a passage (scenarios/scenario.py, PassageQuestionInput)."""


Values = dict[tuple[str, str, int], float]
"""Sub-split, instance id and train trial → value."""
RunInstances = dict["Selector", Instances]
"""The instances of a run, by the statistic that they are of."""


def read_run(
    task: tuple[Run, frozenset[Selector], str | None], *, files: Files
) -> RunInstances | str | ArtifactError:
    """Return the run's instances by selector; or why there are none, or what cannot be read.

    task: the run, the selectors wanted, and the config's rule for its clusters.
    """
    run, selectors, rule = task
    path = f"{run.folder}/per_instance_stats.json"
    try:
        if not files.is_file(path):
            # Without the path: one sentence is shown for all runs that lack it.
            return "per_instance_stats.json doesn't exist; keep it with the other files of HELM"
        values = read_values(files, run, selectors)
        inputs = read_inputs(files, run, rule)
    except ArtifactError as error:
        return error
    return {selector: _columns(run, own, inputs) for selector, own in values.items()}


def read_values(files: Files, run: Run, selectors: frozenset[Selector]) -> dict[Selector, Values]:
    """Return the values of each selector; over perturbations the worst, which is HELM's least.

    Raises ArtifactError if the run's file cannot be read.
    """
    entries = read_json(files, f"{run.folder}/per_instance_stats.json", tuple[InstanceStats, ...])
    names = {name for selector in selectors for name in selector.names}
    stats = [
        (entry, stat)
        for entry in entries
        for stat in entry.stats
        if stat.name.name in names and stat.count
    ]
    values = {selector: _values_of(selector, stats) for selector in selectors}
    return {selector: of_selector for selector, of_selector in values.items() if of_selector}


def _values_of(selector: Selector, stats: Iterable[tuple[InstanceStats, Stat]]) -> Values:
    """Return the values of the first of the selector's names that has any."""
    for name in selector.names:
        values: Values = {}
        for entry, stat in stats:
            if stat.name.name != name or not selector.is_of_split(stat.name.split):
                continue
            if _counts(entry.perturbation, selector.perturbation):
                place = (stat.name.sub_split, entry.instance_id, entry.train_trial_index)
                value = _ratio(stat)
                values[place] = min(value, values.get(place, value))
        if values:
            return values
    return {}


def _counts(perturbation: Perturbation | None, kind: str | None) -> bool:
    if perturbation is None:
        return True
    return kind is not None and perturbation.is_of(kind)


def read_inputs(files: Files, run: Run, rule: str | None = None) -> dict[str, tuple[str, str]]:
    """Return the hash of each instance's input, and its cluster, from the smaller file with them.

    Texts that differ only in their line ends have one hash.
    rule: the config's for the clusters; None: the passage, if the scenario has passages.
    Raises ArtifactError if that file cannot be read.
    """
    instances, state = f"{run.folder}/instances.json", f"{run.folder}/scenario_state.json"
    if files.is_file(instances):
        instances_read = read_json(files, instances, tuple[Instance, ...])
    elif files.is_file(state):
        states = read_json(files, state, ScenarioState).request_states
        instances_read = tuple(one.instance for one in states)
    else:
        return {}
    pattern = Pattern.compile(rule) if rule and rule != EACH_INSTANCE else None
    passages = rule is None and run.scenario in PASSAGE_SCENARIOS
    hashes: dict[str, tuple[str, str]] = {}
    for one in instances_read:
        text = one.input if isinstance(one.input, str) else one.input.text
        if "\r" in text:
            text = _with_line_feeds(text)
        if one.id is not None and text and one.perturbation is None and one.id not in hashes:
            shared = shared_text(pattern, text) if pattern else _passage(text) if passages else None
            hashes[one.id] = (text_hash(text), one.id if shared is None else text_hash(shared))
    return hashes


def _with_line_feeds(text: str) -> str:
    """Return the text with other line ends replaced, which depend on how a dataset was fetched."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _passage(text: str) -> str | None:
    """Return the text's passage; None if it has none."""
    passage, end, _ = text.rpartition(_PASSAGE_END)
    return passage if end else None


def _ratio(stat: Stat) -> float:
    try:
        return stat.sum / stat.count
    except OverflowError:  # a count that no float can be
        return nan


def _columns(run: Run, values: Values, inputs: Mapping[str, tuple[str, str]]) -> Instances:
    """Return the values with their inputs, in the order of sub-split, id and trial."""
    order = sorted(values)
    texts = [inputs.get(identity, (None, identity)) for _, identity, _ in order]
    splits = dict.fromkeys(split for split, _, _ in order)
    strata = {split: f"{run.stratum} {split}".rstrip() for split in splits}
    return Instances(
        stratum=tuple(strata[split] for split, _, _ in order),
        id=tuple(encodable(identity) for _, identity, _ in order),
        trial=tuple(trial for _, _, trial in order),
        input=tuple(text for text, _ in texts),
        cluster=tuple(cluster for _, cluster in texts),
        value=tuple(values[place] for place in order),
    )


def instances_of(
    runs: Sequence[Run],
    selectors: Iterable[Selector],
    read: Mapping[str, RunInstances | str | ArtifactError],
    *,
    value: float,
) -> Instances | str:
    """Return the instances of a score, by the first selector whose mean is it; or why none.

    read: run name → its instances.
    value: HELM's own cell, which the mean over strata of the means within must reproduce.
    """
    runs_read: list[RunInstances] = []
    for run in sorted(runs, key=lambda run: run.stratum):
        of_run = read[run.spec.name]
        if not isinstance(of_run, dict):
            return str(of_run)
        runs_read.append(of_run)
    means = []
    for selector in selectors:
        instances = join_instances([of_run[selector] for of_run in runs_read if selector in of_run])
        if not instances.value:
            continue
        if instances.has_mean(value):
            return instances
        means.append(f"{instances.mean():.6g}")
    if means:
        return f"its instances make {' or '.join(means)}, and the score is {value:.6g}"
    return "HELM wrote no per-instance values of it"
