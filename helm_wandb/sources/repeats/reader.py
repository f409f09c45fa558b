"""Further runs of an entry's checkpoints: the mean over the runs takes the place of the first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from helm_wandb.comparing import repeats
from helm_wandb.comparing.evaluations import map_scores, only_model
from helm_wandb.errors import UserError
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.harness.instances import ColumnPool
from helm_wandb.model import EvalEntry, Evaluation, Place, Reading, Score, ScoreKey
from helm_wandb.sources.repeats.outputs import KEY, Fields, further_outputs
from helm_wandb.text.words import join_truncated

_SEED = re.compile(r"seed[_=-]?[0-9]+", re.IGNORECASE)
_ONE_NAME = "If these are runs of one checkpoint, record all under one model_name."


def read_runs(
    entry: EvalEntry,
    options: ReadOptions,
    *,
    read: Callable[[EvalEntry, ReadOptions], Reading],
    with_output: Callable[[Fields, str], Fields],
    output_path: Callable[[Fields], str],
) -> Reading:
    """Return the entry's evaluations, each score the mean over the entry's run and the repeats.

    The details are always read, since only settings show which scores may be averaged.
    What a repeat lacks is a fault. Raises UserError if the entry's own run can't be read.
    read: reads an entry. with_output: returns the fields of the entry that reads another output.
    output_path: returns the path of the output that an entry with these fields reads.
    """
    options = replace(options, with_details=True)
    place = entry.places.get(KEY, entry.place)
    runs = _Runs(read(entry, options), output_path(entry.fields))
    outputs = further_outputs(
        entry, options.folder, runs.faults, with_output=with_output, output_path=output_path
    )
    for output in outputs:
        # The other keys' places are of no help: they are right for the entry's own run.
        further = replace(entry, fields=output.fields, place=place, places={})
        try:
            reading = read(further, options)
        except UserError as error:
            runs.faults += (_located(line, output.name, place) for line in error.lines)
        else:
            runs.faults += (_located(line, output.name, place) for line in reading.faults)
            runs.add(reading, output.name)
    return runs.averaged(where=f"{place}: {KEY}")


def _located(fault: str, name: str, place: Place) -> str:
    """Return the fault of a further run with the run's path, and without the place."""
    clause = fault.removeprefix(f"{place}: ")
    return clause if name in clause else f"{name}: {clause}"


class _Runs:
    """The runs of an entry."""

    def __init__(self, first: Reading, name: str) -> None:
        """Take the entry's own run; name: its output."""
        self.faults: list[str] = []
        self._pool = ColumnPool()
        own = self._share(first.evaluations)
        self._first = replace(first, evaluations=own)
        self._runs = {name: own}
        """Output → its evaluations, the entry's own first."""
        self._other_names: list[str] = []

    def add(self, reading: Reading, output: str) -> None:
        """Add a further run; its only model may have the first run's name with another seed."""
        own, other = only_model(self._first.evaluations), only_model(reading.evaluations)
        evaluations = reading.evaluations
        if own and other and _without_seed(own) == _without_seed(other):
            self._other_names += _other_names(output, reading, self._first)
            evaluations = tuple(replace(one, model=own) for one in evaluations)
        self._runs[output] = self._share(evaluations)

    def averaged(self, *, where: str) -> Reading:
        """Return the means over the runs; where: what faults and notes begin with."""
        first = self._first.evaluations
        averaged = _without_unknown_settings(first, list(map(self._average, first)))
        return replace(
            self._first,
            evaluations=tuple(averaged),
            faults=(*self._first.faults, *(f"{where}: {fault}" for fault in self.faults)),
            notes=(*self._first.notes, *(f"{where}: {note}" for note in self._notes())),
        )

    def _share(self, evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
        """Return the evaluations with their questions' columns those of the pool."""

        def share(_: ScoreKey, score: Score) -> Score:
            instances = score.instances
            return replace(score, instances=self._pool.share(instances)) if instances else score

        return tuple(map_scores(one, share) for one in evaluations)

    def _average(self, first: Evaluation) -> Evaluation:
        """Return the mean of all runs of a checkpoint; those without it are faults."""
        runs = self._runs
        with_it = {name: [one for one in own if _is_same(one, first)] for name, own in runs.items()}
        several = [one for own in with_it.values() for one in own]
        if lacking := {name: runs[name] for name, own in with_it.items() if not own}:
            kept = [name for name in runs if with_it[name]]
            self.faults.append(_describe_lacking(first, lacking, kept))
        if len(several) == 1:
            return first
        averaged, left_out = repeats.average(several)
        self.faults += left_out
        return averaged

    def _notes(self) -> Iterator[str]:
        """Yield a note if the models of some outputs have other names."""
        if self._other_names:
            yield (
                f"averaged as {only_model(self._first.evaluations)}, although the outputs name "
                f"other models: {join_truncated(self._other_names)}. Check that all are one "
                "checkpoint."
            )


def _without_unknown_settings(
    first: Sequence[Evaluation], averaged: Sequence[Evaluation]
) -> Iterator[Evaluation]:
    """Yield the means, but none of settings that are unknown if the latest ones' are different.

    Settings are read for the latest iterations only.
    first: the first run's evaluations, in the order of the means.
    """
    apart = {
        (one.model, key)
        for one, means in zip(first, averaged, strict=True)
        for key, score in one.scores.items()
        if means is not one and means.scores[key] is score and score.fingerprint
    }
    for one, means in zip(first, averaged, strict=True):
        kept = {
            key: score
            for key, score in one.scores.items()
            if (one.model, key) in apart and score.fingerprint is None
        }
        yield replace(means, scores={**means.scores, **kept}) if kept else means


def _without_seed(model: str) -> str:
    """Return the name without its seed, which a run's name often has."""
    return _SEED.sub("seed", model)


def _other_names(output: str, reading: Reading, first: Reading) -> list[str]:
    """Return the output, with its model's own name if the first run's model has another one."""
    ids, own = _ids_by_iteration(reading), _ids_by_iteration(first)
    pairs = [(ids[iteration], name) for iteration, name in own.items() if iteration in ids]
    names = [f"{output!r} has {theirs!r}, not {ours!r}" for theirs, ours in pairs if theirs != ours]
    return names[:1]


def _ids_by_iteration(reading: Reading) -> dict[int, str]:
    """Return the harness's own names of the only model."""
    return {
        one.iteration: reading.model_ids.get((one.model, one.iteration), one.model)
        for one in reading.evaluations
    }


def _is_same(one: Evaluation, other: Evaluation) -> bool:
    return (one.model, one.iteration) == (other.model, other.iteration)


def _describe_lacking(
    first: Evaluation, lacking: Mapping[str, Sequence[Evaluation]], kept: Sequence[str]
) -> str:
    """Return which outputs lack a checkpoint, what they have instead, and what its scores are."""
    clauses = [f"{name!r} has only {_checkpoints(own)}" for name, own in lacking.items()]
    scores = f"the mean over {len(kept)} runs" if len(kept) > 1 else f"those of {kept[0]!r} alone"
    others = {one.model for own in lacking.values() for one in own} - {first.model}
    advice = f" {_ONE_NAME}" if others else ""
    return (
        f"{join_truncated(clauses)}, and not {_checkpoints([first])}. Its scores are {scores}."
        f"{advice}"
    )


def _checkpoints(evaluations: Sequence[Evaluation]) -> str:
    return join_truncated([f"{one.model} at iteration {one.iteration}" for one in evaluations])
