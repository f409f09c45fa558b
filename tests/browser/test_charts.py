"""The job summary's charts, as mermaid draws them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from helm_wandb.model import ScoreKey
from helm_wandb.render.charts import charts
from tests import builders
from tests.golden_reports import HOSTILE_NAMES, REPORTS
from tests.test_text_safe_text import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helm_wandb.model import Report
    from tests.browser.browser import Browser

OF_MERMAID = (
    '%%{init: {"theme": "forest"}}%%',
    "%% a comment",
    '"]\n  bar [1, 2]\n  title "',
    "```\n# x\n```",
    "#35; #quot; #x;",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "click a call alert(1)",
    "$$x^2$$",
    "`*markdown*`",
    "---\ntitle: x\n---",
    "end title x-axis y-axis line bar",
    "[1] --> {2} ; ,",
    "accTitle: x",
    "\\",
)
ELEMENT = re.compile(r"<(\w+)")
NAMES = tuple(filter(None, (*OF_MERMAID, *HOSTILE, *HOSTILE_NAMES)))
VALUES = ((0.5, 0.25), (0.0, 0.0), (1.0, 1.0), (-3.5, -7.0), (-1e12, 1e12), (1e-9, 2e-9), (0, -0.0))


def named(model: str, metric: str, values: Sequence[float] = (0.5, 0.25, 0.75)) -> Report:
    """Curves and bars of two models, one of this name."""
    key = ScoreKey.parse(f"x.{metric}")
    return builders.report(
        [
            builders.evaluation(name, at, {str(key): value})
            for name in (model, "other")
            for at, value in enumerate(values)
        ],
        metrics=[key],
    )


def faults(browser: Browser, reports: Sequence[Report]) -> list[tuple[str, str]]:
    """The diagrams that mermaid refuses, or draws no numbers of, and why."""
    diagrams = [one.diagram for report in reports for one in charts(report)]
    assert len(diagrams) >= len(reports)
    drawn = browser.diagrams(diagrams)
    return [(diagram, fault) for diagram, (fault, _) in zip(diagrams, drawn, strict=True) if fault]


def test_mermaid_refuses_what_is_wrong(browser: Browser) -> None:
    """A string that ends too early is a fault: the other tests can fail."""
    ((fault, _),) = browser.diagrams(['xychart-beta\n  title "a"b"\n  line [1, 2]'])

    assert fault
    assert "Parse error" in fault


def test_mermaid_draws_reports(browser: Browser) -> None:
    """Every chart of every report is drawn."""
    reports = [REPORTS[name] for name in ("curve", "models", "compared", "left_out", "project")]

    assert [] == faults(browser, reports)


def test_mermaid_draws_any_values(browser: Browser) -> None:
    """Equal, negative, tiny and huge values have their places."""
    assert [] == faults(browser, [named("a", "b", values) for values in VALUES])


def test_mermaid_draws_any_names(browser: Browser) -> None:
    """A hostile name is a label: it neither ends the diagram nor changes how it is drawn."""
    assert [] == faults(browser, [named(name, name) for name in NAMES])


def test_names_stay_words(browser: Browser) -> None:
    """A name adds no element to what mermaid draws, and takes none from it."""
    diagrams = [charts(named("x", name))[0].diagram for name in ("x", *NAMES)]
    (_, usual), *drawn = browser.diagrams(diagrams)

    for name, (_, svg) in zip(NAMES, drawn, strict=True):
        assert ELEMENT.findall(usual) == ELEMENT.findall(svg), name
