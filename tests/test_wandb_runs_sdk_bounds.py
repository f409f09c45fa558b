"""What W&B answers has a size limit: runs, rows, files and memory, whatever the server says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.wandb_runs.sdk import messages
from helm_wandb.wandb_runs.sdk.messages import Cause, Fault, ServiceError
from helm_wandb.wandb_runs.sdk.service import Service
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.enable_socket

PROJECT = "llm"
SECONDS = 60.0
MEMORY_BYTES = 300 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[WandbServer]:
    """A server with a run of ten rows."""
    with WandbServer() as found:
        found.add_run(PROJECT, "long", rows=[{"loss": 1.0}] * 10)
        yield found

        assert [] == found.unknown


@pytest.fixture(scope="module")
def service(server: WandbServer) -> Iterator[Service]:
    """One process for all questions, which it survives but the last."""
    with Service(memory_bytes=MEMORY_BYTES) as found:
        request = messages.Connect(base_url=server.url, api_key=API_KEY, entity=None, seconds=10)
        found.ask(request, seconds=SECONDS)
        yield found


def fault_of(service: Service, request: messages.RequestFor[Any]) -> Fault:
    """The fault that the question ends with."""
    with pytest.raises(ServiceError) as caught:
        service.ask(request, seconds=SECONDS)
    return caught.value.fault


def test_pages_without_an_end_end(server: WandbServer, service: Service) -> None:
    """A list of runs of which each page says that another follows is read up to a number."""
    server.fault("*Runs*", endless=True)

    fault = fault_of(service, messages.FindRuns(project=PROJECT, filters={}, most=5))

    server.clear_faults()
    assert Fault(Cause.SIZE, "the project llm has more than 5 runs") == fault
    assert 1 == len(
        service.ask(messages.FindRuns(project=PROJECT, filters={}, most=1), seconds=SECONDS)
    )


def test_rows_without_an_end_are_not_read(service: Service) -> None:
    """The server says how many rows a run has; more than a number are refused, whole."""
    short = messages.ReadHistories(project=PROJECT, run_ids=("long",), most=5)
    long = messages.ReadHistories(project=PROJECT, run_ids=("long",), most=10)

    assert Fault(Cause.SIZE, "the run long has more than 5 rows") == fault_of(service, short)
    assert 10 == len(service.ask(long, seconds=SECONDS)["long"])


def test_a_file_that_is_larger_than_it_was_said_to_be_is_left_out(
    server: WandbServer, service: Service
) -> None:
    """An artifact of two bytes whose download never ends takes no more of the disk than allowed."""
    writing = messages.RunWriting(
        id="new",
        reserved_in="new",
        group="g",
        name="n",
        job_type="evaluate",
        tags=(),
        notes="",
        config={},
        axes={},
        rows=({"loss": 1.0},),
        first_step=0,
        tables=(),
        summary={"mark": {}},
        artifact=messages.Artifact(
            name="report", type="report", file_name="r.json", content=b"{}", aliases=("main",)
        ),
    )
    (done,) = service.ask(
        messages.WriteRuns(
            mode="online",
            entity=None,
            project=PROJECT,
            base_url=server.url,
            folder=str(service.scratch),
            runs=(writing,),
            seconds=SECONDS,
            mark="mark",
            writer="me",
        ),
        seconds=SECONDS,
    )
    assert done.fault is None
    request = messages.ReadArtifacts(
        project=PROJECT, names=("report:main",), file_name="r.json", limit_bytes=1000
    )
    # The first download is that of the list of files.
    server.fault("download", after=1, status=200, body="x" * 5000)

    found = service.ask(request, seconds=SECONDS)
    server.clear_faults()

    assert {} == found


def test_an_answer_larger_than_the_memory_ends_the_process(
    server: WandbServer, service: Service
) -> None:
    """The SDK holds answers whole; one that takes too much memory ends it, and is reported."""
    server.fault("*Runs*", status=200, body='{"data": "' + "x" * (200 << 20) + '"}')

    fault = fault_of(service, messages.FindRuns(project=PROJECT, filters={}))

    server.clear_faults()
    assert Fault(Cause.SIZE, "its answers take more than 300 MiB of memory") == fault
    assert not service.running
