"""A Report as tables of cells."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from helm_wandb.comparing import leaderboard
from helm_wandb.model import Repeats, ScoreKey
from helm_wandb.render import tables
from tests import builders

METRICS = [ScoreKey.parse(key) for key in ("mmlu.EM", "raft.EM", "x.bits", "y.toxic")]


def test_leaderboard_hides_columns_of_which_nothing_is_known() -> None:
    """One model without tokens has no win rate, no tokens and no iteration to show."""
    board = tables.leaderboard(builders.report([builders.evaluation()]))

    assert [column.label for column in board.columns] == ["Rank", "Model", "Mean"]
    assert board.rows == (("1", "alpha", "50.0"),)


def test_equal_means_share_a_marked_rank() -> None:
    """Two models with the same mean are both first, and say that they share it."""
    evaluations = [builders.evaluation(model) for model in ("alpha", "beta")]

    ranks = [row[0] for row in tables.leaderboard(builders.report(evaluations)).rows]
    assert ranks == ["1 tied", "1 tied"]


def test_means_over_runs_have_their_spread() -> None:
    """Also without a baseline; a score with one run isn't listed."""
    one = builders.evaluation("alpha", scores={"mmlu.EM": 0.5, "raft.EM": 0.5})
    mmlu = ScoreKey("mmlu", "EM")
    runs = Repeats(values=(0.4, 0.5, 0.6), within=0.0)
    several = replace(one, scores={**one.scores, mmlu: replace(one.scores[mmlu], repeats=runs)})
    table = tables.means_over_runs(builders.report([several]))
    of_two = tables.means_over_runs(builders.report([several, builders.evaluation("beta")]))

    assert table is not None
    assert of_two is not None
    assert (("mmlu.EM", "3", "50.0", "40.0", "60.0", "10.0"),) == table.rows
    assert ("mmlu.EM", "alpha", "3") == of_two.rows[0][:3]
    assert table in tables.details(builders.report([several]))
    assert tables.means_over_runs(builders.report([one])) is None


def test_a_spread_beyond_all_floats_is_unknown() -> None:
    """A report from a fork can have any numbers in its runs."""
    one = builders.evaluation("alpha")
    runs = Repeats(values=(1e300, -1e300), within=0.0)
    scores = {key: replace(score, repeats=runs) for key, score in one.scores.items()}
    table = tables.means_over_runs(builders.report([replace(one, scores=scores)]))

    assert table is not None
    assert "Standard deviation" not in [column.label for column in table.columns]


def test_leaderboard_without_any_model_keeps_its_heads() -> None:
    """Where the config excludes every model, there are no rows, and the rule says why."""
    report = builders.report([builders.evaluation()])
    empty = leaderboard.build(
        report.evaluations, metrics=METRICS, excluded_models=frozenset({"alpha"})
    )
    report = replace(report, leaderboard=empty)

    assert tables.leaderboard(report).rows == ()
    assert len(tables.leaderboard(report).columns) == 5
    expected = "All models are excluded by excluded_models of the config."
    assert expected == tables.ranking_rule(report)


def test_models_that_are_not_listed_are_named() -> None:
    """The heading counts them, too."""
    evaluations = [builders.evaluation(model) for model in ("alpha", "beta", "gamma")]
    report = builders.report(evaluations)
    board = leaderboard.build(evaluations, metrics=METRICS, excluded_models=frozenset({"beta"}))

    assert "Not listed" not in tables.ranking_rule(report)
    assert "Not listed: beta (excluded_models)." in (
        tables.ranking_rule(replace(report, leaderboard=board))
    )


def test_curve_has_one_table_a_model_and_single_evaluations_share_one() -> None:
    """A model with two iterations is a curve; the models with one are side by side."""
    evaluations = [
        builders.evaluation("alpha", 1, tokens_billions=0.5),
        builders.evaluation("alpha", 2, tokens_billions=1),
        builders.evaluation("beta"),
        builders.evaluation("gamma"),
    ]
    curve, single = tables.scores(builders.report(evaluations))

    assert curve.title == "alpha by iteration (tokens)"
    assert [column.label for column in curve.columns] == [
        "Metric",
        "1 (0.5B)",
        "2 (1B)",
        "Trend",
    ]
    assert single.title == "Scores of the other models"
    assert [column.label for column in single.columns] == ["Metric", "beta", "gamma"]


def test_curve_without_tokens_does_not_speak_of_them() -> None:
    """Where no token count is known, iterations stand alone."""
    (curve,) = tables.scores(builders.report([builders.evaluation("a", i) for i in (1, 2)]))

    assert curve.title == "a by iteration"
    assert [column.label for column in curve.columns] == ["Metric", "1", "2", "Trend"]


def test_many_evaluations_are_rows() -> None:
    """Nine models stand below each other, with the metrics as columns."""
    evaluations = [builders.evaluation(f"m{at}") for at in range(9)]
    (scores,) = tables.scores(builders.report(evaluations))

    assert [column.label for column in scores.columns] == ["Model", "mmlu.EM"]
    assert [row[0] for row in scores.rows] == [f"m{at}" for at in range(9)]


@pytest.mark.parametrize("count", [1, 9])
def test_evaluations_without_any_score_are_still_shown(count: int) -> None:
    """Models of which nothing is known break no table, in either layout."""
    evaluations = [
        replace(builders.evaluation(f"m{at}", missing={"mmlu.EM": "no table"}), scores={})
        for at in range(count)
    ]
    (scores,) = tables.scores(builders.report(evaluations))

    assert {len(row) for row in scores.rows} <= {len(scores.columns)}


def test_missing_scores_are_listed_by_reason_and_model() -> None:
    """Metrics with one reason share a row; a model is named with the iterations that lack them."""
    evaluations = [
        builders.evaluation("alpha", 1, missing={"raft.EM": "no table", "quac.F1": "no table"}),
        builders.evaluation("alpha", 2, missing={"raft.EM": "no table", "imdb.EM": "NaN"}),
        builders.evaluation("beta", missing={"raft.EM": "no table"}),
        builders.evaluation("gamma", missing={"raft.EM": "no table", "imdb.EM": "NaN"}),
    ]
    table = tables.missing(builders.report(evaluations))

    assert table is not None
    assert table.title == "7 missing scores"
    assert table.rows == (
        ("all models", "no table", "raft.EM"),
        ("alpha at 1", "no table", "quac.F1"),
        ("alpha at 2; gamma", "NaN", "imdb.EM"),
    )


def test_missing_scores_of_the_only_model_name_it() -> None:
    """With one model the row says its name and not `all models`."""
    evaluations = [builders.evaluation("alpha", at, missing={"raft.EM": "x"}) for at in (1, 2)]
    table = tables.missing(builders.report(evaluations))

    assert table is not None
    assert ("1 metric: x", (("alpha", "raft.EM"),)) == (table.title, table.rows)


def test_missing_scores_of_some_models_are_counted_by_model() -> None:
    """The title counts metrics only if all models lack them; otherwise it counts scores."""
    evaluations = [
        builders.evaluation("alpha", missing={"raft.EM": "x", "quac.F1": "x"}),
        builders.evaluation("beta", missing={"raft.EM": "x", "quac.F1": "x"}),
    ]
    everywhere = tables.missing(builders.report(evaluations))
    partly = tables.missing(builders.report([*evaluations, builders.evaluation("gamma")]))

    assert everywhere is not None
    assert partly is not None
    assert ("2 metrics: x", "4 scores: x") == (everywhere.title, partly.title)


def test_nothing_missing_makes_no_table() -> None:
    """If all scores exist and all models are ranked, there is nothing to say."""
    report = builders.report([builders.evaluation()])

    assert tables.missing(report) is None
    assert tables.unranked(report) is None


def test_ranking_rule_says_what_the_mean_leaves_out() -> None:
    """Metrics out of the mean are listed with their reasons, and the win rate is explained."""
    scores = {"mmlu.EM": 0.3, "raft.EM": 0.4, "x.bits": 2.5, "y.toxic": 0.1}
    evaluations = [
        builders.evaluation(model, scores=scores, lower=("y.toxic",)) for model in ("a", "b")
    ]

    assert tables.ranking_rule(builders.report(evaluations, metrics=METRICS)) == (
        "The mean is over 2 of 4 metrics. Left out: x.bits (its values leave 0…1); "
        "y.toxic (lower is better). Ranks are by the mean alone: no per-instance scores of a are "
        "at hand. Mean win rate: the share of the other models that a model beats, averaged "
        "over metrics as in HELM 0.5.4 and newer (older versions count ties differently); it "
        "depends on which models are listed."
    )


@pytest.mark.parametrize(
    ("scores", "rule"),
    [
        ({"mmlu.EM": 0.3}, "The mean is the value of mmlu.EM."),
        ({"mmlu.EM": 0.3, "raft.EM": 0.1}, "The mean is over all 2 metrics."),
        (
            {"other.EM": 0.3},
            (
                "No metric could be averaged over most models. "
                "Left out: other.EM (not in leaderboard_metrics)."
            ),
        ),
        (
            {"x.bits": 3.0},
            (
                "No metric could be averaged over most models. "
                "Left out: x.bits (its values leave 0…1)."
            ),
        ),
    ],
)
def test_ranking_rule_of_one_model_is_short(scores: dict[str, float], rule: str) -> None:
    """One model's rule says what its mean is of."""
    report = builders.report([builders.evaluation(scores=scores)], metrics=METRICS)

    assert rule == tables.ranking_rule(report)


def test_lower_is_better_is_shown_in_the_scores() -> None:
    """A metric that is better when lower has an arrow down."""
    report = builders.report([builders.evaluation(scores={"y.toxic": 0.1}, lower=("y.toxic",))])

    assert tables.scores(report)[0].rows == (("y.toxic ↓", "10.0"),)


def test_a_tie_is_explained() -> None:
    """Where a paired test makes models share a rank, a note says what the word means."""
    models = [builders.measured(name, values={"mmlu.EM": builders.right(50)}) for name in "ab"]
    report = builders.report(models, metrics=METRICS)

    table = tables.leaderboard(report)

    assert ["1 tied", "1 tied"] == [row[0] for row in table.rows]
    assert table.notes == (
        "Tied: the difference from the first model of the rank isn't significant.",
    )


def test_models_that_a_test_separates_need_no_explanation() -> None:
    """Where every pair is separated, nothing is said of ties or of missing instances."""
    models = [
        builders.measured(name, values={"mmlu.EM": builders.right(count)})
        for name, count in (("a", 90), ("b", 40))
    ]
    report = builders.report(models, metrics=METRICS)

    assert () == tables.leaderboard(report).notes
    assert "by the mean alone" not in tables.ranking_rule(report)
