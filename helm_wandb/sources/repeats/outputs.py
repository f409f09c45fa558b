"""The outputs that the key `repeats` of an entry names, each counted once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from msgspec import Struct

from helm_wandb.errors import ArtifactError
from helm_wandb.model import EvalEntry
from helm_wandb.system import paths

KEY = "repeats"
"""The config's key of the globs."""
MOST = 100
"""Runs of one entry, at most: their values are in the memory at once."""
Fields = Mapping[str, Any]

_ONCE = "may be counted already. Let the entry name the output of one run."


class Output(Struct, frozen=True):
    """The output of a further run."""

    name: str
    """As a glob matched it."""
    fields: Fields
    """Those of the entry that reads it."""


def further_outputs(
    entry: EvalEntry,
    folder: Path,
    faults: list[str],
    *,
    with_output: Callable[[Fields, str], Fields],
    output_path: Callable[[Fields], str],
) -> Sequence[Output]:
    """Return the outputs that the globs match, each once.

    Links are followed, since HELM links a suite. The entry's own output isn't among them. Outputs
    of which one is a part of another, or of the entry's own, are faults.
    """
    own_path = output_path(entry.fields)
    own = paths.follow_links(folder / own_path)
    outputs: dict[str, Output] = {}
    for name in (name for glob in entry.fields[KEY] for name in _matches(glob, folder, faults)):
        fields = with_output(entry.fields, name)
        place = paths.follow_links(folder / output_path(fields))
        if place == own:
            continue
        if PurePath(own).is_relative_to(place):
            faults.append(
                f"{name!r} contains the entry's own output, {own_path!r}, which would count twice. "
                "Name the outputs of the other runs."
            )
        elif entry.source == "report" and paths.is_matched(place, own_path, folder):
            faults.append(f"{name!r} is matched by the entry's own path, {own_path!r}, and {_ONCE}")
        else:
            outputs.setdefault(place, Output(name, fields))
    faults += _overlaps(outputs, own, own_path)
    if len(outputs) > MOST:
        raise ArtifactError(
            f"{entry.places.get(KEY, entry.place)}: {KEY}: {len(outputs)} outputs match, and at "
            f"most {MOST} can be averaged. Name fewer."
        )
    if not outputs and not faults:
        faults.append(f"only the entry's own output matches, {own_path!r}. Name other runs' too.")
    return list(outputs.values())


def _overlaps(outputs: dict[str, Output], own: str, own_path: str) -> Iterator[str]:
    """Remove the outputs that are a part of another one, and yield a fault for each."""
    names = {place: f"{one.name!r}, which is named too" for place, one in outputs.items()}
    names[own] = f"the entry's own output, {own_path!r}"
    for place in list(outputs):
        whole = next((names[one] for one in map(str, PurePath(place).parents) if one in names), "")
        if whole:
            yield f"{outputs.pop(place).name!r} is inside {whole}, and {_ONCE}"


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
