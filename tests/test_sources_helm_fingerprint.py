"""Fingerprints: the settings of runs, whichever version of HELM wrote them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.sources.helm.fingerprint import fingerprint
from helm_wandb.sources.helm.formats import RunSpec, ScenarioSpec
from helm_wandb.sources.helm.runs import Run

from .test_sources_helm import TREES, Tree, copied
from .test_sources_helm_instances import BOOLQ, MMLU, detailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEWER_FIELDS = {
    *("multi_label", "global_suffix", "num_trials", "model_deployment"),
    *("image_generation_parameters", "eval_splits", "chain_of_thought_prefix"),
    *("chain_of_thought_suffix", "reeval_parameters", "reference_prefix_characters"),
    "output_mapping_pattern",
}
"""Fields of AdapterSpec that HELM 0.2.2 doesn't have."""


def run_of(scenario: str, arguments: dict[str, Any], *, name: str = "any:model=m") -> Run:
    """A run of a scenario."""
    settings = ScenarioSpec(f"helm.benchmark.scenarios.{scenario}", arguments)
    return Run("runs/nightly/any", RunSpec(name, scenario_spec=settings))


def test_fingerprints_have_the_settings(helm_trees: Path) -> None:
    """Scenario, method and shots are named fields; the model is in none."""
    (one,) = detailed(helm_trees, "baseline", "nightly")
    fields = one.scores[MMLU].fingerprint

    assert fields is not None
    assert ("MMLUScenario", "multiple_choice_joint", "5") == tuple(
        fields[name] for name in ("scenario", "method", "max_train_instances")
    )
    assert ["anatomy", "econometrics", "philosophy"] == fields["scenario subject"]
    assert "assistant" not in json.dumps(fields)


def test_fingerprints_of_two_checkpoints_are_equal(helm_trees: Path) -> None:
    """The same settings have the same fingerprint, whatever the model."""
    first, second = detailed(helm_trees, "checkpoints", "toyproj-toyllama")[-2:]

    assert [s.fingerprint for s in first.scores.values()] == [
        s.fingerprint for s in second.scores.values()
    ]


def test_fingerprints_differ_by_the_shots(helm_trees: Path, tmp_path: Path) -> None:
    """Another number of examples in the prompt is another fingerprint."""
    copy = copied(helm_trees, "baseline", tmp_path)
    path = copy / "runs/nightly/run_specs.json"
    path.write_text(
        path.read_text().replace('"max_train_instances": 5', '"max_train_instances": 0')
    )
    (here,) = detailed(tmp_path, "baseline", "nightly")
    (there,) = detailed(helm_trees, "baseline", "nightly")

    assert here.scores[BOOLQ].fingerprint != there.scores[BOOLQ].fingerprint


def without_newer_fields(spec: dict[str, Any]) -> dict[str, Any]:
    """A run's settings as HELM 0.2.2 would have written them."""
    adapter = {key: of for key, of in spec["adapter_spec"].items() if key not in NEWER_FIELDS}
    deployment = spec["adapter_spec"].get("model_deployment", adapter["model"])
    return {**spec, "adapter_spec": {**adapter, "model": deployment}}


def rewrite_specs(folder: Path, rewrite: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Rewrite the settings of all runs of HELM output."""
    for path in folder.rglob("run_spec*.json"):
        specs = json.loads(path.read_text())
        changed = [rewrite(one) for one in specs] if isinstance(specs, list) else rewrite(specs)
        path.write_text(json.dumps(changed))


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: f"{tree.name}-{tree.suite}")
def test_an_upgrade_of_helm_changes_no_fingerprint(
    tree: Tree, helm_trees: Path, tmp_path: Path
) -> None:
    """A field that an older HELM doesn't write yet has its default: all is read as it was."""
    rewrite_specs(copied(helm_trees, tree.name, tmp_path), without_newer_fields)

    assert detailed(helm_trees, tree.name, tree.suite) == detailed(tmp_path, tree.name, tree.suite)


@pytest.mark.parametrize("written", ["0", "0.0"])
def test_numbers_of_one_value_are_one_setting(
    written: str, helm_trees: Path, tmp_path: Path
) -> None:
    """A temperature of 0 is one of 0.0."""
    copy = copied(helm_trees, "baseline", tmp_path)
    path = copy / "runs/nightly/run_specs.json"
    path.write_text(re.sub(r'("temperature": )[0-9.]+', rf"\g<1>{written}", path.read_text()))
    (one,) = detailed(tmp_path, "baseline", "nightly")
    fields = one.scores[BOOLQ].fingerprint

    assert fields is not None
    assert "0" == fields["temperature"]


def test_scenarios_that_newer_versions_rename_are_one() -> None:
    """HELM 0.2.4's CommonSenseScenario of hellaswag is HellaSwagScenario since."""
    older = run_of("CommonSenseScenario", {"dataset": "hellaswag"})

    assert fingerprint([older]) == fingerprint([run_of("HellaSwagScenario", {})])


def test_default_arguments_of_a_scenario_need_not_be_written() -> None:
    """Another value than the default differs."""
    default = fingerprint([run_of("BoolQScenario", {"only_contrast": False})])

    assert default == fingerprint([run_of("BoolQScenario", {})])
    assert default != fingerprint([run_of("BoolQScenario", {"only_contrast": True})])


def test_a_renamed_benchmark_keeps_its_strata() -> None:
    """HELM 0.5.8 calls the sampled runs of XSum by another name; their questions are the same."""
    newer = run_of(
        "SummarizationScenario", {}, name="summarization_xsum_sampled:device=cpu,model=m"
    )

    assert "summarization_xsum:device=cpu" == newer.stratum
