"""Contrast of colours."""

from __future__ import annotations

import re


def contrast(one: str, other: str) -> float:
    """The contrast of two colours such as `#0d1117`, from 1 to 21 (WCAG 2.2)."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, definitions)."""
    red, green, blue = (_linear(int(part, 16) / 255) for part in re.findall(r"\w\w", colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
