"""Plots as places in percent, which the page draws as SVG at any width, without a script.

Shapes and words say what colours do. Each point has its numbers in words, for those who hover
over it, focus it, or hear it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

from helm_wandb.comparing.evaluations import group_by_model
from helm_wandb.comparing.pairing import split_strata
from helm_wandb.comparing.statistics import mean_interval
from helm_wandb.model import Verdict
from helm_wandb.render import deltas
from helm_wandb.render import subjects as by_subject
from helm_wandb.report.headline import sort_flagged
from helm_wandb.text.quantities import (
    are_shares,
    difference,
    in_points,
    score_change,
    scores_as_text,
    tokens,
)
from helm_wandb.text.safe_text import Name, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from helm_wandb.model import Comparison, Delta, Evaluation, Interval, Report, Score, ScoreKey

SERIES_SHOWN = 6
"""Colours and dashes that readers can distinguish."""
FLAGGED_SHOWN = 20
"""Rows of the plot that is open; all are in the table above it."""
SUBJECTS_SHOWN = 60
"""Of a benchmark; all are in the table."""
MODELS_SHOWN = 12
"""Models whose other changes are drawn."""
_TICKS = 4
_LEAST_SPAN = 0.02
"""Least span of an axis, as a share of its values: what hardly differs is drawn flat."""
_MARGIN = 0.04
"""Room at both ends of a tight axis, as a share of its span: markers have a size."""
_EDGE = 6
"""Percent of an axis, at each end, where a centred label would stick out."""
_SIZES = (1e-100, 1e100)
"""Within these neither a span nor a tick overflows, or vanishes."""


class Tick(Struct, frozen=True, kw_only=True):
    """A labelled place on an axis."""

    at: float
    """In percent of the plot."""
    label: str

    @property
    def anchor(self) -> str:
        """SVG's text-anchor that keeps the label inside the plot."""
        if self.at < _EDGE:
            return "start"
        return "end" if self.at > 100 - _EDGE else "middle"


class Axis(Struct, frozen=True, kw_only=True):
    """Values → places between two ends, in percent of the plot."""

    step: float
    """From tick to tick."""
    low: float
    """In steps."""
    high: float
    is_upward: bool = False
    """Whether it grows from the bottom to the top, where SVG has its zero."""

    def at(self, value: float) -> float:
        """Return the value's place, to a hundredth."""
        share = (value / self.step - self.low) / (self.high - self.low)
        return round(100 * (1 - share if self.is_upward else share), 2)

    def ticks(self, *, scale: float = 1) -> tuple[Tick, ...]:
        """Return the multiples of the step on the axis; their labels are the scaled values."""
        numbers = range(math.ceil(self.low), math.floor(self.high) + 1)
        values = [self.step * one for one in numbers]
        return tuple(Tick(at=self.at(value), label=_label(scale * value)) for value in values)


class Point(Struct, frozen=True, kw_only=True):
    """A score at an iteration, with the ends of its interval if it has one."""

    x: float
    y: float
    low: float | None
    high: float | None
    words: str


class Series(Struct, frozen=True, kw_only=True):
    """A model's curve."""

    model: str
    points: tuple[Point, ...]

    @property
    def polyline(self) -> str:
        """The `points` of an SVG polyline."""
        return " ".join(f"{point.x},{point.y}" for point in self.points)


class Curves(Struct, frozen=True, kw_only=True):
    """A metric of all models that have several iterations."""

    title: str
    x_label: str
    series: tuple[Series, ...]
    more: int
    """Models that are in the tables only."""
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    remarks: tuple[str, ...]
    """How many instances, what the whiskers are, and what the axis cuts."""


class Whisker(Struct, frozen=True, kw_only=True):
    """A delta and its interval."""

    label: str
    model: str
    verdict: Verdict
    low: float
    at: float
    high: float
    value: str
    words: str


class Whiskers(Struct, frozen=True, kw_only=True):
    """Deltas on one axis, in points."""

    title: str
    zero: float
    whiskers: tuple[Whisker, ...]
    ticks: tuple[Tick, ...]

    @property
    def has_unflagged(self) -> bool:
        """Whether some delta neither regressed nor improved."""
        return not all(one.verdict.is_flagged for one in self.whiskers)


def curves(report: Report) -> tuple[Curves, ...]:
    """Return a plot of each metric that some model has at several iterations.

    Metrics with scores, or at iterations, too large or small for an axis are in the tables only.
    """
    models = {model: of for model, of in group_by_model(report.evaluations).items() if len(of) > 1}
    keys = dict.fromkeys(key for of in models.values() for one in of for key in one.scores)
    plots = (_curves(key, models) for key in keys)
    return tuple(one for one in plots if one is not None)


def _curves(key: ScoreKey, models: Mapping[str, Sequence[Evaluation]]) -> Curves | None:
    having = {model: [one for one in of if key in one.scores] for model, of in models.items()}
    having = {model: of for model, of in having.items() if len(of) > 1}
    shown = dict(list(having.items())[:SERIES_SHOWN])
    every = [one for of in shown.values() for one in of]
    of_tokens = all(one.tokens_billions is not None for one in every)
    places = [_x(one, of_tokens=of_tokens) for one in every]
    scores = [one.scores[key] for one in every]
    if not having or not are_drawable(places) or not are_drawable([one.value for one in scores]):
        return None
    intervals = [_interval(score) for score in scores]
    ends = [end for one in intervals if one for end in (one.low, one.high)]
    values = [*(score.value for score in scores), *ends]
    is_share = are_shares(values, key)
    x, y = axis_around(places), axis_around(values, is_upward=True)
    points = iter(
        [
            _point(one, key, interval, x.at(place), y)
            for one, interval, place in zip(every, intervals, places, strict=True)
        ]
    )
    y_ticks = y.ticks(scale=100 if is_share else 1)
    return Curves(
        title=str(key),
        x_label=_x_label(every, of_tokens=of_tokens, is_single=len(shown) == 1),
        series=tuple(
            Series(model=model, points=tuple(next(points) for _ in of))
            for model, of in shown.items()
        ),
        more=len(having) - len(shown),
        x_ticks=x.ticks(),
        y_ticks=y_ticks,
        remarks=tuple(
            _remarks(
                scores,
                y_ticks,
                has_whiskers=[one is not None for one in intervals],
                is_share=is_share,
            )
        ),
    )


def _x_label(points: Sequence[Evaluation], *, of_tokens: bool, is_single: bool) -> str:
    """Return the axis's title; with tokens, also where the only model's latest iteration is."""
    if not of_tokens:
        return "iteration"
    latest = f"; iteration {points[-1].iteration} is the last point" if is_single else ""
    return f"billions of tokens{latest}"


def _interval(score: Score) -> Interval | None:
    """Return the interval of a score whose instances were kept, if an axis can hold it."""
    strata = split_strata(score.instances) if score.instances else None
    interval = mean_interval(strata, score.repeats) if strata else None
    return interval if interval and are_drawable([interval.low, interval.high]) else None


def _remarks(
    scores: Iterable[Score],
    ticks: Sequence[Tick],
    *,
    has_whiskers: Sequence[bool],
    is_share: bool,
) -> Iterable[str]:
    counts = sorted({score.n for score in scores if score.n is not None})
    if counts:
        yield f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]}–{counts[-1]}"
    if any(has_whiskers):
        # The report keeps the instances of these.
        which = "" if all(has_whiskers) else " of the latest checkpoints"
        yield f"vertical lines: 95% CI{which}"
    yield from axis_remark(ticks, is_share=is_share)


def axis_remark(ticks: Sequence[Tick], *, is_share: bool) -> Iterable[str]:
    """Yield what the axis cuts, or where that of percentages ends."""
    unit = "%" if is_share else ""
    if "0" not in (ticks[0].label, ticks[-1].label):
        yield f"axis from {ticks[0].label} to {ticks[-1].label}{unit}, not from 0"
    elif is_share:
        yield f"axis from 0 to {ticks[-1].label}%"


def _x(one: Evaluation, *, of_tokens: bool) -> float:
    if of_tokens and one.tokens_billions is not None:
        return one.tokens_billions
    return one.iteration


def _point(one: Evaluation, key: ScoreKey, interval: Interval | None, x: float, y: Axis) -> Point:
    return Point(
        x=x,
        y=y.at(one.scores[key].value),
        low=y.at(interval.low) if interval else None,
        high=y.at(interval.high) if interval else None,
        words=_point_words(one, key, interval),
    )


def _point_words(one: Evaluation, key: ScoreKey, interval: Interval | None) -> str:
    score = one.scores[key]
    trained = "" if one.tokens_billions is None else f" ({tokens(one.tokens_billions)})"
    ends = (interval.low, interval.high) if interval else ()
    value, *interval_ends = scores_as_text([score.value, *ends], key)
    words = f"{plain(Name(one.model))}, iteration {one.iteration}{trained}: {value}"
    if interval:
        words += f" (95% CI {' to '.join(interval_ends)})"
    return words if score.n is None else f"{words}, n = {score.n}"


def flagged(report: Report) -> Whiskers | None:
    """Return the plot of all flagged deltas, regressions first; None without any."""
    rows = sort_flagged(report.comparisons)
    return _whiskers("Significant changes, in points", rows, FLAGGED_SHOWN)


def subjects(report: Report) -> tuple[Whiskers, ...]:
    """Return a plot of the subjects of each flagged delta that has some, the largest first."""
    plots = (
        _whiskers(
            f"{by_subject.title(one, delta, report)}, in points; exploratory"
            + ", without the noise between runs" * bool(delta.runs),
            [(one, subject) for subject in delta.subjects],
            SUBJECTS_SHOWN,
        )
        for one, delta in deltas.flagged_deltas(report)
        if delta.subjects
    )
    return tuple(filter(None, plots))


def unflagged(report: Report) -> tuple[Whiskers, ...]:
    """Return a plot of each model's other deltas, of the models that have any."""
    plots = (
        _whiskers(
            f"{plain(Name(one.model))}: other changes, in points",
            [(one, delta) for delta in one.deltas if not delta.verdict.is_flagged],
        )
        for one in report.comparisons
    )
    return tuple(filter(None, plots))


def _whiskers(
    title: str, rows: Iterable[tuple[Comparison, Delta]], limit: int | None = None
) -> Whiskers | None:
    """Return the plot of the deltas that have an interval, in points; None if none has.

    Metrics whose values leave 0–1 have other units, and are in the table only; so are
    intervals too large or small for an axis.
    """
    drawn = [
        (comparison, delta)
        for comparison, delta in rows
        if delta.interval and in_points(delta) and are_drawable(_ends(delta))
    ]
    drawn = sorted(drawn, key=lambda row: _order(row[1]))[:limit]
    if not drawn:
        return None
    axis = _tight_axis([0.0, *(value for _, delta in drawn for value in _ends(delta))])
    return Whiskers(
        title=title,
        zero=axis.at(0),
        whiskers=tuple(_whisker(comparison, delta, axis) for comparison, delta in drawn),
        ticks=axis.ticks(scale=100),
    )


def _order(delta: Delta) -> tuple[bool, float]:
    """Regressions, then the others, the largest first."""
    return delta.verdict is not Verdict.REGRESSED, -abs(delta.difference)


def _ends(delta: Delta) -> tuple[float, float, float]:
    interval = delta.interval
    assert interval is not None  # noqa: S101 -- the caller's choice
    return interval.low, delta.difference, interval.high


def _whisker(comparison: Comparison, delta: Delta, axis: Axis) -> Whisker:
    low, at, high = map(axis.at, _ends(delta))
    label = "Mean" if delta.key is None else str(delta.key)
    return Whisker(
        label=label,
        model=comparison.model,
        verdict=delta.verdict,
        low=low,
        at=at,
        high=high,
        value=difference(delta),
        words=_whisker_words(comparison, delta, label),
    )


def _whisker_words(comparison: Comparison, delta: Delta, label: str) -> str:
    """Return all that is known of a delta: value, interval, verdict, n and both sides."""
    baseline = comparison.baseline
    commit = f" ({plain(Name(baseline.commit[:7]))})" if baseline.commit else ""
    parts = (
        f"{plain(Name(label))} of {plain(Name(comparison.model))}: {difference(delta)}",
        delta.verdict.value.replace("_", " "),
        score_change(delta),
        f"iteration {comparison.iteration} vs. {baseline.iteration}{commit}",
        *([] if delta.n is None else [f"n = {delta.n}"]),
    )
    return ", ".join(parts)


def are_drawable(values: Iterable[float], sizes: tuple[float, float] = _SIZES) -> bool:
    """Return whether an axis can hold the values: the largest is of such a size, or all are 0.

    A value that is smaller next to it is drawn as if it were 0.
    sizes: the least and the largest that the axis shows.
    """
    least, most = sizes
    largest = max(map(abs, values), default=0)
    return largest == 0 or least <= largest <= most


def axis_around(values: Sequence[float], *, is_upward: bool = False) -> Axis:
    """Return an axis between two round numbers around the values."""
    low, high = min(values), max(values)
    least_span = _LEAST_SPAN * max(abs(low), abs(high)) or 1.0
    step = _step(max(high - low, least_span))
    first, last = math.floor(low / step), math.ceil(high / step)
    if high - low < least_span:
        first, last = first - 1, last + 1
    return Axis(step=step, low=first, high=last, is_upward=is_upward)


def _tight_axis(values: Sequence[float]) -> Axis:
    """Return an axis that ends where the values do; it always has a tick, that of 0."""
    low, high = min(values), max(values)
    span = high - low or 1.0
    step, margin = _step(span), _MARGIN * span
    return Axis(step=step, low=(low - margin) / step, high=(high + margin) / step)


def round_ends(values: Sequence[float]) -> tuple[float, float]:
    """Return two round numbers around the values, never the same."""
    axis = axis_around(values)
    return axis.low * axis.step, axis.high * axis.step


def _step(span: float) -> float:
    """Return 1, 2 or 5 times a power of ten, of which some ticks make the span."""
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    return next(unit * power for unit in (1, 2, 5, 10) if unit * power * _TICKS >= span)


def _label(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")
