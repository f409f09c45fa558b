"""The action's inputs: one table, from which settings, masking and action.yml follow."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace


class CommentMode(StrEnum):
    """When a comment is posted. An existing one is updated, whatever the results."""

    UPDATE = "update"
    """Always."""
    RECREATE = "recreate"
    """Always, at the conversation's end, and the old one is deleted."""
    ON_CHANGE = "on-change"
    """If a score regressed or improved."""
    ON_REGRESSION = "on-regression"
    """If a score regressed."""
    OFF = "off"
    """Never, and none is updated."""


class BaselineChoice(StrEnum):
    """Source of the baseline, as the user chose it."""

    AUTO = "auto"
    """Artifacts, then, for what they lack, W&B."""
    NONE = "none"
    """Nothing is searched, and nothing is missing."""
    ARTIFACT = "artifact"
    WANDB = "wandb"
    FILE = ""
    """A path is given, not a word."""


class Input(Struct, frozen=True, kw_only=True):
    """An input of the action; the runner passes each one as text."""

    name: str = ""
    description: str
    """Description in action.yml."""
    default: str = ""
    """The value if the workflow gives none, or a blank one."""
    expression: str = ""
    """The default in action.yml, if the runner evaluates it."""
    choices: tuple[str, ...] = ()
    """Words that are valid in any case; if there are any, nothing else is, except a path."""
    is_path: bool = False
    """Whether it can be a path in the workspace."""
    is_written: bool = False
    """Whether the action writes a file at that path."""
    is_secret: bool = False
    """Whether its value is masked in the log and removed from everything that is shown."""
    variable: str = ""
    """The environment variable that is used if the input is blank."""

    @property
    def is_flag(self) -> bool:
        """Whether it is a bool."""
        return self.choices == _FLAG

    def value(self, text: str) -> str | bool | None:
        """Return a valid text as the setting: a bool, a text, or None if it is blank."""
        return text == "true" if self.is_flag else text or None


_FLAG = ("true", "false")


def declare(description: str, **properties: Any) -> Any:  # noqa: ANN401 -- a field of any type
    """Return an input's row, which stands in the table where a Struct has its field's default."""
    return Input(description=description, **properties)


class Inputs(Struct, frozen=True, kw_only=True):
    """The table of inputs, and their values in a run; a blank one without a default is None."""

    config: str | None = declare(
        "Path of the YAML config, relative to the workspace. Required unless from-report is set.",
        is_path=True,
    )
    wandb_api_key: str | None = declare(
        "W&B API key, from a secret. If empty, WANDB_API_KEY from the environment is "
        "used. Without either, the run is print-only.",
        is_secret=True,
        variable="WANDB_API_KEY",
    )
    wandb_base_url: str | None = declare(
        "URL of the W&B server. Overrides base_url in the config.",
    )
    wandb_model_artifact: str | None = declare(
        "W&B artifact of the evaluated model, as entity/project/name:alias. The results then show "
        "in its lineage.",
    )
    wandb_view: bool = declare(
        "Whether to save a workspace view with curves and bars in the W&B project, and link it - "
        "true or false. A preview.",
        choices=_FLAG,
        default="false",
    )
    github_token: str | None = declare(
        "Token for the pull request comment and for baselines that are kept as workflow artifacts.",
        expression="${{ github.token }}",
        is_secret=True,
    )
    print_only: str = declare(
        "true - write nothing to W&B. auto - the same if there is no key, as in forks. "
        "false - write; a missing key is an error.",
        default="auto",
        choices=("auto", "true", "false"),
    )
    summary_only: bool = declare(
        "Whether to skip the per-benchmark runs in W&B - true or false.",
        choices=_FLAG,
        default="false",
    )
    comment: str = declare(
        "When to write the pull request comment - update, recreate, on-change, "
        "on-regression, or off.",
        default=CommentMode.UPDATE,
        choices=tuple(CommentMode),
    )
    comment_key: str | None = declare(
        "Identifies the comment if a pull request has several. Default - workflow and job.",
    )
    baseline: str = declare(
        "What to compare with. auto - the base branch's workflow artifact, or its "
        "track in W&B; artifact or wandb - only that one; none; or the path of a report JSON, "
        "relative to the workspace.",
        default=BaselineChoice.AUTO,
        choices=tuple(filter(None, BaselineChoice)),
        is_path=True,
    )
    baseline_artifact: str = declare(
        "Name of the workflow artifact that holds the base branch's report.",
        default="helm-wandb-report",
    )
    on_missing_baseline: str = declare(
        "What to do if there is no baseline, or it lacks a model - warn, or fail (exit 4).",
        default="warn",
        choices=("warn", "fail"),
    )
    fail_on: str = declare(
        "never - scores don't fail the job. regression - exit 4 if a score regressed, "
        "is below its floor, or lacks data that the baseline has.",
        default="never",
        choices=("never", "regression"),
    )
    accept_label: str | None = declare(
        "Pull request label that lets the job pass despite a regression. The comment says so.",
    )
    on_sink_error: str = declare(
        "Whether the job fails or warns if an output can't be written - fail (exit 5), or warn.",
        default="fail",
        choices=("fail", "warn"),
    )
    report: str = declare(
        "Path of the report JSON to write, relative to the workspace.",
        default="helm-wandb-report.json",
        is_path=True,
        is_written=True,
    )
    html: str | None = declare(
        "Path of the HTML report to write, relative to the workspace. If empty, none is written.",
        is_path=True,
        is_written=True,
    )
    badge: str | None = declare(
        "Path of a badge's JSON to write, relative to the workspace. shields.io's endpoint shows "
        "it. If empty, none is written.",
        is_path=True,
        is_written=True,
    )
    from_report: str | None = declare(
        "Path of a report JSON that an untrusted run wrote. It is published instead "
        "of reading evaluations.",
        is_path=True,
    )

    def __repr__(self) -> str:
        """Return a text without the values, since some are secret."""
        return f"{type(self).__name__}()"


def inputs_of(table: type[Inputs]) -> tuple[Input, ...]:
    """Return the table's inputs, each with its name: the field's, with hyphens."""
    return tuple(
        replace(row, name=name.replace("_", "-"))
        for name, row in zip(table.__struct_fields__, table.__struct_defaults__, strict=True)
    )


INPUTS = inputs_of(Inputs)
