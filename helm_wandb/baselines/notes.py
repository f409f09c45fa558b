"""Sentences about the baselines: which ones are used, and which models have none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from helm_wandb.baselines.matches import BaselineMatch
from helm_wandb.comparing.evaluations import group_by_model, latest
from helm_wandb.comparing.verdicts import Partner
from helm_wandb.model import BaselineNote, Evaluation, UnmatchedModels
from helm_wandb.text.words import join_truncated

_SHOWN = 10


def unmatched_models(
    candidates: Sequence[Evaluation], matches: Sequence[BaselineMatch]
) -> UnmatchedModels | None:
    """Return the models that no baseline has; None without any, or without a baseline."""
    models = group_by_model(evaluation for one in matches for evaluation in one.evaluations)
    lacking = tuple(one.model for one in latest(candidates) if one.model not in models)
    if not lacking or not matches:
        return None
    return UnmatchedModels(
        models=lacking,
        baseline_models=tuple(group_by_model(matches[0].evaluations)),
        origin=matches[0].label,
    )


def extra_model_notes(
    candidates: Sequence[Evaluation], matches: Sequence[BaselineMatch]
) -> tuple[str, ...]:
    """Return which models only the nearest baseline has."""
    own = group_by_model(candidates)
    nearest = group_by_model(matches[0].evaluations) if matches and own else {}
    extra = [model for model in nearest if model not in own]
    if not extra:
        return ()
    origin, models = matches[0].origin, join_truncated(extra, _SHOWN)
    return (f"Only in the baseline ({origin}): {models}.",)


def baseline_notes(
    matches: Sequence[BaselineMatch], partners: Sequence[Partner]
) -> tuple[str, ...]:
    """Return which baselines are used, the nearest first, and which nearer ones are not.

    partners: one or more, each with its baseline from one of the matches.
    """
    by_match = [
        [one for one in partners if match.is_source_of(one.baseline_label)] for match in matches
    ]
    used = [at for at, own in enumerate(by_match) if own]
    notes: list[str] = []
    for at, (match, own) in enumerate(zip(matches, by_match, strict=True)):
        if at == min(used):
            notes.append(BaselineNote(f"Baseline: {match.label}."))
        elif own:
            notes.append(
                f"Baseline of {_benchmarks(own)}: {match.label}; no nearer one has it with the "
                "same settings."
            )
        elif at < max(used):
            notes.append(
                f"Skipped: {match.label}; it has nothing of this run with the same settings."
            )
    return tuple(notes)


def _benchmarks(partners: Iterable[Partner]) -> str:
    """`raft of alpha`, for each benchmark that these compare."""
    names = {
        f"{key.benchmark} of {partner.candidate.model}": None
        for partner in partners
        for key in partner.candidate.scores
    }
    return join_truncated(list(names), _SHOWN)
