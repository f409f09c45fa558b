"""Everything that is told about a run, and its JSON form (schema/report.schema.json)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from helm_wandb.comparing.evaluations import group_by_model
from helm_wandb.model import Report, Verdict
from helm_wandb.text.words import count_noun, join_truncated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from helm_wandb.model import (
        ChangedInstance,
        Comparison,
        Delta,
        Evaluation,
        Gate,
        Instances,
        Leaderboard,
        LeaderboardRow,
        Provenance,
        Score,
    )

SCHEMA_VERSION = 1
OVERALL = "overall"
"""The name of the mean over benchmarks, among the deltas."""

_DETAILED = 2
"""How many iterations of a model keep their instances: the candidate, and the one before it."""
"""Baselines that are named."""
_NOT_KEPT = f"kept for the {_DETAILED} greatest iterations of a model only"


def build(  # noqa: PLR0913 -- the parts of a report, each by its name
    evaluations: Sequence[Evaluation],
    leaderboard: Leaderboard,
    *,
    notes: Sequence[str],
    provenance: Provenance,
    comparisons: Sequence[Comparison] = (),
    steps: Sequence[Comparison] = (),
    gate: Gate | None = None,
    unread: int = 0,
    contradictions: int = 0,
) -> Report:
    """The report of evaluations, and of what they were compared with.

    unread: how many artifacts could not be read.
    contradictions: how many scores are told differently by several evaluations.
    Instances are those of each model's two greatest iterations: no other is compared.
    """
    return Report(
        verdict=verdict(comparisons),
        headline=_headline(evaluations, leaderboard, comparisons)
        + _unread(unread)
        + _contradictions(contradictions),
        evaluations=_with_instances_kept(evaluations),
        leaderboard=leaderboard,
        notes=tuple(notes),
        links={},
        provenance=provenance,
        comparisons=tuple(comparisons),
        steps=tuple(steps),
        gate=gate,
        unread=unread,
        contradictions=contradictions,
    )


def _unread(count: int) -> str:
    return f"; {count_noun(count, 'artifact')} could not be read" if count else ""


def _contradictions(count: int) -> str:
    return f"; {count_noun(count, 'contradiction')} between evaluations" if count else ""


def verdict(comparisons: Iterable[Comparison]) -> Verdict:
    """What a run says: any regression first, then any improvement, and no change only of all.

    Beside a baseline of which nothing can stand it is untestable: there is one.
    """
    compared = tuple(comparisons)
    found = {delta.verdict for comparison in compared for delta in comparison.deltas}
    for one in (Verdict.REGRESSED, Verdict.IMPROVED):
        if one in found:
            return one
    if not compared:
        return Verdict.NO_BASELINE
    testable = found - {Verdict.UNTESTABLE}
    if not testable:
        return Verdict.UNTESTABLE
    return Verdict.NO_CHANGE if testable == {Verdict.NO_CHANGE} else Verdict.UNCLEAR


def _with_instances_kept(evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    kept = {
        (one.model, one.iteration)
        for of_model in group_by_model(evaluations).values()
        for one in of_model[-_DETAILED:]
    }
    return tuple(
        one if (one.model, one.iteration) in kept else _without_instances(one)
        for one in evaluations
    )


def _without_instances(one: Evaluation) -> Evaluation:
    scores = {
        key: score
        if score.instances is None
        else replace(score, instances=None, no_instances=_NOT_KEPT)
        for key, score in one.scores.items()
    }
    return replace(one, scores=scores)


def _headline(
    evaluations: Sequence[Evaluation],
    leaderboard: Leaderboard,
    comparisons: Sequence[Comparison],
) -> str:
    if comparisons:
        return _verdict_headline(comparisons)
    if not evaluations:
        return _project_headline(leaderboard)
    models = group_by_model(evaluations)
    metrics = {key for evaluation in evaluations for key in evaluation.scores}
    told = f"{count_noun(len(models), 'model')}, {count_noun(len(metrics), 'metric')}"
    if len(evaluations) > len(models):
        told += f", {count_noun(len(evaluations), 'iteration')}"
    return f"HELM evaluations: {told}; no baseline to compare with"


def _verdict_headline(comparisons: Sequence[Comparison]) -> str:
    """`1 regression, 1 improvement, 3 not distinguishable, 2 not testable`."""
    counts = counted_verdicts(comparisons)
    marked = counts[Verdict.REGRESSED] + counts[Verdict.IMPROVED] + counts[Verdict.UNTESTABLE]
    others = counts.total() - marked
    apart = sum(len(one.not_comparable) for one in comparisons)
    tested = counts.total() - counts[Verdict.UNTESTABLE]
    told = [
        *told_if(
            tested,
            count_noun(counts[Verdict.REGRESSED], "regression")
            if counts[Verdict.REGRESSED]
            else "no regression",
        ),
        *told_if(counts[Verdict.IMPROVED], count_noun(counts[Verdict.IMPROVED], "improvement")),
        *told_if(others, f"{others} without a distinguishable change"),
        *told_if(counts[Verdict.UNTESTABLE], f"{counts[Verdict.UNTESTABLE]} not testable"),
        *told_if(apart, f"{apart} not comparable"),
    ]
    told = told or ["no score to compare"]
    return f"HELM evaluations: {', '.join(told)}; compared with {_baselines(comparisons)}"


def counted_verdicts(comparisons: Iterable[Comparison]) -> Counter[Verdict]:
    """Verdict → how many deltas have it."""
    return Counter(delta.verdict for one in comparisons for delta in one.deltas)


def told_if(number: int, text: str) -> list[str]:
    """The text, where the number is not 0."""
    return [text] if number else []


def baseline_name(report: Report) -> str:
    """What the report's models were compared with, each named once; empty where they were not."""
    return _baselines(report.comparisons)


def _baselines(comparisons: Iterable[Comparison]) -> str:
    names = list(dict.fromkeys(map(_baseline, comparisons)))
    return join_truncated(names)


def _baseline(comparison: Comparison) -> str:
    """`main@4be1c02`, or where it was found."""
    baseline = comparison.baseline
    name = (baseline.ref or "").removeprefix("refs/heads/")
    commit = (baseline.commit or "")[:7]
    return "@".join(filter(None, (name, commit))) or baseline.origin


def _project_headline(leaderboard: Leaderboard) -> str:
    models = count_noun(len(leaderboard.rows), "model")
    return f"The W&B project's models: {models}, {count_noun(len(leaderboard.metrics), 'metric')}"


def to_json(report: Report) -> bytes:
    """The report as indented JSON, numbers at full precision, `null` for what is unknown."""
    return b"".join(json_pieces(report))


def json_pieces(report: Report) -> Iterator[bytes]:
    """Yield the same piece by piece, none of which is longer than a score."""
    # Imported here: a run that writes no report does not pay for msgspec.
    from helm_wandb.report import writing  # noqa: PLC0415

    return writing.json_pieces(report)


def from_json(data: bytes) -> tuple[Evaluation, ...]:
    """The evaluations of a report JSON; of all else in it nothing is believed.

    Raises ValueError, with a sentence that begins with the JSON path, where it is no report.
    """
    from helm_wandb.report import reading  # noqa: PLC0415 -- it needs msgspec, as writing does

    return reading.evaluations(data)


def baseline_from_json(data: bytes) -> tuple[tuple[Evaluation, ...], str | None, str | None]:
    """The evaluations of a report JSON, and the ref and commit that it says they are of.

    Raises ValueError as `from_json` does.
    """
    from helm_wandb.report import reading  # noqa: PLC0415 -- as above

    return (reading.evaluations(data), *reading.origin(data))


def to_dict(report: Report) -> dict[str, Any]:
    """The report as plain data, keyed as in its schema."""
    provenance = report.provenance
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": report.verdict.value,
        "headline": report.headline,
        "evaluations": [evaluation_fields(one) for one in report.evaluations],
        "leaderboard": {
            "metrics": list(map(str, report.leaderboard.metrics)),
            "ranking_metrics": list(map(str, report.leaderboard.ranking_metrics)),
            "left_out": {str(key): why for key, why in report.leaderboard.left_out.items()},
            "rows": leaderboard_rows(report.leaderboard),
        },
        "comparisons": [_comparison(one) for one in report.comparisons],
        "steps": [_comparison(one) for one in report.steps],
        "gate": None if report.gate is None else _gate(report.gate),
        "notes": list(report.notes),
        "links": dict(report.links),
        "provenance": {
            "commit": provenance.commit,
            "ref": provenance.ref,
            "track": provenance.track,
            "pull_request": provenance.pull_request,
            "run_url": provenance.run_url,
            "attempt": provenance.attempt,
            "tool_version": provenance.tool_version,
        },
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    baseline = one.baseline
    return {
        "model": one.model,
        "iteration": one.iteration,
        "baseline": {
            "origin": baseline.origin,
            "model": baseline.model,
            "iteration": baseline.iteration,
            "ref": baseline.ref,
            "commit": baseline.commit,
        },
        "overall": None if one.overall is None else _delta(one.overall),
        "deltas": list(map(_delta, one.deltas)),
        "not_comparable": {str(key): why for key, why in one.not_comparable.items()},
    }


def _delta(delta: Delta) -> dict[str, Any]:
    interval = delta.interval
    told = {
        "metric": OVERALL if delta.key is None else str(delta.key),
        "baseline": delta.baseline,
        "candidate": delta.candidate,
        "delta": delta.difference,
        "interval": None
        if interval is None
        else {
            "low": interval.low,
            "high": interval.high,
            "level": interval.level,
            "method": interval.method,
        },
        "n": delta.n,
        "clusters": delta.clusters,
        "p": delta.p,
        "p_adjusted": delta.p_adjusted,
        "mde": delta.mde,
        "better": delta.better,
        "worse": delta.worse,
        "verdict": delta.verdict.value,
        "lower_is_better": delta.lower_is_better,
        "why": delta.why,
    }
    return told if delta.items is None else {**told, "items": list(map(_item, delta.items))}


def _item(item: ChangedInstance) -> dict[str, Any]:
    return {
        "stratum": item.stratum,
        "id": item.id,
        "trial": item.trial,
        "before": item.before,
        "after": item.after,
        "input": item.texts.input,
        "reference": item.texts.reference,
        "answer": item.texts.answer,
    }


def _gate(gate: Gate) -> dict[str, Any]:
    return {
        "closed": gate.closed,
        "reasons": list(gate.reasons),
        "accepted_by": gate.accepted_by,
    }


def evaluation_fields(one: Evaluation) -> dict[str, Any]:
    """Return an evaluation as plain data."""
    return {
        "model": one.model,
        "iteration": one.iteration,
        "tokens_billions": one.tokens_billions,
        "source": one.origin.source,
        "suite": one.origin.suite,
        "token_per_iteration": one.origin.token_per_iteration,
        "scores": {str(key): score_fields(score) for key, score in one.scores.items()},
        "missing": {str(key): why for key, why in one.missing.items()},
    }


def score_fields(score: Score) -> dict[str, Any]:
    """Return a score as plain data."""
    told = {
        "value": score.value,
        "n": score.n,
        "lower_is_better": score.lower_is_better,
        "subjects": {
            name: {"value": subject.value, "n": subject.n}
            for name, subject in score.subjects.items()
        },
        "partial": score.partial,
        "fingerprint": None if score.fingerprint is None else dict(score.fingerprint),
        "no_instances": score.no_instances,
    }
    return told if score.instances is None else {**told, "instances": _columns(score.instances)}


def _columns(instances: Instances) -> dict[str, Any]:
    return {
        "stratum": tuple(instances.stratum),
        "id": tuple(instances.id),
        "trial": tuple(instances.trial),
        "input": tuple(instances.input),
        "cluster": tuple(instances.cluster),
        "value": tuple(instances.value),
    }


def leaderboard_rows(leaderboard: Leaderboard) -> list[dict[str, Any]]:
    """The leaderboard's rows as plain data."""
    return [_row(row) for row in leaderboard.rows]


def _row(row: LeaderboardRow) -> dict[str, Any]:
    return {
        "rank": row.rank,
        "tied": row.tied,
        "model": row.model,
        "iteration": row.iteration,
        "tokens_billions": row.tokens_billions,
        "mean": row.mean,
        "mean_win_rate": row.mean_win_rate,
        "scores": {str(key): value for key, value in row.scores.items()},
        "unranked": row.unranked,
    }
