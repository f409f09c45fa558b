"""The report of a run, and its JSON form (schema/report.schema.json)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.comparing.evaluations import group_by_model, map_scores
from helm_wandb.model import (
    Baseline,
    Comparison,
    Evaluation,
    Gate,
    Leaderboard,
    MetricHistory,
    Provenance,
    Report,
    Score,
    ScoreKey,
    UnmatchedModels,
    Verdict,
)
from helm_wandb.report.headline import count_verdicts, headline
from helm_wandb.text.words import join_truncated

SCHEMA_VERSION = 1
LONGEST_NAME = 1_000
"""Characters of a model, benchmark or metric; what HELM and configs name has some 100."""
LONGEST_TEXT = 100_000
"""Characters of a reason, which may list all columns of a table."""
_DETAILED = 2
"""Number of a model's iterations that keep their instances: the candidate and the previous one."""
_NOT_KEPT = f"kept for the {_DETAILED} latest iterations of a model only"


def build(  # noqa: PLR0913 -- the parts of a report, each by its name
    evaluations: Sequence[Evaluation],
    leaderboard: Leaderboard,
    *,
    notes: Sequence[str],
    provenance: Provenance,
    comparisons: Sequence[Comparison] = (),
    steps: Sequence[Comparison] = (),
    history: Sequence[MetricHistory] = (),
    not_in_baseline: UnmatchedModels | None = None,
    gate: Gate | None = None,
    unread: int = 0,
    contradictions: int = 0,
) -> Report:
    """Return the report of evaluations and of their comparisons.

    not_in_baseline: the models that the baseline lacks.
    unread: how many artifacts could not be read.
    contradictions: how many scores differ between evaluations of the same model.
    Instances are those of each model's two latest iterations: no other is compared.
    """
    report = Report(
        verdict=verdict(comparisons),
        headline="",
        evaluations=_with_instances_kept(evaluations),
        leaderboard=leaderboard,
        notes=tuple(notes),
        links={},
        provenance=provenance,
        comparisons=tuple(comparisons),
        steps=tuple(steps),
        history=tuple(history),
        not_in_baseline=not_in_baseline,
        gate=gate,
        unread=unread,
        contradictions=contradictions,
    )
    return replace(report, headline=headline(report))


def verdict(comparisons: Iterable[Comparison]) -> Verdict:
    """Return the verdict of a run: regressed or improved if any score is, no change if all are.

    With a baseline that nothing can be compared with, it is untestable.
    """
    compared = tuple(comparisons)
    verdicts = set(count_verdicts(compared))
    for one in (Verdict.REGRESSED, Verdict.IMPROVED):
        if one in verdicts:
            return one
    if not compared:
        return Verdict.NO_BASELINE
    testable = verdicts - {Verdict.UNTESTABLE}
    if not testable:
        return Verdict.UNTESTABLE
    return Verdict.NO_CHANGE if testable == {Verdict.NO_CHANGE} else Verdict.INCONCLUSIVE


def _with_instances_kept(evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    kept = {
        (one.model, one.iteration)
        for of_model in group_by_model(evaluations).values()
        for one in of_model[-_DETAILED:]
    }
    return tuple(
        one if (one.model, one.iteration) in kept else map_scores(one, _without_instances)
        for one in evaluations
    )


def _without_instances(_: ScoreKey, score: Score) -> Score:
    if score.instances is None:
        return score
    return replace(score, instances=None, no_instances=_NOT_KEPT)


def baseline_name(report: Report) -> str:
    """Return the baselines of the report's models, each once; empty if there are none."""
    return join_truncated(
        [*dict.fromkeys(baseline_label(one.baseline) for one in report.comparisons)]
    )


def baseline_label(baseline: Baseline) -> str:
    """Return `main@4be1c02`, or the baseline's source."""
    return name_commit(baseline.ref, baseline.commit) or baseline.origin


def name_commit(ref: str | None, commit: str | None) -> str:
    """Return `main@4be1c02`, as far as branch and commit are known."""
    return "@".join(filter(None, ((ref or "").removeprefix("refs/heads/"), (commit or "")[:7])))


def to_json(report: Report) -> bytes:
    """Return the report as indented JSON, numbers at full precision, `null` for what is unknown."""
    return b"".join(json_pieces(report))


def json_pieces(report: Report) -> Iterator[bytes]:
    """Yield the JSON in pieces, none of which is longer than a score."""
    # Imported here: a run that writes no report does not pay for msgspec.
    from helm_wandb.report import writing  # noqa: PLC0415

    return writing.json_pieces(report)


def from_json(data: bytes) -> tuple[Evaluation, ...]:
    """Return the evaluations of a report JSON; nothing else in it is trusted.

    Raises ValueError, with a sentence that begins with the JSON path, if it isn't a report.
    """
    from helm_wandb.report import reading  # noqa: PLC0415 -- it needs msgspec, as writing does

    return reading.evaluations(data)


class PublishedReport(Struct, frozen=True, kw_only=True):
    """The parts of a report JSON that a baseline is made of."""

    evaluations: tuple[Evaluation, ...]
    history: tuple[MetricHistory, ...]
    ref: str | None
    commit: str | None


def baseline_from_json(data: bytes) -> PublishedReport:
    """Return the evaluations of a report JSON, and the history, ref and commit that it names.

    Raises ValueError as `from_json` does.
    """
    from helm_wandb.report import reading  # noqa: PLC0415 -- as above

    evaluations = reading.evaluations(data)
    ref, commit = reading.origin(data)
    return PublishedReport(
        evaluations=evaluations, history=reading.history(data), ref=ref, commit=commit
    )
