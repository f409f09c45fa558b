"""The suites of HELM output."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from helm_wandb.errors import ArtifactError
from helm_wandb.sources.helm.inventory import inventory

if TYPE_CHECKING:
    from pathlib import Path


def raw_run(output: Path, model: str, benchmark: str = "mmlu", names: Sequence[str] = ()) -> None:
    """Leave a finished run in a suite that was not summarized."""
    folder = output / "runs" / "raw" / f"{benchmark}-{model.replace('/', '_')}"
    folder.mkdir(parents=True)
    spec = {
        "name": f"{benchmark}:model={model}",
        "scenario_spec": {"class_name": "helm.Scenario", "args": {}},
        "adapter_spec": {"model": model},
        "groups": [benchmark],
    }
    (folder / "run_spec.json").write_text(json.dumps(spec))
    stats = [{"name": {"name": name, "split": "test"}, "count": 1, "sum": 0.5} for name in names]
    (folder / "stats.json").write_text(json.dumps(stats))


def test_checkpoints_are_a_family(helm_trees: Path) -> None:
    """A model's checkpoints are its iterations, and each benchmark has its main metric."""
    (found,) = inventory(helm_trees / "checkpoints", shown_as="checkpoints")

    assert ("toyproj-toyllama", 42, False) == (found.name, found.run_count, found.needs_model_name)
    assert {"mymodel/toyproj-llama": tuple(range(1000, 7000, 1000))} == found.models
    assert {
        "boolq": ("EM",),
        "hellaswag": ("EM",),
        "imdb": ("EM",),
        "mmlu": ("EM",),
        "narrative_qa": ("F1",),
    } == found.metrics


def test_releases_are_found(helm_trees: Path) -> None:
    """A suite stands before the releases that were made of it."""
    found = inventory(helm_trees / "lite", shown_as="lite")

    assert ["lite-like", "v1.0.0", "v1.0.0-mean"] == [one.name for one in found]


def test_runs_are_enough(helm_trees: Path) -> None:
    """Without helm-summarize a metric is the one that HELM's schemas name, else one of the runs."""
    (found,) = inventory(helm_trees / "unsummarized", shown_as="unsummarized")

    assert {
        "boolq": ("EM",),
        "imdb": ("EM",),
        "mmlu": ("EM",),
        "narrative_qa": ("F1",),
        "simple_classification": ("exact_match",),
        "simple_mcqa": ("exact_match",),
    } == found.metrics


def test_bare_numbers_need_the_name(tmp_path: Path) -> None:
    """Ids that share all but a bare number are checkpoints once the config names the model."""
    for number in (100, 200):
        raw_run(tmp_path, f"org/mini-{number}")
    (found,) = inventory(tmp_path, shown_as="out")

    assert ({"org/mini": (100, 200)}, True) == (found.models, found.needs_model_name)


def test_other_models_keep_their_names(tmp_path: Path) -> None:
    """Ids that begin alike and do not end in numbers are separate models."""
    for model in ("org/mini", "org/micro"):
        raw_run(tmp_path, model)
    (found,) = inventory(tmp_path, shown_as="out")

    assert ({"org/micro": (), "org/mini": ()}, False) == (found.models, found.needs_model_name)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["num_bytes", "inference_runtime", "logprob"], ()),
        (["num_bytes", "rouge_2", "mine_accuracy", "exact_match"], ("mine_accuracy",)),
        (["f1_score", "quasi_exact_match"], ("quasi_exact_match",)),
        (["num_correct", "mine_rating_score"], ("mine_rating_score",)),
    ],
)
def test_unknown_benchmarks_have_a_metric_of_their_runs(
    names: list[str], expected: tuple[str, ...], tmp_path: Path
) -> None:
    """If no schema knows a benchmark, a statistic that looks like its score is taken."""
    raw_run(tmp_path, "org/mini", benchmark="mine", names=names)
    (found,) = inventory(tmp_path, shown_as="out")

    assert expected == found.metrics.get("mine", ())


def test_clashing_iterations_make_no_family(tmp_path: Path) -> None:
    """If two ids would be one point of a curve, no model is named."""
    for model in ("org/step-1", "org/step_1"):
        raw_run(tmp_path, model)
    (found,) = inventory(tmp_path, shown_as="out")

    assert ({}, "raw") == (found.models, found.name)


def test_unfinished_suites_are_none(tmp_path: Path) -> None:
    """A suite in which no run ended is not listed, and there must be one that is."""
    (tmp_path / "runs" / "empty").mkdir(parents=True)
    with pytest.raises(ArtifactError, match=r"^out: holds no suite with a finished run\. Give"):
        inventory(tmp_path, shown_as="out")


def test_what_does_not_exist_is_reported(tmp_path: Path) -> None:
    """A folder that does not exist is an error of its artifacts."""
    with pytest.raises(ArtifactError, match="out: cannot be read"):
        inventory(tmp_path / "nothing", shown_as="out")
