"""A report's one-line headline: which metrics of which model changed, and by how much.

It is the heading of the comment, the job summary and the HTML report, and what an e-mail shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from helm_wandb.comparing.evaluations import group_by_model
from helm_wandb.model import Comparison, Delta, Gate, Report, UnmatchedModels, Verdict
from helm_wandb.text.quantities import change, size_range
from helm_wandb.text.safe_text import Name, plain
from helm_wandb.text.words import count_noun, join_truncated, shorten

LENGTH = 110
"""Characters of a headline, at most, unless its counts alone have more."""
_NAMED = 4
"""Flagged changes that are named, or models of which more is counted than flagged changes."""
_NAME_LENGTH = 40
"""Characters of a name; half of it if it stands with others."""
_REASON_LENGTH = 80
"""Characters of the result that fails the job without a regression, or would; half of it if the
changes have no room for their names either."""
INFORMATION = "\N{INFORMATION SOURCE}\N{VARIATION SELECTOR-16}"
WARNING = "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}"
VERDICT_WORDS = {
    Verdict.REGRESSED: "regressed",
    Verdict.IMPROVED: "improved",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.NO_CHANGE: "no change",
    Verdict.UNTESTABLE: "not tested",
}
"""Verdicts of deltas, in the order that they are shown."""
FLAGGED_NOUNS = {Verdict.REGRESSED: "regression", Verdict.IMPROVED: "improvement"}
_UNFLAGGED = [verdict for verdict in VERDICT_WORDS if not verdict.is_flagged]


class _Room(Struct, frozen=True):
    """How much a headline says."""

    named: int
    """Flagged changes by name."""
    counted: int
    """Verdicts whose numbers are said next to flagged changes, of those that flag nothing."""
    has_sizes: bool = True
    """Whether the numbers of inconclusive changes have their detectable effects."""


def headline(report: Report) -> str:
    """Return `❌ acme/assistant: boolq −13.0 pp, 4 inconclusive`: a mark, the model, the changes.

    Changes are named as far as they fit, if need be in place of the counts of what isn't flagged,
    which are of no use for many models; then also the model is left out.
    """
    mark, subject = severity_mark(report), _subject(report)
    has_many = len({one.model for one in report.comparisons}) > _NAMED
    texts = [
        f"{mark} {subject}{_words(report, _Room(named, counted, has_sizes))}{others}"
        for named in range(_NAMED, -1, -1)
        for counted in ((0,) if has_many else (len(_UNFLAGGED), 1, 0))
        for has_sizes in (True, False)
        for others in (_replaced_models(report), "")
    ]
    texts.append(f"{mark} {_words(report, _Room(0, len(_UNFLAGGED)))}")
    return next((text for text in texts if len(text) <= LENGTH), texts[-1])


def count_verdicts(comparisons: Iterable[Comparison]) -> Counter[Verdict]:
    """Return how many deltas and flagged means have each verdict."""
    return Counter(delta.verdict for one in comparisons for delta in one.counted_deltas)


def sort_flagged(comparisons: Iterable[Comparison]) -> list[tuple[Comparison, Delta]]:
    """Return regressions, then improvements, the largest first, each with its comparison.

    Those that only warn come after the others.
    """
    rows = (
        (one, delta)
        for one in comparisons
        for delta in one.counted_deltas
        if delta.verdict.is_flagged
    )
    return sorted(
        rows,
        key=lambda row: (
            row[1].verdict is Verdict.IMPROVED,
            row[1].warn_only,
            -abs(row[1].difference),
        ),
    )


def severity_mark(report: Report) -> str:
    """Return ❌ for a regression or a failed job, ⚠️ for what is incomplete or only warns."""
    gate = report.gate
    if (gate and gate.closed) or _has_regressions(report):
        return "❌"
    regressed = any(one.regressions for one in report.comparisons)
    is_incomplete = report.unread or report.contradictions or report.not_in_baseline
    if regressed or is_incomplete or (gate and (gate.reasons or gate.warnings)):
        return WARNING
    if not report.comparisons:
        return INFORMATION
    return WARNING if report.verdict is Verdict.UNTESTABLE else "✅"


def _subject(report: Report) -> str:
    """Return `acme/assistant: `, `2 models: `, or `acme/assistant since iteration 5000: `."""
    if report.not_in_baseline and not report.comparisons:
        return ""
    evaluated = [*group_by_model(report.evaluations)] or [
        row.model for row in report.leaderboard.rows
    ]
    models = [*dict.fromkeys(one.model for one in report.comparisons)] or evaluated
    subject = short_name(models[0]) if len(models) == 1 else count_noun(len(models), "model")
    steps = _only_steps(report)
    if len(steps) == 1:
        subject += f" since iteration {steps[0].baseline.iteration}"
    elif steps:
        subject += " since their previous checkpoints"
    return f"{subject}: "


def _only_steps(report: Report) -> Sequence[Comparison]:
    """Return the changes since the previous checkpoints, if they are tested and all there is."""
    is_tested = any(count_verdicts(report.steps).keys() - {Verdict.UNTESTABLE})
    return report.steps if is_tested and not report.comparisons else ()


def _words(report: Report, room: _Room) -> str:
    """Return the headline's words."""
    gate, lacking = report.gate, report.not_in_baseline
    of_gate = _gate_words(report, gate, room.named) if gate and gate.reasons else ""
    parts = [
        *(_compared(report, room) if report.comparisons else _uncompared(report, room)),
        *_text_if(report.unread, f"{count_noun(report.unread, 'artifact')} unread"),
        *_text_if(report.contradictions, count_noun(report.contradictions, "contradiction")),
    ]
    if lacking and report.comparisons:
        parts.append(_lacking(lacking))
    if _passes_with_regressions(report):
        parts.append("job passed")
    return of_gate + ", ".join(parts)


def _gate_words(report: Report, gate: Gate, named: int) -> str:
    """Return `job failed (boolq.EM is 0.6, below its floor of 0.7), `, to begin the words.

    If the result is accepted, that is said in place of `job failed`; if it fails nothing, it
    stands alone. Regressions are named as changes.
    """
    if _has_regressions(report):
        return "regressions accepted, " if gate.accepted_by else ""
    reason = _first_reason(report, gate, _REASON_LENGTH if named else _REASON_LENGTH // 2)
    if not (gate.closed or gate.accepted_by):
        return f"{reason}; "
    what = f"{'job ' * report.provenance.is_job}failed" if gate.closed else "accepted"
    return f"{what} ({reason}), " if named else f"{what}, "


def _first_reason(report: Report, gate: Gate, length: int) -> str:
    """Return the gate's first reason, without the name of the only model."""
    models = group_by_model(report.evaluations)
    reason = gate.reasons[0]
    if len(models) == 1:
        reason = reason.replace(f" of {next(iter(models))} ", " ", 1)
    more = f" and {len(gate.reasons) - 1} more" if len(gate.reasons) > 1 else ""
    return shorten(plain(reason), length) + more


def _has_regressions(report: Report) -> bool:
    """Whether a change that can fail the job regressed."""
    return any(not delta.warn_only for one in report.comparisons for delta in one.regressions)


def _passes_with_regressions(report: Report) -> bool:
    """Whether the mark alone would say that the job failed."""
    gate = report.gate
    is_open = gate and not (gate.closed or gate.accepted_by)
    is_whole = not (report.unread or report.contradictions)
    return bool(is_open and is_whole and report.provenance.is_job and severity_mark(report) == "❌")


def _text_if(condition: object, text: str) -> list[str]:
    return [text] if condition else []


def _uncompared(report: Report, room: _Room) -> list[str]:
    lacking, steps = report.not_in_baseline, _only_steps(report)
    if lacking:
        return [f"{_lacking(lacking)}, which has {_first_name(lacking.baseline_models)}"]
    if not report.evaluations:
        return ["the W&B project's ranking"]
    metrics = {key for evaluation in report.evaluations for key in evaluation.scores}
    if steps:
        return _changes(steps, room, is_of_run=True)
    return [count_noun(len(metrics), "metric"), "no baseline yet"]


def _lacking(lacking: UnmatchedModels) -> str:
    """Return `alpha and 2 more aren't in the baseline`."""
    verb = "isn't" if len(lacking.models) == 1 else "aren't"
    return f"{_first_name(lacking.models)} {verb} in the baseline"


def _replaced_models(report: Report) -> str:
    """Return `, which has beta-v1 instead`: a model may have been renamed."""
    if not report.not_in_baseline or not report.comparisons:
        return ""
    own = group_by_model(report.evaluations)
    others = [model for model in report.not_in_baseline.baseline_models if model not in own]
    return f", which has {_first_name(others)} instead" if others else ""


def _first_name(models: Sequence[str]) -> str:
    """Return `alpha and 2 more`; `no model` of none."""
    names = [short_name(model, _NAME_LENGTH // 2) for model in models[:1]]
    return join_truncated([*names, *models[1:]], 1) or "no model"


def _compared(report: Report, room: _Room) -> list[str]:
    counts = count_verdicts(report.comparisons)
    if not counts.keys() - {Verdict.UNTESTABLE}:
        return ["no score could be tested"]
    is_quiet = not any(verdict.is_flagged for verdict in counts)
    changes = _changes(report.comparisons, room, is_of_run=False)
    is_warned = report.gate and report.gate.reasons and not report.gate.closed
    is_good = is_quiet and counts.total() > 1 and not is_warned
    return [*_text_if(is_good, "no regression"), *changes]


def _changes(comparisons: Sequence[Comparison], room: _Room, *, is_of_run: bool) -> list[str]:
    """Return the flagged changes, so many of them by name, and the counts of the others."""
    counts, flagged = count_verdicts(comparisons), sort_flagged(comparisons)
    counts[Verdict.UNTESTABLE] += sum(len(one.not_comparable) for one in comparisons)
    shown = [_named(one, delta, comparisons) for one, delta in flagged[: room.named]]
    if not flagged and room.named and (is_of_run or counts.total() == 1):
        shown.append(_largest(comparisons, counts))
    return [
        *shown,
        *_rest([delta for _, delta in flagged], room.named),
        *(
            f"{counts[verdict]} {VERDICT_WORDS[verdict]}"
            f"{_visible(comparisons, verdict) if room.has_sizes and not flagged else ''}"
            for verdict in (_UNFLAGGED[: room.counted] if flagged else _UNFLAGGED)
            if counts[verdict]
        ),
    ]


def _largest(comparisons: Sequence[Comparison], counts: Counter[Verdict]) -> str:
    """Return `imdb +30.0 pp and 4 more inconclusive`, and take these from the counts."""
    verdict = next(one for one in _UNFLAGGED if counts[one])
    rows = [(one, delta) for one in comparisons for delta in one.deltas if delta.verdict is verdict]
    largest = max(rows, key=lambda row: abs(row[1].difference))
    more = counts.pop(verdict) - 1
    others = f" and {more} more" if more else ","
    return f"{_named(*largest, comparisons)}{others} {VERDICT_WORDS[verdict]}"


def _named(comparison: Comparison, delta: Delta, comparisons: Sequence[Comparison]) -> str:
    """Return `boolq −13.0 pp`, or `boolq of alpha −13.0 pp` if there are several models."""
    model = comparison.model.rpartition("/")[2] or comparison.model
    has_several = len({one.model for one in comparisons}) > 1
    of_model = f" of {short_name(model, _NAME_LENGTH // 2)}" if has_several else ""
    is_worse = delta.verdict is Verdict.REGRESSED
    has_two_senses = delta.lower_is_better and delta.verdict.is_flagged  # by the sign alone
    remarks = [
        *_text_if(has_two_senses, "worse" if is_worse else "better"),
        *_text_if(delta.warn_only and is_worse, "warn only"),
    ]
    remark = f" ({', '.join(remarks)})" if remarks else ""
    return f"{_metric(delta, comparisons)}{of_model} {change(delta, delta.difference)}{remark}"


def _metric(delta: Delta, comparisons: Iterable[Comparison]) -> str:
    """Return the benchmark, with the metric if it has others; `mean` of the mean."""
    if delta.key is None:
        return "mean"
    benchmark = delta.key.benchmark
    keys = {other.key for one in comparisons for other in one.deltas if other.key}
    is_only = sum(key.benchmark == benchmark for key in keys) == 1
    return short_name(benchmark if is_only else f"{benchmark} {delta.key.metric}")


def _rest(flagged: Sequence[Delta], named: int) -> Iterator[str]:
    """Yield `2 more regressions (1 warn only)` and `3 improvements`: those that are not named."""
    for verdict, noun in FLAGGED_NOUNS.items():
        hidden = [delta for delta in flagged[named:] if delta.verdict is verdict]
        more = "more " if any(delta.verdict is verdict for delta in flagged[:named]) else ""
        warnings = sum(delta.warn_only for delta in hidden) if verdict is Verdict.REGRESSED else 0
        only = f" ({warnings} warn only)" if warnings else ""
        yield from _text_if(hidden, f"{count_noun(len(hidden), more + noun)}{only}")


def _visible(comparisons: Iterable[Comparison], verdict: Verdict = Verdict.INCONCLUSIVE) -> str:
    """Return ` (detectable from 2.0–5.8 pp)` of inconclusive deltas; empty of others."""
    deltas = [delta for one in comparisons for delta in one.deltas if delta.verdict is verdict]
    detectable = size_range(deltas) if verdict is Verdict.INCONCLUSIVE else ""
    return f" (detectable from {detectable})" if detectable else ""


def short_name(name: str, limit: int = _NAME_LENGTH) -> str:
    """Return the name without invisible characters, in at most so many."""
    return shorten(plain(Name(name)), limit)
