"""Which baseline serves which benchmark of this run's models."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from helm_wandb.comparing import fingerprints
from helm_wandb.comparing.evaluations import group_by_model, latest
from helm_wandb.comparing.verdicts import Partner
from helm_wandb.model import Baseline

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from helm_wandb.baselines.found import Found
    from helm_wandb.model import Evaluation, Score


def partners(candidates: Sequence[Evaluation], *found: Found) -> tuple[Partner, ...]:
    """Each model's greatest iteration, beside the same model in the baselines that have it.

    A benchmark stands beside the first baseline where it was asked alike, else beside the first
    that has it at all; so a model has a partner of each baseline that serves some of its
    benchmarks. It stands beside the same iteration, or, where the baseline lacks that, the
    greatest.
    """
    return tuple(one for candidate in latest(candidates) for one in _partners(candidate, found))


def unserved(candidates: Sequence[Evaluation], found: Iterable[Found]) -> frozenset[str]:
    """`raft of alpha`, for each benchmark that no baseline has, asked alike."""
    found = tuple(found)
    return frozenset(
        f"{benchmark} of {candidate.model}"
        for candidate in latest(candidates)
        for benchmark in _benchmarks(candidate)
        if not any(
            _is_alike(benchmark, candidate, baseline) for _, baseline in _beside(candidate, found)
        )
    )


def steps(candidates: Sequence[Evaluation]) -> tuple[Partner, ...]:
    """Each model's greatest iteration, beside the one before it."""
    return tuple(_steps(candidates))


def _steps(candidates: Sequence[Evaluation]) -> Iterator[Partner]:
    for of_model in group_by_model(candidates).values():
        if len(of_model) > 1:
            before, last = of_model[-2:]
            told = Baseline(origin="this run", model=before.model, iteration=before.iteration)
            yield Partner(last, before, told)


def _partners(candidate: Evaluation, found: Sequence[Found]) -> Iterator[Partner]:
    beside = _beside(candidate, found)
    served: dict[int, set[str]] = defaultdict(set)
    for benchmark in _benchmarks(candidate):
        at = _first_that_serves(benchmark, candidate, [baseline for _, baseline in beside])
        if at is not None:
            served[at].add(benchmark)
    # What only one side has is told beside the first baseline that serves anything.
    main = min(served, default=0)
    elsewhere = {name for at, names in served.items() if at != main for name in names}
    for at, (one, baseline) in enumerate(beside):
        if at == main:
            told = _without(elsewhere, candidate), _without(elsewhere, baseline)
        elif at in served:
            told = _only(served[at], candidate), _only(served[at], baseline)
        else:
            continue
        yield Partner(*told, _told(baseline, one))


def _beside(candidate: Evaluation, found: Iterable[Found]) -> list[tuple[Found, Evaluation]]:
    """The same model in each of the baselines that have it."""
    beside = []
    for one in found:
        of_model = group_by_model(
            other for other in one.evaluations if other.model == candidate.model
        )
        if of_model:
            chosen = _same_or_greatest(of_model[candidate.model], candidate.iteration)
            beside.append((one, chosen))
    return beside


def _same_or_greatest(of_model: Sequence[Evaluation], iteration: int) -> Evaluation:
    same = (one for one in of_model if one.iteration == iteration)
    return next(same, of_model[-1])


def _benchmarks(evaluation: Evaluation) -> list[str]:
    return list(dict.fromkeys(key.benchmark for key in evaluation.scores))


def _first_that_serves(
    benchmark: str, candidate: Evaluation, baselines: Sequence[Evaluation]
) -> int | None:
    """The first where it was asked alike, else the first that has it; None where none has."""
    having = [at for at, one in enumerate(baselines) if benchmark in _benchmarks(one)]
    alike = (at for at in having if _is_alike(benchmark, candidate, baselines[at]))
    return next(alike, having[0] if having else None)


def _is_alike(benchmark: str, candidate: Evaluation, baseline: Evaluation) -> bool:
    """Whether a score of the benchmark is on both sides, and all that are were asked alike."""
    shared = [
        (score, baseline.scores[key])
        for key, score in candidate.scores.items()
        if key.benchmark == benchmark and key in baseline.scores
    ]
    return bool(shared) and all(_was_asked_alike(*scores) for scores in shared)


def _was_asked_alike(here: Score, there: Score) -> bool:
    """As far as is known: of the same subjects, in the same way."""
    if here.subjects.keys() != there.subjects.keys():
        return False
    if here.fingerprint is None or there.fingerprint is None:
        return True
    return fingerprints.describe_difference(here.fingerprint, there.fingerprint) is None


def _only(benchmarks: Collection[str], one: Evaluation) -> Evaluation:
    kept = {key: score for key, score in one.scores.items() if key.benchmark in benchmarks}
    return replace(one, scores=kept)


def _without(benchmarks: Collection[str], one: Evaluation) -> Evaluation:
    kept = {key: score for key, score in one.scores.items() if key.benchmark not in benchmarks}
    return replace(one, scores=kept)


def _told(baseline: Evaluation, found: Found) -> Baseline:
    return Baseline(
        origin=found.origin,
        model=baseline.model,
        iteration=baseline.iteration,
        ref=found.ref,
        commit=found.commit,
    )
