"""The nouns: frozen data that the other modules hand to each other.

Nothing here computes; `null` in a report is `None` here and means "unknown".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


WANDB = "W&B"
"""Name of the output whose receipt says how to go on, and whose link is an output."""
LOCAL_TRACK = "local"
"""Of what is run on the command line, outside of a workflow."""


EACH_INSTANCE = "instance"
"""In `compare.clusters`: every instance is a cluster of its own."""


class Verdict(StrEnum):
    """What a run, or one delta, says about the candidate."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    NO_CHANGE = "no_change"
    UNCLEAR = "unclear"
    UNTESTABLE = "untestable"
    NO_BASELINE = "no_baseline"


class Status(StrEnum):
    """What became of one sink."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, order=True)
class ScoreKey:
    """A metric of a benchmark, written `benchmark.metric` (`mmlu.EM`)."""

    benchmark: str
    metric: str

    @classmethod
    def parse(cls, text: str) -> ScoreKey:
        """The key of `mmlu.EM`; the first dot parts, since metrics may hold dots.

        Raises ValueError where a side is empty.
        """
        benchmark, _, metric = text.partition(".")
        if not benchmark or not metric:
            message = f"{text!r} is not of the form benchmark.metric, as mmlu.EM is"
            raise ValueError(message)
        return cls(benchmark, metric)

    def __str__(self) -> str:
        """The written form, `mmlu.EM`."""
        return f"{self.benchmark}.{self.metric}"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a text file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """The form that editors and terminals make clickable."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HelmEval:
    """One entry of `evals` with `source: helm`: a suite of HELM output."""

    source: ClassVar[str] = "helm"

    place: Place
    places: Mapping[str, Place] = field(default_factory=dict)
    """Key → where its value stands."""
    path: str
    """The entry's JSON path, `$.evals[0]`."""
    helm_output_dir: str
    helm_suite_name: str
    model_name: str | None
    helm_model: str | None
    """A glob over HELM's model ids."""
    token_per_iteration: float | None
    """Billions of tokens."""
    default_iteration: int
    iteration_pattern: str | None
    """A regular expression for `patterns`, with one group, searched in the model id."""
    asked: tuple[ScoreKey, ...]

    def at(self, key: str) -> Place:
        """Where the key's value stands, or the entry where it lacks the key."""
        return self.places.get(key, self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEval:
    """One entry of `evals` with `source: file`: scores in the config itself."""

    source: ClassVar[str] = "file"

    place: Place
    path: str
    """The entry's JSON path, `$.evals[0]`."""
    model_name: str
    token_num: float | None
    """Billions of tokens."""
    default_iteration: int
    eval_result: Mapping[ScoreKey, float | None]
    """None or NaN: asked for, not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEval:
    """One entry of `evals` with `source: report`: reports of other runs, of matrix legs say."""

    source: ClassVar[str] = "report"

    place: Place
    path: str
    """The entry's JSON path, `$.evals[0]`."""
    glob: str
    """Of report files, relative to the working folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How scores are compared, and what closes the gate."""

    alpha: float = 0.05
    """The chance of a false mark, over all comparisons of a run together."""
    min_effect: float = 0.01
    """The smallest change that is worth a mark, in the metric's unit."""
    min_effects: Mapping[ScoreKey, float] = field(default_factory=dict)
    """Where it is another one."""
    lower_is_better: frozenset[ScoreKey] = frozenset()
    """Direction by the user's word; it goes before what artifacts say."""
    higher_is_better: frozenset[ScoreKey] = frozenset()
    """The same for the other direction; no metric is in both."""
    clusters: Mapping[str, str] = field(default_factory=dict)
    """Benchmark → a regular expression for `patterns`, searched in the input text, whose match is
    the cluster; or `instance`, where each instance is its own."""
    floor: Mapping[ScoreKey, float] = field(default_factory=dict)
    """The least value, or where lower is better the greatest, that is accepted."""

    def min_effect_of(self, key: ScoreKey) -> float:
        """The smallest change of this metric that is worth a mark."""
        return self.min_effects.get(key, self.min_effect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A valid configuration; made only by `config.parse`."""

    project: str
    entity: str | None
    base_url: str | None
    evals: tuple[HelmEval | FileEval | ReportEval, ...]
    leaderboard: bool
    leaderboard_metrics: tuple[ScoreKey, ...]
    excluded_models: frozenset[str]
    compare: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """Per-instance scores in columns of equal length, one entry an instance and train trial.

    Their mean, unweighted over the strata's own means, is the score. A column is a tuple, or, of
    a report, packed: read it from its beginning to its end, not by index.
    """

    stratum: Collection[str]
    """Run and sub-split, without the model."""
    id: Collection[str]
    """HELM's instance id; unique within run and trial."""
    trial: Collection[int]
    """HELM's train_trial_index."""
    input: Collection[str | None]
    """8 hex digits of the sha256 of the input text; None where no file holds the text."""
    cluster: Collection[str]
    """Instances of a stratum that share one are not independent of each other."""
    value: Collection[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectScore:
    """A score of one part of a benchmark (an MMLU subject)."""

    value: float
    n: int | None
    """Instances."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One metric's value of one model, as HELM's own cell has it."""

    value: float
    n: int | None
    """Instances over all subjects."""
    lower_is_better: bool | None
    subjects: Mapping[str, SubjectScore]
    partial: str | None = None
    """Why the value must not be compared: it is over fewer subjects than other models'."""
    fingerprint: Mapping[str, object] | None = None
    """Named fields of the scenario and adapter specs, less the model."""
    instances: Instances | None = None
    no_instances: str | None = None
    """Why there are none, where they were looked for."""

    def __post_init__(self) -> None:
        """Refuse NaN and infinities: such a score is a missing one, with its reason."""
        if not math.isfinite(self.value):
            message = f"a score must be finite, not {self.value}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an evaluation was read."""

    source: str
    """`helm`, `file` or `report`."""
    suite: str | None
    token_per_iteration: float | None
    """Billions of tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All scores of one model at one iteration."""

    model: str
    iteration: int
    tokens_billions: float | None
    origin: Origin
    scores: Mapping[ScoreKey, Score]
    missing: Mapping[ScoreKey, str]
    """What was asked for and is not there, with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a source gave."""

    evaluations: tuple[Evaluation, ...]
    faults: tuple[str, ...] = ()
    """Artifacts that could not be read, while others could."""
    notes: tuple[str, ...] = ()
    """What else a reader of the report should know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardRow:
    """A model at its greatest iteration."""

    rank: int | None
    tied: bool
    model: str
    iteration: int
    tokens_billions: float | None
    mean: float | None
    mean_win_rate: float | None
    scores: Mapping[ScoreKey, float | None]
    """One entry for each of the leaderboard's metrics."""
    unranked: str | None
    """Why the model has no rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """Models in the order of their ranks, the unranked ones last."""

    metrics: tuple[ScoreKey, ...]
    """The columns that are shown."""
    ranking_metrics: tuple[ScoreKey, ...]
    """Those of them that make the mean."""
    left_out: Mapping[ScoreKey, str]
    """Those of them that do not, with the reason."""
    rows: tuple[LeaderboardRow, ...]
    untested: str | None = None
    """Which ranks are by the mean alone, and why; None where a test tells who shares each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Which state of the code, and which workflow run, the scores belong to."""

    tool_version: str
    track: str = LOCAL_TRACK
    """Keeps pull requests apart from branches: `branch/NAME`, `pr/N`, `local` …"""
    commit: str | None = None
    ref: str | None = None
    pull_request: int | None = None
    run_url: str | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where the true value lies, by the way that it was made."""

    low: float
    high: float
    level: float
    """The share of such intervals that hold the true value, 0.95."""
    method: str
    """In words, as in `paired t, 12.3 degrees of freedom`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What was asked and answered, cut to snippets; None is unknown."""

    input: str | None = None
    """Its end, where the question stands."""
    reference: str | None = None
    """The correct ones."""
    answer: str | None = None
    """The candidate's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedInstance:
    """An instance whose score is another one now."""

    stratum: str
    id: str
    trial: int
    before: float
    after: float
    texts: Texts = Texts()

    @property
    def place(self) -> tuple[str, str, int]:
        """Which instance and train trial it is, within the runs of a model and a benchmark."""
        return self.stratum, self.id, self.trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One score of the candidate beside the baseline's."""

    key: ScoreKey | None
    """None: the mean over benchmarks."""
    baseline: float
    candidate: float
    difference: float
    """Candidate less baseline, over the instances that both have."""
    lower_is_better: bool | None
    verdict: Verdict
    interval: Interval | None = None
    """Of the difference, not adjusted for the number of comparisons."""
    n: int | None = None
    """Instances that both have."""
    clusters: int | None = None
    p: float | None = None
    p_adjusted: float | None = None
    """Holm's, over all deltas against the baseline in this report."""
    mde: float | None = None
    """The smallest true change that this run would mark with 80 % probability."""
    better: int | None = None
    """Instances whose score is better now, by the metric's direction."""
    worse: int | None = None
    why: str | None = None
    """Why it could not be tested, or what else to know of it."""
    items: tuple[ChangedInstance, ...] | None = None
    """The worst first, the first of `better` and `worse` where these are too many; None: not
    looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a model was compared with."""

    origin: str
    """In words: where it was found."""
    model: str
    iteration: int
    ref: str | None = None
    commit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A model beside its baseline."""

    model: str
    iteration: int
    baseline: Baseline
    overall: Delta | None
    """The mean over the benchmarks that could be compared, where it could be tested."""
    deltas: tuple[Delta, ...]
    not_comparable: Mapping[ScoreKey, str]
    """Scores of either side that cannot stand beside each other, with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether the job passes."""

    closed: bool
    reasons: tuple[str, ...]
    """A sentence for each thing that closes it, or would if it were asked to."""
    accepted_by: str | None = None
    """The label that keeps it open all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is told to anybody; it holds no Markdown."""

    verdict: Verdict
    headline: str
    evaluations: tuple[Evaluation, ...]
    leaderboard: Leaderboard
    notes: tuple[str, ...]
    links: Mapping[str, str]
    provenance: Provenance
    comparisons: tuple[Comparison, ...] = ()
    """Each model's greatest iteration against its baseline."""
    steps: tuple[Comparison, ...] = ()
    """Each model's last iteration against the one before, of this run."""
    gate: Gate | None = None
    unread: int = 0
    """Artifacts that could not be read; the notes tell which."""
    contradictions: int = 0
    """Scores that evaluations tell differently; the notes tell which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of the report at one sink."""

    sink: str
    status: Status
    url: str | None = None
    reason: str | None = None
    """Why it was skipped or failed, and what to do; with `done`, what to know."""
    warnings: tuple[str, ...] = ()
    """What to look at although it is done."""
    exit_code: int = 0
    """What the process ends with because of it."""
    traceback: str | None = None
    """Of a bug of ours, for the log only."""
