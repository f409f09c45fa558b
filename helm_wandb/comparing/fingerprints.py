"""The settings of an evaluation: what differs between two fingerprints, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping

from helm_wandb.text.words import join_truncated

_SHOTS = frozenset({"max_train_instances", "num_fewshot"})
"""Fields for the number of examples, in HELM and in lm-eval."""

_SEEDS = frozenset({"random", "fewshot_seed", "seed", "task seed"})
"""Fields for the seed, in HELM, in lm-eval, and in Inspect, whose tasks may have their own."""


def without_seeds(fingerprint: Mapping[str, object]) -> dict[str, object]:
    """Return the settings but for those that choose among equally good runs."""
    return {name: value for name, value in fingerprint.items() if name not in _SEEDS}


def describe_field(name: str, value: object) -> str:
    """Return a field as people say it: `5-shot`, `temperature 0.7`, `no instructions`."""
    if value is None:
        return f"no {name}"
    if isinstance(value, list | tuple):
        return f"{name} {join_truncated([*map(_visible, value)])}"
    return f"{value}-shot" if name in _SHOTS else f"{name} {_visible(value)}"


def _visible(value: object) -> str:
    r"""Return the value as text; in quotes if it has line ends or outer spaces: `"\n"`."""
    text = str(value)
    is_plain = text.isprintable() and text == text.strip() != ""
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def describe_difference(
    candidate: Mapping[str, object], baseline: Mapping[str, object]
) -> str | None:
    """Return `5-shot here, 0-shot there` for each field that differs; None if all are equal.

    A field that one side lacks counts as different.
    """
    names = sorted({**candidate, **baseline}, key=lambda name: (name not in _SHOTS, name))
    differences = [
        f"{describe_field(name, candidate.get(name))} here, "
        f"{describe_field(name, baseline.get(name))} there"
        for name in names
        if candidate.get(name) != baseline.get(name)
    ]
    return join_truncated(differences, separator="; ", last="; and ", rest="more fields") or None
