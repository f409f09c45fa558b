"""The saved view: what is written, against W&B's own package, and what stays."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from helm_wandb.wandb_runs import view
from tests import builders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

METRICS = ("boolq.EM", "mmlu.EM", "wmt.BLEU.4")
TRACKS = ("local", "branch/main")


def spec(*metrics: str, axis: str = "tokens_billions") -> Any:
    """The view of these metrics, decoded."""
    return json.loads(view.view_spec(metrics, axis=axis, tracks=TRACKS))


def without_ids(value: Any) -> Any:
    """The same without the panels' IDs, which the package draws."""
    if isinstance(value, list):
        return [without_ids(one) for one in value]
    if isinstance(value, dict):
        return {key: without_ids(one) for key, one in value.items() if key != "__id__"}
    return value


def test_the_spec_is_golden(golden: Callable[[str, str], None]) -> None:
    """The whole view of two metrics."""
    golden("wandb_view.json", json.dumps(spec("mmlu.EM", "boolq.EM"), indent=1) + "\n")


def test_the_spec_is_that_of_wandb_workspaces(root: Path) -> None:
    """W&B's own package makes the same of a workspace with these panels, filters and groups."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.wandb_workspaces_view"]
    made = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout

    assert without_ids(json.loads(made)) == without_ids(spec(*METRICS))


def test_equal_views_are_equal_texts() -> None:
    """Whatever the order of the metrics; each panel has a different ID."""
    one = view.view_spec(METRICS, axis="iteration", tracks=["a", "b"])
    sections = json.loads(one)["section"]["panelBankConfig"]["sections"]
    ids = [panel["__id__"] for section in sections for panel in section["panels"]]

    assert one == view.view_spec(reversed(METRICS), axis="iteration", tracks=["b", "a"])
    assert 2 * len(METRICS) == len(set(ids))


def test_a_stored_view_has_its_metrics() -> None:
    """What was written is read; a view of any other form shows nothing."""
    text = view.view_spec(METRICS, axis="iteration", tracks=[])
    other = ["", "null", "[]", '{"section": 1}', "[" * 100_000, text.replace("metrics", "metric")]

    assert frozenset(METRICS) == view.stored_metrics(text)
    assert {frozenset()} == {view.stored_metrics(one) for one in other}


def test_so_many_metrics_are_shown() -> None:
    """The first by name."""
    names = [f"b{at:03}.EM" for at in range(view.MOST_METRICS + 5)]

    assert frozenset(names[: view.MOST_METRICS]) == view.stored_metrics(
        view.view_spec(names, axis="iteration", tracks=[])
    )


def test_the_axis_is_that_of_all_models() -> None:
    """Tokens, if all evaluations have them."""
    known = builders.evaluation("alpha", 1, tokens_billions=4.2)
    unknown = builders.evaluation("beta", 1)

    assert ("tokens_billions", "iteration") == (
        view.report_axis(builders.report([known])),
        view.report_axis(builders.report([known, unknown])),
    )


def test_metrics_have_the_names_that_runs_have() -> None:
    """A benchmark that W&B would hide has the name under which it is recorded."""
    report = builders.report([builders.evaluation(scores={"_step.EM": 0.5, "mmlu.EM": 0.5})])

    assert {"benchmark _step.EM", "mmlu.EM"} == view.report_metrics(report)
