"""A saved view of the W&B project: a curve and bars for each metric, one line or bar a model.

Pure. The form is that of W&B's own package wandb-workspaces, with which a test compares it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from helm_wandb.model import Report
from helm_wandb.wandb_runs.layout_names import (
    ITERATION,
    MODEL,
    SUMMARY_RUN,
    TOKENS,
    TRACK,
    score_name,
)

QUERY = "helmwandbaction"
"""The view in a URL of its project: `?nw=helmwandbaction`."""
NAME = f"nw-{QUERY}-v"
"""The view in W&B's table: always the same, so that a project has one."""
TITLE = "Scores by helm-wandb-action"
MOST_METRICS = 100
MODELS_SHOWN = 30
_ID_LENGTH = 11
_FLOW = {
    "snapToColumns": True,
    "columnsPerPage": 3,
    "rowsPerPage": 2,
    "gutterWidth": 16,
    "boxWidth": 460,
    "boxHeight": 300,
}


def report_metrics(report: Report) -> frozenset[str]:
    """Return the names of a report's own scores, as W&B shows them."""
    return frozenset(score_name(key) for one in report.evaluations for key in one.scores)


def report_axis(report: Report) -> str:
    """Return the x-axis: tokens if all evaluations have them, else the iteration."""
    has_tokens = all(one.tokens_billions is not None for one in report.evaluations)
    return TOKENS if has_tokens else ITERATION


def stored_metrics(spec: str) -> frozenset[str]:
    """Return the metrics that a stored view shows; none if it has another form."""
    try:
        sections = json.loads(spec)["section"]["panelBankConfig"]["sections"]
        panels = [panel["config"]["metrics"] for one in sections for panel in one["panels"]]
        return frozenset(name for names in panels for name in names if isinstance(name, str))
    except (ValueError, LookupError, TypeError, RecursionError):
        return frozenset()


def view_spec(metrics: Iterable[str], *, axis: str, tracks: Iterable[str]) -> str:
    """Return the view as W&B stores it: the first metrics by name, of the summary runs.

    axis: the key of the curves' x-axis. tracks: those whose runs are shown.
    """
    names = sorted(metrics)[:MOST_METRICS]
    sections = [
        _section("Curves", [_panel("Run History Line Plot", one, xAxis=axis) for one in names]),
        _section("Models", [_panel("Bar Chart", one, vertical=False) for one in names]),
    ]
    spec = {
        "section": {
            "panelBankConfig": {
                "state": 1,
                "settings": {
                    "autoOrganizePrefix": 2,
                    "showEmptySections": False,
                    "sortAlphabetically": False,
                },
                "sections": sections,
            },
            "panelBankSectionConfig": {
                **_panels("Report Panels", [], smoothing="exponential"),
                "isOpen": False,
                "type": "grid",
            },
            "customRunColors": {},
            "name": "",
            "runSets": [_runs(sorted(tracks))],
            "settings": {
                **_panel_settings("none"),
                "maxRuns": MODELS_SHOWN,
                "pointVisualizationMethod": "bucketing-gorilla",
                "tooltipNumberOfRuns": "default",
                "shouldAutoGeneratePanels": False,
            },
            "openRunSet": 0,
            "openViz": True,
        },
        "vizExpanded": False,
        "libraryExpanded": True,
    }
    return json.dumps(spec)


def _section(name: str, panels: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {**_panels(name, panels, smoothing="none"), "isOpen": True, "type": "flow"}


def _panels(name: str, panels: Sequence[dict[str, Any]], *, smoothing: str) -> dict[str, Any]:
    return {
        "name": name,
        "flowConfig": _FLOW,
        "sorted": 0,
        "localPanelSettings": _panel_settings(smoothing),
        "panels": panels,
        "pinned": False,
    }


def _panel_settings(smoothing: str) -> dict[str, Any]:
    return {
        "smoothingWeight": 0,
        "smoothingType": smoothing,
        "xAxis": "_step",
        "ignoreOutliers": False,
        "useRunsTableGroupingInPanels": True,
        "smoothingActive": smoothing != "none",
        "xAxisActive": False,
    }


def _panel(kind: str, metric: str, **config: object) -> dict[str, Any]:
    """Return a panel whose ID depends on what it shows, so that equal views are equal texts."""
    digest = hashlib.sha256(json.dumps([kind, metric]).encode()).hexdigest()
    return {
        "__id__": digest[:_ID_LENGTH],
        "layout": {"x": 0, "y": 0, "w": 8, "h": 6},
        "viewType": kind,
        "config": {"chartTitle": metric, "metrics": [metric], **config},
    }


def _runs(tracks: Sequence[str]) -> dict[str, Any]:
    """Return the runs that are shown: the summary run of each model, grouped by model."""
    return {
        "id": "",
        "runFeed": {
            "version": 2,
            "columnVisible": {},
            "columnPinned": {},
            "columnWidths": {},
            "columnOrder": [],
            "pageSize": 10,
            "onlyShowSelected": False,
        },
        "enabled": True,
        "name": "Run set",
        "search": {"query": ""},
        "filters": {"filterFormat": "filterV2", "filters": list(_filters(tracks))},
        "grouping": [{"section": "config", "name": f"{MODEL}.value"}],
        "sort": {"keys": [{"key": {"section": "run", "name": "createdAt"}, "ascending": False}]},
        "selections": {"root": 1, "bounds": [], "tree": []},
        "expandedRowAddresses": [],
    }


def _filters(tracks: Sequence[str]) -> Iterator[dict[str, Any]]:
    track, run = {"section": "config", "name": TRACK}, {"section": "run", "name": "displayName"}
    yield {"key": track, "op": "IN", "value": list(tracks), "disabled": False}
    yield {
        "key": run,
        "op": "=",
        "value": SUMMARY_RUN,
        "disabled": False,
        "connector": "AND",
    }
