"""Whether a run's results let the job pass, with one sentence for each result that doesn't."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from helm_wandb.comparing.evaluations import group_values, latest
from helm_wandb.model import Comparison, Delta, Evaluation, Gate, Policy, ScoreKey, UnmatchedModels
from helm_wandb.text.quantities import percent_hint
from helm_wandb.text.words import join_truncated

if TYPE_CHECKING:
    from helm_wandb.comparing.unchecked import UncheckedScore

_SHOWN = 3
"""Models, or scores, that a sentence names."""
_NO_BASELINE = "there is no baseline to compare with"


class GatePolicy(Struct, frozen=True, kw_only=True):
    """The user's settings of the gate."""

    on_regression: bool = False
    """Fail the job on regressions, floors, and scores that this run lost."""
    on_missing_baseline: bool = False
    """Fail the job if a model has no baseline; False if none was requested."""
    accept_label: str | None = None
    """Pull request label that lets the job pass."""
    labels: Collection[str] = field(default_factory=frozenset)
    """The pull request's labels."""


class _Result(Struct, frozen=True):
    """A result that could fail the job."""

    sentence: str
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
    results = dict.fromkeys(
        [
            *_regressions(comparisons, compare),
            *_below_floor(compare, latest(evaluations)),
            *_unchecked(unchecked, compare),
        ]
    )
    counted = tuple(one.sentence for one in results if not one.is_warning)
    warnings = tuple(one.sentence for one in results if one.is_warning)
    missing = _missing_baseline(evaluations, comparisons, unmatched)
    failures = (
        *(counted if policy.on_regression else ()),
        *(missing if policy.on_missing_baseline else ()),
    )
    label = _accepting_label(policy) if failures else None
    return Gate(
        closed=bool(failures) and not label,
        reasons=failures or counted,
        warnings=(
            *(missing if unmatched and not policy.on_missing_baseline else ()),
            *(counted if failures and not policy.on_regression else ()),
            *warnings,
        ),
        accepted_by=label,
    )


def _result(sentence: str, key: ScoreKey, compare: Policy) -> _Result:
    """Return the result of a metric, which may be one that only warns."""
    if compare.is_warn_only(key):
        return _Result(f"{sentence} (warn_only)", is_warning=True)
    return _Result(sentence)


def describe_unmatched(unmatched: UnmatchedModels) -> str:
    """Return `b isn't in the baseline (base.json), which has only a`."""
    models, have = unmatched.models, unmatched.baseline_models
    verb = "isn't" if len(models) == 1 else "aren't"
    has = f"has only {join_truncated(have, _SHOWN)}" if have else "has no model"
    shown = join_truncated(models, _SHOWN)
    return f"{shown} {verb} in the baseline ({unmatched.origin}), which {has}"


def describe_regression(comparison: Comparison, delta: Delta) -> str:
    """Return `boolq.EM of alpha regressed`, as one of the gate's reasons."""
    if delta.key is None:
        return f"the mean of {comparison.model} regressed"
    return f"{delta.key} of {comparison.model} regressed"


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


def _regressions(comparisons: Iterable[Comparison], compare: Policy) -> Iterator[_Result]:
    """Yield the regressions, the largest first, as the pages do."""
    rows = [(one, delta) for one in comparisons for delta in one.regressions]
    for comparison, delta in sorted(rows, key=lambda row: -abs(row[1].difference)):
        sentence = describe_regression(comparison, delta)
        yield _result(sentence, delta.key, compare) if delta.key else _Result(sentence)


def _below_floor(compare: Policy, models: Sequence[Evaluation]) -> Iterator[_Result]:
    for key, limit in compare.floor.items():
        measured = [one for one in models if key in one.scores or key in one.missing]
        if not measured:
            sentence = f"no model of this run has {key}, whose floor is {limit:g}"
            yield _result(sentence, key, compare)
        for one in measured:
            if violation := _violation(key, limit, one):
                yield _result(violation, key, compare)


def _unchecked(unchecked: Iterable[UncheckedScore], compare: Policy) -> Iterator[_Result]:
    """Yield one result for all scores of a model, and all models with these, of the same reason."""
    keys_by_model = group_values(
        ((one.model, one.why, not one.is_lost or compare.is_warn_only(one.key)), one.key)
        for one in unchecked
    )
    models = group_values(
        ((join_truncated(keys, _SHOWN), why, is_warning), model)
        for (model, why, is_warning), keys in keys_by_model.items()
    )
    for (shown, why, is_warning), names in models.items():
        yield _Result(f"{shown} of {join_truncated(names, _SHOWN)} {why}", is_warning=is_warning)


def _violation(key: ScoreKey, limit: float, one: Evaluation) -> str | None:
    """Return how the model's score is beyond its floor, or why that can't be checked."""
    if key not in one.scores:
        return f"{key} of {one.model} is missing, and its floor is {limit:g}"
    score = one.scores[key]
    sentence = f"{key} of {one.model} is {_shortest(score.value, limit)}"
    if score.lower_is_better and score.value > limit:
        return f"{sentence}, above its limit of {limit:g}"
    if not score.lower_is_better and score.value < limit:
        return f"{sentence}, below its floor of {limit:g}{_unit_hint(score.value, limit)}"
    if score.partial:
        return f"{key} of {one.model} is {score.partial} only, and its floor is {limit:g}"
    return None


def _unit_hint(value: float, limit: float) -> str:
    """Return ` (30% is 0.3)` if only the floor is a percentage."""
    hint = percent_hint(limit) if 0 < value <= 1 else ""
    return f" ({hint})" if hint else ""


def _shortest(value: float, limit: float) -> str:
    """Return the value with four digits, or with all if four would equal the limit's."""
    short = f"{value:.4g}"
    return repr(value) if short == f"{limit:.4g}" else short
