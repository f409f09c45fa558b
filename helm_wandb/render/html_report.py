"""A Report → one HTML page that needs nothing else: no network, no script from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from helm_wandb.render import deltas, plots, sentences, tables
from helm_wandb.render.safe_text import Name, plain

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from helm_wandb.model import Report

_TEMPLATES = "helm_wandb.render"


def render(report: Report) -> str:
    """The report as HTML: verdict, what changed, plots, a leaderboard that can be sorted, scores.

    Its policy lets a browser run the page's own script and nothing else, whatever the names in
    it hold (Content Security Policy, level 3).
    """
    script, style = _file("report.js"), _file("report.css")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            changed=deltas.first(report),
            leaderboard=deltas.leaderboard(report),
            others=deltas.rest(report),
            details=tables.details(report),
            sentences=sentences.of(report),
            reading=[*sentences.reading(report), tables.ranking_rule(report)],
            whiskers=[found for one in report.comparisons if (found := plots.whiskers(one))],
            curves=plots.curves(report),
            width=plots.WIDTH,
            polyline=plots.polyline,
            links=_links(report),
            script=script,
            script_source=_source(script),
            style=style,
            style_source=_source(style),
            name=Name,
        )
    )


def _links(report: Report) -> list[tuple[str, str]]:
    """The pages that the report is on, and the workflow run; nothing that a browser would run."""
    found = {**report.links, "Workflow run": report.provenance.run_url or ""}
    return [(name, url) for name, url in found.items() if url.startswith(("https://", "http://"))]


def _file(name: str) -> Markup:
    """A file of ours, put into the page as it is."""
    from markupsafe import Markup  # noqa: PLC0415 -- it comes with jinja2

    text = resources.files(_TEMPLATES).joinpath("templates", name).read_text("utf-8")
    return Markup(text)  # noqa: S704


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _environment() -> Environment:
    # Imported here: only who asks for the page pays for it.
    from jinja2 import PackageLoader, StrictUndefined  # noqa: PLC0415
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415

    return SandboxedEnvironment(
        loader=PackageLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _finalize(value: object) -> object:
    """The value with nothing invisible in it; a Name as code. Jinja2 escapes it after that."""
    from markupsafe import Markup  # noqa: PLC0415 -- it comes with jinja2

    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    shown = plain(value)
    return Markup("<code>{}</code>").format(shown) if isinstance(value, Name) else shown
