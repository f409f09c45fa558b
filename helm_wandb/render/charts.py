"""A Report as diagrams that GitHub draws in Markdown: mermaid's `xychart-beta`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain, islice, repeat

from msgspec import Struct

from helm_wandb.comparing.evaluations import group_by_model
from helm_wandb.model import Evaluation, Report, ScoreKey
from helm_wandb.render.html.plots import are_drawable, round_ends
from helm_wandb.render.model_names import without_common_owner
from helm_wandb.text.quantities import are_shares
from helm_wandb.text.safe_text import Name, plain
from helm_wandb.text.words import join_truncated, shorten

CHARTS_SHOWN = 8
"""Each is a separate frame on GitHub's page."""
COLOURS = {"blue": "#4285f4", "orange": "#d9730d", "green": "#2b9556", "violet": "#a371f7"}
"""Colours that are visible on white and on dark pages; one for each series of a chart."""
PLACES_SHOWN = 12
"""Points of a series, or bars: the labels of more run into each other."""
_LABEL_LENGTH = 30
_TITLE_LENGTH = 60
_SIZES = (1e-9, 1e12)
"""The least and the largest that mermaid's axes show in full."""
_HEIGHT = 300
_HEIGHT_OF_BAR = 32
_HEIGHT_AROUND_BARS = 110
_TWINS = {ord(char): ord(char) + 0xFEE0 for char in '"#$%&;<>\\`{}'}
"""Characters that mermaid or the fence around it could interpret → their full-width twins.

A string ends at a quote and knows no escape; `#35;` is an entity; `%%` begins a comment or a
directive, in strings too; `$$` a formula; tags are taken out.
"""


class Chart(Struct, frozen=True):
    """A diagram."""

    title: str
    """The metric, and which model has which colour: mermaid draws no legend."""
    diagram: str
    """Mermaid's text, which a fence may hold as it is: no name can end the one or the other."""


class _Axis(Struct, frozen=True):
    """Title and labels of a chart's places."""

    title: str
    labels: tuple[str, ...]


def charts(report: Report) -> tuple[Chart, ...]:
    """Each metric over training, then the means and each metric of the models; the first of them.

    Metrics with values too large or small for mermaid's axes are in the tables only.
    """
    report = without_common_owner(report)
    return tuple(islice(chain(_curves(report), _rankings(report)), CHARTS_SHOWN))


def _curves(report: Report) -> Iterator[Chart]:
    """A chart of each metric over tokens, or over iterations where tokens are not known.

    Mermaid's places are evenly spaced and common to all series: only models that were evaluated
    at the same ones share a chart.
    """
    models = {model: of for model, of in group_by_model(report.evaluations).items() if len(of) > 1}
    for key in dict.fromkeys(key for of in models.values() for one in of for key in one.scores):
        for axis, series in _by_axis(key, models).items():
            yield _curve(key, axis, series)


def _by_axis(
    key: ScoreKey, models: Mapping[str, Sequence[Evaluation]]
) -> Mapping[_Axis, Mapping[str, Sequence[float]]]:
    series: dict[_Axis, dict[str, Sequence[float]]] = defaultdict(dict)
    for model, of_model in models.items():
        having = _thinned([one for one in of_model if key in one.scores])
        values = [one.scores[key].value for one in having]
        if len(values) > 1 and are_drawable(values, _SIZES):
            series[_axis(having)][model] = values
    return series


def _thinned(of_model: Sequence[Evaluation]) -> list[Evaluation]:
    """So many of them as there is room for, evenly, the first and the last among them."""
    last = PLACES_SHOWN - 1
    if len(of_model) <= PLACES_SHOWN:
        return list(of_model)
    return [of_model[round(at * (len(of_model) - 1) / last)] for at in range(PLACES_SHOWN)]


def _axis(having: Sequence[Evaluation]) -> _Axis:
    tokens = tuple(
        f"{one.tokens_billions:.6g}" for one in having if one.tokens_billions is not None
    )
    if len(set(tokens)) == len(having):
        return _Axis("billions of tokens", tokens)
    return _Axis("iteration", tuple(str(one.iteration) for one in having))


def _curve(key: ScoreKey, axis: _Axis, series: Mapping[str, Sequence[float]]) -> Chart:
    shown = list(series.items())[: len(COLOURS)]
    scale, unit = _scale([value for _, values in shown for value in values], key)
    lines = [[scale * value for value in values] for _, values in shown]
    return Chart(
        f"{key} over {axis.title}: {_named(list(series))}",
        _diagram(
            "xychart-beta",
            f"title {_quoted(str(key), _TITLE_LENGTH, unit)}",
            _places(axis.title, axis.labels),
            _range(round_ends([value for values in lines for value in values])),
            *(f"line {_list(map(_number, values))}" for values in lines),
            height=_HEIGHT,
            colours=len(shown),
        ),
    )


def _named(models: Sequence[str]) -> str:
    """`alpha (blue), beta (orange)`; a single series needs no colour."""
    names = [plain(Name(model)) for model in models]
    if len(names) == 1:
        return names[0]
    colours = chain(COLOURS, repeat(""))
    shown = [f"{name} ({colour})" for name, colour in zip(names, colours, strict=False)]
    return join_truncated(shown, len(COLOURS), last=", and ", rest="more in the tables")


def _rankings(report: Report) -> Iterator[Chart]:
    """A bar for each of the first models: of their means, then of each metric."""
    rows = report.leaderboard.rows
    means = {row.model: row.mean for row in rows}
    yield from _bars(None, means)
    for key in report.leaderboard.metrics:
        yield from _bars(key, {row.model: row.scores.get(key) for row in rows})


def _bars(key: ScoreKey | None, values: Mapping[str, float | None]) -> Iterator[Chart]:
    """One chart; none where it would hold fewer than two models."""
    known = {model: value for model, value in values.items() if value is not None}
    shown = dict(islice(known.items(), PLACES_SHOWN))
    if len(shown) < 2 or not are_drawable(shown.values(), _SIZES):  # noqa: PLR2004 -- to compare
        return
    more = len(known) - len(shown)
    scale, unit = _scale(shown.values(), key)
    title = str(key or "Mean")
    lengths = [scale * value for value in shown.values()]
    yield Chart(
        f"{title} of {f'the first {len(shown)} of {len(known)} models' if more else 'each model'}",
        _diagram(
            "xychart-beta horizontal",
            f"title {_quoted(title, _TITLE_LENGTH, unit)}",
            _places("", _distinct(list(shown))),
            # A bar's length is its value only from 0 on.
            _range(round_ends([0.0, *lengths])),
            f"bar {_list(map(_number, lengths))}",
            height=_HEIGHT_AROUND_BARS + _HEIGHT_OF_BAR * len(shown),
            colours=1,
        ),
    )


def _scale(values: Iterable[float], key: ScoreKey | None) -> tuple[int, str]:
    """Return what scores are multiplied by, and the unit: shares are percentages."""
    return (100, " (in percent)") if are_shares(values, key) else (1, "")


def _distinct(models: Sequence[str]) -> list[str]:
    """Labels that are cut, and numbered where they are the same then: mermaid would join them."""
    cut = [_label(model, _LABEL_LENGTH) for model in models]
    count = Counter(cut)
    return [
        f"{label} ({at})" if count[label] > 1 else label for at, label in enumerate(cut, start=1)
    ]


def _diagram(*lines: str, height: int, colours: int) -> str:
    palette = ", ".join(islice(COLOURS.values(), colours))
    settings = (
        f'"xyChart": {{"width": 800, "height": {height}}}, '
        f'"themeVariables": {{"xyChart": {{"plotColorPalette": "{palette}"}}}}'
    )
    head, *rest = lines
    return "\n".join((f"%%{{init: {{{settings}}}}}%%", head, *(f"  {line}" for line in rest)))


def _places(title: str, labels: Iterable[str]) -> str:
    head = f"{_quoted(title, _TITLE_LENGTH)} " if title else ""
    return f"x-axis {head}{_list(_quoted(label, _TITLE_LENGTH) for label in labels)}"


def _range(ends: tuple[float, float]) -> str:
    low, high = map(_number, ends)
    return f"y-axis {low} --> {high}"


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(texts)}]"


def _quoted(text: str, length: int, unit: str = "") -> str:
    return f'"{_label(text, length)}{unit}"'


def _label(text: str, length: int) -> str:
    """The text as mermaid's strings may hold it, cut; never empty, which they may not be."""
    return shorten(plain(Name(text)).strip(), length).translate(_TWINS) or "?"


def _number(value: float) -> str:
    """Six significant digits, written out: mermaid reads no exponents, nor what no axis shows."""
    return format(Decimal(f"{round(value, 15):.6g}"), "f")
