"""`python -m tests.wandb_workspaces_view`: our view as W&B's own package writes it.

It runs in a separate process, since the package warns when it is imported, and loads the SDK.
"""

from __future__ import annotations

import sys

from wandb_workspaces import workspaces
from wandb_workspaces.reports.v2.interface import BarPlot, LinePlot

METRICS = ("boolq.EM", "mmlu.EM", "wmt.BLEU.4")
TRACKS = ("branch/main", "local")
MODELS_SHOWN = 30


def spec() -> str:
    """The view's content, without what is not set."""
    workspace = workspaces.Workspace(
        entity="team",
        project="llm",
        sections=[
            workspaces.Section(
                name="Curves",
                is_open=True,
                panels=[LinePlot(title=one, x="tokens_billions", y=[one]) for one in METRICS],
            ),
            workspaces.Section(
                name="Models",
                is_open=True,
                panels=[BarPlot(title=one, metrics=[one]) for one in METRICS],
            ),
        ],
        settings=workspaces.WorkspaceSettings(max_runs=MODELS_SHOWN),
        runset_settings=workspaces.RunsetSettings(
            filters=f"Config('track') in {list(TRACKS)} and Metric('displayName') == 'summary'",
            groupby=[workspaces.Config("model")],
        ),
    )
    # Its save() needs a server.
    view = workspace._to_model()  # noqa: SLF001 -- as said above
    return str(view.spec.model_dump_json(by_alias=True, exclude_none=True))


if __name__ == "__main__":
    sys.stdout.write(spec())
