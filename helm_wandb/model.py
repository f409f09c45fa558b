"""The nouns: frozen data that all other modules use.

They compute nothing but HELM's aggregate. `null` in a report is `None` here and means "unknown".
The report's JSON has the fields of Report, and of all nouns in it, in the order that they stand
here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any, Self

from msgspec import Struct, field

WANDB = "W&B"
"""Name of the output whose receipt says how to go on, and whose link is an output."""
LOCAL_TRACK = "local"
"""Track of runs on the command line, outside of a workflow."""
EACH_INSTANCE = "instance"
"""Value in `compare.clusters`: each instance is one cluster."""
DEFAULT_EFFECT = "default"
"""Key in `compare.min_effect`: the value of all metrics that don't have one."""
_TOLERANCE = 1e-9


class Verdict(StrEnum):
    """The result of a run, or of one delta, for the candidate."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    NO_CHANGE = "no_change"
    INCONCLUSIVE = "inconclusive"
    UNTESTABLE = "untestable"
    NO_BASELINE = "no_baseline"

    @property
    def is_flagged(self) -> bool:
        """Whether it is a significant change of a relevant size."""
        return self in (Verdict.REGRESSED, Verdict.IMPROVED)


class Status(StrEnum):
    """Whether an output was written."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class RoutineNote(str):
    """A note for the log and the report JSON: pages say the same elsewhere, or need not."""

    __slots__ = ()


class BaselineNote(RoutineNote):
    """A note for the report JSON that names the baseline, as every other output does at its top."""

    __slots__ = ()


class ScoreKey(str):
    """A metric of a benchmark: the text `benchmark.metric` (`mmlu.EM`), and its two parts."""

    __slots__ = ("benchmark", "metric")

    benchmark: str
    metric: str

    def __new__(cls, benchmark: str, metric: str) -> Self:
        """Join the parts; only the metric may hold a dot."""
        key = super().__new__(cls, f"{benchmark}.{metric}")
        key.benchmark = benchmark
        key.metric = metric
        return key

    # Pickle and redaction make a key from these; those of `str` are the whole text.
    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        """Return the arguments that make an equal key."""
        return self.benchmark, self.metric

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key for `mmlu.EM`; the first dot separates, since metrics may hold dots.

        Raises ValueError if a side is empty.
        """
        benchmark, _, metric = text.partition(".")
        if not benchmark or not metric:
            raise ValueError(f"{text!r} must have the form benchmark.metric, such as mmlu.EM")
        return cls(benchmark, metric)


class Place(Struct, frozen=True):
    """A place in a text file; line and column count from 1, and are 0 for the whole file."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return the form that editors and terminals make clickable."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class EvalEntry(Struct, frozen=True, kw_only=True):
    """One entry of `evals`: which source has the evaluations, and where."""

    source: str
    """A key of `sources.SOURCES`."""
    fields: Mapping[str, Any]
    """Keys and values, as the schema accepts them for this source."""
    path: str
    """The entry's JSON path, `$.evals[0]`."""
    place: Place
    places: Mapping[str, Place] = field(default_factory=dict)
    """Place of each key's value."""


class FirstEntry(Struct, frozen=True, kw_only=True):
    """An entry of `evals` for somebody who has no config yet."""

    name: str = ""
    """The suite's; only HELM's output has suites."""
    yaml: str
    score_keys: tuple[ScoreKey, ...]
    """The scores that it reads."""
    without_value: tuple[ScoreKey, ...] = ()
    """Scores that the output names, and has no number for: NaN, for example."""


class Policy(Struct, frozen=True, kw_only=True):
    """How scores are compared, and which results fail the job."""

    alpha: float = 0.05
    """Family-wise error rate of all comparisons of a run."""
    min_effect: float = 0.01
    """The smallest change that is flagged, in the metric's unit."""
    min_effects: Mapping[ScoreKey, float] = field(default_factory=dict)
    """Exceptions from `min_effect`."""
    lower_is_better: frozenset[ScoreKey] = frozenset()
    """Direction by the config, which overrides the artifacts'."""
    higher_is_better: frozenset[ScoreKey] = frozenset()
    """The other direction; no metric is in both."""
    warn_only: frozenset[str] = frozenset()
    """Benchmarks and metrics that are compared and shown, and never fail the job."""
    clusters: Mapping[str, str] = field(default_factory=dict)
    """Benchmark → a regular expression for `patterns`, searched in the input text, whose match is
    the cluster; or `instance`, if each instance is one; or a field, as lm-eval's
    `doc.passage` or Inspect's `metadata.author`.
    """
    baseline_reports: int = 1
    """Reports of the base branch that a baseline is the mean of, at most."""
    floor: Mapping[ScoreKey, float] = field(default_factory=dict)
    """The minimum score, or the maximum if lower is better."""

    def min_effect_of(self, key: ScoreKey) -> float:
        """Return the smallest change of this metric that is flagged."""
        return self.min_effects.get(key, self.min_effect)

    def is_warn_only(self, key: ScoreKey) -> bool:
        """Return whether the metric, or its benchmark, never fails the job."""
        return not self.warn_only.isdisjoint((key, key.benchmark))


class ConfigName(Struct, frozen=True, kw_only=True):
    """A metric, benchmark or model that the config names, outside of `evals`."""

    name: str
    """`mmlu.EM`, `mmlu` or `llama-7b`; `default` for the `min_effect` of all other metrics."""
    key: str
    """The key that it stands under, as `floor`."""
    path: str
    """Its JSON path, `$.compare.floor["mmlu.EM"]`."""
    place: Place


class Config(Struct, frozen=True, kw_only=True):
    """A valid configuration; made only by `config.parse`."""

    project: str
    entity: str | None
    base_url: str | None
    evals: tuple[EvalEntry, ...]
    leaderboard: bool
    leaderboard_metrics: tuple[ScoreKey, ...]
    excluded_models: frozenset[str]
    compare: Policy = field(default_factory=Policy)
    names: tuple[ConfigName, ...] = ()
    """Names under `compare`, `leaderboard_metrics` and `excluded_models`."""

    @property
    def benchmarks(self) -> frozenset[str]:
        """The benchmarks that the entries of `evals` name, so that a missing one is a loss."""
        fields = [entry.fields for entry in self.evals]
        named = (benchmark["name"] for one in fields for benchmark in one.get("benchmarks", ()))
        given = (name for one in fields for name in one.get("eval_result", ()))
        return frozenset((*named, *given))


class Instances(Struct, frozen=True, kw_only=True, eq=False):  # noqa: PLW1641 -- columns are no keys
    """Per-instance scores in columns of equal length, one entry an instance and train trial.

    Their mean, unweighted over the strata's own means, is the score. A column is a tuple, or, of
    a report, packed: read it from its beginning to its end, not by index.
    """

    stratum: Collection[str]
    """Run and sub-split, without the model."""
    id: Collection[str]
    """The harness's id of the instance; in HELM unique within run and trial."""
    trial: Collection[int]
    """HELM's train_trial_index."""
    input: Collection[str | None]
    """8 hex digits of the sha256 of the input text; None if no file holds the text."""
    cluster: Collection[str]
    """Instances of a stratum that share one are not independent of each other."""
    value: Collection[float]
    answer: Collection[str | None] | None = None
    """The model's answers, for a later run whose baseline this is; None is unknown. They belong to
    the benchmark, so only one of its scores has them."""

    def places(self) -> Iterator[tuple[str, str, int]]:
        """Yield stratum, id and trial of each instance."""
        return zip(self.stratum, self.id, self.trial, strict=True)

    def __eq__(self, other: object) -> bool:
        """Return whether all columns but the answers are equal."""
        return isinstance(other, Instances) and all(
            getattr(self, name) == getattr(other, name) for name in SCORE_COLUMNS
        )

    def mean(self) -> float:
        """Return the unweighted mean over the strata of the means within them, HELM's aggregate.

        The instances must be one or more.
        """
        if len(set(self.stratum)) == 1:
            return mean(self.value)
        strata: dict[str, list[float]] = {}
        for stratum, value in zip(self.stratum, self.value, strict=True):
            strata.setdefault(stratum, []).append(value)
        return mean([mean(values) for values in strata.values()])

    def has_mean(self, value: float) -> bool:
        """Return whether the mean is the value, to 1e-9."""
        return is_close(self.mean(), value)


SCORE_COLUMNS = tuple(name for name in Instances.__struct_fields__ if name != "answer")
"""Columns that a score is made of."""


def mean(values: Collection[float]) -> float:
    """Return the mean of one value or more, the same to the last digit in any order."""
    try:
        return math.fsum(values) / len(values)
    except OverflowError:  # the sum is beyond all floats, though the mean cannot be
        return math.fsum(value / len(values) for value in values)
    except ValueError:  # infinities of both signs
        return math.nan


def variance(values: Collection[float]) -> float:
    """Return the variance of a sample of two values or more; infinity if no float holds it."""
    middle, count = mean(values), len(values)
    # A product overflows to infinity; a power would raise.
    return mean([(value - middle) * (value - middle) for value in values]) * count / (count - 1)


def finite_number(value: object) -> float | None:
    """Return a value as a finite float, or None if it is not one; JSON's integers have any size."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def is_close(one: float, other: float) -> bool:
    """Return whether two numbers differ only by the rounding of sums."""
    return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)


class Repeats(Struct, frozen=True, kw_only=True):
    """Several runs of one checkpoint, whose mean a score is."""

    values: tuple[float, ...]
    """The score of each run; two or more."""
    within: float
    """Part of the variance of these values that comes from answers which change from run to run,
    each by itself; the rest moves whole runs."""


class SubjectScore(Struct, frozen=True, kw_only=True):
    """The score of one part of a benchmark, such as an MMLU subject."""

    value: float
    n: int | None
    """Instances."""


class Score(Struct, frozen=True, kw_only=True):
    """One metric's value of one model: the harness's own number."""

    value: float
    n: int | None
    """Instances over all subjects."""
    lower_is_better: bool | None
    subjects: Mapping[str, SubjectScore]
    partial: str | None = None
    """Why the value must not be compared: it is over fewer subjects than other models'."""
    fingerprint: Mapping[str, object] | None = None
    """Named fields of the scenario and adapter specs, less the model."""
    no_instances: str | None = None
    """Why there are none, if they were to be read."""
    instances: Instances | None = None
    repeats: Repeats | None = None
    """None if there is one run."""
    latest: Instances | None = None
    """Of a mean over several reports, the instances of the latest one. No report has them."""

    def __post_init__(self) -> None:
        """Refuse NaN and infinities: such a score is a missing one, with its reason."""
        if not math.isfinite(self.value):
            raise ValueError(f"a score must be finite, not {self.value}")


class Origin(Struct, frozen=True, kw_only=True):
    """The source that an evaluation was read from."""

    source: str
    """The config's name of it, as `helm`."""
    suite: str | None
    token_per_iteration: float | None
    """Billions of tokens."""


class Evaluation(Struct, frozen=True, kw_only=True):
    """All scores of one model at one iteration."""

    model: str
    iteration: int
    tokens_billions: float | None
    origin: Origin
    scores: Mapping[ScoreKey, Score]
    missing: Mapping[ScoreKey, str]
    """Scores that the config names and the source lacks, with the reason."""


class Reading(Struct, frozen=True, kw_only=True):
    """The result of reading a source."""

    evaluations: tuple[Evaluation, ...]
    faults: tuple[str, ...] = ()
    """Artifacts that could not be read, while others could."""
    notes: tuple[str, ...] = ()
    """Sentences for the report."""
    model_ids: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """Model and iteration → the harness's own name, which `model_name` may have replaced."""
    files: tuple[str, ...] = ()
    """The file of each evaluation, if the source reads several."""


class LeaderboardRow(Struct, frozen=True, kw_only=True):
    """A model at its latest iteration."""

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


class Leaderboard(Struct, frozen=True, kw_only=True):
    """Models in the order of their ranks, the unranked ones last."""

    metrics: tuple[ScoreKey, ...]
    """The columns that are shown."""
    ranking_metrics: tuple[ScoreKey, ...]
    """Those of them that make the mean."""
    left_out: Mapping[ScoreKey, str]
    """Those of them that don't, with the reason."""
    rows: tuple[LeaderboardRow, ...]
    untested: str | None = None
    """Which ranks are by the mean alone, and why; None if a test decides who shares each."""


class Provenance(Struct, frozen=True, kw_only=True):
    """Which state of the code, and which workflow run, the scores belong to."""

    commit: str | None = None
    ref: str | None = None
    track: str = LOCAL_TRACK
    """Separates pull requests from branches: `branch/NAME`, `pr/N`, `local` …"""
    pull_request: int | None = None
    run_url: str | None = None
    attempt: int | None = None
    tool_version: str

    @property
    def is_job(self) -> bool:
        """Whether the run is a job of a workflow, not a command that somebody typed."""
        return self.track != LOCAL_TRACK


class Interval(Struct, frozen=True, kw_only=True):
    """A confidence interval."""

    low: float
    high: float
    level: float
    """The share of such intervals that contain the true value, 0.95."""
    method: str
    """In words, as in `paired mid-p, 12 of 100 clusters changed`."""


class Texts(Struct, frozen=True, kw_only=True):
    """Question, reference and answer, cut to snippets; None is unknown."""

    input: str | None = None
    """Its end, which holds the question."""
    reference: str | None = None
    """The correct ones."""
    answer: str | None = None
    """The model's."""


class ChangedInstance(Struct, frozen=True, kw_only=True):
    """An instance whose score differs from the baseline's."""

    stratum: str
    id: str
    trial: int
    before: float
    after: float
    texts: Texts = Texts()
    """The answer is the candidate's."""
    baseline_answer: str | None = None
    flaky: bool = False
    """Whether runs of one checkpoint, or epochs of one run, differ in whether it is right."""

    @property
    def place(self) -> tuple[str, str, int]:
        """Return the instance and train trial, within the runs of a model and a benchmark."""
        return self.stratum, self.id, self.trial


class Delta(Struct, frozen=True, kw_only=True):
    """One score of the candidate compared with the baseline's."""

    key: ScoreKey | None
    """None: the mean over benchmarks."""
    baseline: float
    candidate: float
    difference: float
    """Candidate minus baseline, over the instances that both have."""
    interval: Interval | None = None
    """Interval of the difference, not adjusted for the number of comparisons."""
    n: int | None = None
    """Instances that both have."""
    clusters: int | None = None
    p: float | None = None
    p_adjusted: float | None = None
    """Holm's, over all deltas against the baseline in this report."""
    mde: float | None = None
    """The smallest true change that this run would flag with 80% probability."""
    better: int | None = None
    """Instances whose score is better than the baseline's, by the metric's direction."""
    worse: int | None = None
    runs: tuple[int, int] | None = None
    """Runs of the candidate and of the baseline, if one has several: the interval holds the noise
    between them."""
    verdict: Verdict
    lower_is_better: bool | None
    why: str | None = None
    """Why it could not be tested, or a remark."""
    warn_only: bool = False
    """Whether it never fails the job, whatever the verdict."""
    subjects: tuple[Delta, ...] | None = None
    """The subjects of a flagged delta, the largest change first, without verdicts: each has the
    name of its subject in place of the benchmark's. None if there are no two."""
    items: tuple[ChangedInstance, ...] | None = None
    """The worst first; if `better` and `worse` are too many, the first of them; None: not read."""


class Baseline(Struct, frozen=True, kw_only=True):
    """The evaluation that a model was compared with."""

    origin: str
    """Its source, in words."""
    model: str
    iteration: int
    ref: str | None = None
    commit: str | None = None
    url: str | None = None
    """Page of the workflow run that wrote it."""
    artifacts: tuple[str, ...] = ()
    """The W&B artifacts that hold it, `entity/project/name:v3`."""


class Comparison(Struct, frozen=True, kw_only=True):
    """A model compared with its baseline."""

    model: str
    iteration: int
    baseline: Baseline
    overall: Delta | None
    """The mean over the benchmarks that could be compared, if it could be tested."""
    deltas: tuple[Delta, ...]
    not_comparable: Mapping[ScoreKey, str]
    """Scores of either side that can't be compared, with the reason."""

    @property
    def mean_of_several(self) -> Delta | None:
        """The mean over several benchmarks: that of a single one is the same test as its delta.

        A single one's has numbers of instances, as its delta has.
        """
        return self.overall if self.overall and self.overall.better is None else None

    @property
    def flagged_mean(self) -> Delta | None:
        """The mean over several benchmarks, if it regressed or improved: it counts like a delta."""
        mean = self.mean_of_several
        return mean if mean and mean.verdict.is_flagged else None

    @property
    def counted_deltas(self) -> tuple[Delta, ...]:
        """The deltas, and the flagged mean."""
        return (*self.deltas, *filter(None, [self.flagged_mean]))

    @property
    def regressions(self) -> tuple[Delta, ...]:
        """The counted deltas that regressed."""
        return tuple(one for one in self.counted_deltas if one.verdict is Verdict.REGRESSED)


class HistoryPoint(Struct, frozen=True, kw_only=True):
    """A score at a commit."""

    commit: str | None
    iteration: int
    value: float
    standard_error: float | None
    """None without per-instance scores."""


class MetricHistory(Struct, frozen=True, kw_only=True):
    """A score of a model over the last runs, the oldest first."""

    model: str
    key: ScoreKey
    points: tuple[HistoryPoint, ...]


class UnmatchedModels(Struct, frozen=True, kw_only=True):
    """The models of this run that its baseline lacks: renamed ones, or new ones."""

    models: tuple[str, ...]
    """One or more."""
    baseline_models: tuple[str, ...]
    """The nearest baseline's."""
    origin: str
    """Its source, in words."""


class Gate(Struct, frozen=True, kw_only=True):
    """Whether the job passes."""

    closed: bool
    reasons: tuple[str, ...]
    """One sentence for each result that fails the job, or would with another `fail-on`."""
    warnings: tuple[str, ...] = ()
    """One sentence for each result that never fails the job, and could hide a regression."""
    accepted_by: str | None = None
    """The label that lets the job pass nevertheless."""


class Report(Struct, frozen=True, kw_only=True):
    """All results that the outputs show; without Markdown."""

    verdict: Verdict
    headline: str
    evaluations: tuple[Evaluation, ...]
    leaderboard: Leaderboard
    comparisons: tuple[Comparison, ...] = ()
    """Each model's latest iteration compared with its baseline."""
    steps: tuple[Comparison, ...] = ()
    """Each model's latest iteration compared with its previous one, of this run."""
    history: tuple[MetricHistory, ...] = ()
    """The baseline's last runs, and this run."""
    not_in_baseline: UnmatchedModels | None = None
    """None if there is no baseline, or it has all models."""
    gate: Gate | None = None
    notes: tuple[str, ...]
    links: Mapping[str, str]
    provenance: Provenance
    unread: int = 0
    """Number of artifacts that could not be read; the notes name them."""
    contradictions: int = 0
    """Number of conflicts between evaluations; the notes name them."""


class Receipt(Struct, frozen=True, kw_only=True):
    """The result of one output."""

    sink: str
    status: Status
    url: str | None = None
    path: str | None = None
    """The file that it wrote."""
    reason: str | None = None
    """Why it was skipped or failed, and what to do; with `done`, a remark."""
    warnings: tuple[str, ...] = ()
    """Problems of an output that is done."""
    exit_code: int = 0
    """Exit code that it causes."""
    traceback: str | None = None
    """Traceback of an internal error, for the log."""
