"""Whether a run's results let the job pass, with one sentence for each result that doesn't."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from helm_wandb.comparing.evaluations import latest
from helm_wandb.model import Comparison, Evaluation, Gate, Policy, ScoreKey, UnmatchedModels
from helm_wandb.text.words import join_truncated

if TYPE_CHECKING:
    from helm_wandb.comparing.unchecked import UncheckedScore

_SHOWN = 3
"""Models of each side that a sentence names."""
_NO_BASELINE = "there is no baseline to compare with"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """The user's settings of the gate."""

    on_regression: bool = False
    """Fail the job on regressions, floors, and scores that this run lost."""
    on_missing_baseline: bool = False
    """Fail the job if a model has no baseline; False if none was requested."""
    accept_label: str | None = None
    """Pull request label that lets the job pass."""
    labels: Collection[str] = field(default_factory=frozenset)
    """The pull request's labels."""


@dataclass(frozen=True, slots=True)
class _Result:
    """A result that could fail the job."""

    sentence: str
    key: ScoreKey | None
    """None: the mean over benchmarks."""
    is_warning: bool = False
    """Whether it never fails the job."""


def gate(  # noqa: PLR0913 -- what a run comes to, each part by its name
    policy: GatePolicy,
    *,
    evaluations: Sequence[Evaluation],
    comparisons: Sequence[Comparison],
    compare: Policy,
    unchecked: Iterable[UncheckedScore] = (),
    unmatched: UnmatchedModels | None = None,
) -> Gate:
    """Return the gate of a run.

    evaluations: this run's; floors apply to each model's latest iteration.
    compare: has the floors, and what only warns.
    unchecked: the baseline's scores that can't be compared; those that this run lost fail the job
    as a regression does, since they could hide one.
    unmatched: the models that the baseline lacks, if there is a baseline.
    """
    results = [
        *_regressions(comparisons),
        *_below_floor(compare, latest(evaluations)),
        *(_Result(str(one), one.key, is_warning=not one.is_lost) for one in unchecked),
    ]
    counted, warnings = _split(results, compare)
    missing = _missing_baseline(evaluations, comparisons, unmatched)
    failures = (
        *(counted if policy.on_regression else ()),
        *(missing if policy.on_missing_baseline else ()),
    )
    label = _accepting_label(policy) if failures else None
    return Gate(
        closed=bool(failures) and not label,
        reasons=failures or counted,
        warnings=warnings if policy.on_missing_baseline or not unmatched else (*missing, *warnings),
        accepted_by=label,
    )


def _split(results: Iterable[_Result], compare: Policy) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sentences of the results that can fail the job, and of those that only warn."""
    counted: dict[str, None] = {}
    warnings: dict[str, None] = {}
    for one in results:
        is_warn_only = one.key is not None and compare.is_warn_only(one.key)
        if one.is_warning:
            warnings[one.sentence] = None
        elif is_warn_only:
            warnings[f"{one.sentence} (warn_only)"] = None
        else:
            counted[one.sentence] = None
    return tuple(counted), tuple(warnings)


def describe_unmatched(unmatched: UnmatchedModels) -> str:
    """Return `b isn't in the baseline (base.json), which has only a`."""
    models, have = unmatched.models, unmatched.baseline_models
    verb = "isn't" if len(models) == 1 else "aren't"
    has = f"has only {join_truncated(have, _SHOWN)}" if have else "has no model"
    shown = join_truncated(models, _SHOWN)
    return f"{shown} {verb} in the baseline ({unmatched.origin}), which {has}"


def _missing_baseline(
    evaluations: Sequence[Evaluation],
    comparisons: Sequence[Comparison],
    unmatched: UnmatchedModels | None,
) -> tuple[str, ...]:
    if unmatched:
        return (describe_unmatched(unmatched),)
    return (_NO_BASELINE,) if evaluations and not comparisons else ()


def _accepting_label(policy: GatePolicy) -> str | None:
    """Return the label that accepts the failures, as the pull request has it.

    GitHub has no two labels that differ only in case.
    """
    if policy.accept_label is None:
        return None
    name = policy.accept_label.casefold()
    return next((label for label in sorted(policy.labels) if label.casefold() == name), None)


def _regressions(comparisons: Iterable[Comparison]) -> Iterator[_Result]:
    for comparison in comparisons:
        for delta in comparison.regressions:
            yield _Result(_regression(delta.key, comparison.model), delta.key)


def _regression(key: ScoreKey | None, model: str) -> str:
    if key is None:
        return f"the mean over the benchmarks of {model} regressed"
    return f"{key} of {model} regressed"


def _below_floor(compare: Policy, models: Sequence[Evaluation]) -> Iterator[_Result]:
    for key, limit in compare.floor.items():
        measured = [one for one in models if key in one.scores or key in one.missing]
        if not measured:
            yield _Result(f"no model of this run has {key}, whose floor is {limit:g}", key)
        for one in measured:
            if sentence := _violation(key, limit, one):
                yield _Result(sentence, key)


def _violation(key: ScoreKey, limit: float, one: Evaluation) -> str | None:
    """Return how the model's score is beyond its floor, or why that can't be checked."""
    if key not in one.scores:
        return f"{key} of {one.model} is missing, and its floor is {limit:g}"
    score = one.scores[key]
    sentence = f"{key} of {one.model} is {_shortest(score.value, limit)}"
    if score.lower_is_better and score.value > limit:
        return f"{sentence}, above its limit of {limit:g}"
    if not score.lower_is_better and score.value < limit:
        return f"{sentence}, below its floor of {limit:g}"
    if score.partial:
        return f"{key} of {one.model} is {score.partial} only, and its floor is {limit:g}"
    return None


def _shortest(value: float, limit: float) -> str:
    """Return the value with four digits, or with all if four would equal the limit's."""
    short = f"{value:.4g}"
    return repr(value) if short == f"{limit:.4g}" else short
