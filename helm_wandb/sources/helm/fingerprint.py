"""The fingerprint of a score: the settings of its runs, less the model."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING

from helm_wandb.harness.json_files import encodable

if TYPE_CHECKING:
    from helm_wandb.sources.helm.runs import Run

_MODEL_FIELDS = frozenset({"model", "model_deployment"})
_DEFAULTS: tuple[object, ...] = ("", None, [], {})
_LONG = 60


def fingerprint(runs: Iterable[Run]) -> dict[str, object]:
    """Return named fields of the scenarios and adapters of a score's runs, less the model.

    Empty fields are left out, since HELM's versions differ in which of them they write. A
    field that differs from run to run (the subject, say) is the sorted list of its values; a
    long text stands as its beginning and a hash.
    """
    found: dict[str, set[str]] = {}
    for run in runs:
        for name, value in _fields(run).items():
            found.setdefault(name, set()).add(value)
    return {
        name: next(iter(values)) if len(values) == 1 else sorted(values)
        for name, values in sorted(found.items())
    }


def _fields(run: Run) -> dict[str, str]:
    fields = {
        "scenario": run.scenario,
        **{f"scenario {name}": value for name, value in run.spec.scenario_spec.args.items()},
        **{
            name: value
            for name, value in run.spec.adapter_spec.items()
            if name not in _MODEL_FIELDS
        },
        "perturbations": run.spec.data_augmenter_spec.get("perturbation_specs"),
    }
    return {name: _text(value) for name, value in fields.items() if value not in _DEFAULTS}


def _text(value: object) -> str:
    """Return the value as short text that differs if the value does."""
    text = encodable(value if isinstance(value, str) else json.dumps(value, sort_keys=True))
    if len(text) <= _LONG:
        return text
    digest = sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{text[: _LONG - 12]}… {digest}"
