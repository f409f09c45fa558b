"""Everything that is told about a run, and its JSON form (schema/report.schema.json)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from helm_wandb.evaluations import by_model
from helm_wandb.model import Report, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helm_wandb.model import Evaluation, Leaderboard, LeaderboardRow, Provenance, Score

SCHEMA_VERSION = 1


def build(
    evaluations: Sequence[Evaluation],
    leaderboard: Leaderboard,
    *,
    notes: Sequence[str],
    provenance: Provenance,
) -> Report:
    """The report of evaluations that there is nothing to compare with."""
    return Report(
        verdict=Verdict.NO_BASELINE,
        headline=_headline(evaluations),
        evaluations=tuple(evaluations),
        leaderboard=leaderboard,
        notes=tuple(notes),
        links={},
        provenance=provenance,
    )


def _headline(evaluations: Sequence[Evaluation]) -> str:
    models = by_model(evaluations)
    metrics = {key for evaluation in evaluations for key in evaluation.scores}
    counted = f"{_counted(len(models), 'model')}, {_counted(len(metrics), 'metric')}"
    if len(evaluations) > len(models):
        counted += f", {_counted(len(evaluations), 'iteration')}"
    return f"HELM evaluations: {counted}; no baseline to compare with"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def to_json(report: Report) -> bytes:
    """The report as indented JSON, numbers at full precision, `null` for what is unknown."""
    # Imported here: a run that writes no report does not pay for it.
    import msgspec  # noqa: PLC0415

    # msgspec cannot encode lone surrogates, which names may hold: they become `?`.
    text = json.dumps(to_dict(report), ensure_ascii=False, allow_nan=False)
    return msgspec.json.format(text.encode(errors="replace"), indent=1) + b"\n"


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
        "scores": {str(key): _score(score) for key, score in one.scores.items()},
        "missing": {str(key): why for key, why in one.missing.items()},
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "value": score.value,
        "n": score.n,
        "lower_is_better": score.lower_is_better,
        "subjects": {
            name: {"value": subject.value, "n": subject.n}
            for name, subject in score.subjects.items()
        },
        "fingerprint": None,
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
