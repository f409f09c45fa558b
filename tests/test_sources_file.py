"""Scores in the config → an Evaluation."""

from __future__ import annotations

from math import inf, nan

from helm_wandb.model import EvalEntry, Evaluation, Place
from helm_wandb.sources.file import read


def one(scores: dict[str, float | None]) -> Evaluation:
    """The evaluation of an entry with these scores."""
    result: dict[str, dict[str, float | None]] = {}
    for key, value in scores.items():
        benchmark, _, metric = key.partition(".")
        result.setdefault(benchmark, {})[metric] = value
    entry = EvalEntry(
        source="file",
        fields={
            "model_name": "llama",
            "token_num": 1000,
            "default_iteration": 3,
            "eval_result": result,
        },
        path="$.evals[0]",
        place=Place("config.yaml", 3, 5),
    )
    (found,) = read(entry).evaluations
    return found


def test_the_entry_is_one_evaluation() -> None:
    """Model, iteration and tokens are those of the config."""
    found = one({"mmlu.EM": 0.3})

    assert ("llama", 3, 1000.0, "file", None) == (
        found.model,
        found.iteration,
        found.tokens_billions,
        found.origin.source,
        found.origin.suite,
    )


def test_unknown_numbers_are_missing_with_the_reason() -> None:
    """null, NaN and infinities are missing scores, not zeros and not errors."""
    found = one({"a.EM": 0, "b.EM": None, "c.EM": nan, "d.EM": inf})

    assert {"a.EM": 0.0} == {str(key): score.value for key, score in found.scores.items()}
    assert {
        "b.EM": "the config has no number for it",
        "c.EM": "the config has nan for it",
        "d.EM": "the config has inf for it",
    } == {str(key): why for key, why in found.missing.items()}


def test_direction_is_helms_else_higher() -> None:
    """HELM's own metric labels keep their direction; any other score is better when higher."""
    found = one({"boolq.ECE (10-bin)": 0.1, "boolq.ECE (10-bin) (Fairness)": 0.1, "x.y": 0.1})

    assert [True, True, False] == [score.lower_is_better for score in found.scores.values()]
