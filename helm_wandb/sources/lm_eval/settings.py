"""The fingerprint of a score: the settings of its tasks, less the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from helm_wandb.harness.settings import EMPTY, join_settings, setting_text, without_addresses
from helm_wandb.sources.lm_eval.formats import Results

_NOT_SETTINGS = frozenset(
    {
        "task",
        "task_alias",
        "tag",
        "group",
        "num_fewshot",  # as n-shot, which is never null
        "fewshot_config",
        "metadata",  # the model's arguments, and the version, which stands in versions
    }
)
_SAMPLER_FIELDS = {
    "sampler": None,
    "split": "fewshot_split",
    "process_docs": "process_docs",
    "fewshot_indices": None,
    "samples": None,
}
"""Fields of `fewshot_config`, and the task's own that newer versions repeat there."""
_DEFAULT_SAMPLER = "default"


def fingerprint(tasks: Iterable[str], results: Results) -> dict[str, object]:
    """Return named fields of the tasks' settings, less the model.

    Empty fields and `false` are left out, since lm-eval's versions differ in which they write. The
    seed of the examples is one only if there are examples that it draws. The hash of a task's
    documents and prompts is none: each question has its own.
    """
    return join_settings(_fields(task, results) for task in tasks)


def _fields(task: str, results: Results) -> dict[str, str]:
    config = results.configs.get(task, {})
    shots = results.n_shot.get(task, config.get("num_fewshot")) or 0
    fields = {
        **{name: value for name, value in config.items() if name not in _NOT_SETTINGS},
        **_call_fields(config, results),
        "version": results.versions.get(task),
        "num_fewshot": str(shots),
    }
    if shots:
        fields |= _fewshot_fields(config, results)
    return {
        name: setting_text(without_addresses(value))
        for name, value in fields.items()
        if value not in EMPTY and value is not False
    }


def _call_fields(config: Mapping[str, Any], results: Results) -> dict[str, Any]:
    generates = config.get("output_type", "generate_until") == "generate_until"
    return {
        "limit": results.config.limit,
        "gen_kwargs": results.config.gen_kwargs if generates else None,
        "chat_template_sha": results.chat_template_sha,
        "system_instruction_sha": results.system_instruction_sha,
        "fewshot_as_multiturn": results.chat_template_sha and results.fewshot_as_multiturn,
    }


def _fewshot_fields(config: Mapping[str, Any], results: Results) -> dict[str, Any]:
    fewshot = config.get("fewshot_config")
    own = fewshot if isinstance(fewshot, dict) else {}
    sampler = own.get("sampler", _DEFAULT_SAMPLER)
    fields = {
        f"fewshot {name}": own.get(name)
        for name, repeated in _SAMPLER_FIELDS.items()
        if repeated is None or own.get(name) != config.get(repeated)
    }
    if sampler == _DEFAULT_SAMPLER:
        fields |= {"fewshot sampler": None, "fewshot_seed": results.config.fewshot_seed}
    return fields
