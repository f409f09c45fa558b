"""Entries of a first config, one for each suite of HELM output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.first_lines import benchmark_lines, join_names, model_lines, token_lines
from helm_wandb.model import FirstEntry, ScoreKey
from helm_wandb.sources.helm import layout
from helm_wandb.sources.helm.inventory import SuiteInventory, inventory
from helm_wandb.text.yaml_text import to_yaml


def entries(path: Path, *, shown_as: str) -> tuple[FirstEntry, ...]:
    """Return an entry for each suite of the HELM output, as `sources.first_entries` says.

    The path may also be a suite's own folder, `benchmark_output/runs/nightly`.
    """
    parent, suite = layout.split_suite_folder(path)
    if suite is not None:
        folder = str(parent)
        # If the suite can't be read, the error below says what to give instead.
        with suppress(ArtifactError):
            several = suite_entries(inventory(parent, shown_as=folder), folder=folder)
            if own := tuple(one for one in several if one.name == suite):
                return own
    return suite_entries(inventory(path, shown_as=shown_as), folder=shown_as)


def suite_entries(suites: Sequence[SuiteInventory], *, folder: str) -> tuple[FirstEntry, ...]:
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
    yield to_yaml({"eval_type": "helm"})
    yield to_yaml({"helm_output_dir": folder})
    if others:
        yield f"# It also holds {join_names(one.name for one in others)}.\n"
    yield to_yaml({"helm_suite_name": suite.name})
    yield from _model_lines(suite)
    if suite.metrics:
        yield from benchmark_lines(suite.metrics)
    else:
        yield "# Without `benchmarks`, the 16 core metrics of HELM are read.\n"


def _model_lines(suite: SuiteInventory) -> Iterator[str]:
    if suite.needs_model_name:
        yield to_yaml({"model_name": next(iter(suite.models))})
    else:
        yield from model_lines(suite.models, model_key="helm_model")
    yield from token_lines(suite.models)
