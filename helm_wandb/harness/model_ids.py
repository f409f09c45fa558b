"""IDs of models, made of a harness's name of a model and the arguments that it was loaded with."""

from __future__ import annotations

from collections.abc import Mapping

from helm_wandb.harness.json_files import encodable
from helm_wandb.text.patterns import Pattern

_MAIN = ("", "main", "None")
"""Revisions that are no checkpoint's."""


def model_id(
    name: str, revision: str, arguments: Mapping[str, str], pattern: Pattern | None
) -> str:
    """Return the name with what distinguishes the model's checkpoint from others.

    If only an argument has the iteration, that is what the config's pattern matches of it.
    """
    model = name if revision in _MAIN else f"{name}@{revision}"
    if pattern is not None and not pattern.search(model):
        text = ",".join(f"{argument}={value}" for argument, value in arguments.items())
        spans = pattern.search(text)
        model = f"{model}@{text[slice(*spans[0])]}" if spans else model
    return encodable(model)
