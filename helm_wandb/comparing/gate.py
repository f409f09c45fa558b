"""Whether a run's results let the job pass, with one sentence for each result that doesn't."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from helm_wandb.comparing.evaluations import latest
from helm_wandb.model import Comparison, Evaluation, Gate, ScoreKey, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """The user's settings of the gate."""

    on_regression: bool = False
    """Fail the job on regressions and floors."""
    on_missing_baseline: bool = False
    """Fail the job if there is no baseline; False if none was requested."""
    accept_label: str | None = None
    """Pull request label that lets the job pass."""
    labels: Collection[str] = field(default_factory=frozenset)
    """The pull request's labels."""


def gate(
    policy: GatePolicy,
    *,
    evaluations: Sequence[Evaluation],
    comparisons: Sequence[Comparison],
    floor: Mapping[ScoreKey, float],
) -> Gate:
    """Return the gate of a run.

    evaluations: this run's; floors apply to each model's latest iteration.
    """
    results = list(
        dict.fromkeys([*_regressions(comparisons), *_below_floor(floor, latest(evaluations))])
    )
    has_no_baseline = bool(evaluations) and not comparisons
    failures = [
        *(results if policy.on_regression else []),
        *([_NO_BASELINE] if has_no_baseline and policy.on_missing_baseline else []),
    ]
    label = _accepting_label(policy) if failures else None
    return Gate(
        closed=bool(failures) and not label,
        reasons=tuple(failures or results),
        accepted_by=label,
    )


def _accepting_label(policy: GatePolicy) -> str | None:
    """Return the label that accepts the failures, as the pull request has it.

    GitHub has no two labels that differ only in case.
    """
    if policy.accept_label is None:
        return None
    name = policy.accept_label.casefold()
    return next((label for label in sorted(policy.labels) if label.casefold() == name), None)


_NO_BASELINE = "there is no baseline to compare with"


def _regressions(comparisons: Iterable[Comparison]) -> Iterable[str]:
    for comparison in comparisons:
        for delta in comparison.counted_deltas:
            if delta.verdict is not Verdict.REGRESSED:
                continue
            if delta.key is None:
                yield f"the mean over the benchmarks of {comparison.model} regressed"
            else:
                yield f"{delta.key} of {comparison.model} regressed"


def _below_floor(floor: Mapping[ScoreKey, float], models: Sequence[Evaluation]) -> Iterable[str]:
    for key, limit in floor.items():
        measured = [one for one in models if key in one.scores or key in one.missing]
        if not measured:
            yield f"no model of this run has {key}, whose floor is {limit:g}"
        for one in measured:
            yield from _violations(key, limit, one)


def _violations(key: ScoreKey, limit: float, one: Evaluation) -> Iterable[str]:
    if key not in one.scores:
        yield f"{key} of {one.model} is missing, and its floor is {limit:g}"
        return
    score = one.scores[key]
    sentence = f"{key} of {one.model} is {_shortest(score.value, limit)}"
    if score.lower_is_better and score.value > limit:
        yield f"{sentence}, above its limit of {limit:g}"
    elif not score.lower_is_better and score.value < limit:
        yield f"{sentence}, below its floor of {limit:g}"


def _shortest(value: float, limit: float) -> str:
    """Return the value with four digits, or with all if four would equal the limit's."""
    short = f"{value:.4g}"
    return repr(value) if short == f"{limit:.4g}" else short
