"""Scores, counts and differences as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from helm_wandb.model import Delta, ScoreKey, is_close


class Unknown(str):
    """The text for an unknown value; a text that only looks like it is a known one."""

    __slots__ = ()


UNKNOWN = Unknown("–")
_HAS_UNIT = re.compile(
    r"bits_per|bits/|^bpb$|^ppl\b|perplexity|logprob|likelihood|runtime|_time\b|seconds|\bnum_"
    r"|(?:\b|_)loss\b",
    re.IGNORECASE,
)
"""Names of metrics, of HELM and lm-eval, whose values are no shares even if they are within 0–1."""
_LEAST_DECIMAL = 0.0005
_LARGEST_ROUNDED = 1_000
_PERCENT = 100
_LARGEST_WRITTEN_OUT = 10_000_000
_LEAST_TENTH = 0.05
_NOISE = 1e-9
"""Below it a difference of scores within 0…1 is one of rounding: sums of equal scores differ so."""


def number(value: float | None) -> str:
    """Three decimals within ±1, else four significant digits; a dash if it is unknown."""
    if value is None:
        return UNKNOWN
    size = abs(value)
    if size < _LEAST_DECIMAL:
        # Three decimals would make it 0, which it is not.
        return f"{value:.1g}" if value else "0.000"
    if size <= 1:
        return f"{value:.3f}"
    whole = _LARGEST_ROUNDED <= size < _LARGEST_WRITTEN_OUT
    return f"{value:.0f}" if whole else f"{value:.4g}"


def tokens(billions: float | None) -> str:
    """`4.2B`, or a dash if the count is unknown."""
    return UNKNOWN if billions is None else f"{billions:.6g}B"


def change(delta: Delta, value: float) -> str:
    """`+1.2 pp` for a score within 0…1, else four significant digits in its unit."""
    return f"{_signed(delta, value)}{' pp' if in_points(delta) else ''}"


def size(delta: Delta, value: float) -> str:
    """Return a change without its sign."""
    return change(delta, value).lstrip("+−±")


def size_range(deltas: Iterable[Delta]) -> str:
    """Return the detectable effects, `2.0–5.8 pp`; empty if none is known in points."""
    sizes = sorted(one.mde for one in deltas if one.mde is not None and in_points(one))
    least, most = (_points(one) for one in (sizes[0], sizes[-1])) if sizes else ("", "")
    return f"{least if least == most else f'{least}–{most}'} pp" if sizes else ""


def difference(delta: Delta) -> str:
    """Return `−13.0 pp (−22.2 to −5.1)`: the difference, and its interval if there is one."""
    text, ends = change(delta, delta.difference), interval(delta)
    return text if ends is UNKNOWN else f"{text} ({ends})"


def interval(delta: Delta) -> str:
    """Return `−22.2 to −5.1`, the ends of the difference's interval; a dash if it has none."""
    if delta.interval is None:
        return UNKNOWN
    ends = (delta.interval.low, delta.interval.high)
    # `<0.1` would be hard to read here, and the sign says what matters.
    low, high = (_signed(delta, value).replace("<0.1", "0.0") for value in ends)
    return f"{low} to {high}"


def is_of_shared(delta: Delta) -> bool:
    """Whether a page shows another change than that of the two scores.

    The change is over the questions that both sides have, each score over all that its side has.
    """
    apart = delta.candidate - delta.baseline
    is_same = is_close(apart, delta.difference)
    return not is_same and change(delta, apart) != change(delta, delta.difference)


def percent_hint(value: float) -> str:
    """Return `70% is 0.7` of a number that may be a percentage; empty of others."""
    return f"{value:g}% is {value / 100:g}" if 1 < value <= _PERCENT else ""


def score_change(delta: Delta) -> str:
    """Return `73.0 → 60.0`, in percent for scores within 0–1.

    They have a second decimal if those with one differ by another change than the one shown.
    """
    ends = delta.baseline, delta.candidate
    if in_points(delta):
        shown = [round(100 * value, 1) for value in (*ends, delta.candidate - delta.baseline)]
        if round(shown[1] - shown[0], 1) != shown[2]:
            return " → ".join(f"{100 * value:.2f}" for value in ends)
    return " → ".join(scores_as_text(ends, delta.key))


def scores_as_text(values: Sequence[float | None], key: ScoreKey | None = None) -> list[str]:
    """Return the values of one metric: as percentages if they are shares.

    key: the metric; None: a mean of several.
    """
    is_share = are_shares((one for one in values if one is not None), key)
    as_text = _points if is_share else number
    return [UNKNOWN if one is None else as_text(one) for one in values]


def are_shares(values: Iterable[float], key: ScoreKey | None = None) -> bool:
    """Whether values are shown as percentages: all are within 0–1, and in no unit by their name."""
    has_unit = key is not None and _HAS_UNIT.search(key.metric)
    return not has_unit and all(0 <= value <= 1 for value in values)


def score(value: float | None) -> str:
    """Return a single value, as `scores_as_text` does."""
    return scores_as_text([value])[0]


def in_points(delta: Delta) -> bool:
    """Whether both scores lie within 0…1, so that they differ by points."""
    return are_shares((delta.baseline, delta.candidate), delta.key)


def _signed(delta: Delta, value: float) -> str:
    size = abs(value)
    if in_points(delta):
        text, is_zero = _points(size), size < _NOISE
    else:
        text, is_zero = f"{size:.4g}", not size
    return f"{'±' if is_zero else '−' if value < 0 else '+'}{text}"


def _points(value: float) -> str:
    """Return tenths of a point; `<0.1` for what is smaller, as that is not 0."""
    points = 100 * value
    return "<0.1" if value >= _NOISE and points < _LEAST_TENTH else f"{points:.1f}"
