"""What this run's models are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helm_wandb.compare import Partner
from helm_wandb.errors import ABSOLUTE_PATH, InputError
from helm_wandb.evaluations import by_model, latest
from helm_wandb.model import Baseline
from helm_wandb.report import baseline_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from helm_wandb.model import Evaluation

LIMIT_BYTES = 512 * 2**20
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A baseline: evaluations, and where they were found."""

    origin: str
    """In words."""
    evaluations: tuple[Evaluation, ...]
    ref: str | None = None
    commit: str | None = None


def of_file(name: str, *, folder: Path, asked_by: str) -> Found:
    """The baseline in a report JSON.

    name: the file, relative to the folder.
    asked_by: the flag or input that names it, for the error.
    Raises InputError where there is no such report.
    """
    path = folder / name
    try:
        if path.stat().st_size > LIMIT_BYTES:
            message = f"{asked_by}: {name} is larger than {LIMIT_BYTES // 2**20} MiB"
            raise InputError(message)
        evaluations, ref, commit = baseline_from_json(path.read_bytes())
    except OSError as error:
        hint = (
            ABSOLUTE_PATH if name.startswith("/") else f"It is looked for in {folder.absolute()}."
        )
        message = f"{asked_by}: {name} cannot be read: {error.strerror}. {hint}"
        raise InputError(message) from error
    except ValueError as error:
        message = (
            f"{asked_by}: {name} is no report of this tool: {error}. Give a file that "
            "--report or the action wrote."
        )
        raise InputError(message) from error
    return Found(origin=name, evaluations=evaluations, ref=ref, commit=commit)


def partners(candidates: Sequence[Evaluation], found: Found) -> tuple[Partner, ...]:
    """Each model's greatest iteration, beside the same model in the baseline if it is there.

    It stands beside the same iteration, or, where the baseline lacks that, the greatest.
    """
    known = by_model(found.evaluations)
    pairs = (
        (candidate, _same_or_greatest(known[candidate.model], candidate.iteration))
        for candidate in latest(candidates)
        if candidate.model in known
    )
    return tuple(
        Partner(candidate, baseline, _told(baseline, found)) for candidate, baseline in pairs
    )


def notes(candidates: Sequence[Evaluation], found: Found) -> tuple[str, ...]:
    """Which of this run's models the baseline lacks, where it does."""
    known = by_model(found.evaluations)
    lacking = [one.model for one in latest(candidates) if one.model not in known]
    if not lacking:
        return ()
    told = f"the baseline ({found.origin}) has {_some(list(known))}"
    return (f"Not compared, as {told}: {_some(lacking)}.",)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "no model") + more


def steps(candidates: Sequence[Evaluation]) -> tuple[Partner, ...]:
    """Each model's greatest iteration, beside the one before it."""
    return tuple(_steps(candidates))


def _steps(candidates: Sequence[Evaluation]) -> Iterator[Partner]:
    for of_model in by_model(candidates).values():
        if len(of_model) > 1:
            before, last = of_model[-2:]
            told = Baseline(origin="this run", model=before.model, iteration=before.iteration)
            yield Partner(last, before, told)


def _same_or_greatest(of_model: Sequence[Evaluation], iteration: int) -> Evaluation:
    same = (one for one in of_model if one.iteration == iteration)
    return next(same, of_model[-1])


def _told(baseline: Evaluation, found: Found) -> Baseline:
    return Baseline(
        origin=found.origin,
        model=baseline.model,
        iteration=baseline.iteration,
        ref=found.ref,
        commit=found.commit,
    )
