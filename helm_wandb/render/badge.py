"""A Report → the JSON of a badge, in the format of https://shields.io/badges/endpoint-badge."""

from __future__ import annotations

import json
from collections.abc import Iterator

from helm_wandb.comparing.evaluations import group_by_model
from helm_wandb.model import LeaderboardRow, Report, Verdict
from helm_wandb.report.headline import (
    FLAGGED_NOUNS,
    INFORMATION,
    VERDICT_WORDS,
    WARNING,
    count_verdicts,
    severity_mark,
    short_name,
)
from helm_wandb.text.quantities import score
from helm_wandb.text.words import count_noun

_COLOURS = {"✅": "green", "❌": "red", WARNING: "orange", INFORMATION: "blue"}
"""By the mark of the report's headline, so that badge and comment agree."""


def render(report: Report) -> str:
    """Return the badge: the model, its mean score, and the verdict; in ASCII."""
    rows = _own_rows(report)
    badge = {
        "schemaVersion": 1,
        "label": short_name(rows[0].model) if len(rows) == 1 else count_noun(len(rows), "model"),
        "message": ", ".join(_words(report, rows)),
        "color": _COLOURS[severity_mark(report)],
    }
    return json.dumps(badge, indent=2) + "\n"


def _own_rows(report: Report) -> list[LeaderboardRow]:
    """Return the rows of the evaluated models; those of the project if none was evaluated."""
    own = group_by_model(report.evaluations)
    return [row for row in report.leaderboard.rows if not own or row.model in own]


def _words(report: Report, rows: list[LeaderboardRow]) -> Iterator[str]:
    """Yield `mean 62.8%` and `1 regression`: the best score as far as known, and the verdict."""
    means = [row.mean for row in rows if row.mean is not None]
    metrics = report.leaderboard.ranking_metrics
    if means:
        name = short_name(str(metrics[0])) if len(metrics) == 1 else "mean"
        yield f"{'best ' if len(rows) > 1 else ''}{name} {score(max(means))}%"
    else:
        yield "no mean score"
    if report.gate and report.gate.closed and report.verdict is not Verdict.REGRESSED:
        yield "failed"
    if report.unread or report.contradictions:
        yield "incomplete"
    yield from _verdict(report)


def _verdict(report: Report) -> Iterator[str]:
    """Yield the counts of flagged changes, or what is known without any."""
    counts = count_verdicts(report.comparisons)
    for verdict, noun in FLAGGED_NOUNS.items():
        if counts[verdict]:
            yield count_noun(counts[verdict], noun)
    if report.verdict in VERDICT_WORDS and not report.verdict.is_flagged:
        yield VERDICT_WORDS[report.verdict]
