"""Values → a curve that is a word: eight heights of a block, for a terminal's tables."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
_FLAT = BLOCKS[3]
_UNKNOWN = " "


def sparkline(values: Sequence[float | None]) -> str:
    """A block for each value, from the least to the largest of them; a blank where it is unknown.

    Equal values are all of a middle height. streams.py has each block's sign in ASCII.
    """
    known = [value for value in values if value is not None]
    if not known:
        return _UNKNOWN * len(values)
    low, high = min(known), max(known)
    return "".join(_UNKNOWN if value is None else _block(value, low, high) for value in values)


def _block(value: float, low: float, high: float) -> str:
    # Halved first: the difference of the largest numbers that there are is none.
    span = high / 2 - low / 2
    if not span:
        return _FLAT
    share = (value / 2 - low / 2) / span
    return BLOCKS[min(int(share * len(BLOCKS)), len(BLOCKS) - 1)]
