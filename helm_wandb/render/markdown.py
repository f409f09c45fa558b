"""A Report → GitHub Markdown, within a budget of bytes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from helm_wandb.render import deltas, tables
from helm_wandb.render.safe_text import Name, link, markdown

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from helm_wandb.model import Report
    from helm_wandb.render.tables import Table

_LIMITS = (None, 500, 200, 100, 50, 20, 10, 5)
"""Rows a table, tables and notes there may be, tried in this order until the text fits."""


def render(report: Report, *, limit_bytes: int) -> str:
    """The report as Markdown of at most `limit_bytes` in UTF-8, saying what was left out.

    Empty where not even that fits.
    """
    texts = (_render(report, limit) for limit in _LIMITS)
    least = f"## {markdown(report.headline)}\n\nThe rest does not fit; the report JSON has all.\n"
    fitting = (text for text in (*texts, least) if len(text.encode()) <= limit_bytes)
    return next(fitting, "")


def _render(report: Report, limit: int | None) -> str:
    leaderboard = tables.leaderboard(report)
    cut = (
        f"Shown in part: at most {limit} rows of each table, of the leaderboard's "
        f"{len(leaderboard.rows)}; the report JSON has all."
    )
    return (
        _environment()
        .get_template("summary.md.j2")
        .render(
            report=report,
            leaderboard=_cut(leaderboard, limit),
            sentences=deltas.sentences(report, limit),
            first=[_cut(table, limit) for table in deltas.first(report)],
            rest=[_cut(table, limit) for table in deltas.rest(report)[:limit]],
            tables=[_cut(table, limit) for table in tables.details(report)[:limit]],
            ranking_rule=tables.ranking_rule(report),
            notes=report.notes[:limit],
            cut=cut if limit is not None else "",
            name=Name,
            link=link,
        )
    )


def _cut(table: Table, limit: int | None) -> Table:
    return replace(table, rows=table.rows[:limit])


@cache
def _environment() -> Environment:
    # Imported here: a terminal needs no templates.
    from jinja2 import PackageLoader, StrictUndefined  # noqa: PLC0415
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415

    return SandboxedEnvironment(
        loader=PackageLoader("helm_wandb.render"),
        autoescape=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _finalize(value: object) -> Markup:
    """The value escaped for Markdown, unless the template's own macros made it."""
    from markupsafe import Markup  # noqa: PLC0415 -- it comes with jinja2

    if isinstance(value, Markup):
        return value
    return Markup(markdown(value if isinstance(value, str) else str(value)))  # noqa: S704
