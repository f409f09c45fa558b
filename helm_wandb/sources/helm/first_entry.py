"""Entries of a first config, one for each suite of HELM output."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from glob import escape
from textwrap import indent

import yaml

from helm_wandb.model import FirstEntry, ScoreKey
from helm_wandb.sources.helm.inventory import SuiteInventory
from helm_wandb.text.safe_text import Name, plain
from helm_wandb.text.words import count_noun, join_truncated

_SHOWN = 10


def entries(suites: Sequence[SuiteInventory], *, folder: str) -> tuple[FirstEntry, ...]:
    """Return an entry for each suite, which records all of it and names the others in a comment.

    folder: the HELM output, as the config is to name it.
    """
    return tuple(
        FirstEntry(
            name=suite.name,
            yaml="".join(_lines(suite, [one for one in suites if one is not suite], folder)),
            score_keys=tuple(
                ScoreKey(benchmark, metric)
                for benchmark, metrics in suite.metrics.items()
                for metric in metrics
            ),
        )
        for suite in suites
    )


def _lines(suite: SuiteInventory, others: Sequence[SuiteInventory], folder: str) -> Iterator[str]:
    yield _yaml({"eval_type": "helm"})
    yield _yaml({"helm_output_dir": folder})
    if others:
        yield f"# It also holds {_join_names(one.name for one in others)}.\n"
    yield _yaml({"helm_suite_name": suite.name})
    yield from _model_lines(suite)
    yield from _benchmark_lines(suite)


def _model_lines(suite: SuiteInventory) -> Iterator[str]:
    names = list(suite.models)
    if suite.needs_model_name:
        yield _yaml({"model_name": names[0]})
    elif len(names) == 1:
        yield f"# model_name: another name to record {_join_names(names)} under\n"
    else:
        yield "# Each model is recorded under its own name. For only one of them:\n"
        shown = [name for name in names if name.isprintable()][:_SHOWN]
        yield from (f"# {_yaml({'helm_model': escape(name)})}" for name in shown)
        if more := len(names) - len(shown):
            yield f"# and {count_noun(more, 'more model')}\n"
    if any(suite.models.values()):
        yield "# Billions of tokens in one iteration, for curves over tokens:\n"
        yield "# token_per_iteration: 0.004\n"


def _benchmark_lines(suite: SuiteInventory) -> Iterator[str]:
    if not suite.metrics:
        yield "# Without `benchmarks`, the 16 core metrics of HELM are read.\n"
        return
    yield "benchmarks:\n"
    for benchmark, metrics in suite.metrics.items():
        names = _yaml({"name": benchmark, "metrics": list(metrics)}, in_one_line=True)
        yield indent(f"- {names}", "  ")


def _yaml(entries: dict[str, object], *, in_one_line: bool = False) -> str:
    return yaml.safe_dump(
        entries,
        default_flow_style=in_one_line,
        sort_keys=False,
        allow_unicode=True,
        width=sys.maxsize,
    )


def _join_names(names: Iterable[str]) -> str:
    return join_truncated([plain(Name(name)) for name in names], _SHOWN)
