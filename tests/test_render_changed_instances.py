"""The instances whose scores changed, in each form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from msgspec.structs import replace

from helm_wandb.model import ChangedInstance, Provenance, Texts, Verdict
from helm_wandb.render import changed_instances, comment, markdown, terminal
from helm_wandb.render.html import html_report
from helm_wandb.text.safe_text import Name, plain
from tests import builders
from tests.test_text_safe_text import ANY_TEXT, HOSTILE, Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from helm_wandb.model import Comparison, Delta, Report

LIMIT = 1_048_576
COMMENT_LIMIT = 65_536
LOST = ChangedInstance(
    stratum="boolq",
    id="id101",
    trial=0,
    before=1.0,
    after=0.0,
    texts=Texts(input="A passage.\nQuestion: is it?", reference="No", answer="Yes"),
    baseline_answer="No",
)
WON = replace(LOST, id="id7", before=0.0, after=1.0, texts=Texts(answer=""), baseline_answer=None)
LAW = ChangedInstance(
    stratum="mmlu:subject=us law,method=multiple_choice_joint",
    id="id3",
    trial=2,
    before=0.25,
    after=0.7512,
)


def delta(
    *found: ChangedInstance, key: str = "boolq.EM", changed: tuple[int, int] | None = None
) -> Delta:
    """A delta with these items; changed: how many got better and worse."""
    verdict = Verdict.REGRESSED if key == "boolq.EM" else Verdict.IMPROVED
    made = builders.delta(
        key,
        0.73,
        0.6,
        verdict,
        within=(-0.2, -0.1),
        n=100,
        changed=changed or (sum(one.after > one.before for one in found), len(found)),
    )
    return replace(made, items=found)


def report(*comparisons: Comparison) -> Report:
    """The report of comparisons."""
    models = dict.fromkeys(one.model for one in comparisons)
    return builders.report(
        [builders.evaluation(model) for model in models], comparisons=comparisons
    )


def of(*deltas: Delta) -> Report:
    """The report of one model's deltas."""
    return report(builders.comparison(*deltas))


MANY = of(delta(*(replace(LOST, id=f"id{at}") for at in range(40)), changed=(2, 58)))
SHOWN = of(
    delta(LAW, key="mmlu.EM", changed=(1, 0)),
    delta(LOST, WON, changed=(1, 1)),
    builders.delta("imdb.EM", 0.8, 0.8, Verdict.NO_CHANGE),
)


def test_a_table_names_which_questions_were_lost() -> None:
    """Regressions first; ids, texts and scores of each item, with line ends that can be seen."""
    boolq, mmlu = changed_instances.changed(SHOWN)

    assert [
        "boolq.EM: 1 question got worse, 1 better",
        "mmlu.EM: 0 questions got worse, 1 better",
    ] == [
        boolq.title,
        mmlu.title,
    ]
    assert [
        "Score",
        "baseline's answer",
        "this run's answer",
        "Reference",
        "Question",
        "Instance",
    ] == [column.label for column in boolq.columns]
    assert (
        ("1 → 0", "No", "Yes", "No", "A passage.⏎Question: is it?", "id101"),
        ("0 → 1", "–", "(empty)", "–", "–", "id7"),
    ) == boolq.rows
    assert () == boolq.notes


def test_what_nothing_is_known_of_has_no_column() -> None:
    """Without texts there are the scores and the instance, and why no answers."""
    (_, mmlu) = changed_instances.changed(SHOWN)

    assert ["Score", "Instance"] == [column.label for column in mmlu.columns]
    assert (("0.25 → 0.751", "id3 (trial 2)"),) == mmlu.rows
    assert [True] == [note.startswith("The baseline's answers are unknown") for note in mmlu.notes]


def test_subjects_are_shown_if_they_differ() -> None:
    """A column that says the same of each question is left out."""
    history = replace(LAW, stratum="mmlu:subject=history,method=multiple_choice_joint")
    (table,) = changed_instances.changed(of(delta(LAW, history, key="mmlu.EM")))

    assert "Subject" == table.columns[-1].label
    assert ["subject=us law", "subject=history"] == [row[-1] for row in table.rows]


def test_answers_are_named_by_their_side() -> None:
    """The base branch and the pull request stand above the answers, if there are such."""
    on_main = builders.comparison(delta(LOST), ref="refs/heads/main")
    provenance = Provenance(tool_version="1", pull_request=7)
    (table,) = changed_instances.changed(replace(report(on_main), provenance=provenance))

    assert ["main's answer", "this PR's answer"] == [
        column.label for column in table.columns if "answer" in column.label
    ]


def test_texts_are_somebody_elses_words() -> None:
    """Ids, subjects and texts are names; what we say of a missing text is not."""
    boolq, mmlu = changed_instances.changed(SHOWN)

    assert [[True] * 5, [False, False, False, False, True]] == [
        [isinstance(cell, Name) for cell in row[1:]] for row in boolq.rows
    ]
    assert [True] == [isinstance(cell, Name) for cell in mmlu.rows[0][1:]]


def test_models_are_named_where_there_are_several() -> None:
    """The title of each table names its model, as plain text."""
    both = report(
        builders.comparison(delta(LOST), model="al\npha"),
        builders.comparison(delta(LOST), model="beta"),
    )

    assert [
        "boolq.EM of al?pha: 1 question got worse, 0 better",
        "boolq.EM of beta: 1 question got worse, 0 better",
    ] == [table.title for table in changed_instances.changed(both)]


def test_a_delta_that_was_not_looked_into_has_no_table() -> None:
    """Neither without items, nor with none."""
    bare = builders.delta("boolq.EM", 0.7, 0.6, Verdict.REGRESSED)

    assert [] == changed_instances.changed(of(bare, replace(bare, items=())))


def test_the_rest_of_many_is_counted() -> None:
    """Of 60 changed instances of which the report holds 40, a Markdown page folds ten away."""
    (table,) = changed_instances.changed(MANY)
    summary = markdown.render(MANY, limit_bytes=LIMIT)
    page = html_report.render(MANY)

    assert (40, 20) == (len(table.rows), table.left_out)
    assert "boolq.EM: 58 questions got worse, 2 better (the first 10 of 60)" in summary
    assert (10, 40) == (summary.count("is it?"), page.count("is it?"))
    assert "boolq.EM: 58 questions got worse, 2 better (40 of 60)" in page


def test_all_of_a_few_is_shown(golden: Callable[[str, str], None]) -> None:
    """Summary and comment fold the same tables, behind what changed."""
    pages = [
        markdown.render(SHOWN, limit_bytes=LIMIT),
        comment.render(SHOWN, limit_bytes=COMMENT_LIMIT),
    ]
    summary, commented = (
        re.findall(r"<details>.*?</details>\n", page, re.DOTALL)[:2] for page in pages
    )

    assert summary == commented
    assert [True, True] == ["| ▼" in page.partition(summary[0])[0] for page in pages]
    golden("items.md", "\n".join(summary))


@pytest.mark.parametrize(
    ("render", "counts"), [(markdown.render, [10, 5, 3, 1, 0]), (comment.render, [3, 1, 0])]
)
def test_items_are_fewer_only_when_less_important_tables_are_gone(
    render: Callable[..., str], counts: list[int]
) -> None:
    """With one byte less each time, the scores go first, then question after question."""
    pages = [render(MANY, limit_bytes=LIMIT)]
    while "is it?" in pages[-1]:
        pages.append(render(MANY, limit_bytes=len(pages[-1].encode()) - 1))
    shown = [page.count("is it?") for page in pages]

    assert counts == list(dict.fromkeys(shown))
    assert {counts[0]} == {
        count for count, page in zip(shown, pages, strict=True) if "<summary>Scores" in page
    }
    assert all("| ▼" in page for page in pages)


def test_the_comment_links_the_other_questions() -> None:
    """Below the first three questions, a link leads to the job summary, which has more."""
    linked = replace(MANY, provenance=Provenance(tool_version="1", run_url="https://a.example/1"))
    text = comment.render(linked, limit_bytes=COMMENT_LIMIT)

    assert "\n[More in the job summary](<https://a.example/1>)\n" in text
    assert "More in the" not in markdown.render(linked, limit_bytes=LIMIT)


def test_a_terminal_shows_none() -> None:
    """Texts of hundreds of characters are for pages."""
    assert "is it?" not in terminal.render_piped(SHOWN)


@given(ANY_TEXT, ANY_TEXT)
@example("".join(HOSTILE), "</table><script>alert(1)</script>")
def test_hostile_texts_are_only_text(text: str, name: str) -> None:
    """Whatever a model answered, the pages have the elements that they have without it."""
    lost = replace(
        LOST,
        id=name or "x",
        stratum=f"a:{name}b",
        texts=Texts(input=text, answer=f"{text}."),
        baseline_answer=f"{text}.",
    )
    tame = replace(LOST, stratum="a:b", texts=Texts(input="x", answer="x."))
    inert, hostile = (
        of(delta(one))
        for one in (tame, replace(lost, texts=replace(lost.texts, input=text or "x")))
    )
    pages = [
        Page(markdown.render(one, limit_bytes=LIMIT), inside="code") for one in (inert, hostile)
    ]

    assert pages[0].elements == pages[1].elements
    assert plain(Name(changed_instances.on_one_line(f"{text}."))) in pages[1].found
    assert html_report.render(hostile).count("<script") == html_report.render(inert).count(
        "<script"
    )
