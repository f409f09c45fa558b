"""The process that the W&B SDK lives in: it does what is asked through a pipe, one after another.

It is a process of its own so that nothing that the SDK does (wait without end for its service,
exit, print, read the user's variables) happens to ours, which ends it when its time is up.
"""

from __future__ import annotations

import itertools
import os
import select
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import wandb

from helm_wandb.wandb_service import faults
from helm_wandb.wandb_service.messages import (
    THREADS,
    Account,
    Cause,
    Connect,
    Fault,
    FindRuns,
    ReadHistories,
    RemoteRun,
    Row,
    WriteRuns,
    Written,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from helm_wandb.wandb_service.messages import Artifact, Request, RunWriting, Table

_PAGE_RUNS = 200
_INIT_SECONDS = 15.0
_FINISH_SECONDS = 20.0
_REQUEST_SECONDS = 10.0
_RETRIES = 4
"""After a fault of the server; three in a row are survived."""
_WAIT_SECONDS = (0.5, 4.0)
"""The least and the greatest time before a retry, where the server does not name one."""
_ORPHAN_SECONDS = 8.0
"""For the SDK to finish with its files when nobody asks any more."""
_UNNEEDED = ("config.yaml", "wandb-summary.json", "wandb-metadata.json")
"""Files that repeat what the run itself holds, and cost two round trips."""


@dataclass
class Worker:
    """What the process remembers from one request to the next."""

    api: wandb.Api | None = None
    api_key: str = ""
    base_url: str = ""
    entity: str = ""

    def answer(self, request: Request) -> object:
        """What the request's docstring promises; whatever the SDK raises gets through."""
        match request:
            case Connect():
                return self._connect(request)
            case FindRuns():
                return self._find(request.project, request.filters)
            case ReadHistories():
                return self._histories(request)
            case WriteRuns():
                return _Writer(self, request).written()

    def _connect(self, request: Connect) -> Account:
        self.api_key, self.base_url = request.api_key, request.base_url
        wandb.setup(_settings(base_url=request.base_url, api_key=request.api_key))
        overrides = {"base_url": request.base_url}
        # Whole seconds: the SDK says so.
        self.api = wandb.Api(overrides, timeout=int(request.seconds), api_key=request.api_key)
        self.entity = request.entity or self.api.default_entity or ""
        return Account(self.entity)

    def _find(self, project: str, filters: Any) -> tuple[RemoteRun, ...]:  # noqa: ANN401 -- as W&B
        """The runs; none where the project does not exist yet."""
        api = self._connected()
        # It would answer the same question as it did before.
        api.flush()  # type: ignore[no-untyped-call] # wandb's
        path = f"{self.entity}/{project}"
        try:
            # Not lazy: a lazy run asks for its summary by a request of its own.
            found = list(api.runs(path, dict(filters), per_page=_PAGE_RUNS, lazy=False))
        except ValueError as error:
            if "Could not find project" in str(error):
                return ()
            raise
        return tuple(map(_remote, found))

    def _histories(self, request: ReadHistories) -> dict[str, tuple[Row, ...]]:
        api = self._connected()

        def rows(run_id: str) -> tuple[Row, ...]:
            run = api.run(f"{self.entity}/{request.project}/{run_id}")
            # Never with keys: then only the rows that hold them all would come. Nor from the
            # cache, which does not know of rows that were added.
            return tuple(run.scan_history(use_cache=False))

        with ThreadPoolExecutor(max(1, min(16, len(request.run_ids)))) as pool:
            return dict(zip(request.run_ids, pool.map(rows, request.run_ids), strict=True))

    def _connected(self) -> wandb.Api:
        if self.api is None:
            message = "not connected"
            raise RuntimeError(message)
        return self.api


def _remote(run: Any) -> RemoteRun:  # noqa: ANN401 -- the SDK's runs make attributes of what came
    return RemoteRun(
        id=run.id,
        group=run.group,
        tags=tuple(run.tags or ()),
        state=run.state,
        config=dict(run.config),
        summary=dict(run.summary_metrics),
        url=run.url,
    )


@dataclass(frozen=True)
class _Open:
    """A run that was begun, or what hindered it."""

    writing: RunWriting
    run: wandb.Run | None
    fault: Fault | None = None


class _Writer:
    """Writes the runs of one request, a batch at a time."""

    def __init__(self, worker: Worker, request: WriteRuns) -> None:
        self._worker = worker
        self._request = request
        self._until = time.monotonic() + request.seconds
        self._online = request.mode == "online"
        wandb.setup(self._settings())

    def written(self) -> tuple[Written, ...]:
        """What became of the runs; those that there was no time to begin are left out."""
        with ThreadPoolExecutor(self._request.threads) as pool:
            return tuple(itertools.chain.from_iterable(self._batches(pool)))

    def _batches(self, pool: ThreadPoolExecutor) -> Iterator[Iterable[Written]]:
        runs = self._request.runs
        for start in range(0, len(runs), THREADS):
            if self._left() <= 0:
                return
            opened = list(pool.map(self._open, runs[start : start + THREADS]))
            yield list(pool.map(partial(self._fill, mine=self._still_mine(opened)), opened))
            if all(one.run is None for one in opened):
                # What hinders every one of them would hinder the others too.
                return

    def _left(self) -> float:
        return self._until - time.monotonic()

    def _open(self, writing: RunWriting) -> _Open:
        try:
            return _Open(writing, self._begun(writing))
        except Exception as error:  # noqa: BLE001 -- whatever it is, the other runs go on
            fault = self._fault(error)
            if fault.cause is Cause.REFUSED:
                fault = faults.in_journals(self._request.folder, writing.id, self._key) or fault
            return _Open(writing, None, fault)

    def _begun(self, writing: RunWriting) -> wandb.Run:
        mark = {self._request.mark: {"writer": self._request.writer}} if self._online else {}
        run = wandb.init(
            id=writing.id,
            group=writing.group,
            name=writing.name,
            tags=writing.tags,
            config={**writing.config, **mark},
            resume="allow" if self._online else None,
            settings=self._settings(),
        )
        # Each time anew, also where nothing else is written: a resumed run forgets its axes.
        for metric, axis in writing.axes.items():
            run.define_metric(metric, step_metric=axis)
        return run

    def _still_mine(self, opened: Sequence[_Open]) -> frozenset[str]:
        """The ids of the runs that nobody else has begun to write since they were looked at.

        Two writers of one run send their rows to the same places, and the later one's stay. So
        each leaves its mark in the run's config when it begins, and yields where the mark is
        another's by now, or where the run was written since.
        """
        begun = {one.writing.id: one.writing for one in opened if one.run}
        if not self._online or not begun:
            return frozenset(begun)
        mark = self._request.mark
        found = self._worker.answer(
            FindRuns(project=self._request.project, filters={"name": {"$in": list(begun)}})
        )
        return frozenset(
            run.id
            for run in found  # type: ignore[attr-defined] # as FindRuns promises
            if run.config.get(mark) == {"writer": self._request.writer}
            and run.summary.get(mark) == begun[run.id].seen
        )

    def _fill(self, opened: _Open, *, mine: frozenset[str]) -> Written:
        writing, run = opened.writing, opened.run
        if run is None:
            return Written(run_id=writing.id, fault=opened.fault)
        folder = Path(run.dir).parent
        done = Written(run_id=writing.id, folder=str(folder), yielded=writing.id not in mine)
        try:
            if not done.yielded:
                self._log(run, writing)
            run.finish()
            fault = faults.in_journal(folder, self._key)
            if writing.confirmed and self._online and not done.yielded and not fault:
                self._confirm(writing)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the other runs go on
            fault = self._fault(error)
        return replace(done, fault=fault)

    def _confirm(self, writing: RunWriting) -> None:
        """Say in the summary what could be said only when the run's files had arrived.

        They are sent beside the rows and the summary, and lost without them.
        """
        run = self._begun(writing)
        run.summary.update(dict(writing.confirmed))
        run.finish()

    def _fault(self, error: BaseException) -> Fault:
        return faults.of(error, self._key)

    @property
    def _key(self) -> str:
        return self._worker.api_key

    def _log(self, run: wandb.Run, writing: RunWriting) -> None:
        """Log what is to be written.

        `step` is W&B's own number of a row, never the iteration: W&B drops a row whose number
        is not greater than the last one's.
        """
        first_step = run.starting_step if self._online else writing.first_step
        rows = [dict(row) for row in writing.rows]
        if writing.tables:
            rows.append(_media(run, writing.tables, first_step))
        for step, row in enumerate(rows, start=first_step):
            run.log(row, step=step, commit=True)
        run.summary.update(dict(writing.summary))
        if writing.artifact and self._online:
            _log_artifact(run, writing.artifact)
        elif not self._online:
            run.summary.update(dict(writing.confirmed))

    def _settings(self) -> wandb.Settings:
        request = self._request
        settings = _settings(
            mode=request.mode,
            base_url=request.base_url,
            api_key=self._key if self._online else None,
            project=request.project,
            entity=self._worker.entity if self._online else request.entity,
            root_dir=request.folder,
        )
        settings.init_timeout = max(1.0, min(_INIT_SECONDS, self._left()))
        settings.finish_timeout = max(1.0, min(_FINISH_SECONDS, self._left()))
        settings.finish_timeout_raises = True
        return settings


def _settings(**given: Any) -> wandb.Settings:  # noqa: ANN401 -- the SDK's own fields
    """Settings that keep a run to what was logged, its files to its folder, and quiet."""
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
    """The tables and bar charts, each held by a file in the run's folder.

    Bound to the run first, they are not made artifacts: offline those keep their files in
    the home folder, by absolute path, and a copy without them is sent with dead links.
    """
    media: dict[str, object] = {}
    for table in tables:
        held = wandb.Table(columns=list(table.columns), data=[list(row) for row in table.rows])
        if table.title is None:
            media[table.key] = held
            held.bind_to_run(run, table.key, step)  # type: ignore[no-untyped-call] # wandb's
        else:
            label, value = table.columns
            media[table.key] = wandb.plot.bar(held, label, value, title=table.title)
            held.bind_to_run(run, f"{table.key}_table", step)  # type: ignore[no-untyped-call] # wandb's
    return media


def _log_artifact(run: wandb.Run, artifact: Artifact) -> None:
    made = wandb.Artifact(artifact.name, type=artifact.type)
    with made.new_file(artifact.file_name, mode="wb") as file:
        file.write(artifact.content)
    run.log_artifact(made, aliases=list(artifact.aliases))


def main(descriptor: int) -> None:
    """Answer what comes through the pipe until its other end is closed."""
    worker = Worker()
    Thread(target=_end_with_asker, args=(descriptor,), daemon=True).start()
    with Connection(descriptor) as pipe:
        while True:
            try:
                request = pipe.recv()
            except EOFError:
                break
            pipe.send(_answer(worker, request))
    wandb.teardown()


def _end_with_asker(descriptor: int) -> None:
    """End this process some time after its asker has, whatever the SDK waits for by then."""
    hung_up = select.poll()
    hung_up.register(descriptor, 0)  # of a hang-up poll tells unasked
    hung_up.poll()
    time.sleep(_ORPHAN_SECONDS)
    os._exit(1)


def _answer(worker: Worker, request: Request) -> object:
    try:
        return worker.answer(request)
    # The SDK exits where its service fails.
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- told to the process that asked
        return faults.of(error, worker.api_key)
