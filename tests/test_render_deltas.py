"""Comparisons as tables and sentences."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from helm_wandb.model import Gate, Verdict
from helm_wandb.render import deltas, markdown, tables, terminal
from helm_wandb.text.safe_text import Name, plain
from tests import builders
from tests.golden_reports import COMPARED, DELTAS, OVERALL, REGRESSION, TOXICITY
from tests.test_text_safe_text import ANY_TEXT, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from helm_wandb.model import Comparison, Delta, Report
    from helm_wandb.render.tables import Table

LIMIT = 1_048_576


def report(
    *comparisons: Comparison, steps: Sequence[Comparison] = (), gate: Gate | None = None
) -> Report:
    """The report of comparisons."""
    models = dict.fromkeys(one.model for one in (*comparisons, *steps)) or ["alpha"]
    return builders.report(
        [builders.evaluation(model) for model in models],
        comparisons=comparisons,
        steps=steps,
        gate=gate,
    )


def of(*deltas_: Delta) -> Report:
    """The report of one model's deltas."""
    return report(builders.comparison(*deltas_))


def cells(table: Table | None, label: str) -> list[str]:
    """A column's cells."""
    assert table is not None
    at = [column.label for column in table.columns].index(label)
    return [row[at] for row in table.rows]


def cell(delta: Delta, label: str) -> str:
    """A cell of the delta's row."""
    result = of(delta)
    (found,) = cells(deltas.flagged(result) or deltas.unflagged(result), label)
    return found


def test_regressions_stand_before_improvements_and_large_before_small() -> None:
    """What is marked is one table; what is not stands in another, in its own order."""
    result = of(*DELTAS)

    assert ["boolq.EM", "civil_comments.Toxic fraction ↓", "hellaswag.EM"] == cells(
        deltas.flagged(result), "Metric"
    )
    assert ["▼ regressed", "▼ regressed", "▲ improved"] == cells(deltas.flagged(result), "Verdict")
    assert ["inconclusive", "no change", "not testable", "inconclusive"] == cells(
        deltas.unflagged(result), "Verdict"
    )


def test_every_delta_is_in_one_table() -> None:
    """No delta is lost, and none stands twice."""
    result = of(*DELTAS)
    both = cells(deltas.flagged(result), "Metric") + cells(deltas.unflagged(result), "Metric")

    assert sorted(str(one.key) for one in DELTAS) == sorted(
        metric.removesuffix(" ↓") for metric in both
    )


def test_the_model_is_named_where_there_are_several() -> None:
    """One model needs no column."""
    alone, both = (
        of(REGRESSION),
        report(builders.comparison(REGRESSION), builders.comparison(TOXICITY, model="beta")),
    )

    assert "Model" not in [column.label for column in (deltas.first_tables(alone)[0]).columns]
    assert ["alpha", "beta"] == cells(deltas.flagged(both), "Model")


@pytest.mark.parametrize(
    ("changes", "label", "text"),
    [
        ({}, "Δ [95 % interval]", "−13.0 pp [−22.2, −5.1]"),
        ({}, "n", "100 (92 clusters)"),
        ({"clusters": 100}, "n", "100"),
        ({"clusters": None}, "n", "100"),
        ({"n": None}, "n", "–"),
        ({}, "Better / worse", "2 / 15"),
        ({"better": None, "worse": None}, "Better / worse", "–"),
        ({"verdict": Verdict.INCONCLUSIVE}, "Visible from", "20.7 pp"),
        ({"verdict": Verdict.INCONCLUSIVE, "mde": None}, "Visible from", "–"),
        ({"verdict": Verdict.INCONCLUSIVE, "mde": 0.00001}, "Visible from", "0.001 pp"),
        ({}, "Baseline", "0.730"),
        ({}, "Candidate", "0.600"),
    ],
)
def test_cells_of_a_delta(changes: dict[str, object], label: str, text: str) -> None:
    """Each column shows its number, and a dash for what is unknown."""
    assert text == cell(replace(REGRESSION, **changes), label)  # type: ignore[arg-type]  # fields by their names


def test_reasons_are_listed_below() -> None:
    """What could not be compared, and what else to know of a delta, is listed with the reason."""
    result = report(
        builders.comparison(*DELTAS, not_comparable={"raft.EM": "5-shot here, 0-shot there"})
    )

    assert [("raft.EM", "alpha", "5-shot here, 0-shot there")] == list(
        (deltas.not_comparable(result) or pytest.fail("no table")).rows
    )
    assert ["mmlu.EM", "quac.F1"] == cells(deltas.remarks(result), "Metric")


def test_steps_are_shown_as_far_as_they_were_tested() -> None:
    """The last iteration against the one before has its own table, without what is unknown."""
    result = report(steps=[builders.comparison(*DELTAS, iteration=2000, against=1000)])
    (table,) = deltas.other_tables(result)

    assert "Since the iteration before, alpha: 2000 against 1000" == table.title
    assert 6 == len(cells(table, "Verdict")) == len(cells(table, "Before"))
    assert [] == deltas.first_tables(result)


def test_steps_of_several_models_name_their_iterations() -> None:
    """Each row says which two iterations it is about."""
    result = report(
        steps=[
            builders.comparison(REGRESSION, model=model, iteration=at, against=1)
            for model, at in (("alpha", 2), ("beta", 9))
        ]
    )

    assert ["2 against 1", "9 against 1"] == cells(deltas.steps(result), "Iterations")


def test_the_leaderboard_tells_what_changed_of_each_model() -> None:
    """A model's mean has its change beside it, and a model that was not compared has a dash."""
    result = builders.report(
        [builders.evaluation(model) for model in ("alpha", "beta", "gamma")],
        comparisons=[
            builders.comparison(*DELTAS, overall=OVERALL),
            builders.comparison(DELTAS[5], model="beta"),
        ],
    )
    board = deltas.leaderboard(result)

    assert ["+0.8 pp [−1.5, +3.1]", "–", "–"] == cells(board, "Δ vs baseline")
    assert ["2 / 1", "0 / 0", "–"] == cells(board, "Regressed / improved")


def test_the_leaderboard_counts_all_comparisons_of_a_model() -> None:
    """Where benchmarks have baselines of their own, marks add up and no one mean is the model's."""
    result = builders.report(
        [builders.evaluation(model) for model in ("alpha", "beta")],
        comparisons=[
            builders.comparison(REGRESSION, TOXICITY, origin="first.json", overall=OVERALL),
            builders.comparison(DELTAS[0], origin="second.json", overall=OVERALL),
            builders.comparison(REGRESSION, model="beta", overall=OVERALL),
            builders.comparison(model="beta", not_comparable={"raft.EM": "only here"}),
        ],
    )
    board = deltas.leaderboard(result)

    assert ["–", "+0.8 pp [−1.5, +3.1]"] == cells(board, "Δ vs baseline")
    assert ["2 / 1", "1 / 0"] == cells(board, "Regressed / improved")


def test_a_leaderboard_without_a_baseline_has_no_column_of_changes() -> None:
    """Where nothing was compared the ranking is all there is."""
    result = report(builders.comparison(not_comparable={"raft.EM": "5-shot here, 0-shot there"}))

    assert tables.leaderboard(result) == deltas.leaderboard(result)


def test_tables_without_rows_are_left_out() -> None:
    """Where nothing was compared there is no table."""
    for result in (
        report(),
        report(builders.comparison()),
        report(steps=[builders.comparison(DELTAS[5])]),
    ):
        assert [] == [*deltas.first_tables(result), *deltas.other_tables(result)]


@pytest.mark.parametrize("name", COMPARED)
def test_terminal_pipe_and_summary_show_the_same_numbers(name: str) -> None:
    """Every difference and interval is in all three forms."""
    result = COMPARED[name]
    numbers = re.compile(r"[+−±][\d.]+")
    pipe = terminal.render_piped(result)
    screen = terminal.render(result, width=80, colour=False)
    summary = markdown.render(result, limit_bytes=LIMIT)

    assert bool((result.comparisons and result.comparisons[0].deltas) or result.steps) == bool(
        numbers.findall(pipe)
    )
    assert sorted(numbers.findall(pipe)) == sorted(numbers.findall(screen))
    assert sorted(numbers.findall(pipe)) == sorted(numbers.findall(summary))


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120, 400])
@pytest.mark.parametrize("name", COMPARED)
def test_no_column_is_lost_on_a_narrow_terminal(name: str, width: int) -> None:
    """Each verdict is whole on any terminal: columns that do not fit stand below the others."""
    result = COMPARED[name]
    words = ("▼ regressed", "▲ improved", "not testable", "inconclusive", "no change")
    lines = terminal.render(result, width=width, colour=False).splitlines()
    rows = [
        row
        for table in (*deltas.first_tables(result), *deltas.other_tables(result))
        for row in table.rows
    ]
    shown = [word for word in words for line in lines if line.endswith(word)]

    assert sorted(row[-1] for row in rows if row[-1] in words) == sorted(shown)


# Strangers' names


@given(ANY_TEXT, ANY_TEXT)
@pytest.mark.parametrize("place", ["model", "reason", "label", "origin"])
def test_any_text_keeps_the_page_whole(place: str, one: str, other: str) -> None:
    """Whatever models, reasons, labels or refs are called, the page has its usual elements."""

    def page(one: str, other: str) -> list[str]:
        texts = {"model": "x", "reason": "y", "label": "z", "origin": "w", place: one or "x"}
        result = report(
            builders.comparison(
                replace(REGRESSION, why=texts["reason"]),
                model=texts["model"],
                iteration=2,
                against=1,
                overall=OVERALL,
                not_comparable={"mmlu.EM": f"{texts['reason']} {other}"},
                origin=texts["origin"],
                ref=texts["origin"],
            ),
            gate=Gate(closed=False, reasons=(texts["reason"], other), accepted_by=texts["label"]),
        )
        return Page(markdown.render(result, limit_bytes=LIMIT), inside="p").elements

    assert page("x", "y") == page(one, other)


@pytest.mark.parametrize(
    "render", [terminal.render_piped, partial(terminal.render, width=80, colour=False)]
)
@pytest.mark.parametrize("name", COMPARED)
def test_the_terminal_gets_visible_text_alone(render: Callable[[Report], str], name: str) -> None:
    """No line of the report holds a control or a direction mark."""
    assert [] == [line for line in render(COMPARED[name]).splitlines() if line != plain(line)]


# Large reports


def thousands(models: int = 130, metrics: int = 16) -> Report:
    """Thousands of deltas, each with a remark, of models that regressed."""
    keys = [f"benchmark_{at:02}.EM" for at in range(metrics)]
    comparisons = [
        builders.comparison(
            *(
                replace(
                    builders.delta(key, 0.7, 0.6, verdict, within=(-0.2, -0.1), why="a remark"),
                )
                for key, verdict in zip(keys, [*Verdict][:4] * metrics, strict=False)
            ),
            model=f"organisation/model-{model:03}",
            iteration=2,
            against=1,
            overall=OVERALL,
            not_comparable={"raft.EM": "5-shot here, 0-shot there"},
        )
        for model in range(models)
    ]
    reasons = tuple(f"{keys[0]} of {one.model} regressed" for one in comparisons)
    return report(*comparisons, steps=comparisons, gate=Gate(closed=True, reasons=reasons))


@pytest.fixture(scope="module")
def large() -> Report:
    """A report of thousands of deltas."""
    return thousands()


@pytest.mark.parametrize("limit", [LIMIT, 65_536, 30_000])
def test_thousands_of_deltas_fit_any_budget(limit: int, large: Report) -> None:
    """Within any budget the page is whole, with the gate and what is red before all else."""
    text = markdown.render(large, limit_bytes=limit)

    assert len(text.encode()) <= limit
    assert text.count("<details>") == text.count("</details>")
    assert "Job failed: benchmark&#95;00.EM of organisation/model-000 regressed" in text
    assert "### Changed" in text
    assert "▼ regressed" in text
    assert text.endswith("helm-wandb-action 1.2.3\n")
    assert ("Left out, as there is no room: " in text) == (limit < LIMIT)


def test_a_name_of_a_model_is_cut_in_tables() -> None:
    """A name without end does not make the summary one."""
    result = report(
        builders.comparison(REGRESSION, model="x" * 100_000),
        builders.comparison(REGRESSION, model="beta"),
    )

    assert plain(Name("x" * 100_000)) in markdown.render(result, limit_bytes=65_536)


@pytest.mark.parametrize(
    ("mde", "expected"),
    [
        (0.05, "5.0 pp"),
        (0.3, "30.0 pp"),
        (0.4, "40.0 pp; about 1,000 questions would show 5 pp"),
    ],
)
def test_a_large_detectable_effect_says_how_many_questions_are_needed(
    mde: float, expected: str
) -> None:
    """Above 30 points, the cell says with how many questions 5 points would be flagged."""
    one = builders.delta("a.EM", 0.5, 0.4, Verdict.INCONCLUSIVE, within=(-0.3, 0.1), n=20, mde=mde)
    table = deltas.unflagged(report(builders.comparison(one)))

    assert table is not None
    assert expected in table.rows[0]
