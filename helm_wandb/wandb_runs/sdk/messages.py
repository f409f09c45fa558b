"""Requests to W&B's process, and its answers. Frozen data; nothing here imports wandb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Literal, TypeVar

Row = Mapping[str, float]
"""The values of an iteration by the names that W&B shows, `mmlu.EM`; the x-axes have no dot."""
StoredRow = Mapping[str, object]
"""A row as W&B stores it, in which benchmarks are nested mappings."""

T = TypeVar("T")

THREADS = 128
"""Runs that are written at once: most of the time is round trips."""


class Cause(StrEnum):
    """Why W&B did not do what was requested; each has a different fix."""

    KEY = "key"
    """It does not accept the key (HTTP 401)."""
    ACCESS = "access"
    """It knows no such entity or project, or the key may not write there (HTTP 403, 404)."""
    NETWORK = "network"
    """It cannot be reached, drops connections, or does not answer in time."""
    LIMIT = "limit"
    """It takes no more requests for now (HTTP 429)."""
    SERVER = "server"
    """It returns a server error (HTTP 5xx)."""
    REFUSED = "refused"
    """It refuses what was sent, for a reason in its own words."""
    ABSENT = "absent"
    """It has no such artifact, or none that the key may read."""
    LOST = "lost"
    """It took everything, and does not have it."""
    SIZE = "size"
    """It sent more data than the limit."""
    DISK = "disk"
    """A folder of this machine is full, or cannot be written to."""
    ENDED = "ended"
    """The SDK's process has ended by itself, or was killed by the system."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error, and W&B's words for it."""

    cause: Cause
    detail: str
    """On one line."""


NO_TIME = Fault(Cause.NETWORK, "there was no time left to begin")


class ServiceError(Exception):
    """The process could not do what was requested."""

    def __init__(self, fault: Fault) -> None:
        """Carry the fault."""
        super().__init__(fault.detail)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of a run, or the bar chart of one."""

    key: str
    """Under which the run holds it."""
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    title: str | None = None
    """With a title it is drawn as bars: the first column labels them, the second measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file that a run keeps in W&B, in versions."""

    name: str
    type: str
    file_name: str
    content: bytes
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWriting:
    """The content to be written to one run."""

    id: str
    reserved_in: str
    """ID of the run among whose files a reservation of this one is stored."""
    group: str
    name: str
    job_type: str
    tags: tuple[str, ...]
    notes: str
    config: Mapping[str, object]
    axes: Mapping[str, str]
    """Metric → its x-axis."""
    rows: tuple[Row, ...]
    first_step: int
    """W&B's own number of the first row, if the run does not exist yet in W&B."""
    tables: tuple[Table, ...]
    summary: Mapping[str, object]
    subjects: Mapping[str, str] = field(default_factory=dict)
    """Name of a value → the subject in it, under which W&B stores the value."""
    confirmed: Mapping[str, object] = field(default_factory=dict)
    """Part of the summary that is added when all files of the run have arrived."""
    artifact: Artifact | None = None
    seen: object = None
    """Online: the summary's value of `mark` when the rows were chosen; None for a new run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteRun:
    """A run as W&B holds it."""

    id: str
    group: str | None
    state: str
    config: Mapping[str, object]
    summary: Mapping[str, object]
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The result of writing one run."""

    run_id: str
    folder: str | None = None
    fault: Fault | None = None
    yielded: bool = False
    """Nothing was written, as another writer is at it, or was since it was looked at."""
    unsettled: bool = False
    """The data may still arrive: the process is to be ended, then the reservation withdrawn."""
    url: str | None = None


class RequestFor(Generic[T]):
    """A request, by the type of its answer."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect(RequestFor[str]):
    """Check the key. Answer: the entity whose runs these are; empty if the key has none."""

    base_url: str
    api_key: str = field(repr=False)
    entity: str | None
    seconds: float
    """Seconds that a question may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindRuns(RequestFor[tuple[RemoteRun, ...]]):
    """Read the runs of a project that match a filter, all pages."""

    project: str
    filters: Mapping[str, object]
    most: int = 50_000
    """Runs; a fault of SIZE if the project has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadHistories(RequestFor[dict[str, tuple[StoredRow, ...]]]):
    """Read all rows of runs. Answer: run ID → rows, in the order logged."""

    project: str
    run_ids: tuple[str, ...]
    most: int = 1_000_000
    """Rows of a run; a fault of SIZE if one has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRuns(RequestFor[tuple[Written, ...]]):
    """Write runs, many at once. Answer: one result of each run that was begun."""

    mode: Literal["online", "offline"]
    entity: str | None
    project: str
    base_url: str | None
    folder: str
    """In which the runs' own folders are made, below `wandb/`."""
    runs: tuple[RunWriting, ...]
    seconds: float
    """No run is begun after that, and none takes longer."""
    mark: str
    """The key of the summary's record."""
    writer: str
    """A name that no other writer has."""
    threads: int = THREADS


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(RequestFor[None]):
    """Delete the reservations of a writer whose process was ended."""

    project: str
    run_ids: tuple[str, ...]
    """Those that hold the reservations."""
    writer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file of an artifact, as W&B holds it."""

    content: bytes
    artifact: str
    """`entity/project/name:v3`: the version, which no alias moves away from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadArtifacts(RequestFor[dict[str, StoredFile]]):
    """Read one file of each of some artifacts. Answer: name → file.

    What is missing, or larger than the limit, is not in the answer.
    """

    project: str
    names: tuple[str, ...]
    """With their aliases, `name:alias`."""
    file_name: str
    limit_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactUse:
    """An artifact that a run uses, for W&B's lineage."""

    run_id: str
    artifact: str
    """`entity/project/name:alias`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UseArtifacts(RequestFor[tuple[Fault | None, ...]]):
    """Have runs use artifacts. Answer: for each of them None, or why W&B doesn't show it."""

    project: str
    uses: tuple[ArtifactUse, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredView:
    """A saved view of a project, as W&B holds it."""

    id: str
    spec: str
    """Its content, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadView(RequestFor[StoredView | None]):
    """Read a saved view. Answer: None if the project has none of that name."""

    project: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveView(RequestFor[None]):
    """Save a view."""

    project: str
    id: str | None
    """The view that it replaces; None: it is a new one."""
    name: str
    title: str
    spec: str


Request = (
    Connect
    | FindRuns
    | ReadArtifacts
    | ReadHistories
    | ReadView
    | SaveView
    | UseArtifacts
    | WriteRuns
    | Withdraw
)
