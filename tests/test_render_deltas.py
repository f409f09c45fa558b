"""Comparisons as tables and sentences."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from msgspec.structs import replace

from helm_wandb.model import Gate, Provenance, Verdict
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
    (table,) = (*deltas.first_tables(of(delta)), *deltas.other_tables(of(delta)))
    (found,) = cells(table, label)
    return found


def test_regressions_stand_before_improvements_and_large_before_small() -> None:
    """What is flagged is one table; what isn't is in a table for each verdict, in its order."""
    result = of(*DELTAS)

    assert ["boolq.EM", "civil_comments.Toxic fraction ↓", "hellaswag.EM"] == cells(
        deltas.flagged(result), "Metric"
    )
    assert ["▼ regressed", "▼ regressed", "▲ improved"] == cells(deltas.flagged(result), "Verdict")
    assert {
        "Inconclusive": ["mmlu.EM", "wmt.BLEU"],
        "No change": ["imdb.EM"],
        "Not tested": ["quac.F1"],
    } == {table.title: cells(table, "Metric") for table in deltas.unflagged(result)}


def test_every_delta_is_in_one_table() -> None:
    """No delta is lost, and none stands twice."""
    result = of(*DELTAS)
    tables_ = (*deltas.first_tables(result), *deltas.other_tables(result))

    assert sorted(str(one.key) for one in DELTAS) == sorted(
        metric.removesuffix(" ↓") for table in tables_ for metric in cells(table, "Metric")
    )


def test_a_narrow_page_has_notes_below_its_tables() -> None:
    """Metrics that share a note are named together, with their models if there are several."""
    few = [replace(one, why="too few") for one in (DELTAS[3], DELTAS[6])]
    (alone,) = deltas.other_tables(of(*few), is_wide=False)
    both = report(builders.comparison(few[0]), builders.comparison(few[0], model="beta"))
    (of_two,) = deltas.other_tables(both, is_wide=False)

    assert ("mmlu.EM, wmt.BLEU: too few.",) == alone.notes
    assert ("mmlu.EM of alpha, mmlu.EM of beta: too few.",) == of_two.notes
    assert "Note" not in [column.label for column in alone.columns]


def test_the_mean_of_each_of_several_models_is_among_the_changes() -> None:
    """A mean that regressed has a row; that of the only model has a sentence instead."""
    mean = builders.delta(None, 0.5, 0.4, Verdict.REGRESSED, within=(-0.2, -0.05), n=800)
    alone = builders.comparison(REGRESSION, overall=mean)
    both = report(alone, builders.comparison(TOXICITY, model="beta"))

    assert ["boolq.EM", "mean", "civil_comments.Toxic fraction ↓"] == cells(
        deltas.flagged(both), "Metric"
    )
    assert ["boolq.EM"] == cells(deltas.flagged(report(alone)), "Metric")


def test_a_narrow_page_has_the_changes_first() -> None:
    """The first column has each change with its mark, and details are left out."""
    (table,) = deltas.first_tables(of(*DELTAS), is_wide=False)

    assert ["Change", "Metric", "baseline → this run", "95% CI", "Questions"] == [
        column.label for column in table.columns
    ]
    assert "▼ −13.0 pp" == table.rows[0][0]


def test_the_sides_are_named() -> None:
    """The head of the scores names the branch, and the pull request if it is one."""
    compared = of(replace(REGRESSION))
    of_pull_request = replace(
        report(builders.comparison(REGRESSION, ref="refs/heads/main")),
        provenance=Provenance(tool_version="1", pull_request=7),
    )

    assert ["73.0 → 60.0"] == cells(deltas.flagged(compared), "baseline → this run")
    assert ["73.0 → 60.0"] == cells(deltas.flagged(of_pull_request), "main → this PR")


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
        ({}, "Change", "▼ −13.0 pp"),
        ({"warn_only": True}, "Change", "▼ −13.0 pp (warn only)"),
        ({}, "95% CI", "−22.2 to −5.1"),
        ({}, "Questions", "15 worse, 2 better of 100 (92 clusters)"),
        ({"clusters": 100}, "Questions", "15 worse, 2 better of 100"),
        ({"clusters": None}, "Questions", "15 worse, 2 better of 100"),
        ({"better": None, "worse": None}, "Questions", "100 (92 clusters)"),
        ({"difference": -0.1301}, "Questions", "15 worse, 2 better of 100 (92 clusters)"),
        ({"difference": -0.128}, "Questions", "15 worse, 2 better of 100 shared (92 clusters)"),
        ({"verdict": Verdict.INCONCLUSIVE}, "Detectable effect", "20.7 pp"),
        ({"verdict": Verdict.INCONCLUSIVE, "mde": 0.00001}, "Detectable effect", "<0.1 pp"),
        ({"verdict": Verdict.INCONCLUSIVE, "mde": 0.3}, "Detectable effect", "30.0 pp"),
        ({"p_adjusted": 0.0004}, "Adjusted p", "<0.001"),
        ({"p_adjusted": 0.0416}, "Adjusted p", "0.042"),
        ({"warn_only": True}, "Verdict", "▼ regressed (warn only)"),
        ({"why": "a remark"}, "Note", "a remark"),
        (
            {"verdict": Verdict.INCONCLUSIVE, "mde": 0.4},
            "Note",
            "too few questions: about 6,000 would show 5 pp",
        ),
        (
            {"verdict": Verdict.INCONCLUSIVE, "mde": None},
            "Note",
            "too few questions to flag any change",
        ),
    ],
)
def test_cells_of_a_delta(changes: dict[str, object], label: str, text: str) -> None:
    """Each column shows its number, and a dash for what is unknown."""
    assert text == cell(replace(REGRESSION, **changes), label)


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"n": None, "better": None}, "Questions"),
        ({"verdict": Verdict.INCONCLUSIVE, "mde": None}, "Detectable effect"),
        ({"mde": 0.4}, "Note"),
        ({"verdict": Verdict.INCONCLUSIVE, "mde": 0.3}, "Note"),
        ({"verdict": Verdict.NO_CHANGE, "mde": 0.4}, "Note"),
    ],
)
def test_a_column_of_which_nothing_is_known_is_left_out(
    changes: dict[str, object], label: str
) -> None:
    """A table has no column of dashes: neither of unknown numbers, nor without any note."""
    result = of(replace(REGRESSION, **changes))
    (table,) = (*deltas.first_tables(result), *deltas.other_tables(result))

    assert label not in [column.label for column in table.columns]


def test_reasons_are_listed_below() -> None:
    """What could not be compared is listed with the reason."""
    result = report(
        builders.comparison(*DELTAS, not_comparable={"raft.EM": "5-shot here, 0-shot there"})
    )

    assert [("raft.EM", "alpha", "5-shot here, 0-shot there")] == list(
        (deltas.not_comparable(result) or pytest.fail("no table")).rows
    )


def test_settings_that_changed_since_the_previous_checkpoint_are_listed() -> None:
    """A score that only the previous checkpoint can't be compared with doesn't disappear."""
    step = builders.comparison(not_comparable={"raft.EM": "5-shot here, 0-shot there"})
    result = report(builders.comparison(*DELTAS), steps=[step])

    assert [
        ("raft.EM", "alpha", "with the previous checkpoint: 5-shot here, 0-shot there")
    ] == list((deltas.not_comparable(result) or pytest.fail("no table")).rows)


def test_steps_are_shown_as_far_as_they_were_tested() -> None:
    """The latest iteration vs. the previous one has its own table, without what is unknown."""
    steps = [builders.comparison(*DELTAS, iteration=2000, against=1000)]
    result = report(builders.comparison(DELTAS[5]), steps=steps)
    table = deltas.steps(result)

    assert table is not None
    assert "Since the previous checkpoint: alpha, iteration 1000 → 2000" == table.title
    assert 6 == len(cells(table, "Verdict")) == len(cells(table, "Previous → latest"))


def test_without_a_baseline_steps_are_what_changed() -> None:
    """Without a baseline, the tables show each change since the previous checkpoint."""
    result = report(steps=[builders.comparison(*DELTAS, iteration=2000, against=1000)])

    assert 3 == len(cells(deltas.flagged(result), "Previous → latest"))
    assert ["Inconclusive", "No change", "Not tested"] == [
        table.title for table in deltas.other_tables(result)
    ]


def test_steps_of_several_models_name_their_iterations() -> None:
    """Each row says which two iterations it is about."""
    steps = [
        builders.comparison(REGRESSION, model=model, iteration=at, against=1)
        for model, at in (("alpha", 2), ("beta", 9))
    ]

    for table in (
        deltas.flagged(report(steps=steps)),
        deltas.steps(report(builders.comparison(DELTAS[5]), steps=steps)),
    ):
        assert ["1 → 2", "1 → 9"] == cells(table, "Iterations")


def test_the_leaderboard_shows_what_changed_of_each_model() -> None:
    """A model's mean has its change next to it, and a model that was not compared has a dash."""
    result = builders.report(
        [builders.evaluation(model) for model in ("alpha", "beta", "gamma")],
        comparisons=[
            builders.comparison(*DELTAS, overall=OVERALL),
            builders.comparison(DELTAS[5], model="beta"),
        ],
    )
    board = deltas.leaderboard(result)

    assert ["+0.8 pp (−1.5 to +3.1)", "–", "–"] == cells(board, "Change vs. baseline")
    assert ["2 / 1", "0 / 0", "–"] == cells(board, "Regressed / improved")


def test_the_leaderboard_counts_all_comparisons_of_a_model() -> None:
    """If benchmarks have different baselines, counts add up and no one mean is the model's."""
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

    assert ["–", "+0.8 pp (−1.5 to +3.1)"] == cells(board, "Change vs. baseline")
    assert ["2 / 1", "1 / 0"] == cells(board, "Regressed / improved")


def test_a_leaderboard_without_a_baseline_has_no_column_of_changes() -> None:
    """Where nothing was compared the ranking is all there is."""
    result = report(builders.comparison(not_comparable={"raft.EM": "5-shot here, 0-shot there"}))

    assert tables.leaderboard(result) == deltas.leaderboard(result)


def test_tables_without_rows_are_left_out() -> None:
    """Where nothing was compared there is no table."""
    for result in (report(), report(builders.comparison())):
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
    """Each change is whole on any terminal: what doesn't fit stands below."""
    result = COMPARED[name]
    lines = terminal.render(result, width=width, colour=False).splitlines()
    changes = [
        change
        for table in deltas.first_tables(result, is_wide=False)
        for change in cells(table, "Change")
    ]

    assert [] == [change for change in changes if not any(change in line for line in lines)]


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
    assert "The job failed: 130\xa0regressions." in text
    assert "| ▼ −10.0\N{NO-BREAK SPACE}pp (" in text or "| ▼\N{NO-BREAK SPACE}−10.0" in text
    assert text.endswith("helm-wandb-action 1.2.3</sub>\n")
    assert ("**Shortened to fit: " in text) == (limit < LIMIT)


def test_a_name_of_a_model_is_cut_in_tables() -> None:
    """A name without end does not make the summary one."""
    result = report(
        builders.comparison(REGRESSION, model="x" * 100_000),
        builders.comparison(REGRESSION, model="beta"),
    )

    assert plain(Name("x" * 100_000)) in markdown.render(result, limit_bytes=65_536)
