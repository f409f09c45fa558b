"""Sentences shown with a report's tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from helm_wandb.comparing.evaluations import parts_of_others
from helm_wandb.comparing.gate import describe_regression
from helm_wandb.model import Comparison, Delta, Gate, Report, RoutineNote, Verdict
from helm_wandb.render import deltas, tables
from helm_wandb.render.model_names import common_owner
from helm_wandb.report import baseline_label
from helm_wandb.report.headline import severity_mark
from helm_wandb.text.quantities import (
    change,
    in_points,
    interval,
    is_of_shared,
    score,
    score_change,
)
from helm_wandb.text.safe_text import Name, plain
from helm_wandb.text.words import count_noun, join_truncated

_SHOWN = 3
_FEW_RUNS = 2
"""Runs whose noise is hardly known, if no side has more."""
_COMMIT = re.compile("[0-9a-f]{7,64}")
"""Other texts could lead to another page."""
_RULE = (
    "Change is {what}, on the same questions, in points (pp) for scores within 0–1, with its 95% "
    "confidence interval (CI). It is flagged, ▼ for a regression and ▲ for an improvement, if it "
    "is significant after Holm correction for {tests} and larger than min_effect. {scope}"
)
_OF_QUESTIONS = (
    "The CI is about the choice of questions; another training run would differ by more, which one "
    "run can't measure."
)
_OF_RUNS = (
    "The CI is about the choice of questions and{which} about the noise between runs of one "
    "checkpoint ({runs})."
)
_OF_TWO_RUNS = " Two runs hardly show this noise, so their CIs are wide."
_OF_OTHERS = (
    " The other metrics have one run, whose noise is unknown: their CIs leave it out, and so does "
    "the mean's."
)
_STEP = "the latest checkpoint minus the previous one"
_STEPS = (
    f"Since the previous checkpoint: there, change is {_STEP}, flagged by the same rule after "
    "correction for {tests}."
)
_NO_FAILURE = "Changes since the previous checkpoint never fail the job."
_WORDS = (
    "No change: the CI lies within ±min_effect, or equal partial scores show that no answer "
    "changed. Inconclusive: the change could be zero or relevant. Detectable effect: the smallest "
    "true change that this run would flag with 80% power; smaller ones are flagged more rarely."
)
_OVERALL = (
    "The mean that is compared is over the benchmarks that could be tested, each with the mean of "
    "its metrics. If it is flagged, it counts like a benchmark."
)
_TWO_MEANS = (
    "The leaderboard's mean is over its ranking metrics instead, so the two means can differ."
)
_WARN_ONLY = "Scores under compare.warn_only never fail the job, and are in no mean."
_UNTESTABLE = (
    "No change could be tested: that needs the per-instance scores of both sides (HELM's "
    "per_instance_stats.json, samples of lm-eval or Inspect). The reasons are listed."
)
_APART = "Nothing could be compared; the reasons are listed."
_MISSING_BASELINE = "Nothing can be compared yet, as there is no baseline. {how}"
_ONLY_STEPS = "To see the change since the base branch, a baseline is needed. {how}"
_GET_BASELINE = (
    "If this workflow hasn't run on the base branch, run it there, and "
    "keep its report JSON as an artifact; or give a report JSON as the action's input “baseline”."
)
_GIVE_BASELINE = "Give a report JSON as --baseline FILE, or two outputs to the command compare."
_NEW_MODEL = (
    "The baseline has other models. If this model is new or renamed, run this workflow on the base "
    "branch to get its baseline."
)
_NEW_LOCAL_MODEL = (
    "The baseline has other models. If this model is new or renamed, write a report of it with "
    "--report FILE, to give as --baseline FILE."
)


class BaselineLink(Struct, frozen=True, kw_only=True):
    """A baseline, and where its commit and the run that wrote it can be seen."""

    name: str
    commit_url: str
    origin: str
    """Its source in words; empty if the name says it."""
    url: str


def baselines(report: Report) -> list[BaselineLink]:
    """Return the baselines of the report's models, each once."""
    page, is_run, _ = (report.provenance.run_url or "").partition("/actions/runs/")
    labels = {baseline_label(one.baseline): one.baseline for one in report.comparisons}
    return [
        BaselineLink(
            name=name,
            commit_url=f"{page}/commit/{baseline.commit}"
            if is_run and _COMMIT.fullmatch(baseline.commit or "")
            else "",
            origin="" if baseline.origin == name else baseline.origin,
            url=baseline.url or "",
        )
        for name, baseline in labels.items()
    ]


def compared_with(report: Report) -> list[str]:
    """Return `Compared with main@4be1c02 (base.json).`, if there is a baseline."""
    names = [f"{one.name}{f' ({one.origin})' * bool(one.origin)}" for one in baselines(report)]
    return [f"Compared with {join_truncated(names, _SHOWN)}."] if names else []


def advice(report: Report) -> str:
    """Return how to get a baseline; empty if there is one, or nothing to compare."""
    if report.comparisons or not report.evaluations:
        return ""
    is_job = report.provenance.is_job
    if report.not_in_baseline:
        return _NEW_MODEL if is_job else _NEW_LOCAL_MODEL
    how = _GET_BASELINE if is_job else _GIVE_BASELINE
    return (_ONLY_STEPS if report.steps else _MISSING_BASELINE).format(how=how)


def outcome(report: Report, *, limit: int | None = None) -> list[str]:
    """Return whether the job passes, why, and what else could hide a regression.

    limit: how many of the gate's reasons are shown.
    """
    return [*_outcome(report, limit)]


def summary_sentences(report: Report) -> list[str]:
    """Return what changed over all, and which baselines are of another model or iteration."""
    sentences = [*_why_untested(report.comparisons)] if report.verdict is Verdict.UNTESTABLE else []
    compared = report.comparisons or report.steps
    # If there are several models, the leaderboard shows the means.
    if len(compared) == 1 and (mean := compared[0].mean_of_several):
        sentences += _overall(report, compared[0], mean)
    elif len(report.leaderboard.rows) == 1 and not report.comparisons:
        sentences += _mean(report)
    return [*sentences, *_partners(report.comparisons)]


def page_notes(report: Report) -> tuple[str, ...]:
    """Return the notes that a page shows."""
    return tuple(note for note in report.notes if not isinstance(note, RoutineNote))


def legend(report: Report) -> list[str]:
    """Return how to read the tables of deltas; empty if nothing was tested."""
    sentences = []
    compared, of_steps = _tests(report.comparisons), _tests(report.steps)
    scope = _scope(report)
    if compared:
        rule = _RULE.format(
            what="candidate minus baseline", tests=count_noun(compared, "test"), scope=scope
        )
        sentences.append(rule)
    if of_steps:
        rule = _STEPS if compared else _RULE
        tests = count_noun(of_steps, "test")
        sentences.append(rule.format(what=_STEP, tests=tests, scope=scope))
        sentences.append(_NO_FAILURE)
    if sentences:
        sentences.append(_WORDS)
    if any(one.overall for one in report.comparisons):
        has_ranking = len(report.leaderboard.rows) > 1
        sentences.append(f"{_OVERALL} {_TWO_MEANS}" if has_ranking else _OVERALL)
    if any(delta.warn_only for one in report.comparisons for delta in one.deltas):
        sentences.append(_WARN_ONLY)
    if owner := common_owner(report):
        sentences.append(f"The names of all models begin with {plain(Name(owner))}, left out here.")
    return sentences


def _scope(report: Report) -> str:
    """Return what the intervals are about."""
    comparisons = (*report.comparisons, *report.steps)
    runs = [delta.runs for one in comparisons for delta in one.deltas if delta.interval]
    counts = sorted(filter(None, set(runs)))
    if not counts:
        return _OF_QUESTIONS
    sides = (f"{here} here and {there} in the baseline" for here, there in counts)
    single = runs.count(None)
    which = f", for {len(runs) - single} of {len(runs)} metrics," if single else ""
    return (
        _OF_RUNS.format(which=which, runs=", or ".join(sides))
        + _OF_TWO_RUNS * any(max(count) == _FEW_RUNS for count in counts)
        + _OF_OTHERS * bool(single)
    )


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


def _outcome(report: Report, limit: int | None) -> Iterator[str]:
    """Yield whether the job passes, why, and what else could hide a regression."""
    gate = report.gate or Gate(closed=False, reasons=())
    is_job = report.provenance.is_job
    unread = [f"{count_noun(report.unread, 'artifact')} could not be read"]
    conflicts = [f"{count_noun(report.contradictions, 'contradiction')} between evaluations"]
    failures = [*unread * bool(report.unread), *conflicts * bool(report.contradictions)]
    reasons = join_truncated(_reasons(gate, report), limit, separator="; ")
    if gate.closed or failures:
        failures = [*[reasons] * gate.closed, *failures]
        yield f"{'The job failed' if is_job else 'Failed'}: {'; '.join(failures)}."
    if gate.reasons and not gate.closed:
        never = "fail-on: never" if is_job else "--fail-on never"
        why = f"label {gate.accepted_by}" if gate.accepted_by else never
        if is_job and not failures:
            yield f"The job passed despite the {severity_mark(report)} ({why}): {reasons}."
        else:
            yield f"Doesn't fail{' the job' * is_job} ({why}): {reasons}."
    elif report.gate and is_job and not gate.closed and not failures:
        yield "The job passed."
    if gate.warnings:
        warnings = join_truncated(gate.warnings, limit, separator="; ")
        yield f"Doesn't fail{' the job' * is_job}: {warnings}."


def _reasons(gate: Gate, report: Report) -> list[str]:
    """Return the gate's reasons: regressions by their number, as a table has them, if several."""
    rows = ((one, delta) for one in report.comparisons for delta in one.regressions)
    known = {describe_regression(*row) for row in rows}
    others = [reason for reason in gate.reasons if reason not in known]
    regressions = len(gate.reasons) - len(others)
    if regressions <= 1:
        return list(gate.reasons)
    return [f"{regressions} regressions", *others]


def _overall(report: Report, comparison: Comparison, delta: Delta) -> Iterator[str]:
    """Yield `Mean of 6 benchmarks: 62.8 → 63.6 (+0.8 pp, 95% CI …), inconclusive`."""
    compared = {one.key.benchmark for one in comparison.deltas if one.key}
    averaged = _averaged_benchmarks(report, comparison)
    of_all = f" of {len(compared)}" if len(averaged) < len(compared) else ""
    is_step = comparison in report.steps
    is_alone = delta.verdict.is_flagged and not any(
        one.verdict.is_flagged for one in comparison.deltas
    )
    places = f" from iteration {comparison.baseline.iteration} to {comparison.iteration}"
    yield (
        f"Mean of {len(averaged)}{of_all} benchmark{'s' * (len(compared) != 1)}{places * is_step}: "
        f"{score_change(delta)} ({_with_words(delta)}), {deltas.verdict_label(delta)}"
        f"{'; no single benchmark is significant' * is_alone}."
    )


def _mean(report: Report) -> Iterator[str]:
    """Yield the mean of the only model, and what it is over, if it is over several metrics."""
    mean = report.leaderboard.rows[0].mean
    if mean is not None and len(report.leaderboard.ranking_metrics) > 1:
        yield f"Mean: {score(mean)}. {tables.mean_rule(report)}"


def _averaged_benchmarks(report: Report, comparison: Comparison) -> set[str]:
    """Return the benchmarks that the mean is over; a part of another one is in that."""
    keys = [one.key for one in comparison.deltas if one.key and _is_averaged(one)]
    place = comparison.model, comparison.iteration
    scores = next(
        (one.scores for one in report.evaluations if (one.model, one.iteration) == place), {}
    )
    parts = parts_of_others({key: scores[key] for key in keys if key in scores})
    return {key.benchmark for key in keys if key not in parts}


def _is_averaged(delta: Delta) -> bool:
    is_score = in_points(delta) and delta.lower_is_better is False
    return is_score and delta.interval is not None and not delta.warn_only


def _with_words(delta: Delta) -> str:
    """Return `+0.8 pp, 95% CI −1.5 to +3.1`."""
    of = " on shared questions" * is_of_shared(delta)
    return f"{change(delta, delta.difference)}{of}, 95% CI {interval(delta)}"


def _partners(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yield which models are compared with another model or iteration than their own."""
    for one in comparisons:
        if one.model != one.baseline.model:
            names = (plain(Name(name)) for name in (one.model, one.baseline.model))
            yield "Each side has one model: {} is compared with {}.".format(*names)
    models = [
        f"{plain(Name(one.model))} at iteration {one.iteration} with {one.baseline.iteration}"
        for one in comparisons
        if one.iteration != one.baseline.iteration
    ]
    if models:
        shown = join_truncated(models, _SHOWN, separator="; ")
        yield f"Compared with another iteration, the latest that the baseline has: {shown}."
