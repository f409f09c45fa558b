"""Further runs of an entry's checkpoints: the mean over the runs takes the place of the first."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from helm_wandb.comparing import repeats
from helm_wandb.comparing.evaluations import map_scores
from helm_wandb.errors import ArtifactError, UserError
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.harness.instances import ColumnPool
from helm_wandb.model import EvalEntry, Evaluation, Place, Reading, Score, ScoreKey
from helm_wandb.system import paths
from helm_wandb.text.words import join_truncated

KEY = "repeats"
"""The config's key of the globs."""
MOST = 100
"""Runs of one entry, at most: their values are in the memory at once."""
Fields = Mapping[str, Any]


def read_runs(
    entry: EvalEntry,
    options: ReadOptions,
    *,
    read: Callable[[EvalEntry, ReadOptions], Reading],
    with_output: Callable[[Fields, str], Fields],
    output_path: Callable[[Fields], str],
) -> Reading:
    """Return the entry's evaluations, each score the mean over the entry's run and the repeats.

    What a repeat lacks is a fault. Raises UserError if the entry's own run can't be read.
    read: reads an entry. with_output: returns the fields of the entry that reads another output.
    output_path: returns the path of the output that an entry with these fields reads.
    """
    first = read(entry, options)
    place = entry.places.get(KEY, entry.place)
    pool = ColumnPool()
    faults: list[str] = []
    outputs = _further_outputs(
        entry, options.folder, faults, with_output=with_output, output_path=output_path
    )
    runs = {output_path(entry.fields): [_share_columns(one, pool) for one in first.evaluations]}
    for name, fields in outputs:
        # The other keys' places are of no help: they are right for the entry's own run.
        further = replace(entry, fields=fields, place=place, places={})
        try:
            reading = read(further, options)
        except UserError as error:
            faults += (_located(line, name, place) for line in error.lines)
        else:
            faults += (_located(line, name, place) for line in reading.faults)
            own = _named_alike(reading.evaluations, first.evaluations)
            runs[name] = [_share_columns(one, pool) for one in own]
    averaged = [_average(one, runs, faults) for one in first.evaluations]
    return replace(
        first,
        evaluations=tuple(averaged),
        faults=(*first.faults, *(f"{place}: {KEY}: {fault}" for fault in faults)),
    )


def _located(fault: str, name: str, place: Place) -> str:
    """Return the fault of a further run with the run's path, and without the place."""
    clause = fault.removeprefix(f"{place}: ")
    return clause if name in clause else f"{name}: {clause}"


def _further_outputs(
    entry: EvalEntry,
    folder: Path,
    faults: list[str],
    *,
    with_output: Callable[[Fields, str], Fields],
    output_path: Callable[[Fields], str],
) -> Sequence[tuple[str, Fields]]:
    """Return each output that the globs match, with the fields of the entry that reads it.

    Links are followed, since HELM links a suite. The entry's own output isn't among them.
    """
    own_path = output_path(entry.fields)
    own = paths.follow_links(folder / own_path)
    outputs: dict[str, tuple[str, Fields]] = {}
    for name in (name for glob in entry.fields[KEY] for name in _matches(glob, folder, faults)):
        fields = with_output(entry.fields, name)
        place = paths.follow_links(folder / output_path(fields))
        if place.startswith(f"{own}{os.sep}"):
            faults.append(
                f"{name!r} is inside the entry's own output, {own_path!r}, and may be counted "
                "already. Let the entry name the output of one run."
            )
        elif place != own:
            outputs.setdefault(place, (name, fields))
    if len(outputs) > MOST:
        raise ArtifactError(
            f"{entry.places.get(KEY, entry.place)}: {KEY}: {len(outputs)} outputs match, and at "
            f"most {MOST} can be averaged. Name fewer."
        )
    if not outputs and not faults:
        faults.append(f"only the entry's own output matches, {own_path!r}. Name other runs' too.")
    return list(outputs.values())


def _matches(pattern: str, folder: Path, faults: list[str]) -> Sequence[str]:
    """Return what the glob matches; that it matches nothing is a fault."""
    try:
        matched = paths.matches(pattern, folder, folders=True)
    except paths.TooManyError:
        faults.append(
            f"{pattern!r} is searched in more than {paths.ENTRIES:,} files and folders, and no "
            "further. Begin it with the folder of the runs, such as runs/seed-*"
        )
        return ()
    if not matched:
        hint = paths.misread(pattern, folder, may_be_glob=True) or "Check the path."
        faults.append(f"nothing matches {pattern!r}. {hint}")
    return matched


def _named_alike(
    evaluations: Sequence[Evaluation], first: Sequence[Evaluation]
) -> Sequence[Evaluation]:
    """Return the evaluations; a single one under the name of the first run's single one.

    The name of an output's only model often has the seed in it.
    """
    if len(evaluations) == len(first) == 1:
        return [replace(evaluations[0], model=first[0].model)]
    return evaluations


def _share_columns(evaluation: Evaluation, pool: ColumnPool) -> Evaluation:
    """Return the evaluation with its questions' columns those of the pool."""

    def share(_: ScoreKey, score: Score) -> Score:
        instances = score.instances
        return replace(score, instances=pool.share(instances)) if instances else score

    return map_scores(evaluation, share)


def _average(
    first: Evaluation, runs: Mapping[str, Sequence[Evaluation]], faults: list[str]
) -> Evaluation:
    """Return the mean of all runs of a checkpoint; those without it are faults.

    runs: the evaluations of each output, the entry's own first.
    """
    with_it = {name: [one for one in own if _is_same(one, first)] for name, own in runs.items()}
    several = [one for own in with_it.values() for one in own]
    if lacking := {name: runs[name] for name, own in with_it.items() if not own}:
        faults.append(_describe_lacking(first, lacking, [name for name in runs if with_it[name]]))
    if len(several) == 1:
        return first
    averaged, left_out = repeats.average(several)
    faults += left_out
    return averaged


def _is_same(one: Evaluation, other: Evaluation) -> bool:
    return (one.model, one.iteration) == (other.model, other.iteration)


def _describe_lacking(
    first: Evaluation, lacking: Mapping[str, Sequence[Evaluation]], kept: Sequence[str]
) -> str:
    """Return which outputs lack a checkpoint, what they have instead, and what its scores are."""
    clauses = [f"{name!r} has only {_checkpoints(own)}" for name, own in lacking.items()]
    scores = f"the mean over {len(kept)} runs" if len(kept) > 1 else f"those of {kept[0]!r} alone"
    return f"{join_truncated(clauses)}, and not {_checkpoints([first])}. Its scores are {scores}."


def _checkpoints(evaluations: Sequence[Evaluation]) -> str:
    return join_truncated([f"{one.model} at iteration {one.iteration}" for one in evaluations])
