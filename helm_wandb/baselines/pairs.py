"""Pairs of this run's models and their baselines, chosen for each benchmark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from msgspec.structs import replace

from helm_wandb.baselines.matches import BaselineMatch
from helm_wandb.comparing.evaluations import describe_other_settings, group_by_model, latest
from helm_wandb.comparing.verdicts import Partner
from helm_wandb.model import Baseline, Evaluation, Score


def partners(candidates: Sequence[Evaluation], *matches: BaselineMatch) -> tuple[Partner, ...]:
    """Return each model's latest iteration with its baselines.

    A benchmark is compared with the first baseline with the same settings, else with the first
    that has it; so a model has a partner for each baseline that is chosen for some benchmark. The
    partner is the same model at the same iteration, or, if the baseline lacks that, at its latest.
    """
    return tuple(one for candidate in latest(candidates) for one in _partners(candidate, matches))


def unmatched_benchmarks(
    candidates: Sequence[Evaluation], matches: Sequence[BaselineMatch]
) -> frozenset[str]:
    """`raft of alpha`, for each benchmark that no baseline has with the same settings."""
    return frozenset(
        f"{benchmark} of {candidate.model}"
        for candidate in latest(candidates)
        for benchmark in _benchmarks(candidate)
        if not any(
            _has_same_settings(benchmark, candidate, baseline)
            for _, baseline in _same_model(candidate, matches)
        )
    )


def has_same_settings(candidates: Sequence[Evaluation], match: BaselineMatch) -> bool:
    """Return whether a baseline has some benchmark of a model with the same settings."""
    return any(
        _has_same_settings(benchmark, candidate, baseline)
        for candidate in latest(candidates)
        for _, baseline in _same_model(candidate, [match])
        for benchmark in _benchmarks(candidate)
    )


def steps(candidates: Sequence[Evaluation]) -> tuple[Partner, ...]:
    """Return each model's latest iteration with the previous one."""
    return tuple(_steps(candidates))


def _steps(candidates: Sequence[Evaluation]) -> Iterator[Partner]:
    for iterations in group_by_model(candidates).values():
        if len(iterations) > 1:
            previous, last = iterations[-2:]
            source = Baseline(origin="this run", model=previous.model, iteration=previous.iteration)
            yield Partner(last, previous, source)


def _partners(candidate: Evaluation, matches: Sequence[BaselineMatch]) -> Iterator[Partner]:
    pairs = _same_model(candidate, matches)
    chosen: dict[int, set[str]] = defaultdict(set)
    for benchmark in _benchmarks(candidate):
        at = _choose_baseline(benchmark, candidate, [baseline for _, baseline in pairs])
        if at is not None:
            chosen[at].add(benchmark)
    # The first chosen baseline also shows what only one side has.
    main = min(chosen, default=0)
    elsewhere = {name for at, names in chosen.items() if at != main for name in names}
    for at, (match, baseline) in enumerate(pairs):
        if at == main or at in chosen:
            shown = {*_benchmarks(candidate), *_benchmarks(baseline)} - elsewhere
            kept = shown if at == main else chosen[at]
            source = _source(baseline, match, chosen[at])
            yield Partner(_only(kept, candidate), _only(kept, baseline), source)


def _same_model(
    candidate: Evaluation, matches: Sequence[BaselineMatch]
) -> list[tuple[BaselineMatch, Evaluation]]:
    """Return the candidate's model in each of the baselines that have it."""
    pairs = []
    for match in matches:
        models = group_by_model(one for one in match.evaluations if one.model == candidate.model)
        if models:
            pairs.append((match, _same_or_latest(models[candidate.model], candidate.iteration)))
    return pairs


def _same_or_latest(iterations: Sequence[Evaluation], iteration: int) -> Evaluation:
    same = (one for one in iterations if one.iteration == iteration)
    return next(same, iterations[-1])


def _benchmarks(evaluation: Evaluation) -> list[str]:
    return list(dict.fromkeys(key.benchmark for key in evaluation.scores))


def _choose_baseline(
    benchmark: str, candidate: Evaluation, baselines: Sequence[Evaluation]
) -> int | None:
    """Return the first with the same settings, else the first that has it; None without any."""
    having = [at for at, one in enumerate(baselines) if benchmark in _benchmarks(one)]
    same = (at for at in having if _has_same_settings(benchmark, candidate, baselines[at]))
    return next(same, having[0] if having else None)


def _has_same_settings(benchmark: str, candidate: Evaluation, baseline: Evaluation) -> bool:
    """Whether both sides share a score of the benchmark, and no shared one differs in settings."""
    shared = [
        (score, baseline.scores[key])
        for key, score in candidate.scores.items()
        if key.benchmark == benchmark and key in baseline.scores
    ]
    return bool(shared) and all(_is_comparable(*scores) for scores in shared)


def _is_comparable(candidate: Score, baseline: Score) -> bool:
    """Whether both are of the same subjects and settings, as far as the settings are recorded."""
    has_same_subjects = candidate.subjects.keys() == baseline.subjects.keys()
    return has_same_subjects and describe_other_settings(candidate, baseline) is None


def _only(benchmarks: Collection[str], evaluation: Evaluation) -> Evaluation:
    kept = {key: score for key, score in evaluation.scores.items() if key.benchmark in benchmarks}
    return replace(evaluation, scores=kept)


def _source(baseline: Evaluation, match: BaselineMatch, compared: Collection[str]) -> Baseline:
    """Return where a baseline comes from. compared: the benchmarks that it is chosen for."""
    return Baseline(
        origin=match.origin,
        model=baseline.model,
        iteration=baseline.iteration,
        ref=match.ref,
        commit=match.commit,
        url=match.url,
        artifacts=tuple(
            one.name
            for one in match.artifacts
            if one.model == baseline.model and not one.benchmarks.isdisjoint(compared)
        ),
    )
