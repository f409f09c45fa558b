"""The W&B runs of a report: IDs, groups, tags, configs, rows, tables.

Pure: nothing here imports wandb, reads a disk or knows of a network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from msgspec import structs

from helm_wandb.comparing.evaluations import group_by_model
from helm_wandb.model import Comparison, Evaluation, Leaderboard, Provenance, Report, Verdict
from helm_wandb.report import to_json, verdict
from helm_wandb.report.headline import count_verdicts
from helm_wandb.wandb_runs import layout_tables
from helm_wandb.wandb_runs.layout_names import (
    DETAIL_TAG,
    IMPROVEMENTS,
    ITERATION,
    LEADERBOARD_RUN,
    MEAN_CHANGE,
    MODEL,
    REGRESSIONS,
    REPORT_FILE,
    SUMMARY_RUN,
    TOKENS,
    TRACK,
    VERDICT,
    digest,
    kept_name,
    part_alias,
    report_name,
    run_id,
    score_name,
    slug,
)
from helm_wandb.wandb_runs.run_record import JobReport, Latest, LatestScore
from helm_wandb.wandb_runs.sdk.messages import Artifact, Row, Table

_EVALUATE = "evaluate"
"""Tag of all runs, and type of their jobs, except for the leaderboard's."""
_TAG_LIMIT = 64
"""W&B refuses longer tags."""
_NAME_LIMIT = 128
"""W&B's documented limit for names; `config.model` holds a model's name in full."""
_NO_LEADERBOARD = Leaderboard(metrics=(), ranking_metrics=(), left_out={}, rows=())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """A run as W&B shall hold it."""

    id: str
    reserved_in: str
    """ID of the run whose reservation a writer of this one needs: the summary run of its model."""
    group: str
    name: str
    job_type: str
    tags: tuple[str, ...]
    notes: str
    """Links to the pull request and the workflow run, in Markdown; empty without any."""
    config: Mapping[str, object]
    """The part that belongs to the results; a change of it is a change of the run."""
    provenance: Mapping[str, object]
    """Shown in the run's config as well; a change of it alone is no reason to record again."""
    rows: tuple[Row, ...] = ()
    """One per iteration, ascending; a score that is missing is left out."""
    subjects: Mapping[str, str] = field(default_factory=dict)
    """Detail runs only: name of a value → the subject in it."""
    tables: tuple[Table, ...] = ()
    latest: Latest | None = None
    """Summary runs only: the model at its latest iteration."""
    outcome: Mapping[str, object] = field(default_factory=dict)
    """Summary runs of compared models only: OUTCOME → value."""
    artifact: Artifact | None = None
    """Summary runs only: the report of its model."""
    report: JobReport | None = None
    """What the record says of the artifact."""
    unrecorded: tuple[str, ...] = ()
    """Results that W&B can't hold, and why."""

    @property
    def is_leaderboard(self) -> bool:
        """Whether it depends on what else the project holds."""
        return self.name == LEADERBOARD_RUN


def shortened(text: str, limit: int) -> str:
    """Return the text, cut to a limit of characters if it is longer.

    What is cut ends in `~` and 8 hex digits of the whole text's sha256, so that
    two long texts with a common start stay distinct.
    """
    return text if len(text) <= limit else f"{text[: limit - 9]}~{digest(text)[:8]}"


def plans(report: Report, *, summary_only: bool, leaderboard: bool) -> tuple[RunPlan, ...]:
    """Return all runs of a report: each model's summary and details, then the leaderboard."""
    models = group_by_model(report.evaluations).items()
    runs = [run for model, of_model in models for run in _model_plans(report, model, of_model)]
    wanted = [run for run in runs if not summary_only or run.name == SUMMARY_RUN]
    if leaderboard and report.leaderboard.rows:
        wanted.append(leaderboard_plan(report))
    return tuple(wanted)


def axes(rows: Sequence[Mapping[str, float]]) -> dict[str, str]:
    """Return the x-axis of each metric: tokens if every row has them, else the iteration.

    rows: values by the names that W&B shows, `mmlu.EM`. Names with a `*`, which W&B reads as a
    pattern and refuses, are left to its default axis.
    """
    has_tokens = all(TOKENS in row for row in rows)
    axis = TOKENS if has_tokens else ITERATION
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: axis for name in names if name not in (ITERATION, TOKENS) and "*" not in name}


def _model_plans(
    report: Report, model: str, evaluations: Sequence[Evaluation]
) -> Iterable[RunPlan]:
    """Yield the model's summary run and its detail runs; none of rows without a score."""
    config = _model_config(model, evaluations)
    benchmarks = {key.benchmark for entry in evaluations for key in entry.scores}
    if benchmarks:
        yield _summary_plan(report, model, [entry for entry in evaluations if entry.scores])
    for benchmark in sorted(benchmarks):
        details = [(entry, _details(entry, benchmark)) for entry in evaluations]
        subjects: dict[str, str] = {}
        for _, one in details:
            subjects |= one.subjects
        yield replace(
            _plan(report, model, kept_name(benchmark), DETAIL_TAG, config),
            rows=tuple(one.row | _axis_values(entry) for entry, one in details if one.row),
            subjects=subjects,
            unrecorded=tuple(f"{model}: {lost}" for _, one in details for lost in one.unrecorded),
        )


def _summary_plan(report: Report, model: str, evaluations: Sequence[Evaluation]) -> RunPlan:
    """Return the summary run of a model's evaluations, each of which has a score."""
    plan = _plan(report, model, SUMMARY_RUN, SUMMARY_RUN, _model_config(model, evaluations))
    content, stored = _model_report(report, model, evaluations)
    track = report.provenance.track
    return replace(
        plan,
        rows=tuple(map(_summary_row, evaluations)),
        tables=layout_tables.changed_items(one for one in report.comparisons if one.model == model),
        latest=_latest(max(evaluations, key=lambda entry: entry.iteration)),
        outcome=_outcome([one for one in report.comparisons if one.model == model]),
        artifact=Artifact(
            name=report_name(model),
            type="helm-report",
            file_name=REPORT_FILE,
            content=content,
            # By the first one it is found; those of track and commit move to the last job's.
            aliases=(
                part_alias(track, stored.part),
                *map(slug, filter(None, (track, stored.commit))),
            ),
        ),
        report=stored,
    )


def _model_report(
    report: Report, model: str, evaluations: Sequence[Evaluation]
) -> tuple[bytes, JobReport]:
    """Return the report of one model, as JSON, and what the record says of it."""
    rows = tuple(row for row in report.leaderboard.rows if row.model == model)
    own = structs.replace(
        report,
        evaluations=tuple(evaluations),
        leaderboard=structs.replace(report.leaderboard, rows=rows),
        # W&B has the curve, and the same results are recorded once.
        history=(),
        notes=(),
        links={},
    )
    anonymous = structs.replace(
        own, headline="", provenance=Provenance(tool_version=""), leaderboard=_NO_LEADERBOARD
    )
    results = hashlib.sha256(to_json(anonymous)).hexdigest()
    commit, run_url = report.provenance.commit, report.provenance.run_url
    stored = JobReport(
        part=_part(evaluations),
        digest=digest([results, commit]),
        scores=tuple(sorted({score_name(key) for one in evaluations for key in one.scores})),
        commit=commit,
        run_url=run_url,
    )
    return to_json(own), stored


def _part(evaluations: Iterable[Evaluation]) -> str:
    """Return a digest of iterations, scores and subjects.

    The jobs of a matrix differ in it, though GitHub gives them one name. A job that runs again has
    the same.
    """
    return digest(
        sorted(
            [one.iteration, key, sorted(score.subjects)]
            for one in evaluations
            for key, score in one.scores.items()
        )
    )


def _outcome(comparisons: Sequence[Comparison]) -> dict[str, object]:
    """Return how a model's comparisons ended, so that an automation of W&B's can act on it."""
    if not comparisons:
        return {}
    verdicts = count_verdicts(comparisons)
    means = [one.overall.difference for one in comparisons if one.overall]
    return {
        VERDICT: verdict(comparisons).value,
        REGRESSIONS: verdicts[Verdict.REGRESSED],
        IMPROVEMENTS: verdicts[Verdict.IMPROVED],
        # Several baselines have a mean each, over different benchmarks.
        MEAN_CHANGE: means[0] if len(means) == 1 else None,
    }


def _latest(entry: Evaluation) -> Latest:
    return Latest(
        iteration=entry.iteration,
        tokens_billions=entry.tokens_billions,
        scores={
            score_name(key): LatestScore(
                value=score.value, lower_is_better=score.lower_is_better, partial=score.partial
            )
            for key, score in entry.scores.items()
        },
    )


def _plan(report: Report, model: str, name: str, tag: str, config: Mapping[str, object]) -> RunPlan:
    """Return a run without content."""
    track = report.provenance.track
    return RunPlan(
        id=run_id(track, model, name),
        reserved_in=run_id(track, model, SUMMARY_RUN),
        group=shortened(model, _NAME_LIMIT),
        name=shortened(name, _NAME_LIMIT),
        job_type=LEADERBOARD_RUN if tag == LEADERBOARD_RUN else _EVALUATE,
        tags=(_EVALUATE, tag, shortened(track, _TAG_LIMIT)),
        notes=_notes(report.provenance),
        config={**config, TRACK: track},
        provenance=_provenance(report.provenance),
    )


def _notes(provenance: Provenance) -> str:
    url = provenance.run_url or ""
    repository, is_run, _ = url.partition("/actions/runs/")
    number = provenance.pull_request
    links = {
        f"pull request {number}": f"{repository}/pull/{number}" if is_run and number else "",
        "workflow run": url,
    }
    return ", ".join(f"[{words}]({link})" for words, link in links.items() if link)


def _axis_values(entry: Evaluation) -> dict[str, float]:
    tokens = entry.tokens_billions
    return {ITERATION: entry.iteration} | ({} if tokens is None else {TOKENS: tokens})


def _summary_row(entry: Evaluation) -> Row:
    """Return `{"mmlu.EM": x, "iteration": i, "tokens_billions": t}`."""
    scores = {score_name(key): entry.scores[key].value for key in sorted(entry.scores)}
    return {**scores, **_axis_values(entry)}


@dataclass(frozen=True, slots=True)
class _Details:
    """A benchmark's scores in an evaluation: of those with the same name the first is kept."""

    row: dict[str, float] = field(default_factory=dict)
    """`{"mmlu.law.EM": x}`, or `{"mmlu.EM": x}` without subjects."""
    subjects: dict[str, str] = field(default_factory=dict)
    """Name of a value → the subject in it."""
    unrecorded: list[str] = field(default_factory=list)
    """Which scores are not kept, and why."""


def _details(entry: Evaluation, benchmark: str) -> _Details:
    details = _Details()
    for parts, value in _parts(entry, benchmark):
        name = ".".join((kept_name(benchmark), *parts))
        if name in details.row:
            metric = " of ".join(map(repr, parts[::-1]))
            details.unrecorded.append(
                f"{benchmark}: {metric} is not recorded, because another score has the same name "
                f"in W&B, {'.'.join(parts)}; the report has both"
            )
            continue
        details.row[name] = value
        if len(parts) > 1:
            details.subjects[name] = parts[0]
    return details


def _parts(entry: Evaluation, benchmark: str) -> list[tuple[tuple[str, ...], float]]:
    """Return the values by subject and metric, then those without subjects."""
    scores = {
        key.metric: entry.scores[key] for key in sorted(entry.scores) if key.benchmark == benchmark
    }
    return [
        *(
            ((subject, metric), part.value)
            for metric, score in scores.items()
            for subject, part in score.subjects.items()
        ),
        *(((metric,), score.value) for metric, score in scores.items() if not score.subjects),
    ]


def _model_config(model: str, evaluations: Sequence[Evaluation]) -> dict[str, object]:
    origins = [entry.origin for entry in evaluations]
    counted = [entry for entry in evaluations if entry.origin.token_per_iteration is None]
    return _drop_unknown(
        {
            MODEL: model,
            "source": _each(origin.source for origin in origins),
            "suite": _each(origin.suite for origin in origins),
            "token_per_iteration": _each(origin.token_per_iteration for origin in origins),
            "token_num": _each(entry.tokens_billions for entry in counted),
        }
    )


def _each(values: Iterable[object]) -> object:
    """Return the only value, a list of them if they differ, or None without any."""
    distinct = list(dict.fromkeys(value for value in values if value is not None))
    return distinct if len(distinct) > 1 else next(iter(distinct), None)


def _provenance(provenance: Provenance) -> dict[str, object]:
    """Return what is known of the code and the workflow run, but for the track."""
    return _drop_unknown(structs.asdict(provenance) | {TRACK: None})


def _drop_unknown(values: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if value is not None}


def leaderboard_plan(report: Report) -> RunPlan:
    """Return the run of the report's leaderboard."""
    tables = layout_tables.leaderboard_tables(report.leaderboard)
    plan = _plan(report, LEADERBOARD_RUN, LEADERBOARD_RUN, LEADERBOARD_RUN, {})
    return replace(plan, reserved_in=plan.id, tables=tables)
