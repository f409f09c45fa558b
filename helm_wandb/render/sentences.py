"""Sentences shown with a report's tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from helm_wandb.model import Comparison, Gate, Report, Verdict
from helm_wandb.render.quantities import difference, number
from helm_wandb.text.safe_text import Name, plain
from helm_wandb.text.words import count_noun, join_truncated

_SHOWN = 3
_RULE = (
    "Δ is {what}, over the same questions, in points (pp) for scores within 0…1; in brackets its "
    "95 % interval. A mark needs a change that is significant beside all {tests} (Holm), and "
    "larger than min_effect. The interval is about the choice of questions; another training run "
    "would differ by more, which one run cannot tell."
)
_STEP = "the last iteration less the one before"
_STEPS = (
    f"Since the iteration before: there Δ is {_STEP}, marked by the same rule beside "
    "{tests} of it, and it closes no gate."
)
_WORDS = (
    "Unclear: this run could not tell. No change: the interval lies within ±min_effect. Visible "
    "from: the true change that this run would have marked with 80 % probability."
)
_OVERALL = (
    "Δ vs baseline, in the leaderboard: the change of the mean over the benchmarks that could be "
    "tested, each with the mean of its metrics. If it is marked, it counts like a benchmark."
)
_WARN_ONLY = "Scores under compare.warn_only never fail the job, and are in no mean."
_UNTESTABLE = (
    "No change could be tested: that needs the per-instance scores of both sides "
    "(per_instance_stats.json of each run). The reasons are listed."
)
_APART = "Nothing could be compared; the reasons are listed."


def summary_sentences(report: Report, *, limit: int | None = None) -> list[str]:
    """Return what the gate decides, and what changed over all.

    limit: how many of the gate's reasons are shown.
    """
    sentences = [*_gate(report.gate, limit)] if report.gate else []
    if report.verdict is Verdict.UNTESTABLE:
        sentences += _why_untested(report.comparisons)
    if len(report.comparisons) == 1:
        # If there are several models, the leaderboard shows it.
        sentences += _overall(report.comparisons[0])
    return sentences + _partners([one for one in report.comparisons if _differs(one)])


def legend(report: Report) -> list[str]:
    """Return how to read the tables of deltas; empty if nothing was tested."""
    sentences = []
    compared, of_steps = _tests(report.comparisons), _tests(report.steps)
    if compared:
        sentences.append(
            _RULE.format(
                what="the candidate less the baseline", tests=_count_tests(compared, " of this run")
            )
        )
    if of_steps and compared:
        sentences.append(_STEPS.format(tests=_count_tests(of_steps)))
    elif of_steps:
        sentences.append(_RULE.format(what=_STEP, tests=_count_tests(of_steps, " of these steps")))
        sentences.append("Steps close no gate.")
    if sentences:
        sentences.append(_WORDS)
    if any(one.overall for one in report.comparisons):
        sentences.append(_OVERALL)
    if any(delta.warn_only for one in report.comparisons for delta in one.deltas):
        sentences.append(_WARN_ONLY)
    return sentences


def _why_untested(comparisons: Sequence[Comparison]) -> Iterator[str]:
    if any(one.deltas for one in comparisons):
        yield _UNTESTABLE
    elif any(one.not_comparable for one in comparisons):
        yield _APART


def _tests(comparisons: Iterable[Comparison]) -> int:
    return sum(
        delta.p_adjusted is not None
        for one in comparisons
        for delta in (*one.deltas, one.mean_of_several)
        if delta
    )


def _count_tests(tests: int, suffix: str = "") -> str:
    return f"{count_noun(tests, 'test')}{suffix}"


def _gate(gate: Gate, limit: int | None) -> Iterator[str]:
    if gate.reasons:
        yield f"{_outcome(gate)}: {join_truncated(gate.reasons, limit, separator='; ')}."
    if gate.warnings:
        yield f"Doesn't fail the job: {join_truncated(gate.warnings, limit, separator='; ')}."


def _outcome(gate: Gate) -> str:
    """Return what the gate's reasons do."""
    if gate.accepted_by:
        return f"The job passes, as the label {gate.accepted_by} accepts it"
    return "Job failed" if gate.closed else "Doesn't fail the job (fail-on: never)"


def _overall(comparison: Comparison) -> Iterator[str]:
    delta = comparison.overall
    if delta is None:
        return
    change = {
        Verdict.REGRESSED: "a drop",
        Verdict.IMPROVED: "a rise",
        Verdict.NO_CHANGE: "no change",
    }.get(delta.verdict, "no evidence of a change")
    only = " (without warn_only)" if any(one.warn_only for one in comparison.deltas) else ""
    yield (
        f"Mean over the benchmarks that could be tested{only}, {plain(Name(comparison.model))}: "
        f"{number(delta.baseline)} → {number(delta.candidate)}, Δ {difference(delta)}: {change}."
    )


def _differs(comparison: Comparison) -> bool:
    return comparison.iteration != comparison.baseline.iteration


def _partners(others: Sequence[Comparison]) -> list[str]:
    """Return which models are compared with another iteration than their own."""
    if not others:
        return []
    models = [
        f"{plain(Name(one.model))} at iteration {one.iteration} with {one.baseline.iteration}"
        for one in others
    ]
    shown = join_truncated(models, _SHOWN, separator="; ")
    return [f"Compared with another iteration of the baseline, the greatest that it has: {shown}."]
