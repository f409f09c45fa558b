"""Evaluations → ranking."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from helm_wandb.comparing import statistics
from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.comparing.leaderboard import build, is_apart, rank_models
from helm_wandb.model import Policy, ScoreKey

from . import builders
from .builders import evaluation, instances, measured, pair_instances, right
from .test_sources_helm import read_tree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from helm_wandb.model import Evaluation, Leaderboard

METRICS = tuple(map(ScoreKey.parse, ("mmlu.EM", "boolq.EM", "boolq.ECE", "wmt.BLEU")))


def board(
    *evaluations: Evaluation,
    guests: Sequence[Evaluation] = (),
    excluded: tuple[str, ...] = (),
    metrics: Sequence[ScoreKey] = METRICS,
) -> Leaderboard:
    """The leaderboard over the metrics."""
    return build(evaluations, metrics=metrics, excluded_models=frozenset(excluded), guests=guests)


def marked_partial(one: Evaluation, name: str) -> Evaluation:
    """The evaluation, with a score that is over fewer subjects than others'."""
    key = ScoreKey.parse(name)
    score = replace(one.scores[key], partial="over 1 of 2 subjects")
    return replace(one, scores={**one.scores, key: score})


def ranks(leaderboard: Leaderboard) -> list[tuple[int | None, str, float | None]]:
    """Rank, model, mean."""
    return [(row.rank, row.model, row.mean) for row in leaderboard.rows]


def test_models_are_ranked_by_the_mean() -> None:
    """The model with the best mean is first."""
    found = board(
        evaluation("a", 0, {"mmlu.EM": 0.25, "boolq.EM": 0.5}),
        evaluation("b", 0, {"mmlu.EM": 0.5, "boolq.EM": 0.75}),
    )

    assert [(1, "b", 0.625), (2, "a", 0.375)] == ranks(found)


def test_one_row_per_model_at_its_latest_iteration() -> None:
    """Earlier iterations do not appear, and the order of reading does not matter."""
    found = board(
        evaluation("a", 2000, {"mmlu.EM": 0.5}, tokens_billions=8.4),
        evaluation("a", 1000, {"mmlu.EM": 0.9}),
    )

    assert [("a", 2000, 8.4, 0.5)] == [
        (row.model, row.iteration, row.tokens_billions, row.mean) for row in found.rows
    ]


def test_excluded_models_are_left_out_and_move_nobody() -> None:
    """An excluded model has no row, and what it lacks leaves no metric out."""
    found = board(
        evaluation("a", 0, {"mmlu.EM": 0.5, "boolq.EM": 0.75}),
        evaluation("b", 0, {"mmlu.EM": 0.9}),
        excluded=("b",),
    )

    assert [(1, "a", 0.625)] == ranks(found)


def test_a_metric_that_a_model_lacks_is_left_out_and_reported() -> None:
    """A missing score is no 0: the metric is in nobody's mean, and is still shown."""
    found = board(
        evaluation("a", 0, {"mmlu.EM": 0.5, "boolq.EM": 0.1}), evaluation("b", 0, {"mmlu.EM": 0.4})
    )

    assert [(1, "a", 0.5), (2, "b", 0.4)] == ranks(found)
    assert {ScoreKey("boolq", "EM"): "not all models have it: b"} == found.left_out
    assert found.rows[1].scores == {ScoreKey("mmlu", "EM"): 0.4, ScoreKey("boolq", "EM"): None}


def test_lower_is_better_and_other_units_are_shown_but_make_no_mean() -> None:
    """ECE and BLEU are shown and left out of the mean, each with the reason."""
    scores = {"mmlu.EM": 0.5, "boolq.ECE": 0.1, "wmt.BLEU": 27.5}
    found = board(evaluation("a", 0, scores, lower=("boolq.ECE",)))

    assert {
        ScoreKey("boolq", "ECE"): "lower is better",
        ScoreKey("wmt", "BLEU"): "its values leave 0…1",
    } == found.left_out
    assert [0.5] == [row.mean for row in found.rows]


def test_models_without_a_common_metric_are_unranked_with_the_reason() -> None:
    """If no metric can be averaged over most models, no model has a rank, for one reason."""
    found = board(evaluation("a", 0, {"mmlu.EM": 0.5}), evaluation("b", 0, {"boolq.EM": 0.4}))

    assert [(None, "a", None), (None, "b", None)] == ranks(found)
    assert {"no metric can be averaged over most models"} == {row.unranked for row in found.rows}


def test_requested_metrics_rank_if_no_core_metric_can() -> None:
    """A suite without core metrics is ranked by those that its evaluations requested."""
    found = board(
        evaluation("a", 0, {"gsm.EM": 0.4, "gsm.BPB": 0.1}, lower=("gsm.BPB",)),
        evaluation("b", 0, {"gsm.EM": 0.5}, missing={"med_qa.EM": "no run"}),
        metrics=CORE_METRICS,
    )

    assert [(1, "b", 0.5), (2, "a", 0.4)] == ranks(found)
    assert {ScoreKey("gsm", "BPB"): "lower is better"} == found.left_out


def test_named_ranking_metrics_have_no_substitute() -> None:
    """If the config names the ranking metrics, no other metric ranks, and each row says so."""
    found = board(evaluation("a", 0, {"gsm.EM": 0.4}), metrics=[ScoreKey("mmlu", "EM")])

    assert "it has none of the ranking metrics, only gsm.EM" == found.rows[0].unranked


@pytest.mark.parametrize("metrics", [CORE_METRICS, [ScoreKey("mmlu", "EM")]])
def test_one_partial_model_does_not_unrank_the_others(metrics: Sequence[ScoreKey]) -> None:
    """The only metric ranks the models that have all of it; the partial one is unranked itself."""
    partial = marked_partial(evaluation("a", 0, {"mmlu.EM": 0.9}), "mmlu.EM")
    whole = [evaluation(name, 0, {"mmlu.EM": 0.5}) for name in "bc"]
    found = board(partial, *whole, metrics=metrics)

    assert [(1, "b", 0.5), (1, "c", 0.5), (None, "a", None)] == ranks(found)
    assert "it lacks metrics of the mean: mmlu.EM (over 1 of 2 subjects)" == (
        found.rows[2].unranked
    )


def test_a_model_without_any_ranking_metric_moves_nobody() -> None:
    """A model with nothing to rank by is listed unranked, and the others keep their ranks."""
    found = board(evaluation("a", 0, {"mmlu.EM": 0.5}), evaluation("b", 0, {"gsm.EM": 0.4}))

    assert [(1, "a", 0.5), (None, "b", None)] == ranks(found)


def test_partial_aggregates_make_no_mean() -> None:
    """A score over fewer subjects than the others' is shown, and its metric left out."""
    part = evaluation("a", 0, {"mmlu.EM": 0.9, "boolq.EM": 0.5})
    scores = dict(part.scores)
    key = ScoreKey("mmlu", "EM")
    scores[key] = replace(scores[key], partial="over 1 of 2 subjects")
    found = board(
        replace(part, scores=scores), evaluation("b", 0, {"mmlu.EM": 0.4, "boolq.EM": 0.75})
    )

    assert [(1, "b", 0.75), (2, "a", 0.5)] == ranks(found)
    assert {key: "a has it over 1 of 2 subjects"} == found.left_out


def test_no_models() -> None:
    """Without evaluations the leaderboard is empty."""
    assert () == board().rows


def test_equal_means_share_a_rank() -> None:
    """Models with one mean are tied, and the next rank counts them all."""
    found = board(
        *(
            evaluation(model, 0, {"mmlu.EM": value})
            for model, value in zip("abc", (0.5, 0.5, 0.1), strict=True)
        )
    )

    assert [(1, True, "a"), (1, True, "b"), (3, False, "c")] == [
        (row.rank, row.tied, row.model) for row in found.rows
    ]


def test_win_rates_count_ties_as_half_and_know_the_direction() -> None:
    """The lower ECE wins, an equal score is half a win, one's own score is none."""
    found = board(
        evaluation("a", 0, {"mmlu.EM": 0.5, "boolq.ECE": 0.1}, lower=("boolq.ECE",)),
        evaluation("b", 0, {"mmlu.EM": 0.5, "boolq.ECE": 0.2}, lower=("boolq.ECE",)),
    )

    assert {"a": 0.75, "b": 0.25} == {row.model: row.mean_win_rate for row in found.rows}


def test_a_single_model_has_no_win_rate() -> None:
    """With nobody to win against the rate is unknown, not 0."""
    assert [None] == [row.mean_win_rate for row in board(evaluation("a")).rows]


@pytest.mark.parametrize(
    ("tree", "suite", "group"),
    [
        ("models", "model-zoo", "models/runs/model-zoo/groups"),
        ("full16", "v1.0.0", "full16/runs/v1.0.0/groups"),
        ("lite", "v1.0.0", "lite/releases/v1.0.0/groups"),
    ],
)
def test_win_rates_are_helms(helm_trees: Path, tree: str, suite: str, group: str) -> None:
    """Over HELM's own core scenarios, the mean win rate is the one that HELM printed."""
    table = json.loads((helm_trees / group / "core_scenarios.json").read_text())[0]
    expected = sorted(row[1]["value"] for row in table["rows"])
    evaluations = read_tree(helm_trees, tree, suite)
    shown = [key for key in CORE_METRICS if (helm_trees / group / f"{key.benchmark}.json").exists()]
    found = build(evaluations, metrics=shown, excluded_models=frozenset())

    assert expected == pytest.approx(sorted(row.mean_win_rate or 0 for row in found.rows))


def test_guests_are_ranked_among_own_models() -> None:
    """A model of another run that has what own models are ranked by takes its place."""
    found = board(
        evaluation("a", 0, {"mmlu.EM": 0.5}),
        guests=[
            evaluation("g", 1000, {"mmlu.EM": 0.9}),
            evaluation("g", 2000, {"mmlu.EM": 0.75, "boolq.EM": 0.1}),
            evaluation("h", 0, {"mmlu.EM": 0.25}),
        ],
    )

    assert [(1, "g", 0.75), (2, "a", 0.5), (3, "h", 0.25)] == ranks(found)
    assert {ScoreKey("boolq", "EM"): "not all models have it: a"} == found.left_out


@pytest.mark.parametrize("iteration", [0, 2000])
def test_a_guest_gives_way_to_the_own_model_of_its_name(iteration: int) -> None:
    """What this run says of a model counts, whatever the project holds of that model."""
    found = board(
        evaluation("a", 1000, {"mmlu.EM": 0.5}),
        guests=[evaluation("a", iteration, {"mmlu.EM": 0.9})],
    )

    assert [(1, "a", 0.5)] == ranks(found)
    assert [1000] == [row.iteration for row in found.rows]


def test_excluded_guests_are_left_out() -> None:
    """An excluded name is no guest's either, and a guest's metric alone is then not shown."""
    found = board(
        evaluation("a", 0, {"mmlu.EM": 0.5}),
        guests=[evaluation("g", 0, {"mmlu.EM": 0.9, "boolq.EM": 0.9})],
        excluded=("g",),
    )

    assert [(1, "a", 0.5)] == ranks(found)
    assert (ScoreKey("mmlu", "EM"),) == found.metrics


@pytest.mark.parametrize(
    ("guest", "why"),
    [
        (evaluation("g", 0, {"mmlu.EM": 0.9}), "missing"),
        (evaluation("g", 0, {"mmlu.EM": 0.9, "boolq.EM": 90.0}), "90 is not within 0…1"),
        (evaluation("g", 0, {"mmlu.EM": 0.9, "boolq.EM": -0.1}), "-0.1 is not within 0…1"),
        (
            marked_partial(evaluation("g", 0, {"mmlu.EM": 0.9, "boolq.EM": 0.9}), "boolq.EM"),
            "over 1 of 2 subjects",
        ),
    ],
    ids=["absent", "percent", "negative", "partial"],
)
def test_a_guest_that_cannot_be_compared_is_unranked(guest: Evaluation, why: str) -> None:
    """A guest without a whole score within 0…1 of each ranking metric is listed, and why."""
    found = board(evaluation("a", 0, {"mmlu.EM": 0.5, "boolq.EM": 0.75}), guests=[guest])

    assert [(1, "a", 0.625), (None, "g", None)] == ranks(found)
    assert {} == found.left_out
    assert f"it lacks metrics of the mean: boolq.EM ({why})" == found.rows[1].unranked
    assert 0.9 == found.rows[1].scores[ScoreKey("mmlu", "EM")]


def test_own_models_settle_the_direction() -> None:
    """A guest's word for a metric counts only where no own model has the metric."""
    own = evaluation("a", 0, {"mmlu.EM": 0.5, "boolq.EM": 0.5})
    lower = ("mmlu.EM", "boolq.ECE")
    found = board(own, guests=[evaluation("g", 0, {"mmlu.EM": 0.9, "boolq.ECE": 0.1}, lower=lower)])

    assert {ScoreKey("boolq", "ECE"): "lower is better"} == found.left_out
    assert [ScoreKey("mmlu", "EM"), ScoreKey("boolq", "EM")] == list(found.ranking_metrics)


def test_directions_of_the_config_count_for_guests_too() -> None:
    """A metric that the config minimizes is in no mean, though only guests have it."""
    config = builders.config(
        project="p",
        leaderboard=True,
        leaderboard_metrics=METRICS,
        compare=Policy(lower_is_better=frozenset({ScoreKey("boolq", "ECE")})),
    )
    guest = evaluation("g", 0, {"mmlu.EM": 0.9, "boolq.ECE": 0.1})
    found = rank_models([evaluation("a", 0, {"mmlu.EM": 0.5})], [guest], config)

    assert {ScoreKey("boolq", "ECE"): "lower is better"} == found.left_out


def test_without_own_models_most_guests_settle_the_metrics() -> None:
    """A metric that more than half of the project's models have ranks; others are called rare."""
    found = board(
        guests=[
            evaluation("a", 0, {"mmlu.EM": 0.5, "boolq.EM": 0.5}),
            evaluation("b", 0, {"mmlu.EM": 0.75, "boolq.EM": 0.5, "wmt.BLEU": 27.5}),
            evaluation("c", 0, {"mmlu.EM": 0.25}),
            evaluation("d", 0, {"boolq.EM": 0.5, "boolq.ECE": 0.1}, lower=("boolq.ECE",)),
        ]
    )

    assert [(1, "b", 0.625), (2, "a", 0.5), (None, "c", None), (None, "d", None)] == ranks(found)
    assert {
        ScoreKey("boolq", "ECE"): "lower is better",
        ScoreKey("wmt", "BLEU"): "its values leave 0…1",
    } == found.left_out


def test_half_of_the_guests_are_not_most() -> None:
    """If a metric is had by one of two guests, it does not rank."""
    found = board(
        guests=[
            evaluation("a", 0, {"mmlu.EM": 0.5, "boolq.EM": 0.5}),
            evaluation("b", 0, {"mmlu.EM": 0.75}),
        ]
    )

    assert [(1, "b", 0.75), (2, "a", 0.5)] == ranks(found)
    assert {ScoreKey("boolq", "EM"): "1 of 2 models have it"} == found.left_out


def test_strangers_among_the_guests_do_not_count() -> None:
    """A model of the project with none of the metrics makes no metric rare."""
    strangers = [evaluation(name, 0, {"gsm.EM": 0.5}) for name in "xyz"]
    found = board(guests=[evaluation("a", 0, {"mmlu.EM": 0.5}), *strangers])

    assert [(1, "a", 0.5), *((None, name, None) for name in "xyz")] == ranks(found)


# Ties by a paired test

AT_HAND = "no per-instance scores of {} are at hand"


def shown(leaderboard: Leaderboard) -> list[tuple[int | None, bool, str]]:
    """Rank, whether it is shared, model."""
    return [(row.rank, row.tied, row.model) for row in leaderboard.rows]


def answering(model: str, count: int, **others: int) -> Evaluation:
    """A model that answers so many of 100 questions, and of those of boolq."""
    return measured(
        model,
        values={"mmlu.EM": right(count)}
        | {f"{name}.EM": right(number) for name, number in others.items()},
    )


def test_models_that_a_test_does_not_separate_share_a_rank() -> None:
    """A mean that is 0.02 better on a hundred questions shares the rank."""
    found = board(answering("a", 60), answering("b", 62), answering("c", 30))

    assert [(1, True, "b"), (1, True, "a"), (3, False, "c")] == shown(found)
    assert found.untested is None


@pytest.mark.parametrize(
    ("lacking", "names"), [("ab", "boolq.EM"), ("a", "a (for boolq.EM)")], ids=["all", "one"]
)
def test_metric_without_instances_is_named(lacking: str, names: str) -> None:
    """If models lack the instances of one of several ranking metrics, the sentence names it."""
    key = ScoreKey("boolq", "EM")
    models = [answering(name, 50, boolq=50) for name in "ab"]
    found = board(
        *(
            replace(one, scores={**one.scores, key: replace(one.scores[key], instances=None)})
            if one.model in lacking
            else one
            for one in models
        )
    )

    assert AT_HAND.format(names) == found.untested


def test_the_best_of_a_rank_is_its_anchor() -> None:
    """Each is tested against the best of its rank, so that ranks do not run into each other."""
    ladder = [answering(f"m{count}", count) for count in (60, 56, 52, 48)]
    found = board(*ladder)

    assert [(1, True, "m60"), (1, True, "m56"), (3, True, "m52"), (3, True, "m48")] == shown(found)


def test_separated_models_have_different_ranks() -> None:
    """If every pair is far apart, nobody shares a rank."""
    found = board(answering("a", 20), answering("b", 50), answering("c", 90))

    assert [(1, False, "c"), (2, False, "b"), (3, False, "a")] == shown(found)


def test_the_test_is_of_the_mean_over_all_ranking_metrics() -> None:
    """What one metric gives and the other takes separates nobody."""
    found = board(answering("a", 80, boolq=41), answering("b", 40, boolq=80))
    apart = board(answering("a", 80, boolq=80), answering("b", 40, boolq=41))

    assert [(1, True, "a"), (1, True, "b")] == shown(found)
    assert [(1, False, "a"), (2, False, "b")] == shown(apart)


def test_alpha_says_what_separates() -> None:
    """With a smaller alpha more models share a rank."""
    models = [answering("a", 60), answering("b", 50)]
    made = [
        build(models, metrics=METRICS, excluded_models=frozenset(), alpha=alpha)
        for alpha in (0.05, 1e-9)
    ]

    assert [[1, 2], [1, 1]] == [[row.rank for row in one.rows] for one in made]


def test_holm_counts_all_that_stand_below() -> None:
    """What separates two models alone does not where eight more are tested against the best."""
    two = [answering("a", 60), answering("b", 53)]
    crowd = [answering(f"c{at}", 53) for at in range(8)]

    assert [1, 2] == [row.rank for row in board(*two).rows]
    assert {1} == {row.rank for row in board(*two, *crowd).rows}


def without_instances(one: Evaluation) -> Evaluation:
    """The evaluation as the project's runs have it."""
    scores = {key: replace(score, instances=None) for key, score in one.scores.items()}
    return replace(one, scores=scores)


def test_without_instances_ranks_are_plain_and_it_is_said() -> None:
    """One model without per-instance scores: ranks are by the mean, and the board says whose."""
    found = board(answering("a", 60), without_instances(answering("b", 61)))

    assert [(1, False, "b"), (2, False, "a")] == shown(found)
    assert AT_HAND.format("b") == found.untested


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (10, [(1, True, "b"), (1, True, "a"), (3, False, "g")]),
        (90, [(1, False, "g"), (2, True, "b"), (2, True, "a")]),
        (61, [(1, True, "b"), (1, True, "g"), (3, False, "a")]),
        (60, [(1, True, "b"), (1, True, "a"), (3, False, "g")]),
    ],
)
def test_a_guest_without_instances_takes_the_rank_of_its_mean(
    count: int, expected: list[tuple[int | None, bool, str]]
) -> None:
    """It neither shares a rank by a test nor keeps others from it; only equal means join it."""
    own = [answering("a", 60), answering("b", 61)]
    found = board(*own, guests=[without_instances(answering("g", count))])

    assert expected == shown(found)
    assert "those of g, without per-instance scores at hand; no tie reaches across them" == (
        found.untested
    )


def test_no_tie_reaches_across_a_model_that_cannot_be_tested() -> None:
    """Between two models that share a rank it ends it: who is below it stands no better."""
    own = [answering("a", 58), answering("b", 62)]
    found = board(*own, guests=[without_instances(answering("g", 60))])

    assert [(1, False, "b"), (2, False, "g"), (3, False, "a")] == shown(found)


def test_where_instances_were_not_read_it_is_said_how_to() -> None:
    """Print-only of the command line reads none: the page names the flag that does."""
    models = [without_instances(answering(name, 60)) for name in "ab"]
    unread = partial(build, metrics=METRICS, excluded_models=frozenset(), instances_read=False)

    assert "print-only reads per-instance scores only with --report FILE or --baseline FILE" == (
        unread(models).untested
    )
    assert AT_HAND.format("a") == unread(models, instances_read=True).untested


def test_of_many_models_a_stranger_is_named_alone() -> None:
    """A model with other questions ends the rank above it, and ties with nobody."""
    models = [answering("a", 60), answering_others("b", 59), answering("c", 20), answering("d", 20)]
    found = board(*models)

    assert [(1, False, "a"), (2, False, "b"), (3, True, "c"), (3, True, "d")] == shown(found)
    expected = "that of b, which has other questions than a; that of c, which has other questions"
    assert f"{expected} than b" == found.untested


def test_an_unranked_model_without_instances_changes_no_rank() -> None:
    """Only models with a rank must have per-instance scores, and only of what ranks."""
    stranger = evaluation("x", 0, {"gsm.EM": 0.5})
    own = [answering("a", 60), answering("b", 61)]
    own[0] = replace(own[0], scores={**own[0].scores, **evaluation("", 0, {"gsm.EM": 1}).scores})
    found = board(*own, stranger)

    assert [(1, True, "b"), (1, True, "a"), (None, False, "x")] == shown(found)
    assert found.untested is None


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_to_tie_with_is_no_reason(count: int) -> None:
    """With one ranked model or none there is nothing to say of tests."""
    assert board(*[evaluation()][:count]).untested is None


def answering_others(model: str, count: int) -> Evaluation:
    """A model that answers so many of a hundred other questions."""
    one = answering(model, count)
    key = ScoreKey("mmlu", "EM")
    columns = one.scores[key].instances
    assert columns is not None
    elsewhere = replace(columns, input=("f" * 8,) * 100)
    return replace(one, scores={key: replace(one.scores[key], instances=elsewhere)})


def test_models_with_other_questions_are_not_tied_by_a_test() -> None:
    """If questions differ there is no test: ranks are plain, and a sentence says why."""
    found = board(answering("a", 60), answering_others("b", 61))

    assert [(1, False, "b"), (2, False, "a")] == shown(found)
    assert "a has other questions than b" == found.untested


NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([0.0] * 4, "boolq: too few: 4 independent clusters, and an interval needs 5"),
        ([1e300, -1e300] * 9, "boolq.EM: values beyond ±1e+60 cannot be tested"),
        ([1.0, NAN] * 9, "boolq.EM: values beyond ±1e+60 cannot be tested"),
    ],
)
def test_a_metric_that_cannot_be_tested_ties_nobody(values: list[float], why: str) -> None:
    """If a ranking metric can't be tested, the ranks are those of the means, with the reason."""
    key = ScoreKey("boolq", "EM")
    scored = measured(values={"boolq.EM": [0.0] * len(values)}).scores[key]
    score = replace(scored, instances=instances(values))
    models = [
        replace(one, scores={**one.scores, key: score})
        for one in (answering("a", 60), answering("b", 59))
    ]
    found = board(*models)

    assert [(1, False, "a"), (2, False, "b")] == shown(found)
    assert f"b can't be tested against a: {why}" == found.untested


def test_metrics_of_one_benchmark_are_not_independent() -> None:
    """Four copies of the only metric separate no models that the metric itself doesn't."""
    names = ["mmlu.EM", "mmlu.B", "mmlu.C", "mmlu.D"]
    counts = {"a": 60, "b": 56}
    models = [measured(one, values=dict.fromkeys(names, right(counts[one]))) for one in counts]
    boards = [
        build(
            models,
            metrics=[ScoreKey.parse(name) for name in names[:metrics]],
            excluded_models=frozenset(),
        )
        for metrics in (1, 4)
    ]

    assert [[(1, True, "a"), (1, True, "b")]] * 2 == list(map(shown, boards))


@given(st.lists(st.integers(0, 20), min_size=1, max_size=6), st.sampled_from([0.01, 0.05, 0.3]))
def test_ranks_are_as_if_every_test_were_made(counts: list[int], alpha: float) -> None:
    """Tests that cannot change a rank are left out, and the ranks are those of all tests."""
    models = [
        measured(f"m{at}", values={"mmlu.EM": right(count, of=20)})
        for at, count in enumerate(counts)
    ]
    found = build(models, metrics=METRICS, excluded_models=frozenset(), alpha=alpha)
    ordered = [next(one for one in models if one.model == row.model) for row in found.rows]
    expected: list[int] = []
    while len(expected) < len(ordered):
        anchor, *others = ordered[len(expected) :]
        adjusted = statistics.adjusted([p_value(one, anchor) for one in others])
        apart = (at for at, p in enumerate(adjusted, 1) if p is not None and p < alpha)
        expected += [len(expected) + 1] * next(apart, len(others) + 1)

    assert expected == [row.rank for row in found.rows]


def p_value(one: Evaluation, other: Evaluation) -> float | None:
    """The p-value of the difference of two models in mmlu.EM."""
    key = ScoreKey("mmlu", "EM")
    here, there = one.scores[key].instances, other.scores[key].instances
    assert here is not None
    assert there is not None
    return statistics.overall([statistics.paired(pair_instances(here, there).strata)]).p


VALUES = st.floats(0, 1)
SCORES = st.dictionaries(
    st.sampled_from([*map(str, METRICS), "gsm.EM"]),
    st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 27.5, -1.0]),
    min_size=1,
)
PEOPLE = st.lists(
    st.builds(
        lambda model, iteration, scores, lower, partial: (
            marked_partial(
                evaluation(model, iteration, scores, lower=tuple(scores) if lower else ()),
                min(scores),
            )
            if partial
            else evaluation(model, iteration, scores, lower=tuple(scores) if lower else ())
        ),
        st.sampled_from("abcdef"),
        st.integers(0, 2),
        SCORES,
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(PEOPLE, PEOPLE)
def test_no_guest_moves_the_mean_of_an_own_model(
    own: list[Evaluation], guests: list[Evaluation]
) -> None:
    """Whoever else is in the project, own models keep mean, iteration and mutual order."""
    alone, among = board(*own), board(*own, guests=guests)
    names = {one.model for one in own}

    assert [(row.model, row.iteration, row.mean) for row in alone.rows] == [
        (row.model, row.iteration, row.mean) for row in among.rows if row.model in names
    ]


@given(PEOPLE, PEOPLE)
def test_a_guest_is_ranked_over_what_the_mean_says(
    own: list[Evaluation], guests: list[Evaluation]
) -> None:
    """A mean is over all ranking metrics or there is none, with the reason in its place."""
    found = board(*own, guests=guests)

    for row in found.rows:
        ranked = [row.scores[key] for key in found.ranking_metrics]
        assert (row.rank is None) == (row.mean is None) == (row.unranked is not None)
        if row.mean is not None:
            known = [value for value in ranked if value is not None]
            assert len(ranked) == len(known)
            assert row.mean == pytest.approx(sum(known) / len(known))


@given(st.dictionaries(st.text(min_size=1), VALUES, min_size=1, max_size=8), VALUES)
def test_the_arrival_of_a_model_moves_no_mean(values: dict[str, float], other: float) -> None:
    """A further model with all the metrics leaves the others' means and order as they are."""
    models = [evaluation(model, 0, {"mmlu.EM": value}) for model, value in values.items()]
    alone = board(*models)
    joined = board(*models, evaluation("\0newcomer", 0, {"mmlu.EM": other}))

    assert [(row.model, row.mean) for row in alone.rows] == [
        (row.model, row.mean) for row in joined.rows if row.model != "\0newcomer"
    ]


@given(st.lists(VALUES, min_size=2, max_size=20))
def test_win_rates_average_to_a_half(values: list[float]) -> None:
    """Wins are somebody's losses: over all models the mean win rate is one half."""
    rows = board(*(evaluation(str(i), 0, {"mmlu.EM": v}) for i, v in enumerate(values))).rows

    assert sum(row.mean_win_rate or 0 for row in rows) / len(rows) == pytest.approx(0.5)


@given(st.lists(VALUES, min_size=1, max_size=20))
def test_ranks_follow_the_means(values: list[float]) -> None:
    """A model's rank is one more than the number of models with a better mean."""
    rows = board(*(evaluation(str(i), 0, {"mmlu.EM": v}) for i, v in enumerate(values))).rows

    assert [1 + sum(other > (row.mean or 0) for other in values) for row in rows] == [
        row.rank for row in rows
    ]


def test_parts_of_a_benchmark_are_left_out_of_the_mean() -> None:
    """A task and its group: the mean is over the group, since it has the task's questions."""
    values = {"group.acc": 0.5, "task.acc": 0.9, "task.f1": 0.9, "other.acc": 0.7}
    one = evaluation(scores=values, subjects={"group.acc": {"task": 0.9}})
    found = build([one], metrics=tuple(one.scores), excluded_models=frozenset())

    assert dict.fromkeys(["task.acc", "task.f1"], "part of group") == found.left_out
    assert [0.6] == [row.mean for row in found.rows]
    assert tuple(values) == found.metrics


P_VALUES = st.lists(
    st.one_of(st.none(), st.floats(0, 1), st.floats(0, 0.06), st.just(0.004)),
    min_size=1,
    max_size=12,
)


@given(P_VALUES)
def test_tests_that_end_early_separate_as_all_of_them(p_values: list[float | None]) -> None:
    """A model is apart exactly if Holm's adjusted p-value, over all tests, is under alpha."""
    adjusted = statistics.adjusted(p_values)

    for p, holm in zip(p_values, adjusted, strict=True):
        if p is not None and holm is not None:
            assert (holm < 0.05) == is_apart(p, p_values.__getitem__, len(p_values), 0.05)
