"""Plots as SVG elements, which take colours from the page's style and work without scripts.

A plot is a figure next to the table that has its numbers; shapes and words say what colours do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from helm_wandb.comparing.evaluations import group_by_model
from helm_wandb.model import Comparison, Delta, Evaluation, Report, ScoreKey, Verdict
from helm_wandb.render.quantities import difference, in_points, number, tokens
from helm_wandb.text.safe_text import Name, plain
from helm_wandb.text.words import shorten

SERIES_SHOWN = 6
"""Colours and dashes that readers can distinguish."""
_TICKS = 4
_LABEL_LENGTH = 30
_LEAST_SPAN = 0.02
"""Least span of an axis, as a share of its values: what hardly differs is drawn flat."""
_SIZES = (1e-100, 1e100)
"""Within these neither a span nor a tick overflows, or vanishes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where in a plot the data lies, in the plot's own units."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float


CURVES = Frame(width=360, height=200, left=48, right=336, top=12, bottom=160)
"""As wide as a phone's page, so that its words are legible there."""
_WHISKERS = Frame(width=360, height=0, left=16, right=344, top=10, bottom=24)
"""Without rows."""
_ROW = 38


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    """In the plot's own units."""
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Values → places between two ends, in the plot's own units."""

    step: float
    """From tick to tick."""
    first: int
    """The lowest tick, in steps."""
    last: int
    start: float
    end: float

    def at(self, value: float) -> float:
        """The value's place, to a tenth."""
        share = (value / self.step - self.first) / (self.last - self.first)
        return round(self.start + share * (self.end - self.start), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A score at an iteration."""

    x: float
    y: float
    words: str
    """In words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A model's curve."""

    model: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """A metric of all models that have several iterations."""

    title: str
    x_label: str
    series: tuple[Series, ...]
    more: int
    """Models that are in the tables only."""
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whisker:
    """A delta and its interval."""

    label: str
    verdict: Verdict
    y: float
    low: float
    at: float
    high: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Whiskers:
    """The deltas of a model, in points."""

    title: str
    frame: Frame
    zero: float
    whiskers: tuple[Whisker, ...]
    ticks: tuple[Tick, ...]


def curves(report: Report) -> tuple[Curves, ...]:
    """A plot of each metric that some model has at several iterations.

    Metrics with scores, or at iterations, too large or small for an axis are in the tables only.
    """
    models = {model: of for model, of in group_by_model(report.evaluations).items() if len(of) > 1}
    keys = dict.fromkeys(key for of in models.values() for one in of for key in one.scores)
    plots = (_curves(key, models) for key in keys)
    return tuple(one for one in plots if one is not None)


def _curves(key: ScoreKey, models: Mapping[str, Sequence[Evaluation]]) -> Curves | None:
    having = {model: [one for one in of if key in one.scores] for model, of in models.items()}
    having = {model: of for model, of in having.items() if len(of) > 1}
    if not having:
        return None
    of_tokens = all(one.tokens_billions is not None for of in having.values() for one in of)
    every = [one for of in having.values() for one in of]
    places = [_x(one, of_tokens=of_tokens) for one in every]
    values = [one.scores[key].value for one in every]
    if not (are_drawable(places) and are_drawable(values)):
        return None
    x = _axis(places, CURVES.left, CURVES.right)
    y = _axis(values, CURVES.bottom, CURVES.top)
    shown = list(having.items())[:SERIES_SHOWN]
    return Curves(
        title=str(key),
        x_label="billions of tokens" if of_tokens else "iteration",
        series=tuple(
            Series(
                model=model,
                points=tuple(
                    Point(
                        x=x.at(_x(one, of_tokens=of_tokens)),
                        y=y.at(one.scores[key].value),
                        words=_point_words(one, key),
                    )
                    for one in of
                ),
            )
            for model, of in shown
        ),
        more=len(having) - len(shown),
        x_ticks=_ticks(x),
        y_ticks=_ticks(y),
    )


def _x(one: Evaluation, *, of_tokens: bool) -> float:
    if of_tokens and one.tokens_billions is not None:
        return one.tokens_billions
    return one.iteration


def _point_words(one: Evaluation, key: ScoreKey) -> str:
    known = "" if one.tokens_billions is None else f" ({tokens(one.tokens_billions)})"
    value = number(one.scores[key].value)
    return f"{plain(Name(one.model))}, iteration {one.iteration}{known}: {value}"


def changes(report: Report) -> tuple[Whiskers, ...]:
    """Return a plot of each model that was compared, those with flagged changes first."""
    plots = filter(None, map(whiskers, report.comparisons))
    return tuple(sorted(plots, key=lambda plot: not plot.whiskers[0].verdict.is_flagged))


def whiskers(comparison: Comparison) -> Whiskers | None:
    """The model's deltas that have an interval, in points; None where none has.

    Metrics whose values leave 0…1 have units of their own, and are in the table only; so are
    intervals too large or small for an axis.
    """
    deltas = [
        delta
        for delta in comparison.deltas
        if delta.interval and in_points(delta) and are_drawable(_ends(delta))
    ]
    if not deltas:
        return None
    deltas.sort(key=_order)
    ends = [value for delta in deltas for value in _ends(delta)]
    axis = _axis([0.0, *ends], _WHISKERS.left, _WHISKERS.right)
    bottom = _WHISKERS.top + _ROW * len(deltas)
    return Whiskers(
        title=f"{plain(Name(comparison.model))}: change since the baseline, in points",
        frame=replace(_WHISKERS, height=bottom + _WHISKERS.bottom, bottom=bottom),
        zero=axis.at(0),
        whiskers=tuple(_whisker(delta, axis, row) for row, delta in enumerate(deltas)),
        ticks=_ticks(axis, scale=100),
    )


def _order(delta: Delta) -> tuple[bool, bool, float]:
    """Regressions, improvements, then the others, the largest first."""
    is_regressed = delta.verdict is Verdict.REGRESSED
    return (not delta.verdict.is_flagged, not is_regressed, -abs(delta.difference))


def _ends(delta: Delta) -> tuple[float, float, float]:
    interval = delta.interval
    assert interval is not None  # noqa: S101 -- the caller's choice
    return interval.low, delta.difference, interval.high


def _whisker(delta: Delta, axis: Axis, row: int) -> Whisker:
    low, at, high = map(axis.at, _ends(delta))
    return Whisker(
        label=shorten(str(delta.key), _LABEL_LENGTH),
        verdict=delta.verdict,
        y=_WHISKERS.top + _ROW * (row + 0.6),
        low=low,
        at=at,
        high=high,
        words=difference(delta),
    )


def are_drawable(values: Iterable[float], sizes: tuple[float, float] = _SIZES) -> bool:
    """Whether an axis can hold the values: the largest of them is of such a size, or all are 0.

    What is smaller beside it is drawn as if it were 0.
    sizes: the least and the largest that the axis shows.
    """
    least, most = sizes
    largest = max(map(abs, values), default=0)
    return largest == 0 or least <= largest <= most


def _axis(values: Sequence[float], start: float, end: float) -> Axis:
    """An axis between two round numbers around the values."""
    low, high = min(values), max(values)
    least_span = _LEAST_SPAN * max(abs(low), abs(high)) or 1.0
    step = _step(max(high - low, least_span))
    first, last = math.floor(low / step), math.ceil(high / step)
    if high - low < least_span:
        first, last = first - 1, last + 1
    return Axis(step=step, first=first, last=last, start=start, end=end)


def round_ends(values: Sequence[float]) -> tuple[float, float]:
    """Two round numbers around the values, never the same."""
    axis = _axis(values, 0, 1)
    return axis.first * axis.step, axis.last * axis.step


def _step(span: float) -> float:
    """1, 2 or 5 times a power of ten, of which some ticks make the span."""
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    return next(unit * power for unit in (1, 2, 5, 10) if unit * power * _TICKS >= span)


def _ticks(axis: Axis, *, scale: float = 1) -> tuple[Tick, ...]:
    values = (axis.step * number for number in range(axis.first, axis.last + 1))
    return tuple(Tick(at=axis.at(value), label=_label(scale * value)) for value in values)


def _label(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


def polyline(points: Iterable[Point]) -> str:
    """The `points` of an SVG polyline."""
    return " ".join(f"{point.x},{point.y}" for point in points)
