"""Writes runs by the SDK, in its own process, and verifies that W&B has them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import wandb
from wandb.apis.public.runs import RunNotFoundError

from helm_wandb.wandb_runs.sdk import faults, lineage
from helm_wandb.wandb_runs.sdk.messages import (
    THREADS,
    Artifact,
    Cause,
    Fault,
    RunWriting,
    ServiceError,
    Table,
    WriteRuns,
    Written,
)
from helm_wandb.wandb_runs.sdk.reservations import Reservations, release
from helm_wandb.wandb_runs.sdk.rows import nest

if TYPE_CHECKING:
    from wandb.apis.public import Run


_INIT_SECONDS = 15.0
_FINISH_SECONDS = 20.0
_REQUEST_SECONDS = 10.0
_TURN_SECONDS = 10.0
"""Seconds to wait for a run that other jobs reserve at the same moment."""
_PATIENCE_SECONDS = 6.0
"""Seconds until what was sent must be visible."""
_PAUSE_SECONDS = 0.5
_RETRIES = 4
"""After a fault of the server; three in a row are survived."""
_WAIT_SECONDS = (0.5, 4.0)
"""The least and the greatest time before a retry, if the server does not name one."""
_UNNEEDED = ("config.yaml", "wandb-summary.json", "wandb-metadata.json")
"""Files that repeat what the run itself holds, and cost two round trips."""


@dataclass
class Client:
    """W&B as a key's owner sees it."""

    api: wandb.Api | None = None
    api_key: str = field(default="", repr=False)
    entity: str = ""
    runs_by_id: dict[str, Run] = field(default_factory=dict)
    """The runs that were seen so far, by their IDs."""

    def connected(self) -> wandb.Api:
        """Return the connection; raises RuntimeError before Connect."""
        if self.api is None:
            raise RuntimeError("not connected")
        return self.api


class RunWriter:
    """Writes the runs of one request, a batch at a time, those with one reservation together."""

    def __init__(self, client: Client, request: WriteRuns, scratch: Path) -> None:
        """Set the SDK up. scratch: a folder that ends with the process."""
        self._client = client
        self._request = request
        self._until = time.monotonic() + request.seconds
        self._online = request.mode == "online"
        self._reservations = Reservations(scratch, request.writer)
        wandb.setup(self._settings())

    def write(self) -> tuple[Written, ...]:
        """Return the results of the runs, without those that there was no time to begin."""
        threads = self._request.threads
        with ThreadPoolExecutor(threads) as holders, ThreadPoolExecutor(threads) as writers:
            return tuple(itertools.chain.from_iterable(self._batches(holders, writers)))

    def _batches(
        self, holders: ThreadPoolExecutor, writers: ThreadPoolExecutor
    ) -> Iterator[Sequence[Written]]:
        runs = self._request.runs
        for start in range(0, len(runs), THREADS):
            if self._left_seconds() <= 0:
                return
            batch = runs[start : start + THREADS]
            if self._online:
                sent = holders.map(partial(self._send_together, writers), _by_reservation(batch))
                result = list(itertools.chain.from_iterable(sent))
            else:
                result = list(writers.map(self._record_offline, batch))
            yield result
            if all(one.fault for one in result):
                # What hinders every one of them would hinder the others too.
                return

    def _left_seconds(self) -> float:
        return self._until - time.monotonic()

    def _record_offline(self, writing: RunWriting) -> Written:
        """Write the run into a folder here."""
        try:
            return self._log_run(writing, {**writing.summary, **writing.confirmed})
        except Exception as error:  # noqa: BLE001 -- whatever it is, the other runs go on
            return Written(run_id=writing.id, fault=self._fault(error, writing))

    def _send_together(
        self, writers: ThreadPoolExecutor, writings: Sequence[RunWriting]
    ) -> Sequence[Written]:
        """Write the runs of one reservation to W&B, unless another job has it."""
        reserving = False
        try:
            holder = self._find_or_create_run(writings[0].reserved_in)
            reserving = True
            own = self._reservations.take(holder, seconds=min(_TURN_SECONDS, self._left_seconds()))
        except Exception as error:  # noqa: BLE001 -- whatever it is, the other runs go on
            return [self._failed(error, writing, unsettled=reserving) for writing in writings]
        if own is None:
            return [Written(run_id=writing.id, yielded=True) for writing in writings]
        results = list(writers.map(self._send, writings))
        if not any(result.unsettled for result in results):
            release(own)
        return results

    def _send(self, writing: RunWriting) -> Written:
        """Write the run to W&B, unless another job did since it was read."""
        try:
            remote = self._read(writing.id)
            seen = remote and remote.summary_metrics.get(self._request.mark)
            if seen != writing.seen:
                return Written(run_id=writing.id, yielded=True)
            return self._store(writing, remote.history_line_count if remote else 0)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the other runs go on
            return self._failed(error, writing, unsettled=True)

    def _find_or_create_run(self, run_id: str) -> Run:
        """Return a run that can have files; for the SDK, a created one was not begun."""
        found = self._read(run_id)
        if found is None:
            found = self._client.connected().create_run(
                run_id=run_id, project=self._request.project, entity=self._client.entity
            )
            self._client.runs_by_id[run_id] = found
        return found

    def _read(self, run_id: str) -> Run | None:
        """Return the run as W&B holds it now; None if there is none."""
        runs = self._client.runs_by_id
        if run_id in runs:
            runs[run_id].load(force=True)
            return runs[run_id]
        path = f"{self._client.entity}/{self._request.project}/{run_id}"
        try:
            runs[run_id] = self._client.connected().run(path)
        except wandb.errors.CommError as error:
            if isinstance(error.exc, RunNotFoundError):
                return None
            raise
        return runs[run_id]

    def _store(self, writing: RunWriting, rows_before: int) -> Written:
        """Write the run and wait until W&B has it, rows and summary first.

        Files travel separately and can be lost without an error; so what the summary is to say of
        files is said when they have arrived.
        """
        rows = rows_before + len(writing.rows) + bool(writing.tables)
        result = self._log_run(writing, writing.summary)
        if result.fault:
            return result
        remote = self._wait_for(writing.id, writing.summary, rows)
        if remote is None:
            return replace(result, fault=Fault(Cause.LOST, ""))
        result = replace(result, url=remote.url)
        if not writing.confirmed:
            return result
        fault = self._find_missing(writing, remote, Path(str(result.folder)))
        if fault:
            return replace(result, fault=fault)
        run = self._begin(writing)
        run.summary.update(dict(writing.confirmed))
        run.finish()
        arrived = self._wait_for(writing.id, writing.confirmed, rows)
        return result if arrived else replace(result, fault=Fault(Cause.LOST, ""))

    def _wait_for(self, run_id: str, summary: Mapping[str, object], rows: int) -> Run | None:
        """Return the run when W&B shows it with so many rows and its record; None if it never does.

        Not as finished: another job that was about to make it may just have set it to running.
        """
        mark = self._request.mark
        end = time.monotonic() + min(_PATIENCE_SECONDS, self._left_seconds())
        while True:
            remote = self._read(run_id)
            recorded = remote and remote.summary_metrics.get(mark) == summary[mark]
            if remote and recorded and remote.history_line_count >= rows:
                return remote
            if time.monotonic() > end:
                return None
            time.sleep(_PAUSE_SECONDS)

    def _begin(self, writing: RunWriting) -> wandb.Run:
        run = wandb.init(
            id=writing.id,
            group=writing.group,
            name=writing.name,
            job_type=writing.job_type,
            tags=writing.tags,
            notes=writing.notes or None,
            config=dict(writing.config),
            resume="allow" if self._online else None,
            settings=self._settings(),
        )
        # Each time, even if nothing else is written: a resumed run forgets its axes.
        for metric, axis in writing.axes.items():
            run.define_metric(metric, step_metric=axis)
        return run

    def _log_run(self, writing: RunWriting, summary: Mapping[str, object]) -> Written:
        """Write the run by the SDK; return its folder, and the fault in the SDK's log."""
        run = self._begin(writing)
        folder = Path(run.dir).parent
        self._log(run, writing, summary)
        run.finish()
        fault = faults.logged_fault(folder)
        return Written(run_id=writing.id, folder=str(folder), fault=fault)

    def _find_missing(self, writing: RunWriting, remote: Run, folder: Path) -> Fault | None:
        """Return a fault if W&B does not have the run's files or its artifact."""
        if writing.tables:
            stored = {file.name: file.size for file in remote.files()}
            for path in folder.glob("files/media/**/*.json"):
                name = str(path.relative_to(folder / "files"))
                if not stored.get(name):
                    return Fault(Cause.LOST, f"{name} is not among the run's files")
        if writing.artifact:
            where = f"{self._client.entity}/{self._request.project}"
            name = f"{where}/{writing.artifact.name}:{writing.artifact.aliases[0]}"
            if not self._holds(name, _make_artifact(writing.artifact).digest):
                return Fault(Cause.LOST, f"the report is not in {name}")
        return None

    def _holds(self, name: str, digest: str) -> bool:
        """Return whether W&B shows the content by that name in time.

        If an artifact is lost, its aliases stay with an older version.
        """
        end = time.monotonic() + min(_PATIENCE_SECONDS, self._left_seconds())
        while True:
            found = lineage.find_artifact(self._client.connected(), name)
            if found and found.digest == digest:
                return True
            if time.monotonic() > end:
                return False
            time.sleep(_PAUSE_SECONDS)

    def _failed(self, error: Exception, writing: RunWriting, *, unsettled: bool) -> Written:
        fault = self._fault(error, writing)
        return Written(run_id=writing.id, fault=fault, unsettled=unsettled)

    def _fault(self, error: BaseException, writing: RunWriting) -> Fault:
        if isinstance(error, ServiceError):
            return error.fault
        fault = faults.classify(error)
        if fault.cause is not Cause.REFUSED:
            return fault
        return faults.find_logged_fault(self._request.folder, writing.id) or fault

    def _log(self, run: wandb.Run, writing: RunWriting, summary: Mapping[str, object]) -> None:
        """Log what is to be written.

        `step` is W&B's own number of a row, never the iteration: W&B drops a row whose number
        is not greater than the last one's.
        """
        first_step = run.starting_step if self._online else writing.first_step
        rows = [nest(row, writing.subjects) for row in writing.rows]
        if writing.tables:
            rows.append(_media(run, writing.tables, first_step))
        for step, row in enumerate(rows, start=first_step):
            run.log(row, step=step, commit=True)
        run.summary.update(nest(summary, writing.subjects))
        if writing.artifact and self._online:
            made = _make_artifact(writing.artifact)
            run.log_artifact(made, aliases=list(writing.artifact.aliases))

    def _settings(self) -> wandb.Settings:
        request = self._request
        settings = create_settings(
            mode=request.mode,
            base_url=request.base_url,
            api_key=self._client.api_key if self._online else None,
            project=request.project,
            entity=self._client.entity if self._online else request.entity,
            root_dir=request.folder,
        )
        settings.init_timeout = max(1.0, min(_INIT_SECONDS, self._left_seconds()))
        settings.finish_timeout = max(1.0, min(_FINISH_SECONDS, self._left_seconds()))
        settings.finish_timeout_raises = True
        return settings


def _by_reservation(writings: Iterable[RunWriting]) -> Iterable[Sequence[RunWriting]]:
    groups: dict[str, list[RunWriting]] = {}
    for writing in writings:
        groups.setdefault(writing.reserved_in, []).append(writing)
    return groups.values()


def create_settings(**given: Any) -> wandb.Settings:  # noqa: ANN401 -- the SDK's own fields
    """Return settings that keep a run to what was logged, its files to its folder, and quiet."""
    least, greatest = _WAIT_SECONDS
    settings = wandb.Settings(
        use_dot_wandb=False,
        symlink=False,
        console="off",
        silent=True,
        label_disable=True,
        disable_code=True,
        disable_git=True,
        sagemaker_disable=True,
        save_code=False,
        ignore_globs=_UNNEEDED,
        x_disable_machine_info=True,
        x_disable_stats=True,
        x_save_requirements=False,
        reinit="create_new",
        **{key: value for key, value in given.items() if value is not None},
    )
    for client in ("graphql", "file_stream", "file_transfer"):
        setattr(settings, f"x_{client}_retry_max", _RETRIES)
        setattr(settings, f"x_{client}_timeout_seconds", _REQUEST_SECONDS)
        setattr(settings, f"x_{client}_retry_wait_min_seconds", least)
        setattr(settings, f"x_{client}_retry_wait_max_seconds", greatest)
    return settings


def _media(run: wandb.Run, tables: Sequence[Table], step: int) -> dict[str, object]:
    """Return the tables and bar charts, each in a file of the run's folder.

    Bound to the run first, they are not made artifacts: offline those keep their files in
    the home folder, by absolute path, and a copy without them is sent with dead links.
    """
    media: dict[str, object] = {}
    for table in tables:
        stored = wandb.Table(columns=list(table.columns), data=[list(row) for row in table.rows])
        if table.title is None:
            media[table.key] = stored
            stored.bind_to_run(run, table.key, step)  # type: ignore[no-untyped-call] # wandb's
        else:
            label, value = table.columns
            media[table.key] = wandb.plot.bar(stored, label, value, title=table.title)
            stored.bind_to_run(run, f"{table.key}_table", step)  # type: ignore[no-untyped-call] # wandb's
    return media


def _make_artifact(artifact: Artifact) -> wandb.Artifact:
    """Return the artifact as the SDK has it before it is sent."""
    made = wandb.Artifact(artifact.name, type=artifact.type)
    with made.new_file(artifact.file_name, mode="wb") as file:
        file.write(artifact.content)
    return made
