"""The action's inputs: one table, from which settings, masking and action.yml follow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """An input of the action; the runner passes each one as text."""

    name: str
    description: str
    """As in action.yml."""
    default: str = ""
    """The value if the workflow gives none, or a blank one."""
    expression: str = ""
    """What action.yml has as the default, if the runner evaluates it."""
    choices: tuple[str, ...] = ()
    """Words that are valid in any case; if there are any, nothing else is, except a path."""
    is_path: bool = False
    """Whether it can be a path in the workspace."""
    is_secret: bool = False
    """Whether its value is masked in the log and removed from everything that is shown."""
    variable: str = ""
    """The environment variable that is used if the input is blank."""

    @property
    def declared_default(self) -> str:
        """The default in action.yml."""
        return self.expression or self.default


INPUTS = (
    Input(
        name="config",
        description="Path of the YAML config, relative to the workspace. Required unless "
        "from-report is set.",
        is_path=True,
    ),
    Input(
        name="wandb-api-key",
        description="W&B API key, from a secret. If empty, WANDB_API_KEY from the environment is "
        "used. Without either, the run is print-only.",
        is_secret=True,
        variable="WANDB_API_KEY",
    ),
    Input(
        name="wandb-base-url",
        description="URL of the W&B server. Overrides base_url in the config.",
    ),
    Input(
        name="github-token",
        description="Token for the pull request comment and for baselines that are kept as "
        "workflow artifacts.",
        expression="${{ github.token }}",
        is_secret=True,
    ),
    Input(
        name="print-only",
        description="Whether to write nothing to W&B. auto - if there is no key, as in forks; "
        "true; false - a missing key is an error.",
        default="auto",
        choices=("auto", "true", "false"),
    ),
    Input(
        name="summary-only",
        description="Whether to skip the per-benchmark runs in W&B - true or false.",
        default="false",
        choices=("true", "false"),
    ),
    Input(
        name="comment",
        description="When to write the pull request comment - update, recreate, on-change, "
        "on-regression, or off.",
        default="update",
        choices=("update", "recreate", "on-change", "on-regression", "off"),
    ),
    Input(
        name="comment-key",
        description="Identifies the comment if a pull request has several. Default - workflow "
        "and job.",
    ),
    Input(
        name="baseline",
        description="What to compare with. auto - the base branch's workflow artifact, or its "
        "track in W&B; artifact or wandb - only that one; none; or the path of a report JSON, "
        "relative to the workspace.",
        default="auto",
        choices=("auto", "none", "artifact", "wandb"),
        is_path=True,
    ),
    Input(
        name="baseline-artifact",
        description="Name of the workflow artifact that holds the base branch's report.",
        default="helm-wandb-report",
    ),
    Input(
        name="on-missing-baseline",
        description="What to do if there is no baseline - warn, or fail (exit 4).",
        default="warn",
        choices=("warn", "fail"),
    ),
    Input(
        name="fail-on",
        description="When the job fails because of scores. never; regression - exit 4 if a score "
        "regressed or is below its floor.",
        default="never",
        choices=("never", "regression"),
    ),
    Input(
        name="accept-label",
        description="Pull request label that lets the job pass despite a regression. The comment "
        "says so.",
    ),
    Input(
        name="on-sink-error",
        description="Whether the job fails or warns if an output can't be written - fail (exit "
        "5), or warn.",
        default="fail",
        choices=("fail", "warn"),
    ),
    Input(
        name="report",
        description="Path of the report JSON to write, relative to the workspace.",
        default="helm-wandb-report.json",
        is_path=True,
    ),
    Input(
        name="html",
        description="Path of the HTML report to write, relative to the workspace. If empty, none "
        "is written.",
        is_path=True,
    ),
    Input(
        name="from-report",
        description="Path of a report JSON that an untrusted run wrote. It is published instead "
        "of reading evaluations.",
        is_path=True,
    ),
)
