"""A Report → one HTML page that needs nothing else: no network, no script from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from msgspec.structs import replace

from helm_wandb.comparing.evaluations import group_by_model
from helm_wandb.model import Report, ScoreKey
from helm_wandb.render import changed_instances, deltas, sentences, subjects, tables
from helm_wandb.render.history import history_tables
from helm_wandb.render.html import plots
from helm_wandb.render.html.history_plots import history_plots
from helm_wandb.render.model_names import without_common_owner
from helm_wandb.render.tables import Column, Table
from helm_wandb.render.templating import TEMPLATES, create_environment
from helm_wandb.text.quantities import scores_as_text
from helm_wandb.text.safe_text import Name, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Environment
    from markupsafe import Markup


_MARKS = {"▼": " regressed", "▲": " improved"}
_REASONS = 3
"""Reasons why the job fails, at most; regressions are in the first table too."""
_ROWS_UNSCROLLED = 40
"""Rows of a table that the page shows whole."""
_HEADS_UPRIGHT = 12
"""Columns whose heads are written across; those of more are turned, so that they fit."""
_MODELS_AS_COLUMNS = 24
"""Models that are columns in the table of all scores; more of them are rows."""
_BREAK = re.compile(r"(?<=[_.])(?=\w)")
"""Where a name may go on in the next line."""
_SHORT = 30
"""Characters of a cell that stay on one line."""


def render(report: Report) -> str:
    """The report as HTML: verdict, what changed, plots, tables that can be sorted.

    Its policy lets a browser run the page's own script and nothing else, whatever the names in
    it hold (Content Security Policy, level 3).
    """
    short = without_common_owner(report)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(**_texts(report), **_tables(short), **_plots(short), **_means())
    )


def _texts(report: Report) -> dict[str, object]:
    """Return the page's sentences and links."""
    return {
        "report": report,
        "outcome": sentences.outcome(report, limit=_REASONS),
        "sentences": sentences.summary_sentences(report),
        "advice": sentences.advice(report),
        "baselines": sentences.baselines(report),
        "legend": sentences.legend(report),
        "notes": sentences.page_notes(report),
        "links": _links(report),
    }


def _tables(report: Report) -> dict[str, object]:
    return {
        "changed": deltas.first_tables(report),
        "ranking": deltas.ranking(report),
        "scores": scores(report),
        "folded": [
            *changed_instances.changed(report),
            *subjects.by_subject(report),
            *deltas.other_tables(report),
            *_details(report),
        ],
    }


def _plots(report: Report) -> dict[str, object]:
    return {
        "flagged": plots.flagged(report),
        "subjects": plots.subjects(report),
        "unflagged": plots.unflagged(report),
        "models_shown": plots.MODELS_SHOWN,
        "has_models": len({one.model for one in report.comparisons}) > 1,
        "curves": plots.curves(report),
        "trends": history_plots(report),
    }


def _means() -> dict[str, object]:
    """Return what the template needs for any report: script, style, limits, functions."""
    script, style = _file("report.js"), _file("report.css")
    return {
        "script": script,
        "script_source": _source(script),
        "style": style,
        "style_source": _source(style),
        "rows_unscrolled": _ROWS_UNSCROLLED,
        "heads_upright": _HEADS_UPRIGHT,
        "name": Name,
        "look": _look,
        "is_web": _is_web,
        "row_head": _row_head,
    }


def scores(report: Report) -> Table:
    """Return every score of the latest iterations, in the leaderboard's order.

    Metrics are rows and models are columns; with many models, models are rows.
    """
    values = {row.model: dict(row.scores) for row in report.leaderboard.rows}
    keys = dict.fromkeys(report.leaderboard.metrics)
    lower: set[ScoreKey] = set()
    for model, of_model in group_by_model(report.evaluations).items():
        latest = of_model[-1].scores
        values.setdefault(model, {}).update({key: one.value for key, one in latest.items()})
        keys.update(dict.fromkeys(latest))
        lower.update(key for key, score in latest.items() if score.lower_is_better)
    metrics = [tables.metric_name(key, is_lower_better=key in lower) for key in keys]
    models = [Name(model) for model in values]
    cells = [scores_as_text([of.get(key) for of in values.values()], key) for key in keys]
    if len(models) <= _MODELS_AS_COLUMNS:
        return _grid("Metric", models, metrics, cells)
    return _grid("Model", metrics, models, zip(*cells, strict=True))


def _grid(
    corner: str, heads: Iterable[Name], names: Iterable[Name], cells: Iterable[Iterable[str]]
) -> Table:
    columns = (Column(corner, numeric=False), *map(Column, heads))
    rows = ((name, *row) for name, row in zip(names, cells, strict=True))
    return tables.without_unknown(Table("All scores", columns, tuple(rows)))


def _details(report: Report) -> list[Table]:
    """The curves in numbers, and what has no score or rank."""
    models = group_by_model(report.evaluations)
    several = tuple(one for one in report.evaluations if len(models[one.model]) > 1)
    others = (tables.means_over_runs(report), tables.unranked(report), tables.missing(report))
    curves = tables.scores(replace(report, evaluations=several))
    return [*curves, *history_tables(report), *(table for table in others if table)]


def _links(report: Report) -> list[tuple[str, str]]:
    """The pages that the report is on, and the workflow run; nothing that a browser would run."""
    links = {**report.links, "Workflow run": report.provenance.run_url or ""}
    return [(name, url) for name, url in links.items() if _is_web(url)]


def _is_web(url: str) -> bool:
    """Return whether a browser that follows it runs nothing on this page."""
    return url.startswith(("https://", "http://"))


def _row_head(table: Table) -> int:
    """The column that names a row: the first that holds neither numbers nor verdicts."""
    labels = [one.label for one in table.columns]
    if tables.INSTANCE in labels:
        return labels.index(tables.INSTANCE)
    return [one.numeric or one.label == tables.VERDICT for one in table.columns].index(False)


def _look(cell: str, column: Column) -> str:
    """The classes of a cell; a colour only repeats what its mark says."""
    mark = "" if isinstance(cell, Name) else _MARKS.get(cell[:1], "")
    if column.numeric:
        return f"number{mark}"
    return f"{'short' if len(cell) <= _SHORT else 'long'}{mark}"


def _file(name: str) -> Markup:
    """A file of ours, put into the page as it is."""
    from markupsafe import Markup  # noqa: PLC0415 -- it comes with jinja2

    text = resources.files(TEMPLATES).joinpath("templates", name).read_text("utf-8")
    return Markup(text)  # noqa: S704


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _environment() -> Environment:
    return create_environment(_finalize)


def _finalize(value: object) -> object:
    """The value with nothing invisible in it; a Name as code. Jinja2 escapes it after that."""
    from markupsafe import Markup  # noqa: PLC0415 -- it comes with jinja2

    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    shown = plain(value)
    if not isinstance(value, Name):
        return shown
    return Markup("<code>{}</code>").format(Markup("<wbr>").join(_BREAK.split(shown)))
