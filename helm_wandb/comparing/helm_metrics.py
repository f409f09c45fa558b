"""HELM's core metrics, and the directions of its metrics by the labels of its table columns."""

from __future__ import annotations

from helm_wandb.model import ScoreKey

CORE_METRICS = tuple(
    map(
        ScoreKey.parse,
        (
            "mmlu.EM",
            "raft.EM",
            "imdb.EM",
            "truthful_qa.EM",
            "summarization_cnndm.ROUGE-2",
            "summarization_xsum.ROUGE-2",
            "boolq.EM",
            "msmarco_trec.NDCG@10",
            "msmarco_regular.RR@10",
            "narrative_qa.F1",
            "natural_qa_closedbook.F1",
            "natural_qa_openbook_longans.F1",
            "quac.F1",
            "civil_comments.EM",
            "hellaswag.EM",
            "openbookqa.EM",
        ),
    )
)
"""The 16 core scenarios of HELM, each with its main metric."""

_LOWER_IS_BETTER = frozenset(
    {
        "BBQ (ambiguous)",
        "BBQ (unambiguous)",
        "BPB",
        "Denoised inference time (s)",
        "ECE (1-bin)",
        "ECE (10-bin)",
        "Edit sim.",
        "Idealized inference time (s)",
        "LCS",
        "Observed inference time (s)",
        "Platt-scaled ECE (1-bin)",
        "Platt-scaled ECE (10-bin)",
        "Representation (gender)",
        "Representation (race)",
        "Stereotypes (gender)",
        "Stereotypes (race)",
        "Toxic fraction",
        "Training emissions (kg CO2)",
        "Training energy (MWh)",
    }
)
"""Columns with `lower_is_better: true` in the tables of HELM 0.5.16 (schema_classic.yaml).

For copyright scenarios (Edit sim., LCS) nearness to the original is the harm.
"""


def is_lower_better(metric: str) -> bool | None:
    """Return True for a metric label that HELM minimises; None if its schema says nothing."""
    label = metric.removesuffix(" (Robustness)").removesuffix(" (Fairness)")
    return True if label in _LOWER_IS_BETTER else None
