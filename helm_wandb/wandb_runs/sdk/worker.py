"""The process of the W&B SDK: it answers requests from a pipe, one after another.

It is separate so that nothing that the SDK does (wait without end for its service,
exit, print, read the user's variables) happens to ours, which ends it when its time is up.
"""

from __future__ import annotations

import errno
import itertools
import os
import resource
import select
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import wandb

from helm_wandb.wandb_runs.sdk import faults, lineage, processes, views
from helm_wandb.wandb_runs.sdk.messages import (
    THREADS,
    Cause,
    Connect,
    Fault,
    FindRuns,
    ReadArtifacts,
    ReadHistories,
    ReadView,
    RemoteRun,
    Request,
    SaveView,
    ServiceError,
    StoredFile,
    StoredRow,
    UseArtifacts,
    Withdraw,
    WriteRuns,
)
from helm_wandb.wandb_runs.sdk.reservations import Reservations
from helm_wandb.wandb_runs.sdk.run_writer import Client, RunWriter, create_settings

if TYPE_CHECKING:
    from wandb.apis.public import Run
    from wandb.sdk.artifacts.artifact_manifest_entry import ArtifactManifestEntry


_PAGE_RUNS = 200
_THREADS_OF_QUESTIONS = 16
_ORPHAN_SECONDS = 8.0
"""Time for the SDK to finish its files after the last request."""


class Worker(Client):
    """Answers requests; what it has seen so far is kept between them."""

    def answer(self, request: Request) -> object:  # noqa: PLR0911 -- one for each request
        """Return what the request's docstring promises; the SDK's exceptions get through."""
        match request:
            case Connect():
                return self._connect(request)
            case FindRuns():
                return tuple(map(_remote, self._found(request)))
            case ReadArtifacts():
                return self._artifacts(request)
            case ReadHistories():
                return self._histories(request)
            case ReadView():
                return views.read_view(self.connected(), self.entity, request)
            case SaveView():
                views.save_view(self.connected(), self.entity, request)
                return None
            case UseArtifacts():
                return self._use_artifacts(request)
            case WriteRuns():
                return RunWriter(self, request, Path(_scratch())).write()
            case Withdraw():
                self._withdraw(request)
                return None

    def _connect(self, request: Connect) -> str:
        self.api_key = request.api_key
        wandb.setup(create_settings(base_url=request.base_url, api_key=request.api_key))
        overrides = {"base_url": request.base_url}
        # Whole seconds: the SDK says so.
        self.api = wandb.Api(overrides, timeout=int(request.seconds), api_key=request.api_key)
        self.entity = request.entity or self.api.default_entity or ""
        return self.entity

    def _found(self, request: FindRuns) -> Sequence[Run]:
        runs = self.runs(request.project, request.filters, most=request.most + 1)
        if len(runs) > request.most:
            raise ServiceError(
                Fault(
                    Cause.SIZE, f"the project {request.project} has more than {request.most:,} runs"
                )
            )
        return runs

    def runs(
        self, project: str, filters: Mapping[str, object], *, most: int | None = None
    ) -> Sequence[Run]:
        """Return the first runs, `most` of them; none if the project does not exist yet."""
        api = self.connected()
        # It would answer the same question as it did before.
        api.flush()  # type: ignore[no-untyped-call] # wandb's
        path = f"{self.entity}/{project}"
        try:
            # Not lazy: a lazy run makes a separate request for its summary.
            pages = api.runs(path, dict(filters), per_page=_PAGE_RUNS, lazy=False)
            runs = list(itertools.islice(pages, most))
        except ValueError as error:
            if "Could not find project" in str(error):
                return ()
            raise
        self.runs_by_id |= {run.id: run for run in runs}
        return runs

    def _artifacts(self, request: ReadArtifacts) -> dict[str, StoredFile]:
        api = self.connected()

        def stored_file(name: str) -> StoredFile | None:
            artifact = lineage.find_artifact(api, f"{self.entity}/{request.project}/{name}")
            if artifact is None:
                return None
            # Only entries that the artifact hands out can be downloaded.
            try:
                entry = artifact.get_entry(request.file_name)
            except KeyError:
                return None
            if entry.size is None or entry.size > request.limit_bytes:
                return None
            content = _downloaded(entry)
            if content is None:
                return None
            return StoredFile(content=content, artifact=artifact.source_qualified_name)

        with _files_at_most(request.limit_bytes), _pool(request.names) as pool:
            files = zip(request.names, pool.map(stored_file, request.names), strict=True)
            return {name: file for name, file in files if file}

    def _use_artifacts(self, request: UseArtifacts) -> tuple[Fault | None, ...]:
        project = f"{self.entity}/{request.project}"
        use = partial(lineage.use_artifact, self.connected(), project)
        with _pool(request.uses) as pool:
            return tuple(pool.map(use, request.uses))

    def _histories(self, request: ReadHistories) -> dict[str, tuple[StoredRow, ...]]:
        api = self.connected()

        def rows(run_id: str) -> tuple[StoredRow, ...]:
            run = api.run(f"{self.entity}/{request.project}/{run_id}")
            # A second request for the run would be answered from the SDK's cache.
            self.runs_by_id[run_id] = run
            # Never with keys: then only the rows that hold them all would come. Nor from the
            # cache, which does not know of rows that were added.
            history = run.scan_history(max_step=request.most + 1, use_cache=False)
            # Its pages are of steps, with rows or without: the last step is W&B's word.
            if history.max_step >= request.most:
                raise ServiceError(
                    Fault(Cause.SIZE, f"the run {run_id} has more than {request.most:,} rows")
                )
            return tuple(history)

        with _pool(request.run_ids) as pool:
            return dict(zip(request.run_ids, pool.map(rows, request.run_ids), strict=True))

    def _withdraw(self, request: Withdraw) -> None:
        reservations = Reservations(Path(_scratch()), request.writer)
        runs = self.runs(request.project, {"name": {"$in": request.run_ids}})
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(reservations.withdraw, runs))


def _pool(questions: Sized) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, min(_THREADS_OF_QUESTIONS, len(questions))))


@contextmanager
def _files_at_most(limit_bytes: int) -> Iterator[None]:
    """Let this process write no larger files: a server may send more than it said."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = limit_bytes if most == resource.RLIM_INFINITY else min(limit_bytes, most)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def _downloaded(entry: ArtifactManifestEntry) -> bytes | None:
    """Return an artifact's content; None if it is larger than a file may be."""
    with tempfile.TemporaryDirectory(dir=_scratch()) as folder:
        try:
            return Path(entry.download(root=folder, skip_cache=True)).read_bytes()
        except OSError as error:
            if error.errno == errno.EFBIG:
                return None
            raise


def _remote(run: Run) -> RemoteRun:
    return RemoteRun(
        id=run.id,
        group=run.group,
        state=run.state,
        config=dict(run.config),
        summary=dict(run.summary_metrics),
        url=run.url,
    )


def main(descriptor: int) -> None:
    """Answer what comes through the pipe until its other end is closed."""
    # The SDK reads `wandb/settings` of the current folder: a checkout could name a proxy there.
    os.chdir(_scratch())
    worker = Worker()
    ending = Event()
    ender = Thread(target=_end_with_asker, args=(descriptor, ending), daemon=True)
    ender.start()
    with Connection(descriptor) as pipe:
        while True:
            try:
                pipe.send(_answer(worker, pipe.recv()))
            except (EOFError, OSError):
                break
    # Its service may have been killed by the other thread, which then ends this process.
    with suppress(Exception):
        wandb.teardown()
    if ending.is_set():
        ender.join()
    _clean_up()


def _end_with_asker(descriptor: int, ending: Event) -> None:
    """End this process some time after its asker has, whatever the SDK waits for by then."""
    hung_up = select.poll()
    hung_up.register(descriptor, 0)  # poll always reports a hang-up
    hung_up.poll()
    time.sleep(_ORPHAN_SECONDS)
    ending.set()
    for child in processes.children(os.getpid()):
        # The SDK's service, which would go on to write to the folder.
        processes.end(child)
    _clean_up()
    os._exit(1)


def _clean_up() -> None:
    """Remove the scratch folder, as an asker that was killed cannot."""
    shutil.rmtree(_scratch(), ignore_errors=True)


def _scratch() -> str:
    """The folder that ends with the process."""
    return os.environ["WANDB_CACHE_DIR"]


def _answer(worker: Worker, request: Request) -> object:
    try:
        return worker.answer(request)
    except ServiceError as error:
        return error.fault
    # The SDK exits if its service fails.
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- reported through the pipe
        return faults.classify(error)
