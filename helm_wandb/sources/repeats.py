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
from helm_wandb.model import EvalEntry, Evaluation, Reading, Score, ScoreKey
from helm_wandb.system import paths

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
    pool = ColumnPool()
    several = [[_share_columns(one, pool) for one in first.evaluations]]
    faults: list[str] = []
    outputs = _further_outputs(
        entry, options.folder, faults, with_output=with_output, output_path=output_path
    )
    for fields in outputs:
        try:
            reading = read(replace(entry, fields=fields), options)
        except UserError as error:
            faults += error.lines
        else:
            faults += reading.faults
            own = _named_alike(reading.evaluations, first.evaluations)
            several.append([_share_columns(one, pool) for one in own])
    averaged = [_average(one, several, faults) for one in first.evaluations]
    where = f"{entry.places.get(KEY, entry.place)}: {KEY}"
    return replace(
        first,
        evaluations=tuple(averaged),
        faults=(*first.faults, *(f"{where}: {fault}" for fault in faults)),
    )


def _further_outputs(
    entry: EvalEntry,
    folder: Path,
    faults: list[str],
    *,
    with_output: Callable[[Fields, str], Fields],
    output_path: Callable[[Fields], str],
) -> Sequence[Fields]:
    """Return the fields of entries that read what the globs match, each output once.

    Links are followed, since HELM links a suite. The entry's own output isn't among them.
    """
    own_path = output_path(entry.fields)
    own = paths.follow_links(folder / own_path)
    outputs: dict[str, Fields] = {}
    for name in (name for glob in entry.fields[KEY] for name in _matches(glob, folder, faults)):
        fields = with_output(entry.fields, name)
        place = paths.follow_links(folder / output_path(fields))
        if place.startswith(f"{own}{os.sep}"):
            faults.append(
                f"{name!r} is inside the entry's own output, {own_path!r}, and may be counted "
                "already. Let the entry name the output of one run."
            )
        elif place != own:
            outputs.setdefault(place, fields)
    if len(outputs) > MOST:
        raise ArtifactError(
            f"{entry.place}: {KEY}: {len(outputs)} outputs match, and at most {MOST} can be "
            "averaged. Name fewer."
        )
    if not outputs and not faults:
        faults.append(f"only the entry's own output matches, {own_path!r}. Name other runs' too.")
    return list(outputs.values())


def _matches(pattern: str, folder: Path, faults: list[str]) -> Sequence[str]:
    """Return what the glob matches; that it matches nothing is a fault."""
    try:
        matched = paths.matches(pattern, folder, folders=True)
    except paths.TooManyError:
        faults.append(f"{pattern!r} is searched in more than {paths.ENTRIES:,} files")
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
    first: Evaluation, several: Sequence[Sequence[Evaluation]], faults: list[str]
) -> Evaluation:
    """Return the mean of all runs of a checkpoint; those without it are faults."""
    place = first.model, first.iteration
    runs = [one for run in several for one in run if (one.model, one.iteration) == place]
    if len(runs) < len(several):
        lacking = f"{len(several) - len(runs)} of {len(several)} runs have no evaluation of it"
        faults.append(f"{first.model} at iteration {first.iteration}: {lacking}.")
    if len(runs) == 1:
        return first
    averaged, left_out = repeats.average(runs)
    faults += left_out
    return averaged
