"""HELM's core metrics."""

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
