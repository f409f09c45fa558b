"""Evaluation × evaluation → comparison: what changed, how surely, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.comparing import pairing, statistics
from helm_wandb.comparing.evaluations import describe_other_settings, group_values, parts_of_others
from helm_wandb.comparing.statistics import Estimate
from helm_wandb.model import (
    Baseline,
    Comparison,
    Delta,
    Evaluation,
    Policy,
    Score,
    ScoreKey,
    Verdict,
    mean,
)
from helm_wandb.text.words import count_noun, join_truncated

_NO_DIRECTION = (
    "unknown whether higher or lower is better: name it under compare.lower_is_better or "
    "compare.higher_is_better"
)


class Partner(Struct, frozen=True):
    """A candidate, and what it is compared with."""

    candidate: Evaluation
    baseline: Evaluation
    baseline_label: Baseline


class _Cell(Struct, frozen=True):
    """One score on both sides, before it is judged together with all others."""

    key: ScoreKey
    candidate: Score
    baseline: Score
    estimate: Estimate | None
    why: str | None


def compared(partners: Sequence[Partner], policy: Policy) -> tuple[Comparison, ...]:
    """A comparison of each, with one error rate for all: half for the means, half for the deltas.

    One model may have several partners, each for some of its scores. What can never be flagged,
    as nothing says which direction is better, makes nobody else's p-value larger.
    """
    cells = [_cells(partner) for partner in partners]
    averaged = [_by_benchmark(cells_of_partner, policy) for cells_of_partner, _ in cells]
    means = [_mean_estimate(benchmarks) for benchmarks in averaged]
    p_values = [_p_of_family(cell) for cells_of_partner, _ in cells for cell in cells_of_partner]
    p_means, p_deltas = statistics.adjusted_families(
        [estimate.p if estimate else None for estimate in means], p_values
    )
    tests = sum(p is not None for p in p_values) * (1 if p_means.count(None) == len(means) else 2)
    p_next = iter(p_deltas)
    comparisons = []
    for partner, (cells_of_partner, apart), benchmarks, estimate, p_mean in zip(
        partners, cells, averaged, means, p_means, strict=True
    ):
        deltas = tuple(
            _delta(cell, policy, p_adjusted=next(p_next), tests=tests) for cell in cells_of_partner
        )
        comparisons.append(
            Comparison(
                model=partner.candidate.model,
                iteration=partner.candidate.iteration,
                baseline=partner.baseline_label,
                overall=_mean_delta(benchmarks, deltas, estimate, policy, p_adjusted=p_mean),
                deltas=deltas,
                not_comparable=apart,
            )
        )
    return tuple(comparisons)


def _p_of_family(cell: _Cell) -> float | None:
    """The p-value that Holm counts."""
    directed = cell.candidate.lower_is_better is not None
    return cell.estimate.p if cell.estimate and directed else None


def _cells(partner: Partner) -> tuple[list[_Cell], dict[ScoreKey, str]]:
    """The scores that both sides have, and why others can't be compared."""
    here, there = partner.candidate, partner.baseline
    cells: list[_Cell] = []
    apart: dict[ScoreKey, str] = {}
    for key in dict.fromkeys([*here.scores, *there.scores]):
        if key not in here.scores:
            why = here.missing.get(key)
            apart[key] = f"only the baseline has it{f'; in the candidate: {why}' if why else ''}"
        elif key not in there.scores:
            why = there.missing.get(key)
            apart[key] = f"only the candidate has it{f'; in the baseline: {why}' if why else ''}"
        else:
            cell = _cell(key, here.scores[key], there.scores[key])
            if isinstance(cell, str):
                apart[key] = cell
            else:
                cells.append(cell)
    return cells, apart


def _cell(key: ScoreKey, candidate: Score, baseline: Score) -> _Cell | str:
    """The score on both sides; or why they cannot be compared."""
    why = _why_apart(candidate, baseline)
    if why:
        return why
    pairs = pairing.pair_scores(candidate, baseline)
    if pairs is None:
        side, score = ("here", candidate) if candidate.instances is None else ("there", baseline)
        why = f"no per-instance scores {side}: {score.no_instances or 'none were recorded'}"
        return _Cell(key, candidate, baseline, None, why)
    if pairs.share < pairing.LEAST_SHARE:
        return _other_questions(candidate, baseline, pairs)
    if not pairs.is_testable:
        return _Cell(key, candidate, baseline, None, pairing.WHY_UNTESTABLE)
    estimate = pairing.estimate([pairs])
    lost = max(pairs.candidate, pairs.baseline) - pairs.matched
    less = f"change over the {pairs.matched} instances that both have; {lost} left out"
    return _Cell(key, candidate, baseline, estimate, estimate.why or (less if lost else None))


def _why_apart(candidate: Score, baseline: Score) -> str | None:
    """Why two scores are not of the same thing."""
    if candidate.subjects.keys() != baseline.subjects.keys():
        return _other_subjects(candidate, baseline)
    if not isfinite(candidate.value - baseline.value):
        return "the difference is larger than any number"
    return describe_other_settings(candidate, baseline)


def _other_questions(candidate: Score, baseline: Score, pairs: pairing.Pairs) -> str:
    """Return how many questions are the same, and with the same settings an unpaired interval."""
    total = max(pairs.candidate, pairs.baseline)
    shared = f"only {pairs.matched} of {total} instances are the same questions on both sides"
    interval = _unpaired_interval(candidate, baseline)
    if interval is None:
        return shared
    pp = all(0 <= score.value <= 1 for score in (candidate, baseline))
    low, high = (f"{100 * end:+.1f}" if pp else f"{end:+.4g}" for end in interval)
    ends = f"{low} to {high}{' pp' if pp else ''}".replace("-", "−")
    return f"{shared}; compared as unpaired samples, they differ by {ends} (95% interval)"


def _unpaired_interval(candidate: Score, baseline: Score) -> tuple[float, float] | None:
    """Return the interval of two samples' difference, with the same specs; None if unknown."""
    if candidate.fingerprint is None or baseline.fingerprint is None:
        return None
    sides = []
    for score in (candidate, baseline):
        strata = pairing.split_strata(score.instances) if score.instances else None
        if not strata:
            return None
        sides.append(strata)
    interval = statistics.unpaired(*sides).interval
    return (interval.low, interval.high) if interval else None


def _other_subjects(candidate: Score, baseline: Score) -> str:
    """Return the numbers of both sides' subjects, and the names that the other side lacks."""
    counts = f"{_subjects(candidate)} here, {_subjects(baseline)} there"
    if not candidate.subjects or not baseline.subjects:
        return counts
    for side, one, other in (("here", candidate, baseline), ("there", baseline, candidate)):
        alone = sorted(one.subjects.keys() - other.subjects.keys())
        counts += f"; only {side}: {join_truncated(alone)}" if alone else ""
    return counts


def _subjects(score: Score) -> str:
    return count_noun(len(score.subjects), "subject") if score.subjects else "no subjects"


def _delta(cell: _Cell, policy: Policy, *, p_adjusted: float | None, tests: int) -> Delta:
    lower = cell.candidate.lower_is_better
    untested = replace(_untested_delta(cell), warn_only=policy.is_warn_only(cell.key))
    if cell.estimate is None or cell.estimate.p is None:
        return untested
    if lower is None:
        return replace(untested, why="; ".join(filter(None, (_NO_DIRECTION, cell.why))))
    estimate, least = cell.estimate, policy.min_effect_of(cell.key)
    verdict = _judged(estimate, p_adjusted, policy.alpha, lower_is_better=lower, least=least)
    remark = _why_unflagged(estimate.p, p_adjusted, policy.alpha)
    remarks = (remark if verdict is Verdict.INCONCLUSIVE else None, cell.why)
    return replace(
        untested,
        p_adjusted=p_adjusted,
        mde=statistics.minimum_detectable(
            estimate, alpha=policy.alpha, tests=tests, min_effect=least
        ),
        verdict=verdict,
        why="; ".join(filter(None, remarks)) or None,
    )


def _why_unflagged(p: float | None, p_adjusted: float | None, alpha: float) -> str | None:
    """Return why an inconclusive change isn't flagged, though its interval may exclude 0."""
    if p_adjusted is not None and p_adjusted < alpha:
        return "significant, but not larger than min_effect"
    if p is not None and p < alpha:
        return "significant alone, but not after correction for the number of tests (Holm)"
    return None


def _untested_delta(cell: _Cell) -> Delta:
    """Return the delta before it is judged."""
    lower, estimate = cell.candidate.lower_is_better, cell.estimate
    delta = Delta(
        key=cell.key,
        baseline=cell.baseline.value,
        candidate=cell.candidate.value,
        difference=cell.candidate.value - cell.baseline.value,
        lower_is_better=lower,
        verdict=Verdict.UNTESTABLE,
        why=cell.why,
    )
    if estimate is None:
        return delta
    up, down = estimate.better, estimate.worse
    better, worse = (down, up) if lower else (up, down)
    return replace(_with_estimate(delta, estimate), better=better, worse=worse)


def _with_estimate(delta: Delta, estimate: Estimate) -> Delta:
    return replace(
        delta,
        difference=estimate.difference,
        interval=estimate.interval,
        n=estimate.n,
        clusters=estimate.clusters,
        p=estimate.p,
        runs=estimate.run_counts,
    )


def _judged(
    estimate: Estimate,
    p_adjusted: float | None,
    alpha: float,
    *,
    lower_is_better: bool,
    least: float,
) -> Verdict:
    """The verdict on one tested delta."""
    is_significant = p_adjusted is not None and p_adjusted < alpha
    if is_significant and abs(estimate.difference) > least:
        worse = (estimate.difference > 0) == lower_is_better
        return Verdict.REGRESSED if worse else Verdict.IMPROVED
    interval = estimate.interval
    is_narrow = interval is not None and -least <= interval.low and interval.high <= least
    if estimate.has_same_answers or (is_narrow and not estimate.few_changes):
        return Verdict.NO_CHANGE
    return Verdict.INCONCLUSIVE


def _by_benchmark(cells: Sequence[_Cell], policy: Policy) -> list[list[_Cell]]:
    """Return the cells that were tested, within 0…1, and better when higher, by benchmark.

    Those that only warn are left out, since a mean that regressed fails the job; so are parts of
    others, whose questions would count twice.
    """
    averaged = [
        cell for cell in cells if _is_averageable(cell) and not policy.is_warn_only(cell.key)
    ]
    parts = parts_of_others({cell.key: cell.candidate for cell in averaged})
    whole = ((cell.key.benchmark, cell) for cell in averaged if cell.key not in parts)
    return list(group_values(whole).values())


def _mean_estimate(benchmarks: Sequence[Sequence[_Cell]]) -> Estimate | None:
    """Return the mean over benchmarks, each the mean of its metrics; None below two metrics."""
    if sum(map(len, benchmarks)) <= 1:
        return None
    return statistics.overall([_benchmark_estimate(cells) for cells in benchmarks])


def _benchmark_estimate(cells: Sequence[_Cell]) -> Estimate:
    """Return the mean of a benchmark's metrics; its questions are not counted once for each."""
    estimate = cells[0].estimate
    if estimate is not None and len(cells) == 1:
        return estimate
    pairs = (pairing.pair_scores(cell.candidate, cell.baseline) for cell in cells)
    return pairing.estimate([*filter(None, pairs)])


def _mean_delta(
    benchmarks: Sequence[Sequence[_Cell]],
    deltas: Sequence[Delta],
    estimate: Estimate | None,
    policy: Policy,
    *,
    p_adjusted: float | None,
) -> Delta | None:
    """Return the mean's delta. If a single metric makes the mean, it is that one's."""
    if estimate is None:
        keys = {cell.key for cells in benchmarks for cell in cells}
        return next((replace(delta, key=None) for delta in deltas if delta.key in keys), None)
    delta = Delta(
        key=None,
        baseline=mean([mean([one.baseline.value for one in cells]) for cells in benchmarks]),
        candidate=mean([mean([one.candidate.value for one in cells]) for cells in benchmarks]),
        difference=estimate.difference,
        lower_is_better=False,
        verdict=_judged(
            estimate, p_adjusted, policy.alpha, lower_is_better=False, least=policy.min_effect
        ),
        p_adjusted=p_adjusted,
    )
    return _with_estimate(delta, estimate)


def _is_averageable(cell: _Cell) -> bool:
    within = all(0 <= score.value <= 1 for score in (cell.candidate, cell.baseline))
    higher = cell.candidate.lower_is_better is False
    return within and higher and cell.estimate is not None and cell.estimate.interval is not None
