"""Directions of metrics in HELM's schemas."""

from __future__ import annotations

import pytest

from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.comparing.helm_schemas import helm_schemas, is_lower_better, main_labels


@pytest.mark.parametrize(
    ("benchmark", "metric", "expected"),
    [
        ("librispeech", "WER", True),
        ("transcription", "Word Error Rate", True),
        ("anything", "wer_score", True),
        ("summarization_x", "PPL", True),
        ("real_toxicity_prompts", "Avg. max toxicity", True),
        ("adult", "Equalized Odds", True),
        ("boolq", "ECE (10-bin) (Fairness)", True),
        ("czech_bank_qa", "SQL Error Rate", True),
        ("wikitq", "Robustness", False),
        ("wildbench", "WB Score", False),
        ("boolq", "# eval", None),
        ("boolq", "none of HELM's", None),
    ],
)
def test_a_metric_has_its_schemas_direction(
    benchmark: str, metric: str, *, expected: bool | None
) -> None:
    """A label, or a statistic's name, has one direction wherever schemas agree."""
    assert expected is is_lower_better(benchmark, metric)


@pytest.mark.parametrize(
    ("benchmark", "metric", "expected"),
    [
        ("copyright_text", "Edit sim.", True),
        ("copyright_code_of_others", "edit_similarity", True),
        ("image2latex", "Edit sim.", False),
        ("image2latex_table", "edit_similarity (Robustness)", False),
        ("anything", "Edit sim.", None),
        ("mscoco_fid", "FID", True),
        ("crossmodal_3600", "FID", False),
        ("anything", "FID", None),
    ],
)
def test_the_benchmark_decides_where_schemas_differ(
    benchmark: str, metric: str, *, expected: bool | None
) -> None:
    """A metric of two directions has that of the schemas that list the benchmark, else none."""
    assert expected is is_lower_better(benchmark, metric)


def test_every_schema_keeps_its_directions() -> None:
    """By label or name, each metric of a schema has this direction for the schema's benchmarks."""
    schemas = helm_schemas()
    wrong = [
        (benchmark, name)
        for schema in schemas
        for benchmark in [*schema.benchmarks][:1]
        for metric, (label, expected) in schema.metrics.items()
        for name in (metric, label)
        if expected is not None and is_lower_better(benchmark, name, schemas) is not expected
    ]

    assert [] == wrong


@pytest.mark.parametrize(
    ("benchmark", "expected"),
    [
        *((key.benchmark, [key.metric]) for key in CORE_METRICS),
        ("bbq", ["EM", "BBQ accuracy"]),
        ("math_chain_of_thought", ["Equivalent (chain of thought)", "Equivalent (CoT)"]),
        ("mmlu_anatomy_of_others", ["EM"]),
        ("bold", []),
        ("unknown", []),
    ],
)
def test_a_benchmark_has_its_main_metric(benchmark: str, expected: list[str]) -> None:
    """Each schema that lists it gives a label; a longer name has the metric of the shorter one."""
    assert expected == main_labels(benchmark, helm_schemas())


def test_core_metrics_are_better_when_higher() -> None:
    """All 16 are scores."""
    assert {False} == {is_lower_better(key.benchmark, key.metric) for key in CORE_METRICS}
