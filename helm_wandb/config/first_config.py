"""What a folder of HELM output holds → a config to begin with."""

from __future__ import annotations

import sys
from textwrap import indent
from typing import TYPE_CHECKING

import yaml

from helm_wandb.text.safe_text import Name, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from helm_wandb.sources.helm.inventory import SuiteFound

SCHEMA_URL = (
    "https://raw.githubusercontent.com/org/helm-wandb-action/main/schema/config.schema.json"
)
"""The schema's `$id`, by which editors find it."""
_HEAD = f"""\
# yaml-language-server: $schema={SCHEMA_URL}
#
# The W&B project that the runs go to; it is made where there is none.
project: helm-evaluations
# leaderboard: true  # rank the models that the project holds, too, and record that
evals:
  - eval_type: helm
"""
_SHOWN = 10


def written(suite: SuiteFound, others: Sequence[SuiteFound], *, folder: str) -> str:
    """The YAML of a config that records all of the suite.

    others: suites of the same output, which it names in a comment.
    folder: the HELM output, as the config is to name it.
    """
    entry = "".join(_entry(suite, others, folder))
    return f"{_HEAD}{indent(entry, '    ')}"


def _entry(suite: SuiteFound, others: Sequence[SuiteFound], folder: str) -> Iterator[str]:
    yield _yaml({"helm_output_dir": folder})
    if others:
        yield f"# It also holds {_some(one.name for one in others)}.\n"
    yield _yaml({"helm_suite_name": suite.name})
    yield from _of_models(suite)
    yield from _of_benchmarks(suite)


def _of_models(suite: SuiteFound) -> Iterator[str]:
    names = list(suite.models)
    if suite.needs_model_name:
        yield _yaml({"model_name": names[0]})
    elif len(names) == 1:
        yield f"# model_name: another name to record {_some(names)} under\n"
    else:
        yield f"# Each model is recorded under its own name: {_some(names)}.\n"
        yield "# helm_model: one of them, or a pattern that matches some, as my-org/*\n"
    if any(suite.models.values()):
        yield "# Billions of tokens in one iteration, for curves over tokens:\n"
        yield "# token_per_iteration: 0.004\n"


def _of_benchmarks(suite: SuiteFound) -> Iterator[str]:
    if not suite.metrics:
        yield "# Without `benchmarks` the 16 core scenarios of HELM are read.\n"
        return
    yield "benchmarks:\n"
    for benchmark, metrics in suite.metrics.items():
        asked = _yaml({"name": benchmark, "metrics": list(metrics)}, in_one_line=True)
        yield indent(f"- {asked}", "  ")


def _yaml(entries: dict[str, object], *, in_one_line: bool = False) -> str:
    return yaml.safe_dump(
        entries,
        default_flow_style=in_one_line,
        sort_keys=False,
        allow_unicode=True,
        width=sys.maxsize,
    )


def _some(names: Iterable[str]) -> str:
    told = [plain(Name(name)) for name in names]
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return ", ".join(told[:_SHOWN]) + more
