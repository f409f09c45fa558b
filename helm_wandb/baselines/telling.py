"""What is said of the baselines: which they are, and what has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helm_wandb.comparing.evaluations import group_by_model, latest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from helm_wandb.baselines.found import Found
    from helm_wandb.comparing.verdicts import Partner
    from helm_wandb.model import Evaluation

_SHOWN = 10


def notes(candidates: Sequence[Evaluation], *found: Found) -> tuple[str, ...]:
    """Which models only this run has, and which only the nearest baseline."""
    if not found:
        return ()
    known = group_by_model(evaluation for one in found for evaluation in one.evaluations)
    nearest = group_by_model(found[0].evaluations)
    here = group_by_model(candidates)
    lacking = [one.model for one in latest(candidates) if one.model not in known]
    alone = [model for model in nearest if model not in here]
    told = []
    if lacking:
        has = f"the baseline ({found[0].origin}) has {some(list(nearest))}"
        told.append(f"Not compared, as {has}: {some(lacking)}.")
    if alone and here:
        told.append(
            f"Only in the baseline ({found[0].origin}), and not in this run: {some(alone)}."
        )
    return tuple(told)


def named(found: Sequence[Found], partners: Sequence[Partner]) -> tuple[str, ...]:
    """What is compared with, the nearest first, and which nearer ones were passed over.

    partners: one or more, each beside one of the baselines.
    """
    of_each = [[partner for partner in partners if one.is_of(partner.told)] for one in found]
    used = [at for at, mine in enumerate(of_each) if mine]
    told = []
    for at, (one, mine) in enumerate(zip(found, of_each, strict=True)):
        if at == min(used):
            told.append(f"Baseline: {one.told}.")
        elif mine:
            told.append(
                f"Baseline of {_served(mine)}: {one.told}; no nearer one has it, asked alike."
            )
        elif at < max(used):
            told.append(f"Passed over: {one.told}; it has nothing of this run that is asked alike.")
    return tuple(told)


def _served(partners: Iterable[Partner]) -> str:
    """`raft of alpha`, for each benchmark that is compared there."""
    served = {
        f"{key.benchmark} of {partner.candidate.model}": None
        for partner in partners
        for key in partner.candidate.scores
    }
    return some(list(served))


def some(names: Sequence[str]) -> str:
    """The first of the names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "no model") + more
