"""The comment's first screen, as GitHub shows it on a phone, a tablet and a desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helm_wandb.model import Gate
from helm_wandb.render import comment
from helm_wandb.text.words import keep_units
from tests import builders
from tests.golden_reports import DELTAS, OVERALL, REGRESSION
from tests.test_render_deltas import thousands

if TYPE_CHECKING:
    from helm_wandb.model import Report
    from tests.browser.browser import Browser

WIDTHS = (390, 860, 1280)
HEIGHT = 800
SEEN = f"""(() => {{
  const isSeen = (node) => {{
    const box = node.getBoundingClientRect();
    return box.left >= 0 && box.right <= innerWidth && box.bottom <= {HEIGHT};
  }};
  const paragraphs = [...document.querySelectorAll("p")];
  const outcome = paragraphs.find((one) => one.textContent.startsWith("The job "));
  const [change] = document.querySelector("tbody tr").cells;
  const heading = document.querySelector("h2");
  return [heading, outcome, change].map((one) => [one.textContent, isSeen(one)]);
}})()"""
PAIR = builders.report(
    [builders.evaluation("acme/assistant")],
    comparisons=[
        builders.comparison(REGRESSION, *DELTAS[3:5], model="acme/assistant", overall=OVERALL)
    ],
    gate=Gate(closed=False, reasons=("boolq.EM of acme/assistant regressed",)),
)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("report", [PAIR, thousands(20, 16)], ids=["pair", "20 models"])
def test_metric_size_and_outcome_are_on_the_first_screen(
    browser: Browser, report: Report, width: int
) -> None:
    """Nobody scrolls, in either direction, to see what changed and whether the job fails."""
    text = comment.render(report, limit_bytes=comment.LIMIT_BYTES)
    (seen,) = browser.github(text, {"evaluate": SEEN}, width=width).values
    (heading, _), (outcome, _), (change, _) = seen

    assert [True] * 3 == [is_seen for _, is_seen in seen]
    assert heading == keep_units(report.headline)
    assert outcome.startswith(
        ("The job passed despite the ❌ (fail-on: never): ", "The job failed: ")
    )
    assert change.startswith("▼\N{NO-BREAK SPACE}−1")
