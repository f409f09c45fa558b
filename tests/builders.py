"""Short ways to make the nouns that tests speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from helm_wandb import report as reports
from helm_wandb.comparing import leaderboard
from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.comparing.pairing import Pairs
from helm_wandb.model import (
    Baseline,
    Comparison,
    Config,
    Delta,
    Evaluation,
    HistoryPoint,
    Instances,
    Interval,
    MetricHistory,
    Origin,
    Provenance,
    Report,
    Score,
    ScoreKey,
    SubjectScore,
    Verdict,
)
from helm_wandb.runner.inputs import INPUTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from helm_wandb.model import Gate, UnmatchedModels

    Values = Sequence[float] | Mapping[str, Sequence[float]]
    """Values of the instances of one stratum, or of each stratum by its name."""

INPUT_DEFAULTS = {one.name: one.default for one in INPUTS}


def config(**changes: Any) -> Config:
    """A config without entries of `evals`; changes: its other fields."""
    default = Config(
        project="llm",
        entity=None,
        base_url=None,
        evals=(),
        leaderboard=False,
        leaderboard_metrics=(),
        excluded_models=frozenset(),
    )
    return replace(default, **changes)


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


def instances(values: Values) -> Instances:
    """Instances of these values, in each stratum id0, id1 …, with different texts and clusters."""
    strata = values if isinstance(values, dict) else {"only": values}
    rows = [(name, at, value) for name, of in strata.items() for at, value in enumerate(of)]
    return Instances(
        stratum=tuple(name for name, _, _ in rows),
        id=tuple(f"id{at}" for _, at, _ in rows),
        trial=(0,) * len(rows),
        input=tuple(f"{at:08x}" for _, at, _ in rows),
        cluster=tuple(f"id{at}" for _, at, _ in rows),
        value=tuple(value for _, _, value in rows),
    )


def pair_instances(candidate: Instances, baseline: Instances) -> Pairs:
    """The pairs of instances with the same stratum, id, trial and input."""
    return Pairs(sides=(candidate, baseline))


def right(count: int, of: int = 100, *, wrong_first: int = 0) -> list[float]:
    """The scores of so many right answers, after so many wrong ones; the others are wrong."""
    return [0.0] * wrong_first + [1.0] * count + [0.0] * (of - count - wrong_first)


def measured(  # noqa: PLR0913 -- as above
    model: str = "alpha",
    iteration: int = 0,
    values: Mapping[str, Values | Instances] | None = None,
    *,
    lower: Collection[str] = (),
    fingerprint: Mapping[str, object] | None = None,
    missing: Mapping[str, str] | None = None,
) -> Evaluation:
    """An evaluation whose scores are the means of instances: `{"mmlu.EM": [0.0, 1.0]}`."""
    columns = {
        key: of if isinstance(of, Instances) else instances(of)
        for key, of in (values or {"mmlu.EM": right(50)}).items()
    }
    means = {key: of.mean() for key, of in columns.items()}
    one = evaluation(model, iteration, means, lower=lower, missing=missing)
    return replace(
        one,
        scores={
            key: replace(
                score,
                n=len(columns[str(key)].id),
                fingerprint=fingerprint,
                instances=columns[str(key)],
            )
            for key, score in one.scores.items()
        },
    )


def delta(  # noqa: PLR0913 -- as above
    key: str | None,
    baseline: float,
    candidate: float,
    verdict: Verdict,
    *,
    within: tuple[float, float] | None = None,
    n: int | None = None,
    clusters: int | None = None,
    mde: float | None = None,
    changed: tuple[int, int] | None = None,
    lower: bool | None = False,
    why: str | None = None,
) -> Delta:
    """A delta that was judged; within: its interval, changed: the better and worse items."""
    tested = within is not None
    return Delta(
        key=None if key is None else ScoreKey.parse(key),
        baseline=baseline,
        candidate=candidate,
        difference=candidate - baseline,
        lower_is_better=lower,
        verdict=verdict,
        interval=within and Interval(low=within[0], high=within[1], level=0.95, method="t"),
        n=n,
        clusters=clusters or n,
        p=0.01 if tested else None,
        p_adjusted=0.03 if tested and key else None,
        mde=mde,
        better=changed and changed[0],
        worse=changed and changed[1],
        why=why,
    )


def comparison(  # noqa: PLR0913 -- as above
    *deltas: Delta,
    model: str = "alpha",
    iteration: int = 0,
    against: int | None = None,
    overall: Delta | None = None,
    not_comparable: Mapping[str, str] | None = None,
    origin: str = "base.json",
    ref: str | None = None,
    commit: str | None = None,
) -> Comparison:
    """A model's comparison; against: the baseline's iteration, where it is another."""
    return Comparison(
        model=model,
        iteration=iteration,
        baseline=Baseline(
            origin=origin,
            model=model,
            iteration=iteration if against is None else against,
            ref=ref,
            commit=commit,
        ),
        overall=overall,
        deltas=deltas,
        not_comparable={ScoreKey.parse(key): why for key, why in (not_comparable or {}).items()},
    )


def history(
    model: str,
    key: str,
    values: Sequence[float],
    *,
    error: float | None = None,
    commits: Sequence[str | None] | None = None,
) -> MetricHistory:
    """The history of a metric, of commits 000…, 111… and so on."""
    named = commits or [f"{at:x}" * 40 for at in range(len(values))]
    points = (
        HistoryPoint(commit=commit, iteration=1000 * at, value=value, standard_error=error)
        for at, (commit, value) in enumerate(zip(named, values, strict=True), start=1)
    )
    return MetricHistory(model=model, key=ScoreKey.parse(key), points=tuple(points))


def report(  # noqa: PLR0913 -- as above
    evaluations: Sequence[Evaluation],
    *,
    metrics: Sequence[ScoreKey] = CORE_METRICS,
    notes: Sequence[str] = (),
    provenance: Provenance | None = None,
    guests: Sequence[Evaluation] = (),
    comparisons: Sequence[Comparison] = (),
    steps: Sequence[Comparison] = (),
    gate: Gate | None = None,
    not_in_baseline: UnmatchedModels | None = None,
    history: Sequence[MetricHistory] = (),
) -> Report:
    """The report of the evaluations, with the leaderboard of them and of the project's models."""
    board = leaderboard.build(
        evaluations, metrics=metrics, excluded_models=frozenset(), guests=guests
    )
    return reports.build(
        evaluations,
        board,
        notes=notes,
        provenance=provenance or Provenance(tool_version="1.2.3", track="branch/main"),
        comparisons=comparisons,
        steps=steps,
        gate=gate,
        not_in_baseline=not_in_baseline,
        history=history,
    )
