"""Models' names without the part that all of them begin with: a narrow page has no room for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import TypeVar

from msgspec.structs import replace

from helm_wandb.model import Comparison, Evaluation, LeaderboardRow, MetricHistory, Report

_Named = TypeVar("_Named", Evaluation, LeaderboardRow, MetricHistory)


def common_owner(report: Report) -> str:
    """Return `acme/` if the names of all models begin so, and there are several; else nothing."""
    names = set(_models(report))
    if len(names) == 1:
        return ""
    levels = zip(*(name.split("/")[:-1] for name in names), strict=False)
    common = takewhile(lambda level: len(set(level)) == 1, levels)
    owner = "".join(f"{level[0]}/" for level in common)
    return "" if owner in names else owner


def without_common_owner(report: Report) -> Report:
    """Return the report for display, with each model's name as short as `common_owner` allows."""
    owner = common_owner(report)
    if not owner:
        return report
    board = report.leaderboard
    return replace(
        report,
        evaluations=_shortened(report.evaluations, owner),
        leaderboard=replace(board, rows=_shortened(board.rows, owner)),
        comparisons=tuple(_comparison(one, owner) for one in report.comparisons),
        steps=tuple(_comparison(one, owner) for one in report.steps),
        history=_shortened(report.history, owner),
    )


def _models(report: Report) -> Iterator[str]:
    yield from (one.model for one in report.evaluations)
    yield from (one.model for one in report.leaderboard.rows)
    yield from (one.model for one in report.history)
    for one in (*report.comparisons, *report.steps):
        yield from (one.model, one.baseline.model)


def _shortened(named: Iterable[_Named], owner: str) -> tuple[_Named, ...]:
    return tuple(replace(one, model=one.model.removeprefix(owner)) for one in named)


def _comparison(one: Comparison, owner: str) -> Comparison:
    baseline = replace(one.baseline, model=one.baseline.model.removeprefix(owner))
    return replace(one, model=one.model.removeprefix(owner), baseline=baseline)
