"""The report as a pull request comment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from helm_wandb import report as reports
from helm_wandb.comparing import leaderboard
from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.model import Baseline, Gate, Provenance, ScoreKey
from helm_wandb.render import comment, markdown
from helm_wandb.text.safe_text import Name, plain
from helm_wandb.text.safe_text import markdown as markdown_text
from helm_wandb.text.words import keep_units
from tests import builders
from tests.golden_reports import (
    COMMENTS,
    DELTAS,
    OVERALL,
    REGRESSION,
    RUN_URL,
    in_sections,
    without_tables,
)
from tests.test_render_deltas import thousands
from tests.test_text_safe_text import HOSTILE, Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from helm_wandb.model import Report

LIMIT = 65_536
SUMMARY_LIMIT = 1_048_576


def test_comments_golden(golden: Callable[[str, str], None]) -> None:
    """Around its tables, each variant of the comment looks as in the golden file.

    A whole one is in comment_with_every_input.md.
    """
    texts = {name: comment.render(one, limit_bytes=LIMIT) for name, one in COMMENTS.items()}
    golden("comments.md", in_sections({name: without_tables(texts[name]) for name in texts}))


def test_oversize_comment_golden(golden: Callable[[str, str], None]) -> None:
    """What does not fit is counted, and the first regressions are still there."""
    text = comment.render(_made_of(thousands(12, 16)), limit_bytes=4_000)

    assert 20 == text.count("| ▼")
    golden("comment_oversize.md", without_tables(text))


def _made_of(report: Report) -> Report:
    """The report with a run to link."""
    return replace(report, provenance=replace(report.provenance, run_url=RUN_URL))


# What is open, and what is folded


@pytest.mark.parametrize("name", sorted(COMMENTS.keys() - {"hostile", "oversize", "curve"}))
def test_few_lines_are_open(name: str) -> None:
    """Without opening a fold, a reviewer sees at most 20 lines."""
    text = comment.render(COMMENTS[name], limit_bytes=LIMIT)
    seen = re.sub(r"<details>.*?</details>\n", "", text, flags=re.DOTALL)
    lines = [line for line in seen.splitlines() if line and not line.startswith("| :-")]

    assert len(lines) <= 20


def test_the_baseline_is_named_with_where_it_was_found() -> None:
    """Its commit and its run are linked; a bare file is named alone."""
    linked = COMMENTS["regression"]
    (compared,) = linked.comparisons
    of_run = replace(compared.baseline, origin="artifact of run 9", url="https://github.example/9")
    pair = comment.render(
        replace(linked, comparisons=(replace(compared, baseline=of_run),)), limit_bytes=LIMIT
    )
    alone = comment.render(COMMENTS["accepted"], limit_bytes=LIMIT)
    commit = f"https://github.example/acme/evaluations/commit/4be1c02{'0' * 33}"

    assert (
        f"Compared with [<code>main&#64;<!-- -->4be1c02</code>](<{commit}>) "
        "([artifact of run 9](<https://github.example/9>)) · [job summary]"
    ) in pair
    assert "Compared with <code>base.json</code> · [job summary]" in alone


def test_the_comment_links_the_other_texts_and_not_itself() -> None:
    """W&B and the run are one click away, and the comment's own link is left out."""
    text = comment.render(COMMENTS["regression"], limit_bytes=LIMIT)

    assert f" · [job summary](<{RUN_URL}>) · [W&#38;B](<https://wandb.example/acme/" in text
    assert comment.SINK not in text


def test_a_report_without_links_has_no_line_of_them() -> None:
    """On a machine without a run's URL there is nothing to link."""
    text = comment.render(COMMENTS["curve"], limit_bytes=LIMIT)

    assert "](<" not in text


@pytest.mark.parametrize(("attempt", "result"), [(None, False), (1, False), (2, True)])
def test_another_attempt_is_reported(attempt: int | None, *, result: bool) -> None:
    """A re-run says which one it is."""
    provenance = replace(COMMENTS["regression"].provenance, attempt=attempt)
    text = comment.render(replace(COMMENTS["regression"], provenance=provenance), limit_bytes=LIMIT)

    assert result == (" · attempt 2 · " in text)


@pytest.mark.parametrize(("count", "folded"), [(1, False), (3, False), (4, True)])
def test_many_notes_are_folded(count: int, *, folded: bool) -> None:
    """A few notes are open; more of them are counted and folded."""
    notes = tuple(f"note {at}" for at in range(count))
    text = comment.render(replace(COMMENTS["regression"], notes=notes), limit_bytes=LIMIT)

    assert folded == (f"<details><summary>Notes ({count})</summary>" in text)
    assert count == text.count("- note ")


# Budgets


@pytest.fixture(scope="module")
def large() -> Report:
    """500 models with 60 metrics each, all compared, with a run to link."""
    return _made_of(thousands(500, 60))


def _is_whole(text: str) -> None:
    """Fail where a fold, a code, a diagram or a table is not closed."""
    page = Page(text, inside="p")
    diagrams = text.count("\n```mermaid\n")
    assert diagrams == text.count("\n```\n") == page.elements.count("pre")
    for tag in ("details", "summary", "code", "sub"):
        fenced = diagrams if tag == "code" else 0
        assert text.count(f"<{tag}>") == text.count(f"</{tag}>")
        assert text.count(f"<{tag}>") + fenced == page.elements.count(tag)
    heads = len(re.findall(r"^\|(?: :-- \|| --: \|)+$", text, re.MULTILINE))
    assert heads == page.elements.count("table")
    assert (
        page.elements.count("tr") == sum(line.startswith("|") for line in text.splitlines()) - heads
    )


LIMITS = [*range(0, 1_000, 50), *range(1_000, 8_000, 1_000), *range(8_000, 70_001, 20_000)]


@pytest.mark.parametrize(
    ("render", "limit"),
    [
        (comment.render, LIMIT),
        *(
            pytest.param(render, limit, marks=pytest.mark.full)
            for render in (comment.render, markdown.render)
            for limit in (3_000, LIMIT, SUMMARY_LIMIT)
            if (render, limit) != (comment.render, LIMIT)
        ),
    ],
)
def test_the_largest_report_fits(render: Callable[..., str], limit: int, large: Report) -> None:
    """Of 500 models × 60 metrics, each page is whole and uses the room that it has."""
    text = render(large, limit_bytes=limit)

    assert limit / 8 <= len(text.encode()) <= limit
    _is_whole(text)
    assert limit < LIMIT or "| ▼" in text


@pytest.mark.parametrize("render", [comment.render, markdown.render])
def test_every_budget_is_kept(render: Callable[..., str]) -> None:
    """A page of any size is whole, says what is left out, and grows with its room."""
    report = _made_of(thousands(12, 16))
    texts = {limit: render(report, limit_bytes=limit) for limit in LIMITS}
    rows = render(report, limit_bytes=1 << 30).count("\n|")
    cut = r"Shortened to fit: \d|report JSON has all|All of it is"

    for limit, text in texts.items():
        assert len(text.encode()) <= limit
        _is_whole(text)
        assert text.count("\n|") == rows or limit < 250 or re.search(cut, text)
    sizes = list(map(len, texts.values()))
    assert sorted(sizes) == sizes


def test_the_least_comment_is_the_headline_and_a_link() -> None:
    """With hardly any room there is the headline with the place of the rest, then it alone."""
    report = _made_of(thousands(12, 16))
    title = f"## {markdown_text(keep_units(report.headline))}\n"
    rest = f"{title}\nThe report JSON has all of it.\n"
    linked = f"{title}\n[All of it is in the job summary.](<{RUN_URL}>)\n"
    sizes = [len(text.encode()) for text in (title, rest, linked)]
    texts = [comment.render(report, limit_bytes=size) for size in (sizes[0] - 1, *sizes)]

    assert ["", title, rest, linked] == texts


@given(st.integers(min_value=-5, max_value=70_000), st.sampled_from([*COMMENTS]))
@pytest.mark.parametrize("render", [comment.render, markdown.render])
def test_any_budget_is_kept(render: Callable[..., str], limit: int, name: str) -> None:
    """No budget is exceeded, and no page is cut in the middle, whatever the report holds."""
    text = render(COMMENTS[name], limit_bytes=limit)

    assert len(text.encode()) <= max(limit, 0)
    _is_whole(text)


# Strangers' texts


def _filled_with(text: str, url: str = RUN_URL) -> Report:
    """A report of which every text is this one."""
    key = ScoreKey(text, text)
    deltas = [
        replace(delta, key=key, why=text) for delta in (REGRESSION, DELTAS[0], DELTAS[3], DELTAS[5])
    ]
    compared = replace(
        builders.comparison(*deltas, model=text, iteration=2, against=1, overall=OVERALL),
        baseline=Baseline(origin=text, model=text, iteration=1, ref=text, commit=text),
        not_comparable={key: text},
    )
    evaluation = builders.evaluation(text, 2)
    board = leaderboard.build(
        [evaluation], metrics=CORE_METRICS, excluded_models=frozenset(), guests=[]
    )
    row = replace(board.rows[0], unranked=text)
    return reports.build(
        [
            replace(evaluation, scores={key: next(iter(evaluation.scores.values()))}),
            replace(evaluation, iteration=1, missing={key: text}),
        ],
        replace(board, rows=(row,), left_out={key: text}, untested=text),
        notes=[text],
        provenance=Provenance(
            tool_version=text, track=text, commit=text, ref=text, run_url=url, attempt=2
        ),
        comparisons=[compared],
        steps=[compared],
        gate=Gate(closed=True, reasons=(text, text), accepted_by=text),
    )


@given(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.text(min_size=1),
        st.text(alphabet="|\\`$@#1:.-+*_~<>!/()[]&; abwhtpsx=\n", min_size=1),
    )
)
@example("fixes #1 octo/repo#2 GH-3 @octocat 4be1c02deadbeef")
@example("```math\nx\n```")
@example("```mermaid\ngraph TD\n```")
@example("</summary></details></sub>")
@example("–")
def test_any_text_keeps_the_comment_whole(text: str) -> None:
    """Whatever names, reasons, labels, refs and versions hold, only their characters show."""
    text = text or "x"
    usual, page = (
        Page(f"<div>\n\n{comment.render(report, limit_bytes=1 << 30)}\n</div>\n", inside="div")
        for report in (replace(_filled_with(one), links={one: RUN_URL}) for one in ("x", text))
    )

    assert usual.elements == page.elements
    assert 2 == page.elements.count("a")
    assert plain(Name(text)) in page.found
    assert plain(text) in page.found


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//github.example/x",
        "https://github.example/a b",
        "https://github.example/\n::error::x",
        "https://github.example/\u202egnp",
        "https:\\\\github.example",
        "",
    ],
)
def test_what_is_no_address_of_the_web_is_no_link(url: str) -> None:
    """A URL of a stranger's report is linked only if a browser would open just that."""
    text = comment.render(replace(_filled_with("x", url), links={"W&B": url}), limit_bytes=LIMIT)

    assert "a" not in Page(text, inside="a").elements


@given(st.text())
def test_any_address_leads_where_it_says(path: str) -> None:
    """A link has the address that it was given, or there is none."""
    text = comment.render(_filled_with("x", f"https://github.example/{path}"), limit_bytes=LIMIT)
    page = Page(text, inside="a")

    usual = Page(comment.render(_filled_with("x", ""), limit_bytes=LIMIT), inside="a")

    assert page.found in ("", "job summary")
    assert usual.elements == [element for element in page.elements if element != "a"]
