"""How scores were asked: what differs between two fingerprints, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOTS = "max_train_instances"
_SHOWN = 3


def in_words(name: str, value: object) -> str:
    """A field as people say it: `5-shot`, `temperature 0.7`, `no instructions`."""
    if value is None:
        return f"no {name}"
    if isinstance(value, list | tuple):
        more = f" and {len(value) - _SHOWN} more" if len(value) > _SHOWN else ""
        return f"{name} {', '.join(map(str, value[:_SHOWN]))}{more}"
    return f"{value}-shot" if name == _SHOTS else f"{name} {value}"


def difference(here: Mapping[str, object], there: Mapping[str, object]) -> str | None:
    """`5-shot here, 0-shot there`, for each field that differs; None where all are equal.

    A field that one side lacks counts as different.
    """
    names = sorted({**here, **there}, key=lambda name: (name != _SHOTS, name))
    told = [
        f"{in_words(name, here.get(name))} here, {in_words(name, there.get(name))} there"
        for name in names
        if here.get(name) != there.get(name)
    ]
    more = f"; and {len(told) - _SHOWN} more fields" if len(told) > _SHOWN else ""
    return "; ".join(told[:_SHOWN]) + more if told else None
