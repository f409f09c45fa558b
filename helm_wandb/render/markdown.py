"""A Report → the job summary's Markdown; and how any page is rendered within a budget of bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from helm_wandb.model import Provenance, Report
from helm_wandb.render import charts
from helm_wandb.render.pages import Page, pages
from helm_wandb.text.safe_text import Name, link, markdown

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from helm_wandb.render.charts import Chart

_PROBLEMS = (500, 50, 10, 3, 1, 0)
"""Problems of a run that are shown if all are too many."""
_REST = "The rest does not fit; the report JSON has all."


def render(report: Report, *, limit_bytes: int) -> str:
    """The report as Markdown of at most `limit_bytes` in UTF-8, saying what was left out.

    Empty where not even the headline fits.
    """
    return fit(
        report,
        lambda page: render_template("summary.md.j2", report=report, page=page),
        least=[f"## {markdown(report.headline)}\n\n{_REST}\n"],
        limit_bytes=limit_bytes,
        drawn=charts.charts(report),
    )


def render_unread(problems: Sequence[str], provenance: Provenance, *, limit_bytes: int) -> str:
    """The Markdown of a run of which nothing could be read: why, in at most `limit_bytes`."""
    counts = (len(problems), *(count for count in _PROBLEMS if count < len(problems)))
    texts = (
        render_template(
            "unread.md.j2",
            problems=problems[:count],
            more=len(problems) - count,
            provenance=provenance,
        )
        for count in counts
    )
    return next((text for text in texts if len(text.encode()) <= limit_bytes), "")


def fit(
    report: Report,
    text_of: Callable[[Page], str],
    *,
    least: Sequence[str],
    limit_bytes: int,
    drawn: Sequence[Chart] = (),
) -> str:
    """The fullest page that fits as text, else the first of the least texts that does, or nothing.

    A page that cannot fit is not rendered.
    """
    hopeful = (page for page in pages(report, drawn) if page.least_bytes <= limit_bytes)
    texts = chain(map(text_of, hopeful), least)
    return next((text for text in texts if len(text.encode()) <= limit_bytes), "")


def render_template(name: str, **values: object) -> str:
    """The template's text, with every value escaped for Markdown."""
    return _environment().get_template(name).render(name=Name, link=_link, **values)


@cache
def _environment() -> Environment:
    # Imported here: a terminal needs no templates.
    from jinja2 import PackageLoader, StrictUndefined  # noqa: PLC0415
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415

    environment = SandboxedEnvironment(
        loader=PackageLoader("helm_wandb.render"),
        autoescape=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = _unbroken
    return environment


def _unbroken(cell: str) -> str:
    """A number with its unit and interval, which no narrow column folds; what is aside may be."""
    return cell if "(" in cell else cell.replace(" ", "\N{NO-BREAK SPACE}")


def _finalize(value: object) -> Markup:
    """The value escaped for Markdown, unless the template's own macros made it."""
    from markupsafe import Markup  # noqa: PLC0415 -- it comes with jinja2

    if isinstance(value, Markup):
        return value
    return Markup(markdown(value if isinstance(value, str) else str(value)))  # noqa: S704


def _link(text: str, url: str) -> Markup:
    from markupsafe import Markup  # noqa: PLC0415 -- it comes with jinja2

    return Markup(link(text, url=url))  # noqa: S704 -- both are escaped there
