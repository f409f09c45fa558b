"""Comparing and ranking models whose answers differ, so that no cache or tie hides the cost."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from bench.goals import Goal, least
from helm_wandb.baselines import steps
from helm_wandb.comparing import leaderboard
from helm_wandb.comparing.verdicts import compared
from helm_wandb.model import Instances, Policy
from tests import builders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helm_wandb.model import Evaluation

INSTANCES, CELLS, METRICS = 1_000, 20, 6
FEW, MANY = 20, 40
ROUNDS = 3


def evaluation(model: str, iteration: int, *, benchmarks: int, graded: int) -> Evaluation:
    """Return right and wrong answers with a chance that is the model's, some benchmarks graded."""
    skill = 0.55 + 0.1 * random.Random(model).random()  # noqa: S311 -- test data
    source = random.Random(f"{model} {iteration}")  # noqa: S311 -- test data
    return builders.measured(
        model,
        iteration,
        {
            f"benchmark_{at}.EM": _instances(source, at, skill, is_graded=at < graded)
            for at in range(benchmarks)
        },
    )


def _instances(
    source: random.Random, benchmark: int, skill: float, *, is_graded: bool
) -> Instances:
    ids = tuple(f"id{at}" for at in range(INSTANCES))
    return Instances(
        stratum=(f"benchmark_{benchmark}",) * INSTANCES,
        id=ids,
        trial=(0,) * INSTANCES,
        input=tuple(f"{benchmark:02x}{at:06x}" for at in range(INSTANCES)),
        cluster=ids,
        value=tuple(
            source.random() * skill if is_graded else float(source.random() < skill) for _ in ids
        ),
    )


def goals() -> list[Goal]:
    """Compare two iterations, and rank some models and twice as many."""
    iterations = [evaluation("alpha", at, benchmarks=CELLS, graded=CELLS // 2) for at in (1, 2)]
    models = [
        evaluation(f"model-{at}", 0, benchmarks=METRICS, graded=METRICS // 2) for at in range(MANY)
    ]
    (cells,) = least(ROUNDS, lambda: _seconds_to_compare(iterations))
    few, many = least(
        ROUNDS, lambda: _seconds_to_rank(models[:FEW]), lambda: _seconds_to_rank(models)
    )
    size = f"models of {METRICS} metrics × {INSTANCES:,} instances"
    return [
        Goal(
            what=f"compare: a cell of {INSTANCES:,} instances",
            value=1000 * cells / CELLS,
            goal=6,
            unit="ms",
        ),
        Goal(what=f"rank {MANY} {size}", value=many, goal=4, unit="s"),
        Goal(what=f"rank {MANY} of them / {FEW}", value=many / few, goal=2.3),
    ]


def _seconds_to_compare(iterations: Sequence[Evaluation]) -> float:
    partners = steps(iterations)
    start = time.process_time()
    compared(partners, Policy())
    return time.process_time() - start


def _seconds_to_rank(models: Sequence[Evaluation]) -> float:
    start = time.process_time()
    leaderboard.build(models, metrics=tuple(models[0].scores), excluded_models=frozenset())
    return time.process_time() - start
