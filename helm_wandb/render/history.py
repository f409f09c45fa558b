"""Scores over the base branch's last runs, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from helm_wandb.comparing.evaluations import group_values
from helm_wandb.model import HistoryPoint, MetricHistory, Report
from helm_wandb.render.tables import Cells, Column, Table, metric_name, tabulate, trend
from helm_wandb.text.quantities import UNKNOWN, scores_as_text
from helm_wandb.text.safe_text import Name, plain

_LEAST_POINTS = 3
"""Runs that are a trend: the comparison shows two."""


def trends(report: Report) -> dict[str, list[MetricHistory]]:
    """Return the metrics of each of this run's models that have a trend."""
    own = {one.model for one in report.evaluations}
    return group_values(
        (one.model, one)
        for one in report.history
        if one.model in own and len(one.points) >= _LEAST_POINTS
    )


def history_tables(report: Report) -> list[Table]:
    """Return a table of each model that has a trend, one row a metric."""
    lower = {
        key for one in report.evaluations for key in one.scores if one.scores[key].lower_is_better
    }

    def metric(one: MetricHistory) -> Name:
        return metric_name(one.key, is_lower_better=one.key in lower)

    columns = ((Column("Metric", numeric=False), metric), *_COLUMNS)
    return [
        replace(tabulate(_title(model, of), columns, of), is_counted=False)
        for model, of in trends(report).items()
    ]


def _title(model: str, several: Sequence[MetricHistory]) -> str:
    """Return `alpha over the last 12 runs, commit 0123abc to 89abcde`."""
    longest = max(several, key=lambda one: len(one.points)).points
    what, labels = point_labels(longest)
    ends = f"{what} {labels[0]} to {labels[-1]}"
    return f"{plain(Name(model))} over the last {len(longest)} runs, {ends}"


def point_labels(points: Sequence[HistoryPoint]) -> tuple[str, list[str]]:
    """Return what the points are named by, and each one's name: of one commit, iterations."""
    if len({point.commit for point in points}) == 1:
        return "iteration", [str(point.iteration) for point in points]
    return "commit", [short_commit(point.commit) for point in points]


def short_commit(commit: str | None) -> str:
    """Return seven characters, as GitHub shows a commit, or that it is unknown."""
    return plain(Name(commit[:7])) if commit else "an unknown one"


def point_texts(one: MetricHistory) -> tuple[list[str], list[str]]:
    """Return the values and their standard errors, in one unit."""
    values = [point.value for point in one.points]
    errors = [point.standard_error for point in one.points]
    texts = scores_as_text([*values, *errors], one.key)
    return texts[: len(values)], texts[len(values) :]


def _latest(one: MetricHistory) -> str:
    return point_texts(one)[0][-1]


def _latest_error(one: MetricHistory) -> str:
    error = point_texts(one)[1][-1]
    return error if error == UNKNOWN else f"±{error}"


_COLUMNS: tuple[Cells[MetricHistory], ...] = (
    (
        Column("Trend", numeric=False),
        lambda one: trend(one.key, [point.value for point in one.points]),
    ),
    (Column("Latest"), _latest),
    (Column("Standard error"), _latest_error),
    (Column("Runs"), lambda one: str(len(one.points))),
)
