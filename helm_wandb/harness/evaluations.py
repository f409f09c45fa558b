"""The evaluations in a harness's output, as all readers build them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from helm_wandb.errors import ArtifactError
from helm_wandb.harness import families
from helm_wandb.harness.entry import HarnessEval
from helm_wandb.harness.families import Checkpoint
from helm_wandb.model import Evaluation, Origin, Score, ScoreKey
from helm_wandb.report import LONGEST_NAME
from helm_wandb.text.nearest import almost_same, nearest_first
from helm_wandb.text.words import join_truncated

DETAILED_ITERATIONS = 2
"""A model's latest iterations, whose instances are read."""
_NAME_SHOWN = 40
_BENCHMARKS_SHOWN = 20


def build_evaluations(
    spec: HarnessEval,
    checkpoints: Mapping[str, Checkpoint],
    scores: Mapping[str, Mapping[ScoreKey, Score | str]],
    *,
    source: str,
    suite: str | None = None,
) -> tuple[Evaluation, ...]:
    """Return the evaluations of the checkpoints, ordered by model and iteration.

    checkpoints: by model id. scores: model id → each score, or why there is none.
    source: the config's name of it, as `helm`.
    """
    evaluations = [
        Evaluation(
            model=checkpoint.family,
            iteration=spec.iteration(checkpoint.iteration),
            tokens_billions=spec.tokens_billions(checkpoint.iteration),
            origin=Origin(source=source, suite=suite, token_per_iteration=spec.token_per_iteration),
            scores={key: one for key, one in scores[model].items() if isinstance(one, Score)},
            missing={key: why for key, why in scores[model].items() if isinstance(why, str)},
        )
        for model, checkpoint in checkpoints.items()
    ]
    return tuple(sorted(evaluations, key=lambda one: (one.model, one.iteration)))


def model_ids(
    spec: HarnessEval, checkpoints: Mapping[str, Checkpoint]
) -> dict[tuple[str, int], str]:
    """Return the model id of each model and iteration; checkpoints: by model id."""
    return {(one.family, spec.iteration(one.iteration)): id_ for id_, one in checkpoints.items()}


def describe_others(
    ids: Iterable[str], chosen: Mapping[str, Checkpoint], spec: HarnessEval, *, where: str
) -> list[str]:
    """Return a note on models that aren't recorded, unless a glob leaves them out.

    where: the output, at the beginning of the sentence.
    """
    others = set(ids) - chosen.keys()
    if not others or spec.model_glob is not None:
        return []
    named = families.quote_names(others)
    return [f"{where} also has {named}: not recorded as {spec.model_name!r}."]


def describe_absent(
    spec: HarnessEval, found: Mapping[str, Iterable[ScoreKey]], benchmarks: Sequence[str]
) -> list[str]:
    """Return a note on the benchmarks that the entry names and no model has.

    found: the scores of each model. benchmarks: those of the output.
    """
    there = {key.benchmark for keys in found.values() for key in keys}
    named = dict.fromkeys(key.benchmark for key in spec.score_keys)
    nowhere = [name for name in named if name not in there]
    if not nowhere:
        return []
    close = [one for name in nowhere if (one := almost_same(benchmarks, name))]
    return [
        f"{spec.output_dir} has no result of {join_truncated(nowhere)}. It has: "
        f"{join_truncated(benchmarks, _BENCHMARKS_SHOWN)}."
        + (f" Did you mean {join_truncated(close)}?" if close else "")
    ]


def describe_nothing(
    spec: HarnessEval,
    scores: Mapping[str, Mapping[ScoreKey, Score | str]],
    benchmarks: Sequence[str],
) -> str:
    """Return why no score that the entry names is there, and what there is."""
    reasons = dict.fromkeys(f"{key}: {why}" for one in scores.values() for key, why in one.items())
    why = join_truncated(list(reasons))
    if not spec.score_keys:
        tasks = join_truncated(benchmarks, _BENCHMARKS_SHOWN)
        return f"{spec.shown}: no task has a score ({why or tasks}). Was the run scored?"
    nearest = nearest_first(benchmarks, next(iter(spec.score_keys)).benchmark)
    return (
        f"{spec.shown} has none of the scores named ({why}). Its tasks are: "
        f"{join_truncated(nearest, _BENCHMARKS_SHOWN)}. Name them under benchmarks."
    )


def split_by_value(
    scores: Iterable[Mapping[ScoreKey, Score | str]],
) -> tuple[tuple[ScoreKey, ...], tuple[ScoreKey, ...]]:
    """Return the keys that some model has a score of, and those that none has: only reasons."""
    keys = dict.fromkeys(key for one in scores for key in one)
    valued = {key for one in scores for key, score in one.items() if isinstance(score, Score)}
    return (
        tuple(key for key in keys if key in valued),
        tuple(key for key in keys if key not in valued),
    )


def refuse_long_names(names: Iterable[str], *, owner: str, advice: str) -> None:
    """Raise ArtifactError if a name is longer than a report may hold: strangers may write it."""
    longest = max(names, key=len, default="")
    if len(longest) > LONGEST_NAME:
        raise ArtifactError(
            f"{owner} has a name of {len(longest):,} characters, {longest[:_NAME_SHOWN]!r}…; at "
            f"most {LONGEST_NAME:,} are allowed. {advice}"
        )
