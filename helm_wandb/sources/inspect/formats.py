"""Inspect's log, as far as it is read.

Format: version 2 of inspect_ai 0.3, log/_log.py. Fields that some versions lack have a default.
What isn't named here, such as events and attachments, is passed over without being decoded.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Metric(msgspec.Struct):
    """A metric's value."""

    name: str = ""
    group: str | None = None
    """The metric that made several values, as `grouped`; `name` is then that of the value."""
    value: Any = None
    params: dict[str, Any] = {}


class EvalScore(msgspec.Struct):
    """The metrics of a scorer, or of one key of its values, for one reducer."""

    name: str
    """The scorer, or the key."""
    scorer: str | None = None
    reducer: str | None = None
    """None: the mean over epochs, or none at all."""
    scored_samples: int | None = None
    unscored_samples: int | None = None
    metrics: dict[str, Metric] = {}
    params: dict[str, Any] = {}


class Results(msgspec.Struct):
    """The results of a log."""

    total_samples: int | None = None
    completed_samples: int | None = None
    scores: list[EvalScore] = []


class Dataset(msgspec.Struct, frozen=True):
    """The questions of a task."""

    name: str | None = None


class EvalConfig(msgspec.Struct, frozen=True):
    """How Inspect was called."""

    limit: Any = None
    epochs: int | None = None
    epochs_reducer: list[str] | None = None
    """Empty if each epoch counts on its own."""
    sample_id: Any = None


class EvalSpec(msgspec.Struct):
    """What was evaluated."""

    task: str
    model: str
    created: str = ""
    task_version: Any = None
    task_args: dict[str, Any] = {}
    dataset: Dataset = Dataset()
    model_generate_config: dict[str, Any] = {}
    model_args: dict[str, msgspec.Raw] = {}
    """May hold whole outputs: only what names the model is decoded."""
    config: EvalConfig = EvalConfig()


class PlanStep(msgspec.Struct):
    """A solver."""

    solver: str
    params: dict[str, Any] = {}


class Plan(msgspec.Struct, frozen=True):
    """The solvers of a task."""

    steps: list[PlanStep] = []
    config: dict[str, Any] = {}


class Header(msgspec.Struct):
    """A log without its samples."""

    eval: EvalSpec
    version: int = 2
    status: str = "started"
    """Absent from what a killed run leaves."""
    invalidated: bool = False
    plan: Plan = Plan()
    results: Results | None = None


class ReducedSample(msgspec.Struct, gc=False):
    """A sample's score over its epochs."""

    sample_id: int | str | None = None
    value: Any = None


class Reduction(msgspec.Struct):
    """The scores of all samples over their epochs, of one scorer and reducer."""

    scorer: str
    samples: list[ReducedSample]
    reducer: str | None = None


class SampleScore(msgspec.Struct, gc=False):
    """A sample's score in one epoch."""

    value: Any = None
    answer: Any = None


class Sample(msgspec.Struct):
    """A question in one epoch, with its scores."""

    id: int | str
    epoch: int = 1
    input: Any = None
    """A text, or a list of messages."""
    choices: Any = None
    target: Any = None
    """A text, or a list of them."""
    metadata: Any = None
    scores: dict[str, SampleScore] | None = None
    """None if the sample failed."""
