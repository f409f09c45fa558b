"""The command `compare BEFORE AFTER`: two outputs → a config, and the baseline of its models."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb import flags, pipeline, sources
from helm_wandb.comparing import evaluations
from helm_wandb.comparing.evaluations import group_by_model, only_model
from helm_wandb.config.first_config import first_config
from helm_wandb.errors import ArtifactError, ConfigError, InputError
from helm_wandb.harness.entry import ReadOptions, metrics_by_benchmark
from helm_wandb.model import Config, Evaluation, FirstEntry, Place, RoutineNote, ScoreKey
from helm_wandb.runner.inputs import BaselineChoice
from helm_wandb.system import paths
from helm_wandb.text.safe_text import Name, plain
from helm_wandb.text.words import join_truncated

if TYPE_CHECKING:
    from helm_wandb.baselines import BaselineResult
    from helm_wandb.pipeline import Outcome

_DESCRIPTION = """\
Compare two evaluations question by question, and say which changes are
significant. No config, key or network is needed.
"""
_EPILOG = """\
Each side is the output folder of HELM, lm-eval or Inspect, a suite of HELM
(benchmark_output/runs/NAME), a log of Inspect, a .tar, .tar.gz or .zip of one
of these, or a report JSON that --report wrote. If each side has one model,
these two are compared; otherwise models are compared by name.

examples:
  {0} compare main/ pr/
  {0} compare main.tar.gz pr/ --html report.html
  {0} compare main/ pr/ --fail-on regression
"""


def parser(command: str) -> ArgumentParser:
    """Return the parser of the command; command: what the user typed before its name."""
    own = ArgumentParser(
        prog=f"{flags.program(command)} compare",
        usage="%(prog)s BEFORE AFTER [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG.format(command),
        formatter_class=RawDescriptionHelpFormatter,
    )
    own.add_argument("before", metavar="BEFORE", type=flags.path, help="the baseline")
    own.add_argument(
        "after", metavar="AFTER", type=flags.path, help="the candidate, which is compared with it"
    )
    flags.add_files(own)
    flags.add_fail_on(own)
    flags.add_printed(own)
    return own


class Side(Struct, frozen=True, kw_only=True):
    """One of the two outputs."""

    name: str
    """As the user wrote it."""
    config: Config
    """Reads it."""
    notes: tuple[str, ...] = ()
    """Which of its suites is compared, if it has several."""


def open_sides(arguments: Namespace, root: Path) -> tuple[Side, Side]:
    """Return both sides, recognized by what they hold.

    root: the folder that holds this tool's `schema/`.
    Raises InputError if both hold the same, and ArtifactError if one can't be recognized.
    """
    names = arguments.before, arguments.after
    for name in names:
        paths.refuse_absent(name, Path())
    if paths.follow_links(names[0]) == paths.follow_links(names[1]):
        raise InputError(f"BEFORE and AFTER are both {names[0]}: give two evaluations")
    before, after = (sources.first_entries(Path(name), shown_as=name) for name in names)
    shared = {one.name for one in before} & {one.name for one in after}
    there, here = (
        next((one for one in entries if one.name in shared), entries[0])
        for entries in (before, after)
    )
    lost = set(here.without_value) & set(there.score_keys)
    side = _side(names[1], here, after, root)
    if lost:
        side = _reading(side, (*here.score_keys, *sorted(lost)))
    sides = _side(names[0], there, before, root), side
    _refuse_shared(*sides)
    return sides


def _refuse_shared(before: Side, after: Side) -> None:
    """Raise InputError if both sides read one output, or one reads a part of the other's.

    An evaluation would be compared with itself. A report may lie in an output.
    """
    (there,), (here,) = before.config.evals, after.config.evals
    places = [sources.place_of_output(one) for one in (there, here)]
    if there.source != here.source or None in places:
        return
    outer, inner = sorted(map(PurePath, filter(None, places)))
    if inner.is_relative_to(outer):
        names = before.name, after.name
        whole, part = sorted(names, key=lambda name: len(paths.follow_links(name)))
        raise InputError(
            f"BEFORE and AFTER are both {part}, which is in {whole}: give two evaluations"
        )


def _reading(side: Side, keys: Sequence[ScoreKey]) -> Side:
    """Return the side as one that reads these scores, so that those without a value are lost."""
    benchmarks = [
        {"name": name, "metrics": metrics} for name, metrics in metrics_by_benchmark(keys).items()
    ]
    entries = tuple(
        replace(entry, fields={**entry.fields, "benchmarks": benchmarks})
        if "benchmarks" in entry.fields
        else entry
        for entry in side.config.evals
    )
    return replace(side, config=replace(side.config, evals=entries))


def _side(name: str, entry: FirstEntry, entries: Sequence[FirstEntry], root: Path) -> Side:
    """Return the side with one of its suites."""
    others = [one.name for one in entries if one is not entry]
    try:
        config = pipeline.parse_config(first_config(entry).encode(), name=name, root=root)
    except ConfigError as error:
        raise InputError(f"{name} can't be read without a config:", *error.lines) from error
    note = (
        f"{name} also has {join_truncated(others)}; its suite {entry.name} is compared. To compare "
        f"another one, give its folder, {Path(name, 'runs')}/NAME."
    )
    # The config is in no file, so that a line of it would lead nowhere.
    place = Place(name, 0, 0)
    evals = tuple(replace(one, place=place, places={}) for one in config.evals)
    config = replace(config, names=(), evals=evals)
    return Side(name=name, config=config, notes=(note,) if others else ())


def find_baseline(
    before: Side, after: Side, progress: Callable[[int, int], None]
) -> Callable[[Sequence[Evaluation]], BaselineResult]:
    """Return what finds the baselines of one side's models in the other side.

    progress: called with the number of runs that are read, and of all, while there are many.
    """
    options = ReadOptions(folder=Path(), with_details=True, progress=progress)
    return partial(_resolve, before=before, after=after, options=options)


def _resolve(
    candidates: Sequence[Evaluation], before: Side, after: Side, options: ReadOptions
) -> BaselineResult:
    """Return each candidate's baseline: its name's, or the only one if each side has one.

    Raises ArtifactError if the side can't be read, or nothing of it can be compared.
    """
    from helm_wandb import baselines  # noqa: PLC0415 -- as the pipeline does

    (entry,) = before.config.evals
    reading = sources.read(entry, options)
    own = evaluations.merge(reading.evaluations).evaluations
    model = only_model(own)
    name = only_model(candidates)
    if model and name:
        own = tuple(replace(one, model=name) for one in own)
    _refuse_unrelated(before, after, own, candidates)
    match = baselines.BaselineMatch(origin=before.name, evaluations=own)
    request = baselines.BaselineRequest(choice=BaselineChoice.FILE, file=match)
    result = baselines.resolve(candidates, request)
    partners = result.partners
    if model and name:
        partners = tuple(
            replace(one, baseline_label=replace(one.baseline_label, model=model))
            for one in partners
        )
    own_notes = (f"{before.name}: {one}" for one in _shown(reading.notes))
    notes = (*before.notes, *after.notes, *own_notes, *_shown(result.notes))
    return replace(
        result,
        partners=partners,
        notes=notes,
        entries=before.config.evals,
        faults=reading.faults,
    )


def _shown(notes: Sequence[str]) -> list[str]:
    """Return the notes without routine ones: a terminal shows these, and its heading says them."""
    return [one for one in notes if not isinstance(one, RoutineNote)]


def _refuse_unrelated(
    before: Side,
    after: Side,
    baselines: Sequence[Evaluation],
    candidates: Sequence[Evaluation],
) -> None:
    """Raise ArtifactError if both sides share no model, or no score of one."""
    sides = [group_by_model(one) for one in (baselines, candidates)]
    shared = sides[0].keys() & sides[1].keys()
    if not shared:
        there, here = (join_truncated([plain(Name(one)) for one in side]) for side in sides)
        raise ArtifactError(
            f"no model is on both sides: {before.name} has {there}; the other side has {here}. "
            f"{_describe_mixed(before, after)}"
            "If a side has several models, they are compared by name."
        )
    scores = [
        {key for name in shared for one in side[name] for key in one.scores} for side in sides
    ]
    if scores[0].isdisjoint(scores[1]):
        there, here = (
            f"{join_truncated(sorted(keys))} ({', '.join(_harnesses(evaluations))})"
            for keys, evaluations in zip(scores, (baselines, candidates), strict=True)
        )
        raise ArtifactError(
            f"no score is on both sides: {before.name} has {there}; the other side has {here}. "
            f"{_describe_mixed(before, after)}"
            "Evaluate the same benchmarks on both sides, with the same harness."
        )


def _describe_mixed(*sides: Side) -> str:
    """Return a sentence on each side with the output of a harness that isn't compared."""
    sentences = []
    for side in sides:
        source = side.config.evals[0].source
        if others := sources.other_sources(Path(side.name), than=source):
            sentences.append(
                f"{side.name} also has output of {' and '.join(others)}, which is not compared: "
                f"that of {source} was taken. To compare another one, give a folder with only it. "
            )
    return "".join(sentences)


def _harnesses(several: Sequence[Evaluation]) -> list[str]:
    return sorted({one.origin.source for one in several})


def explain(arguments: Namespace, outcome: Outcome) -> Outcome:
    """Return the outcome; if nothing could be compared, with a fault that says so."""
    comparisons = outcome.report.comparisons if outcome.report else ()
    if not comparisons or any(one.deltas for one in comparisons):
        return outcome
    keys_by_reason = evaluations.group_values(
        (why, key) for one in comparisons for key, why in one.not_comparable.items()
    )
    reasons = [
        f"{join_truncated(list(dict.fromkeys(keys)))}: {why}"
        for why, keys in keys_by_reason.items()
    ]
    fault = ArtifactError(
        f"nothing can be compared (here: {arguments.after}; there: {arguments.before}). "
        f"{join_truncated(reasons, separator='; ', last='; and ', rest='more reasons')}. "
        "Evaluate both sides with the same questions and settings."
    )
    exit_code = pipeline.lowest_exit_code([outcome.exit_code, fault.exit_code])
    return replace(outcome, faults=(*outcome.faults, fault), exit_code=exit_code)


def hint(arguments: Namespace, outcome: Outcome) -> str | None:
    """Return how to see the questions that changed, if no output shows them."""
    comparisons = outcome.report.comparisons if outcome.report else ()
    has_items = any(delta.items for one in comparisons for delta in one.deltas)
    if not has_items or arguments.html or arguments.comment or arguments.json:
        return None
    return "To see which questions changed, with both answers, add --html report.html"
