"""A Report → GitHub Markdown, within a budget of bytes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from helm_wandb.render import tables
from helm_wandb.render.safe_text import Name, markdown

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from helm_wandb.model import Report
    from helm_wandb.render.tables import Table

_ROW_LIMITS = (None, 200, 50, 10, 0)
"""Rows a table may have, tried in this order until the text fits."""


def render(report: Report, *, limit_bytes: int) -> str:
    """The report as Markdown of at most `limit_bytes` in UTF-8, saying what was left out."""
    texts = (_render(report, row_limit) for row_limit in _ROW_LIMITS)
    least = f"## {markdown(report.headline)}\n\nThe rest does not fit; the report JSON has all.\n"
    return next((text for text in texts if len(text.encode()) <= limit_bytes), least)


def _render(report: Report, row_limit: int | None) -> str:
    shown = [*tables.scores(report), tables.unranked(report), tables.missing(report)]
    leaderboard = tables.leaderboard(report)
    rows = len(leaderboard.rows)
    cut = f"Shown in part: {rows} rows do not fit here; the report JSON has all."
    return (
        _environment()
        .get_template("summary.md.j2")
        .render(
            report=report,
            leaderboard=_cut(leaderboard, row_limit),
            tables=[_cut(table, row_limit) for table in shown if table is not None],
            ranking_rule=tables.ranking_rule(report),
            cut=cut if row_limit is not None else "",
            origin=_origin(report),
        )
    )


def _cut(table: Table, row_limit: int | None) -> Table:
    return replace(table, rows=table.rows[:row_limit])


def _origin(report: Report) -> str:
    provenance = report.provenance
    told = {
        "commit": (provenance.commit or "")[:7],
        "track": provenance.track,
        "helm-wandb-action": provenance.tool_version,
    }
    return Name(", ".join(f"{what} {value}" for what, value in told.items() if value))


@cache
def _environment() -> Environment:
    # Imported here: a terminal needs no templates.
    from jinja2 import PackageLoader, StrictUndefined  # noqa: PLC0415
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415

    return SandboxedEnvironment(
        loader=PackageLoader("helm_wandb.render"),
        autoescape=True,
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
