"""The settings of an evaluation: what differs between two fingerprints, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOTS = "max_train_instances"
_SHOWN = 3


def describe_field(name: str, value: object) -> str:
    """Return a field as people say it: `5-shot`, `temperature 0.7`, `no instructions`."""
    if value is None:
        return f"no {name}"
    if isinstance(value, list | tuple):
        more = f" and {len(value) - _SHOWN} more" if len(value) > _SHOWN else ""
        return f"{name} {', '.join(map(str, value[:_SHOWN]))}{more}"
    return f"{value}-shot" if name == _SHOTS else f"{name} {value}"


def describe_difference(
    candidate: Mapping[str, object], baseline: Mapping[str, object]
) -> str | None:
    """Return `5-shot here, 0-shot there` for each field that differs; None if all are equal.

    A field that one side lacks counts as different.
    """
    names = sorted({**candidate, **baseline}, key=lambda name: (name != _SHOTS, name))
    differences = [
        f"{describe_field(name, candidate.get(name))} here, "
        f"{describe_field(name, baseline.get(name))} there"
        for name in names
        if candidate.get(name) != baseline.get(name)
    ]
    hidden = len(differences) - _SHOWN
    more = f"; and {hidden} more fields" if hidden > 0 else ""
    return "; ".join(differences[:_SHOWN]) + more if differences else None
