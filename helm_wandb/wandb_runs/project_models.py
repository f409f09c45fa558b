"""The models that a W&B project holds, read from its summary runs."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
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
    report_name,
    slug,
)
from helm_wandb.wandb_runs.run_record import Latest, iteration_of
from helm_wandb.wandb_runs.sdk.messages import FindRuns, ReadArtifacts, RemoteRun
from helm_wandb.wandb_runs.sdk.session import Session

REPORT_LIMIT_BYTES = 128 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A model in a track's summary run, with the commit of its code."""

    evaluations: tuple[Evaluation, ...]
    """One evaluation per iteration."""
    commit: str | None
    run_url: str | None
    """URL of the workflow run that recorded it."""


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

        Of the report that the track recorded with a run, or, if there is none that can be
        read, of the summary: then without subjects and instances.
        A run without a track says nothing of the branch that it is of, and is none of it.
        """
        by_model = {
            one.model: (one, run.config)
            for run, one in self._recorded_runs(track)
            if one.model in models
        }
        reports = self._reports(by_model, track)
        return tuple(
            Recorded(
                evaluations=reports.get(model) or (one,),
                commit=_text(config, COMMIT),
                run_url=_text(config, RUN_URL),
            )
            for model, (one, config) in by_model.items()
        )

    def latest(self, track: str) -> tuple[Evaluation, ...]:
        """Return each model of one track at its latest iteration; raises ServiceError."""
        return tuple(one for _, one in self._recorded_runs(track))

    def _recorded_runs(self, track: str) -> Iterator[tuple[RemoteRun, Evaluation]]:
        for run in self._runs():
            if run.config.get(TRACK) == track and (one := evaluation(run)):
                yield run, one

    def _reports(self, models: Iterable[str], track: str) -> dict[str, tuple[Evaluation, ...]]:
        """Return the evaluations in the newest reports of a track, by model."""
        names = {model: f"{report_name(model)}:{slug(track)}" for model in models}
        if not names:
            return {}
        request = ReadArtifacts(
            project=self.name,
            names=tuple(names.values()),
            file_name=REPORT_FILE,
            limit_bytes=REPORT_LIMIT_BYTES,
        )
        contents = self.session.ask(request)
        return {
            model: tuple(one for one in _evaluations(contents.get(name, b"")) if one.model == model)
            for model, name in names.items()
        }

    def _runs(self) -> tuple[RemoteRun, ...]:
        filters = {"tags": {"$in": [SUMMARY_RUN]}}
        return self.session.ask(FindRuns(project=self.name, filters=filters))

    def _counts(self, run: RemoteRun) -> bool:
        track = run.config.get(TRACK)
        return track is None or (isinstance(track, str) and track in self.tracks)


def _evaluations(content: bytes) -> tuple[Evaluation, ...]:
    """Return the evaluations of a report; none if it cannot be read."""
    try:
        return from_json(content)
    except ValueError:
        return ()


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
