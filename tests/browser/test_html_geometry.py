"""The HTML report's boxes on the screens of a phone, a tablet and a desk."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from helm_wandb.model import ScoreKey, Verdict
from helm_wandb.render.html import html_report
from tests import builders
from tests.golden_reports import COMPARED, REPORTS

if TYPE_CHECKING:
    from pathlib import Path

    from helm_wandb.model import Report
    from tests.browser.browser import Browser

WIDTHS = (390, 860, 1280)
BENCHMARKS = (
    "natural_qa_openbook_longans",
    "natural_qa_closedbook",
    "civil_comments",
    "truthful_qa",
    "synthetic_reasoning_natural",
    "msmarco_trec",
    "summarization_cnndm",
    "babi_qa",
    *("boolq", "hellaswag", "imdb", "mmlu", "quac", "raft", "wmt_14", "math_chain_of_thought"),
)
UNFOLD = {"evaluate": 'for (const one of document.querySelectorAll("details")) one.open = true'}
MEET = """(() => {
  const clipped = (box, node) => {
    for (let one = node.parentElement; one; one = one.parentElement) {
      if (!one.matches(".wide")) continue;
      const edge = one.getBoundingClientRect();
      const left = Math.max(box.left, edge.left), right = Math.min(box.right, edge.right);
      const top = Math.max(box.top, edge.top), bottom = Math.min(box.bottom, edge.bottom);
      return { left, right, top, bottom };
    }
    return box;
  };
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const boxes = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.data.trim() || node.parentElement.closest("caption, title")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      const { left, right, top, bottom } = clipped(box, node);
      if (right - left > 1 && bottom - top > 1) boxes.push({ node, left, right, top, bottom });
    }
  }
  boxes.sort((one, other) => one.top - other.top);
  const met = [];
  for (const [at, one] of boxes.entries()) {
    for (const other of boxes.slice(at + 1)) {
      if (other.top > one.bottom - 1) break;
      const width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      if (width > 1 && one.node !== other.node) met.push(`${one.node.data} / ${other.node.data}`);
    }
  }
  return met;
})()"""
"""Texts that stand over each other."""
OVERFLOWING = """[...document.querySelectorAll("th, td")].filter((cell) => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  const text = range.getBoundingClientRect(), own = cell.getBoundingClientRect();
  return text.left < own.left - 1 || text.right > own.right + 1;
}).map((cell) => cell.textContent)"""
"""Cells whose text leaves them."""
SCROLLING = """[...document.querySelectorAll(".wide")].filter((one) =>
  one.querySelectorAll("tbody tr").length <= 40 && (one.scrollHeight > one.clientHeight + 1
    || (innerWidth >= 1280 && one.scrollWidth > one.clientWidth + 1))
).map((one) => `${one.ariaLabel}: ${one.scrollWidth} of ${one.clientWidth}`)"""
"""Tables that hide rows, or on a desk columns."""
WORDS = 'document.activeElement.closest("figure").querySelector(".words").textContent'
FIRST_POINT = {"evaluate": 'document.querySelector("figure [data-words]").focus()'}


def _crowd() -> Report:
    """Return 20 models with 16 benchmarks each, a few of which changed."""
    models = [f"organisation/model-{at}b-instruct-v0.{at}" for at in range(20)]
    keys = [f"{benchmark}.exact_match" for benchmark in BENCHMARKS]
    up, down = (-0.05, 0.25), (-0.2, -0.05)
    deltas = [
        builders.delta(keys[0], 0.5, 0.4, Verdict.REGRESSED, within=down, n=100, changed=(2, 12)),
        builders.delta(keys[1], 0.5, 0.6, Verdict.IMPROVED, within=up, n=100, changed=(12, 2)),
        *(
            builders.delta(key, 0.5, 0.6, Verdict.INCONCLUSIVE, within=up, n=100, mde=0.2)
            for key in keys[2:]
        ),
    ]
    return builders.report(
        [
            builders.evaluation(model, scores=dict.fromkeys(keys, 0.3 + 0.02 * at))
            for at, model in enumerate(models)
        ],
        metrics=[ScoreKey.parse(key) for key in keys],
        comparisons=[builders.comparison(*deltas, model=model) for model in models[:8]],
    )


def _curves() -> Report:
    """Return two models at five checkpoints, with the instances of each."""
    return builders.report(
        [
            builders.measured(
                model,
                1000 * at,
                {f"{key}.EM": builders.right(10 * at + shift) for key in BENCHMARKS[:3]},
            )
            for shift, model in enumerate(("acme/assistant_7b_chat", "acme/assistant_70b"))
            for at in range(1, 6)
        ]
    )


@cache
def geometry_reports() -> dict[str, Report]:
    """Return the kinds of reports that people look at."""
    return {
        "pair": COMPARED["compared"],
        "models": REPORTS["models"],
        "curve": _curves(),
        "crowd": _crowd(),
    }


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", geometry_reports())
def test_nothing_overlaps_or_hides(browser: Browser, tmp_path: Path, name: str, width: int) -> None:
    """No texts meet, no cell overflows, and tables of up to 40 rows show all of them."""
    path = tmp_path / "report.html"
    path.write_text(html_report.render(geometry_reports()[name]), encoding="utf-8")
    checks = [{"evaluate": script} for script in (MEET, OVERFLOWING, SCROLLING)]
    seen = browser.page(path, UNFOLD, *checks, width=width)

    assert ([], [], []) == seen.values[-3:]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pair", "civil_comments.Toxic fraction of mymodel: +4.3 pp"),
        ("curve", "assistant_70b, iteration 2000: "),
    ],
)
def test_point_says_its_numbers(browser: Browser, tmp_path: Path, name: str, words: str) -> None:
    """An arrow key goes to the next point, whose value, interval and n are below the plot."""
    path = tmp_path / "report.html"
    path.write_text(html_report.render(geometry_reports()[name]), encoding="utf-8")
    seen = browser.page(path, FIRST_POINT, {"press": "ArrowRight"}, {"evaluate": WORDS})

    assert seen.values[-1].startswith(words)
    assert " n = 100" in seen.values[-1]
