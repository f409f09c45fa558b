"""Everything that is told about a run, and its JSON form (schema/report.schema.json)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from helm_wandb.comparing.evaluations import group_by_model
from helm_wandb.model import Report, Verdict
from helm_wandb.text.words import count_noun, join_truncated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from helm_wandb.model import Comparison, Evaluation, Gate, Leaderboard, Provenance

SCHEMA_VERSION = 1
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
