"""Where HELM puts what: the folders of a suite or a release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helm_wandb.errors import ArtifactError

if TYPE_CHECKING:
    from pathlib import Path

    from helm_wandb.model import HelmEval

_NAMES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class SuiteFolder:
    """The summarized results of one suite or release."""

    summary: Path
    """Holds `groups/` and `run_specs.json`."""
    runs: Path
    """Holds the run directories; may be absent for a release whose runs were not kept."""


def find_suite(spec: HelmEval, *, folder: Path) -> SuiteFolder:
    """The suite `runs/<name>`, or else the release `releases/<name>`, with its `groups/`.

    folder: what a relative `helm_output_dir` is relative to.
    Raises ArtifactError where it is not there, or was not summarized.
    Layout: HELM 0.5.16, presentation/summarize.py (Summarizer.__init__).
    """
    output = _output_folder(spec, folder)
    suite = output / "runs" / spec.helm_suite_name
    release = output / "releases" / spec.helm_suite_name
    for summary in (suite, release):
        if (summary / "groups").is_dir():
            return SuiteFolder(summary=summary, runs=suite)
    if suite.is_dir():
        raise ArtifactError(_not_summarized(spec))
    raise ArtifactError(_no_suite(spec, output))


def _output_folder(spec: HelmEval, folder: Path) -> Path:
    output = folder / spec.helm_output_dir
    if output.is_dir():
        return output
    message = f"{spec.place}: helm_output_dir {spec.helm_output_dir!r} is not a folder. "
    if output.is_absolute() and spec.helm_output_dir.startswith("/"):
        message += (
            "It is an absolute path: inside the action's container only the workspace exists, "
            "as /github/workspace. Give the path relative to the workspace."
        )
    else:
        message += (
            f"It is looked for in {folder.absolute()}: did the step that runs HELM write it there?"
        )
    raise ArtifactError(message)


def _not_summarized(spec: HelmEval) -> str:
    return (
        f"{spec.place}: suite {spec.helm_suite_name!r} has runs, but no groups/ folder: it was "
        f"not summarized. Run `helm-summarize --suite {spec.helm_suite_name} "
        f"--output-path {spec.helm_output_dir}` after helm-run."
    )


def _no_suite(spec: HelmEval, output: Path) -> str:
    found = [
        f"{kind}/{entry.name}"
        for kind in ("runs", "releases")
        if (output / kind).is_dir()
        for entry in sorted((output / kind).iterdir())
        if entry.is_dir()
    ]
    if not found:
        return (
            f"{spec.place}: {spec.helm_output_dir!r} has neither runs/ nor releases/ with a suite "
            "in it. Give the folder that helm-run wrote to (its --output-path)."
        )
    shown = ", ".join(found[:_NAMES_SHOWN]) + (" …" if len(found) > _NAMES_SHOWN else "")
    return (
        f"{spec.place}: no suite or release {spec.helm_suite_name!r} in "
        f"{spec.helm_output_dir!r}. There are: {shown}."
    )
