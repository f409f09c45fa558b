"""Short ways to make the nouns that tests speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helm_wandb import leaderboard
from helm_wandb import report as reports
from helm_wandb.helm_metrics import CORE_METRICS
from helm_wandb.model import Evaluation, Origin, Provenance, Report, Score, ScoreKey, SubjectScore

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


def evaluation(  # noqa: PLR0913 -- each argument is a field that some test is about
    model: str = "alpha",
    iteration: int = 0,
    scores: Mapping[str, float] | None = None,
    *,
    tokens_billions: float | None = None,
    missing: Mapping[str, str] | None = None,
    lower: Collection[str] = (),
    subjects: Mapping[str, Mapping[str, float]] | None = None,
    source: str = "helm",
    suite: str | None = "nightly",
    token_per_iteration: float | None = None,
) -> Evaluation:
    """An evaluation with `{"mmlu.EM": 0.3}` as scores."""
    return Evaluation(
        model=model,
        iteration=iteration,
        tokens_billions=tokens_billions,
        origin=Origin(source=source, suite=suite, token_per_iteration=token_per_iteration),
        scores={
            ScoreKey.parse(key): Score(
                value=value,
                n=None,
                lower_is_better=key in lower,
                subjects={
                    name: SubjectScore(value=part, n=None)
                    for name, part in (subjects or {}).get(key, {}).items()
                },
            )
            for key, value in (scores or {"mmlu.EM": 0.5}).items()
        },
        missing={ScoreKey.parse(key): why for key, why in (missing or {}).items()},
    )


def report(
    evaluations: Sequence[Evaluation],
    *,
    metrics: Sequence[ScoreKey] = CORE_METRICS,
    notes: Sequence[str] = (),
    provenance: Provenance | None = None,
    guests: Sequence[Evaluation] = (),
) -> Report:
    """The report of the evaluations, with the leaderboard of them and of the project's models."""
    board = leaderboard.build(
        evaluations, metrics=metrics, excluded_models=frozenset(), guests=guests
    )
    return reports.build(
        evaluations,
        board,
        notes=notes,
        provenance=provenance or Provenance(tool_version="1.2.3"),
    )
