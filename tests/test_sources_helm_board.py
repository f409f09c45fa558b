"""Which statistics of a run a column of HELM's tables stands for."""

from __future__ import annotations

from helm_wandb.sources.helm.board import Board, Selector, board_of, reduced
from helm_wandb.sources.helm.formats import Schema, SchemaEnvironment, SchemaGroup, SchemaMetric

OWN = Schema(
    metrics=(SchemaMetric("mine", short_display_name="EM"),),
    run_groups=(SchemaGroup("mmlu", SchemaEnvironment("mine", "valid")),),
)
"""The schema of a suite that was summarized with another one."""


def first_names(board: Board, benchmark: str, column: str) -> list[str]:
    """The statistics of the column, without repetitions."""
    return list(dict.fromkeys(one.name for one in board.selectors(benchmark, column)))


def test_schemas_that_differ_are_both_tried() -> None:
    """Of two that list as many of the suite's benchmarks, the classic one is the first."""
    board = board_of(None, frozenset({"gsm", "math_chain_of_thought"}))

    assert ["exact_match_indicator", "final_number_exact_match"] == first_names(board, "gsm", "EM")


def test_the_schema_of_most_benchmarks_is_the_first() -> None:
    """MedHELM's MedQA is scored by another metric than the classic board's."""
    medhelm = frozenset({"med_qa", "medec", "pubmed_qa"})

    assert "exact_match" == first_names(board_of(None, medhelm), "med_qa", "EM")[0]
    assert "quasi_exact_match" == first_names(board_of(None, frozenset()), "med_qa", "EM")[0]


def test_the_suites_schema_goes_first() -> None:
    """What it says of a benchmark is all that counts; of others, HELM's own schemas say it."""
    board = board_of(OWN, frozenset({"mmlu", "boolq"}))

    assert [Selector("mine", "valid", None)] == list(board.selectors("mmlu", "EM"))
    assert [Selector("quasi_exact_match", "valid", "robustness")] == list(
        board.selectors("boolq", "EM (Robustness)")
    )
    assert board.is_lower_better("mmlu", "mine") is None
    assert board.is_lower_better("boolq", "ece_10_bin") is True
    assert ["EM"] == board.main_metrics("mmlu_anatomy")


def test_metrics_of_whole_runs_have_any_split() -> None:
    """Unitxt's statistics name no split; its schema shows them over all."""
    board = board_of(None, frozenset({"wikitq"}))
    (selector,) = board.selectors("wikitq", "f1_strings")

    assert selector.is_of_split("")
    assert selector.is_of_split("test")
    assert [True] * 2 == [one.is_of_split("") for one in board.selectors("tab_fact", "Macro F1")]
    assert not next(board.selectors("boolq", "EM")).is_of_split("")


def test_hidden_groups_are_separate_groups() -> None:
    """Those of the suite's schema, and HELM's ablations."""
    schema = Schema(run_groups=(SchemaGroup("alone", visibility="this_group_only"),))

    assert ("alone",) == reduced(schema).separate_groups
    assert {"alone", "ablation_prompts"} < board_of(schema, frozenset()).separate_groups
