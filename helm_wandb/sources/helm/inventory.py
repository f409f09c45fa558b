"""The suites of HELM output, for somebody who has no config yet."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from helm_wandb.errors import ArtifactError, ConfigError, UnknownOutputError
from helm_wandb.harness import families
from helm_wandb.harness.files import Files
from helm_wandb.model import Place
from helm_wandb.sources.helm import layout
from helm_wandb.sources.helm.entry import HelmEval
from helm_wandb.sources.helm.metric_choice import choose_metrics
from helm_wandb.sources.helm.output import open_output
from helm_wandb.sources.helm.runs import Runs
from helm_wandb.text.safe_text import plain

_LATEST = "latest"
"""Name under which HELM 0.2.3 to 0.5.11 link the newest suite; a copy of the folder copies it."""


class SuiteInventory(Struct, frozen=True, kw_only=True):
    """A suite or release, and what a config may name of it."""

    name: str
    run_count: int
    models: Mapping[str, tuple[int, ...]]
    """Family → its iterations, ascending; none if its ids name none."""
    needs_model_name: bool
    """Whether the iterations are known only if the config names the model."""
    metrics: Mapping[str, tuple[str, ...]]
    """Benchmark → its main metric, or others if the suite lacks that; only what it has."""


def inventory(path: Path, *, shown_as: str) -> tuple[SuiteInventory, ...]:
    """Return the suites of the HELM output, those with most runs first.

    path: the folder, or an archive of it. shown_as: its name in messages.
    Raises ArtifactError if it cannot be read, or holds no suite with a finished run.
    """
    with open_output(path, shown_as=shown_as) as files:
        names = dict.fromkeys(entry.partition("/")[2] for entry in layout.entries(files))
        suites = [one for name in names for one in _suite(name, files)]
        if not suites:
            is_known = names or layout.nearby_advice(files, shown_as=shown_as) is not None
            raise (ArtifactError if is_known else UnknownOutputError)(
                f"{plain(shown_as)}: holds no suite with a finished run. "
                f"{layout.advice(files, shown_as=shown_as)}"
            )
    suites = [one for one in suites if one.name != _LATEST] or suites
    return tuple(sorted(suites, key=lambda one: -one.run_count))


def _suite(name: str, files: Files) -> Iterator[SuiteInventory]:
    suite = layout.suite_named(name, files)
    if suite is None:
        return
    runs = Runs(suite)
    models, needs_model_name = _models(runs.models())
    yield SuiteInventory(
        name=name,
        run_count=len(runs.all()),
        models=models,
        needs_model_name=needs_model_name,
        metrics={
            benchmark: metrics
            for benchmark in runs.names
            if runs.by_model(benchmark)
            if (metrics := choose_metrics(runs.name_of(benchmark), suite, runs))
        },
    )


def _models(ids: set[str]) -> tuple[dict[str, tuple[int, ...]], bool]:
    """Return each family's iterations; and whether only the models' common name showed them."""
    own = _families(ids, None)
    # By characters: org/mini-100 and org/mini-200 share org/mini.
    common = os.path.commonprefix(sorted(ids)).rstrip("/_-")  # noqa: RUF071 -- no paths
    if len(own) > 1 and common and not any(own.values()):
        named = _families(ids, common)
        if list(named) == [common] and len(named[common]) == len(ids):
            return named, True
    return own, False


def _families(ids: set[str], model_name: str | None) -> dict[str, tuple[int, ...]]:
    spec = HelmEval(
        place=Place("", 0, 0),
        path="",
        output_dir="",
        helm_suite_name="",
        model_name=model_name,
    )
    try:
        checkpoints = families.assign(ids, spec)
    except ConfigError:
        return {}
    by_family = families.iterations_by_family(checkpoints.values())
    return {family: tuple(sorted(iterations)) for family, iterations in sorted(by_family.items())}
