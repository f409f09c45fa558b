"""Everything that is told about a run, and its JSON form (schema/report.schema.json)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from helm_wandb.evaluations import by_model
from helm_wandb.model import Report, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helm_wandb.model import (
        Evaluation,
        Instances,
        Leaderboard,
        LeaderboardRow,
        Provenance,
        Score,
    )

SCHEMA_VERSION = 1

_DETAILED = 2
"""How many iterations of a model keep their instances: the candidate, and the one before it."""
_NOT_KEPT = f"kept for the {_DETAILED} greatest iterations of a model only"


def build(
    evaluations: Sequence[Evaluation],
    leaderboard: Leaderboard,
    *,
    notes: Sequence[str],
    provenance: Provenance,
) -> Report:
    """The report of evaluations that there is nothing to compare with.

    Instances are those of each model's two greatest iterations: no other is compared.
    """
    return Report(
        verdict=Verdict.NO_BASELINE,
        headline=_headline(evaluations) if evaluations else _project_headline(leaderboard),
        evaluations=_with_instances_kept(evaluations),
        leaderboard=leaderboard,
        notes=tuple(notes),
        links={},
        provenance=provenance,
    )


def _with_instances_kept(evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    kept = {
        (one.model, one.iteration)
        for of_model in by_model(evaluations).values()
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


def _headline(evaluations: Sequence[Evaluation]) -> str:
    models = by_model(evaluations)
    metrics = {key for evaluation in evaluations for key in evaluation.scores}
    counted = f"{_counted(len(models), 'model')}, {_counted(len(metrics), 'metric')}"
    if len(evaluations) > len(models):
        counted += f", {_counted(len(evaluations), 'iteration')}"
    return f"HELM evaluations: {counted}; no baseline to compare with"


def _project_headline(leaderboard: Leaderboard) -> str:
    models = _counted(len(leaderboard.rows), "model")
    return f"The W&B project's models: {models}, {_counted(len(leaderboard.metrics), 'metric')}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def to_json(report: Report) -> bytes:
    """The report as indented JSON, numbers at full precision, `null` for what is unknown."""
    # Imported here: a run that writes no report does not pay for it.
    import msgspec  # noqa: PLC0415

    # msgspec cannot encode lone surrogates, which names may hold: they become `?`.
    text = json.dumps(to_dict(report), ensure_ascii=False, allow_nan=False)
    return msgspec.json.format(text.encode(errors="replace"), indent=1) + b"\n"


def from_json(data: bytes) -> tuple[Evaluation, ...]:
    """The evaluations of a report JSON; of all else in it nothing is believed.

    Raises ValueError, with a sentence that begins with the JSON path, where it is no report.
    """
    from helm_wandb.report import reading  # noqa: PLC0415 -- it needs msgspec, as to_json does

    return reading.evaluations(data)


def to_dict(report: Report) -> dict[str, Any]:
    """The report as plain data, keyed as in its schema."""
    provenance = report.provenance
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": report.verdict.value,
        "headline": report.headline,
        "evaluations": [_evaluation(one) for one in report.evaluations],
        "leaderboard": {
            "metrics": list(map(str, report.leaderboard.metrics)),
            "ranking_metrics": list(map(str, report.leaderboard.ranking_metrics)),
            "left_out": {str(key): why for key, why in report.leaderboard.left_out.items()},
            "rows": leaderboard_rows(report.leaderboard),
        },
        "comparisons": [],
        "steps": [],
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


def _evaluation(one: Evaluation) -> dict[str, Any]:
    return {
        "model": one.model,
        "iteration": one.iteration,
        "tokens_billions": one.tokens_billions,
        "source": one.origin.source,
        "suite": one.origin.suite,
        "token_per_iteration": one.origin.token_per_iteration,
        "scores": {str(key): _score(score) for key, score in one.scores.items()},
        "missing": {str(key): why for key, why in one.missing.items()},
    }


def _score(score: Score) -> dict[str, Any]:
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
        "stratum": instances.stratum,
        "id": instances.id,
        "trial": instances.trial,
        "input": instances.input,
        "cluster": instances.cluster,
        "value": instances.value,
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
