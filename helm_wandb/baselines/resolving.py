"""The story of a baseline: what was asked for, where it is looked for, what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from helm_wandb.baselines import pairs, telling
from helm_wandb.baselines.artifacts import Wanted, in_artifacts
from helm_wandb.baselines.base import base
from helm_wandb.baselines.found import Found, NotTaken, Unavailable
from helm_wandb.baselines.track import in_track

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from helm_wandb.baselines.base import Base
    from helm_wandb.comparing.verdicts import Partner
    from helm_wandb.github_api.messages import Github
    from helm_wandb.model import Evaluation
    from helm_wandb.runner.event import Trigger
    from helm_wandb.wandb_runs.project_models import WandbProject


class Choice(StrEnum):
    """Where the user wants a baseline to come from."""

    AUTO = "auto"
    """Artifacts, then, for what they lack, W&B."""
    ARTIFACT = "artifact"
    WANDB = "wandb"
    FILE = "file"
    NONE = "none"
    """Nothing is looked for, and nothing is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user wants to compare with, and where it can be looked for."""

    choice: Choice
    file: Found | None = None
    """Read already, so that a wrong path ends the run before it begins."""
    artifact: str = "helm-wandb-report"
    """The name of the workflow artifacts."""
    report: str = "helm-wandb-report.json"
    """Where this run's own report is written, for the advice on how to get a baseline."""
    trigger: Trigger | None = None
    """None outside of a workflow."""
    github: Github | None = None
    """None without a token."""
    project: WandbProject | None = None
    """None without a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What this run's models are compared with."""

    found: tuple[Found, ...] = ()
    """Those that serve a benchmark, the nearest first."""
    partners: tuple[Partner, ...] = ()
    notes: tuple[str, ...] = ()
    """Always to be told: which baseline it is, what was not taken, and why there is none."""
    missing_reason: str | None = None
    """Why there is none, where one was wanted: the notes as one text."""


def resolve(candidates: Sequence[Evaluation], asked: Asked) -> Resolved:
    """The baselines of this run's models, of each benchmark the first that was asked alike.

    Nothing that goes wrong on the way ends the run: it is told.
    """
    found: list[Found] = []
    passed: list[NotTaken] = []
    if asked.choice is Choice.NONE or not candidates:
        return Resolved()
    for one in _looked_up(candidates, asked):
        if isinstance(one, NotTaken):
            passed.append(one)
            continue
        found.append(one)
        if not pairs.unserved(candidates, found):
            break
    return _resolved(candidates, found, passed, asked)


def _resolved(
    candidates: Sequence[Evaluation],
    found: Sequence[Found],
    passed: Sequence[NotTaken],
    asked: Asked,
) -> Resolved:
    partners = pairs.partners(candidates, *found)
    used = tuple(one for one in found if any(one.is_of(partner.told) for partner in partners))
    apart = telling.notes(candidates, *(used or found))
    if not used:
        # Where the search itself failed, there may be one.
        is_mended_so = asked.choice is not Choice.FILE and not any(one.is_fault for one in passed)
        advice = (_how_to_get_one(asked),) if is_mended_so else ()
        whys = (one.why for one in passed)
        told = ("There is no baseline.", *whys, *apart, *advice)
        return Resolved(notes=told, missing_reason=" ".join(told))
    faults = (one.why for one in passed if one.is_fault)
    return Resolved(
        found=used, partners=partners, notes=(*telling.named(found, partners), *faults, *apart)
    )


def _looked_up(candidates: Sequence[Evaluation], asked: Asked) -> Iterator[Found | NotTaken]:
    """All that can be found, in the order in which it counts; each only when it is asked for."""
    if asked.file:
        yield asked.file
    place = _base(asked) if asked.choice in {Choice.AUTO, Choice.ARTIFACT} else None
    if isinstance(place, NotTaken):
        yield place
    elif place and asked.github and asked.trigger:
        wanted = Wanted(base=place, name=asked.artifact, own_runs=asked.trigger.own_runs)
        yield from in_artifacts(wanted, asked.github)
    if asked.choice in {Choice.AUTO, Choice.WANDB}:
        known = None if place is None or isinstance(place, NotTaken) else place.branch
        yield from _in_wandb(candidates, asked, known)


def _base(asked: Asked) -> Base | NotTaken:
    """Where the search in artifacts begins."""
    if asked.trigger is None:
        return _unsearched("Workflow artifacts can be searched in a workflow only.")
    if asked.github is None:
        return _unsearched("Workflow artifacts were not searched: input github-token is empty.")
    try:
        return base(asked.trigger, asked.github)
    except Unavailable as why:
        return NotTaken(f"Workflow artifacts were not searched. {why}")


def _in_wandb(
    candidates: Sequence[Evaluation], asked: Asked, branch: str | None
) -> Iterator[Found | NotTaken]:
    if branch is None and asked.trigger:
        branch = asked.trigger.likely_base
    if asked.project is None:
        yield _unsearched("W&B was not searched: there is no key for it, or nothing is to be sent.")
    elif branch is None:
        yield _unsearched("W&B was not searched: the event names no base branch.")
    else:
        own_runs = asked.trigger.own_runs if asked.trigger else ()
        yield from in_track(branch, candidates, asked.project, own_runs=own_runs)


def _unsearched(why: str) -> NotTaken:
    """A place that was not set up to be searched, which matters only where nothing is found."""
    return NotTaken(why, is_fault=False)


def _how_to_get_one(asked: Asked) -> str:
    if asked.choice is Choice.WANDB:
        return "To get one, let the workflow run with a W&B key on pushes to the base branch."
    branch = (asked.trigger.likely_base if asked.trigger else None) or "the base branch"
    return (
        f"To get one, let the workflow run on pushes to {branch}, with a step "
        "after this action that has `uses: actions/upload-artifact@v7`, "
        f"`with: {{name: {asked.artifact}, path: {asked.report}}}`."
    )
