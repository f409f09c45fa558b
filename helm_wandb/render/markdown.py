"""A Report → the job summary's Markdown; and how any page is rendered within a budget of bytes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING

from helm_wandb.model import Provenance, Report
from helm_wandb.render import charts, sentences
from helm_wandb.render.pages import pages
from helm_wandb.render.templating import create_environment
from helm_wandb.text.safe_text import Name, link, markdown
from helm_wandb.text.words import keep_units

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from helm_wandb.render.charts import Chart

_PROBLEMS = (500, 50, 10, 3, 1, 0)
"""Problems of a run that are shown if all are too many."""
_OPEN_NOTES = 3
"""Notes that are shown; more of them are folded away."""
_ITEMS = 10
"""Changed questions that the job summary shows of each metric."""


def render(report: Report, *, limit_bytes: int) -> str:
    """The job summary as Markdown of at most `limit_bytes` in UTF-8, saying what was left out.

    Empty where not even the headline fits.
    """
    return render_report(
        report,
        links=list(report.links.items()),
        more="",
        items=_ITEMS,
        drawn=charts.charts(report),
        limit_bytes=limit_bytes,
    )


def render_report(  # noqa: PLR0913 -- what the pages differ in, each by its name
    report: Report,
    *,
    links: Sequence[tuple[str, str]],
    more: str,
    items: int,
    limit_bytes: int,
    drawn: Sequence[Chart] = (),
) -> str:
    """Return the fullest page that fits, else the headline with a link, or nothing.

    links: names and URLs of the other outputs. more: URL of the page that has all of it.
    items: how many changed questions are shown of each metric.
    """
    text_of = partial(
        render_template,
        "page.md.j2",
        report=report,
        baselines=sentences.baselines(report),
        advice=sentences.advice(report),
        links=links,
        more=more,
        open_notes=_OPEN_NOTES,
    )
    # A page that cannot fit is not rendered.
    hopeful = (
        page for page in pages(report, drawn, items=items) if page.least_bytes <= limit_bytes
    )
    texts = chain((text_of(page=page) for page in hopeful), _least(report, more))
    return next((text for text in texts if len(text.encode()) <= limit_bytes), "")


def _least(report: Report, more: str) -> list[str]:
    """Return the shortest texts: the headline, with a link to the rest if there is room."""
    title, place = f"## {markdown(keep_units(report.headline))}\n", "The report JSON has all of it."
    linked = [f"{title}\n{link('All of it is in the job summary.', url=more)}\n"] if more else []
    return [*linked, f"{title}\n{place}\n", title]


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


def render_template(name: str, **values: object) -> str:
    """The template's text, with every value escaped for Markdown."""
    return _environment().get_template(name).render(values)


@cache
def _environment() -> Environment:
    environment = create_environment(_finalize, keep_trailing_newline=True)
    environment.globals.update(name=Name, link=_link)
    return environment


def _finalize(value: object) -> Markup:
    """The value escaped for Markdown, unless the template's own macros made it."""
    from markupsafe import Markup  # noqa: PLC0415 -- it comes with jinja2

    if isinstance(value, Markup):
        return value
    return Markup(markdown(value if isinstance(value, str) else str(value)))  # noqa: S704


def _link(text: str, url: str) -> Markup:
    from markupsafe import Markup  # noqa: PLC0415 -- it comes with jinja2

    return Markup(link(text, url=url))  # noqa: S704 -- both are escaped there
