"""Scores over the base branch's last runs, as plots of the HTML report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helm_wandb.comparing.evaluations import group_values
from helm_wandb.render.history import point_labels, point_texts, short_commit, trends
from helm_wandb.render.html.plots import (
    SERIES_SHOWN,
    Axis,
    Curves,
    Point,
    Series,
    Tick,
    are_drawable,
    axis_around,
    axis_remark,
)
from helm_wandb.text.quantities import UNKNOWN, are_shares
from helm_wandb.text.safe_text import Name, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from helm_wandb.model import HistoryPoint, MetricHistory, Report

PLOTS_SHOWN = 12
"""Metrics that are drawn; all are in the table."""
_MARGIN = 0.1
"""Room next to the first and the last point, for its label, as a share of the axis."""


def history_plots(report: Report) -> tuple[Curves, ...]:
    """Return a plot of each of the first metrics, with the models that have the same points."""
    groups = group_values(
        ((one.key, *point_labels(one.points)[1]), one)
        for of_model in trends(report).values()
        for one in of_model
    )
    drawable = [of for of in groups.values() if are_drawable(_ends(of[:SERIES_SHOWN]))]
    return tuple(map(_plot, drawable[:PLOTS_SHOWN]))


def _plot(several: Sequence[MetricHistory]) -> Curves:
    shown = several[:SERIES_SHOWN]
    x_label, labels = point_labels(shown[0].points)
    ends = _ends(shown)
    is_share = are_shares(ends, shown[0].key)
    margin, last = _MARGIN * len(labels), len(labels) - 1
    x = Axis(step=1, low=-margin, high=last + margin)
    y = axis_around(ends, is_upward=True)
    y_ticks = y.ticks(scale=100 if is_share else 1)
    return Curves(
        title=str(shown[0].key),
        x_label=x_label,
        series=tuple(Series(model=one.model, points=tuple(_points(one, x, y))) for one in shown),
        more=len(several) - len(shown),
        x_ticks=tuple(Tick(at=x.at(at), label=labels[at]) for at in (0, last)),
        y_ticks=y_ticks,
        remarks=tuple(_remarks(shown, y_ticks, is_share=is_share)),
    )


def _points(one: MetricHistory, x: Axis, y: Axis) -> Iterator[Point]:
    texts = zip(one.points, *point_texts(one), strict=True)
    for at, (point, value, error) in enumerate(texts):
        low, high = _whisker(point)
        yield Point(
            x=x.at(at),
            y=y.at(point.value),
            low=None if point.standard_error is None else y.at(low),
            high=None if point.standard_error is None else y.at(high),
            words=f"{plain(Name(one.model))}, commit {short_commit(point.commit)}, "
            f"iteration {point.iteration}: {value}"
            f"{'' if error == UNKNOWN else f' (standard error {error})'}",
        )


def _whisker(point: HistoryPoint) -> tuple[float, float]:
    error = point.standard_error or 0.0
    return point.value - error, point.value + error


def _ends(several: Sequence[MetricHistory]) -> list[float]:
    """Return the ends of all whiskers."""
    return [end for one in several for point in one.points for end in _whisker(point)]


def _remarks(
    several: Sequence[MetricHistory], ticks: Sequence[Tick], *, is_share: bool
) -> Iterator[str]:
    if any(point.standard_error is not None for one in several for point in one.points):
        yield "whiskers: ±1 standard error"
    yield from axis_remark(ticks, is_share=is_share)
