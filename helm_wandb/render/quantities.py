"""Scores, counts and differences as text."""

from __future__ import annotations

from helm_wandb.model import Delta

UNKNOWN = "–"
_LEAST_DECIMAL = 0.0005
_LARGEST_ROUNDED = 1_000
_LARGEST_WRITTEN_OUT = 10_000_000
_LEAST_TENTH = 0.05
_NOISE = 1e-9
"""Below it a difference of scores within 0…1 is one of rounding: sums of equal scores differ so."""


def number(value: float | None) -> str:
    """Three decimals within ±1, else four significant digits; a dash where it is unknown."""
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
    """`4.2B`, or a dash where the count is unknown."""
    return UNKNOWN if billions is None else f"{billions:.6g}B"


def change(delta: Delta, value: float) -> str:
    """`+1.2 pp` for a score within 0…1, else four significant digits in its unit."""
    return f"{_signed(delta, value)}{_unit(delta)}"


def size(delta: Delta, value: float) -> str:
    """Return a change without its sign."""
    return change(delta, value).lstrip("+−±")


def difference(delta: Delta) -> str:
    """`−13.0 pp [−22.2, −5.1]`: the difference, and its interval where there is one."""
    text = change(delta, delta.difference)
    if delta.interval is None:
        return text
    low, high = (_signed(delta, value) for value in (delta.interval.low, delta.interval.high))
    return f"{text} [{low}, {high}]"


def in_points(delta: Delta) -> bool:
    """Whether both scores lie within 0…1, so that they differ by points."""
    return all(0 <= value <= 1 for value in (delta.baseline, delta.candidate))


def _unit(delta: Delta) -> str:
    return " pp" if in_points(delta) else ""


def _signed(delta: Delta, value: float) -> str:
    text = _points(abs(value)) if in_points(delta) else f"{abs(value):.4g}"
    sign = "−" if value < 0 else "+"
    return f"{sign if float(text) else '±'}{text}"


def _points(value: float) -> str:
    """Tenths of a point; one digit of what is smaller, as that is not 0."""
    points = 100 * value
    tiny = value >= _NOISE and points < _LEAST_TENTH
    return f"{points:.1g}" if tiny else f"{points:.1f}"
