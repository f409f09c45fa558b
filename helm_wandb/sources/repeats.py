"""Further runs of an entry's checkpoints: the mean over the runs takes the place of the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from os.path import normpath
from typing import Any

from msgspec.structs import replace

from helm_wandb.comparing import repeats
from helm_wandb.errors import ArtifactError, UserError
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.model import EvalEntry, Evaluation, Reading
from helm_wandb.system import paths

KEY = "repeats"
"""The config's key of the globs."""
MOST = 100
"""Runs of one entry, at most: all of them are in the memory at once."""
Fields = Mapping[str, Any]


def read_runs(
    entry: EvalEntry,
    options: ReadOptions,
    *,
    read: Callable[[EvalEntry, ReadOptions], Reading],
    with_output: Callable[[Fields, str], Fields],
) -> Reading:
    """Return the entry's evaluations, each score the mean over the entry's run and the repeats.

    What a repeat lacks is a fault. Raises UserError if the entry's own run can't be read.
    read: reads an entry. with_output: returns the fields of the entry that reads another output.
    """
    first = read(entry, options)
    several: list[Sequence[Evaluation]] = [first.evaluations]
    faults = list(first.faults)
    for name in _names(entry, options, faults):
        fields = with_output(entry.fields, name)
        if _is_same_output(fields, entry.fields):
            continue
        try:
            reading = read(replace(entry, fields=fields), options)
        except UserError as error:
            faults += error.lines
        else:
            faults += reading.faults
            several.append(_named_alike(reading.evaluations, first.evaluations))
    averaged = [_average(one, several, faults) for one in first.evaluations]
    where = f"{entry.places.get(KEY, entry.place)}: {KEY}"
    unprefixed = len(first.faults)
    return replace(
        first,
        evaluations=tuple(averaged),
        faults=(*first.faults, *(f"{where}: {fault}" for fault in faults[unprefixed:])),
    )


def _is_same_output(fields: Fields, own: Fields) -> bool:
    """Whether fields differ only in how they write the entry's own path."""
    return all(value == normpath(own[key]) for key, value in fields.items() if value != own[key])


def _names(entry: EvalEntry, options: ReadOptions, faults: list[str]) -> Iterator[str]:
    """Yield what the globs match, each once."""
    names: dict[str, None] = {}
    for pattern in entry.fields[KEY]:
        try:
            matched = paths.matches(pattern, options.folder, folders=True)
        except paths.TooManyError:
            faults.append(f"{pattern!r} is searched in more than {paths.ENTRIES:,} files")
            continue
        if not matched:
            hint = paths.misread(pattern, options.folder, may_be_glob=True) or "Check the path."
            faults.append(f"nothing matches {pattern!r}. {hint}")
        names |= dict.fromkeys(map(normpath, matched))
    if len(names) > MOST:
        raise ArtifactError(
            f"{entry.place}: {KEY}: {len(names)} outputs match, and at most {MOST} can be "
            "averaged. Name fewer."
        )
    yield from names


def _named_alike(
    evaluations: Sequence[Evaluation], first: Sequence[Evaluation]
) -> Sequence[Evaluation]:
    """Return the evaluations; a single one under the name of the first run's single one.

    The name of an output's only model often has the seed in it.
    """
    if len(evaluations) == len(first) == 1:
        return [replace(evaluations[0], model=first[0].model)]
    return evaluations


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
