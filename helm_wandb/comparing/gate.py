"""Whether a run's results let the job pass, with a sentence for each way that they do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from helm_wandb.comparing.evaluations import latest
from helm_wandb.model import Gate, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from helm_wandb.model import Comparison, Evaluation, ScoreKey


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """What the user asked of the gate."""

    on_regression: bool = False
    """Regressions and floors close it."""
    on_missing_baseline: bool = False
    """It closes where there is nothing to compare with; False where nothing was asked for."""
    accept_label: str | None = None
    """A label of the pull request that keeps it open."""
    labels: Collection[str] = field(default_factory=frozenset)
    """Those that the pull request has."""


def gate(
    policy: GatePolicy,
    *,
    evaluations: Sequence[Evaluation],
    comparisons: Sequence[Comparison],
    floor: Mapping[ScoreKey, float],
) -> Gate:
    """The gate of a run.

    evaluations: this run's own; floors are asked of each model's greatest iteration.
    """
    found = (*_regressions(comparisons), *_below_floor(floor, latest(evaluations)))
    results = list(dict.fromkeys(found))
    lacks = bool(evaluations) and not comparisons
    missing = [_NO_BASELINE] if lacks and policy.on_missing_baseline else []
    asked = [*(results if policy.on_regression else []), *missing]
    accepted = _accepting(policy) if asked else None
    return Gate(
        closed=bool(asked) and not accepted,
        reasons=tuple(asked or results),
        accepted_by=accepted,
    )


def _accepting(policy: GatePolicy) -> str | None:
    """The label that accepts what was found, as it is written there.

    GitHub has no two labels that differ only in their case.
    """
    if policy.accept_label is None:
        return None
    wanted = policy.accept_label.casefold()
    return next((one for one in sorted(policy.labels) if one.casefold() == wanted), None)


_NO_BASELINE = "there is no baseline to compare with"


def _regressions(comparisons: Iterable[Comparison]) -> Iterable[str]:
    for comparison in comparisons:
        for delta in comparison.deltas:
            if delta.verdict is Verdict.REGRESSED:
                yield f"{delta.key} of {comparison.model} regressed"


def _below_floor(floor: Mapping[ScoreKey, float], models: Sequence[Evaluation]) -> Iterable[str]:
    for key, limit in floor.items():
        asked = [one for one in models if key in one.scores or key in one.missing]
        if not asked:
            yield f"no model of this run has {key}, whose floor is {limit:g}"
        for one in asked:
            yield from _below(key, limit, one)


def _below(key: ScoreKey, limit: float, one: Evaluation) -> Iterable[str]:
    if key not in one.scores:
        yield f"{key} of {one.model} is missing, and its floor is {limit:g}"
        return
    score = one.scores[key]
    told = f"{key} of {one.model} is {_told(score.value, limit)}"
    if score.lower_is_better and score.value > limit:
        yield f"{told}, above its limit of {limit:g}"
    elif not score.lower_is_better and score.value < limit:
        yield f"{told}, below its floor of {limit:g}"


def _told(value: float, limit: float) -> str:
    """The value in four digits, or in all of them where that would be the limit itself."""
    short = f"{value:.4g}"
    return repr(value) if short == f"{limit:.4g}" else short
