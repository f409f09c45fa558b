"""The models that a W&B project holds, read from its summary runs."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from helm_wandb.comparing.helm_schemas import is_lower_better
from helm_wandb.model import Evaluation, Origin, Score, ScoreKey, finite_number
from helm_wandb.report import from_json
from helm_wandb.wandb_runs import run_record
from helm_wandb.wandb_runs.changes import flatten
from helm_wandb.wandb_runs.layout_names import (
    COMMIT,
    ITERATION,
    MODEL,
    REPORT_FILE,
    RUN_URL,
    SUMMARY_RUN,
    TOKENS,
    TRACK,
    is_name,
    parse_score_name,
    part_alias,
    report_name,
    slug,
)
from helm_wandb.wandb_runs.run_record import REPORTS, Latest, iteration_of
from helm_wandb.wandb_runs.sdk.messages import FindRuns, ReadArtifacts, RemoteRun, StoredFile
from helm_wandb.wandb_runs.sdk.session import Session

REPORT_LIMIT_BYTES = 128 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPlace:
    """The place of a report that a job keeps, and its origin."""

    model: str
    artifact: str
    """`name:alias`."""
    commit: str | None
    run_url: str | None
    """URL of the workflow run that recorded it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """What is stored of a model by one job."""

    evaluations: tuple[Evaluation, ...]
    """One per iteration, of one model."""
    artifact: str | None = None
    """`entity/project/name:v3`; None if they are from the summary of a run."""

    @property
    def model(self) -> str:
        """Return the model's name."""
        return self.evaluations[0].model


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A model in a track's summary run, with the commit of its code."""

    summary: Evaluation
    """Its latest iteration, without subjects and instances."""
    commit: str | None
    run_url: str | None
    """URL of the workflow run that recorded it."""
    reports: tuple[ReportPlace, ...]
    """The newest first, of the same commit and of those before. It is not known whether they can
    be read."""

    @property
    def model(self) -> str:
        """Return the model's name."""
        return self.summary.model

    @property
    def summary_alone(self) -> StoredReport:
        """Return the summary in place of a report that can't be read."""
        return StoredReport(evaluations=(self.summary,))


@dataclass(frozen=True, slots=True, kw_only=True)
class WandbProject:
    """A project, and the tracks of it whose models are ranked."""

    session: Session
    name: str
    tracks: frozenset[str]

    @property
    def tracks_in_words(self) -> str:
        """Return the tracks in words."""
        return " or ".join(f"track {track}" for track in sorted(self.tracks))

    def read(self) -> tuple[Evaluation, ...]:
        """Return each model of those tracks at its latest iteration; raises ServiceError.

        Runs without a track count too: Data-Juicer's wandb_writer.py wrote such.
        """
        return tuple(one for run in self._runs() if self._counts(run) and (one := evaluation(run)))

    def recorded(self, track: str, models: Collection[str]) -> tuple[Recorded, ...]:
        """Return what one track has of these models; raises ServiceError.

        A run without a track says nothing of the branch that it is of, and is none of it.
        """
        return tuple(
            _recorded_model(run, one, track)
            for run, one in self._recorded_runs(track)
            if one.model in models
        )

    def latest(self, track: str) -> tuple[Evaluation, ...]:
        """Return each model of one track at its latest iteration; raises ServiceError."""
        return tuple(one for _, one in self._recorded_runs(track))

    def _recorded_runs(self, track: str) -> Iterator[tuple[RemoteRun, Evaluation]]:
        for run in self._runs():
            if run.config.get(TRACK) == track and (one := evaluation(run)):
                yield run, one

    def read_reports(self, places: Sequence[ReportPlace]) -> list[StoredReport]:
        """Return those of the reports that can be read; raises ServiceError."""
        request = ReadArtifacts(
            project=self.name,
            names=tuple(one.artifact for one in places),
            file_name=REPORT_FILE,
            limit_bytes=REPORT_LIMIT_BYTES,
        )
        files = self.session.ask(request)
        return [
            report
            for place in places
            if (file := files.get(place.artifact)) and (report := _stored_report(place.model, file))
        ]

    def _runs(self) -> tuple[RemoteRun, ...]:
        filters = {"tags": {"$in": [SUMMARY_RUN]}}
        return self.session.ask(FindRuns(project=self.name, filters=filters))

    def _counts(self, run: RemoteRun) -> bool:
        track = run.config.get(TRACK)
        return track is None or (isinstance(track, str) and track in self.tracks)


def _stored_report(model: str, file: StoredFile) -> StoredReport | None:
    evaluations = tuple(one for one in _evaluations(file.content) if one.model == model)
    return StoredReport(evaluations=evaluations, artifact=file.artifact) if evaluations else None


def _evaluations(content: bytes) -> tuple[Evaluation, ...]:
    """Return the evaluations of a report; none if it cannot be read."""
    try:
        return from_json(content)
    except ValueError:
        return ()


def _recorded_model(run: RemoteRun, summary: Evaluation, track: str) -> Recorded:
    """Return the model. If the record lists no report, the track's alias may still have one."""
    record = run_record.from_summary(run.summary)
    commit, run_url = _text(run.config, COMMIT), _text(run.config, RUN_URL)
    places = [
        (part_alias(track, one.part), one.commit, one.run_url)
        for one in (record.reports[:REPORTS] if record else ())
    ] or [(slug(track), commit, run_url)]
    name = report_name(summary.model)
    return Recorded(
        summary=summary,
        commit=commit,
        run_url=run_url,
        reports=tuple(
            ReportPlace(
                model=summary.model, artifact=f"{name}:{alias}", commit=written, run_url=url
            )
            for alias, written, url in places
        ),
    )


def _text(config: Mapping[str, object], key: str) -> str | None:
    value = config.get(key)
    return value if isinstance(value, str) and value else None


def evaluation(run: RemoteRun) -> Evaluation | None:
    """Return the evaluation in a summary run; None if it has no score.

    A value that it lacks is missing in the evaluation, and costs nothing else.
    """
    record = run_record.from_summary(run.summary)
    model = run.config.get(MODEL, run.group)
    if not is_name(model):
        return None
    latest = record.latest if record else None
    scores = _recorded(latest) if latest else dict(_plain(run.summary))
    if not scores:
        return None
    return Evaluation(
        model=model,
        iteration=latest.iteration if latest else _iteration(run.summary),
        tokens_billions=latest.tokens_billions
        if latest
        else finite_number(run.summary.get(TOKENS)),
        origin=Origin(source="wandb", suite=None, token_per_iteration=None),
        scores=scores,
        missing={},
    )


def _recorded(latest: Latest) -> dict[ScoreKey, Score]:
    scores = {}
    for name, score in latest.scores.items():
        key = parse_score_name(name)
        if key and math.isfinite(score.value):
            scores[key] = Score(
                value=score.value,
                n=None,
                lower_is_better=score.lower_is_better,
                subjects={},
                partial=score.partial,
            )
    return scores


def _plain(summary: Mapping[str, object]) -> Iterable[tuple[ScoreKey, Score]]:
    """Yield the scores of a summary that holds `{"mmlu": {"EM": 0.3}}`, or `{"mmlu.EM": 0.3}`."""
    for name, value in flatten(summary, depth=2).items():
        key = parse_score_name(name)
        if key:
            lower = is_lower_better(key.benchmark, key.metric)
            yield key, Score(value=float(value), n=None, lower_is_better=lower, subjects={})


def _iteration(summary: Mapping[str, object]) -> int:
    """Return the iteration that was logged as a value or, by the ancestor, as W&B's step."""
    known = (iteration_of(summary.get(key)) for key in (ITERATION, "_step"))
    return next((number for number in known if number is not None), 0)
