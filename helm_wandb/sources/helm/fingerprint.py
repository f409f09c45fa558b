"""The fingerprint of a score: the settings of its runs, less the model.

HELM's versions write the same settings in different words. Sources of the tables here: AdapterSpec
(adaptation/adapter_spec.py) of HELM 0.2.2 to 0.5.16, and the scenarios' constructors and the run
specs of 0.2.4, 0.5.8 and 0.5.16. In these, no field of DataAugmenterSpec and no argument of a
perturbation has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from helm_wandb.harness.settings import EMPTY, join_settings, setting_text
from helm_wandb.sources.helm.runs import Run

_MODEL_FIELDS = frozenset({"model", "model_deployment"})

_ADAPTER_DEFAULTS: Mapping[str, object] = {
    "input_prefix": "Input: ",
    "input_suffix": "\n",
    "reference_prefix": "A. ",
    "reference_suffix": "\n",
    "output_prefix": "Output: ",
    "output_suffix": "\n",
    "instance_prefix": "\n",
    "max_train_instances": 5,
    "num_outputs": 5,
    "num_train_trials": 1,
    "sample_train": True,
    "temperature": 1,
    "max_tokens": 100,
    "multi_label": False,  # since 0.2.4
    "num_trials": 1,  # since 0.5.0
    "chain_of_thought_suffix": "\n",  # since 0.5.6
}
"""Fields of AdapterSpec that are not empty by default. A run of a HELM that didn't know a field yet
is the same as one with its default."""
_ARGUMENT_DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "BoolQScenario": {"only_contrast": False},
    "IMDBScenario": {"only_contrast": False},
    "MATHScenario": {"use_official_examples": False, "use_chain_of_thought": False},
}
"""Scenario → arguments with a default that some run specs name, and others leave out."""
_COMMONSENSE = {
    "hellaswag": "HellaSwagScenario",
    "openbookqa": "OpenBookQA",
    "commonsenseqa": "CommonSenseQAScenario",
    "piqa": "PiqaScenario",
    "siqa": "SiqaScenario",
}
"""Dataset of CommonSenseScenario → the scenario that newer versions have in its place."""


def fingerprint(runs: Iterable[Run]) -> dict[str, object]:
    """Return named fields of the scenarios and adapters of a score's runs, less the model.

    Empty fields are left out, and absent ones have their default, since HELM's versions differ in
    which of them they write. A field that differs from run to run (the subject, say) is the sorted
    list of its values; a long text stands as its beginning and a hash.
    """
    return join_settings(map(_fields, runs))


def _fields(run: Run) -> dict[str, str]:
    scenario, arguments = _scenario(run)
    fields = {
        "scenario": scenario,
        **{f"scenario {name}": value for name, value in arguments.items()},
        **_ADAPTER_DEFAULTS,
        **run.spec.adapter_spec,
        "perturbations": run.spec.data_augmenter_spec.get("perturbation_specs"),
    }
    return {
        name: setting_text(value)
        for name, value in fields.items()
        if name not in _MODEL_FIELDS and value not in EMPTY
    }


def _scenario(run: Run) -> tuple[str, Mapping[str, object]]:
    """Return the scenario and its arguments, as HELM's newest version writes them."""
    arguments = run.spec.scenario_spec.args
    dataset = str(arguments.get("dataset"))
    if run.scenario == "CommonSenseScenario" and dataset in _COMMONSENSE:
        return _COMMONSENSE[dataset], {}
    return run.scenario, {**_ARGUMENT_DEFAULTS.get(run.scenario, {}), **arguments}
