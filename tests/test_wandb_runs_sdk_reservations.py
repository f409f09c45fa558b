"""Reservations of runs, by the real SDK's files on a W&B server for tests."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import wandb
from wandb.apis.public import File

from helm_wandb.wandb_runs.sdk import reservations
from helm_wandb.wandb_runs.sdk.messages import Cause, ServiceError
from helm_wandb.wandb_runs.sdk.reservations import STALE_SECONDS, Reservations
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wandb.apis.public import Run

pytestmark = pytest.mark.enable_socket

SOON = 0.5
"""Seconds that are waited for a run which nobody gives free."""
LONG = 10.0


@pytest.fixture(autouse=True)
def sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The SDK without settings of this machine and without a trace in it."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR", "NETRC"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    yield
    wandb.teardown()


@pytest.fixture
def server() -> Iterator[WandbServer]:
    """A server that holds a run, and got only requests that it knows."""
    with WandbServer() as served:
        served.add_run("llm", "helm-1")
        yield served

    assert [] == served.unknown


@pytest.fixture
def a(tmp_path: Path) -> Reservations:
    """The reservations of the writer whose name comes first."""
    return Reservations(tmp_path / "a", "a")


@pytest.fixture
def b(tmp_path: Path) -> Reservations:
    """The reservations of another writer."""
    return Reservations(tmp_path / "b", "b")


def run_of(server: WandbServer) -> Run:
    """The server's run, as the SDK shows it."""
    api = wandb.Api(overrides={"base_url": server.url}, api_key=API_KEY, timeout=60)
    return api.run("team/llm/helm-1")


def reserved(server: WandbServer) -> list[str]:
    """The names of the run's files."""
    return sorted(server.runs("llm")["helm-1"].files)


def test_run_is_kept_until_it_is_released(server: WandbServer, a: Reservations) -> None:
    """A file says that a job is at the run, and is deleted at its end."""
    own = a.take(run_of(server), seconds=SOON)

    assert ["helm_wandb/a.txt"] == reserved(server)
    assert own is not None
    reservations.release(own)
    assert [] == reserved(server)


@pytest.mark.parametrize("name", ["table.json", "helm_wandb.txt", "helmXwandb/b.txt"])
def test_other_files_of_the_run_do_not_matter(
    server: WandbServer, a: Reservations, tmp_path: Path, name: str
) -> None:
    """Neither do those that W&B lists too, for `_` is a wildcard in its patterns."""
    run = run_of(server)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    run.upload_file(str(path), root=str(tmp_path))

    assert a.take(run, seconds=SOON) is not None


def test_later_name_gives_way_at_once(
    server: WandbServer, a: Reservations, b: Reservations
) -> None:
    """A run that another job has reserved is not taken, and nothing is left there."""
    a.take(run_of(server), seconds=SOON)
    before = server.operations()["RunFiles"]

    assert b.take(run_of(server), seconds=LONG) is None
    assert 2 == server.operations()["RunFiles"] - before  # one list, one deletion
    assert ["helm_wandb/a.txt"] == reserved(server)


def test_run_that_was_just_made_is_left_without_a_trace(
    server: WandbServer, a: Reservations, b: Reservations
) -> None:
    """Also of a run of which the SDK knows no more than its name, the file is deleted."""
    a.take(run_of(server), seconds=SOON)
    api = wandb.Api(overrides={"base_url": server.url}, api_key=API_KEY, timeout=60)
    made = api.create_run(run_id="helm-1", project="llm", entity="team")

    assert b.take(made, seconds=SOON) is None
    assert ["helm_wandb/a.txt"] == reserved(server)


def test_first_name_does_not_wait_forever(
    server: WandbServer, a: Reservations, b: Reservations
) -> None:
    """It gives way to one that is at the run already and stays."""
    b.take(run_of(server), seconds=SOON)

    assert a.take(run_of(server), seconds=SOON) is None
    assert ["helm_wandb/b.txt"] == reserved(server)


def test_first_name_gets_the_run_when_the_other_ends(
    server: WandbServer, a: Reservations, b: Reservations
) -> None:
    """So that of jobs which find each other one goes on without another try."""
    other = b.take(run_of(server), seconds=SOON)
    assert other is not None
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(a.take, run_of(server), seconds=LONG)
        while len(reserved(server)) < 2:
            time.sleep(0.02)
        reservations.release(other)

        assert waiting.result() is not None
    assert ["helm_wandb/a.txt"] == reserved(server)


@pytest.mark.parametrize("passed_seconds", [STALE_SECONDS - 10, STALE_SECONDS + 1])
def test_only_a_stale_reservation_is_taken_away(
    server: WandbServer, a: Reservations, b: Reservations, passed_seconds: float
) -> None:
    """What a killed job left hinders nobody once it is older than a living job's can be."""
    a.take(run_of(server), seconds=SOON)
    server.pass_time(passed_seconds)
    stale = passed_seconds > STALE_SECONDS

    assert stale is bool(b.take(run_of(server), seconds=SOON))
    assert ["helm_wandb/b.txt" if stale else "helm_wandb/a.txt"] == reserved(server)


@pytest.mark.parametrize("time_text", [None, "", "yesterday", "2026-01-01T00:00:00Z"])
def test_unknown_age_is_not_stale(time_text: str | None) -> None:
    """If W&B's times cannot be read or compared, another job is taken to be alive."""
    files = [
        File(None, {"name": "helm_wandb/a.txt", "updatedAt": time})  # type: ignore[arg-type] # asks nothing
        for time in (time_text, "2026-01-02T00:00:00")
    ]

    assert not reservations.is_stale(*files)


@pytest.mark.parametrize("zone", ["", "Z"])
def test_age_is_by_the_times_that_are_reported(zone: str) -> None:
    """Both are W&B's own, so that no clock of a runner counts."""
    old, new = (
        File(None, {"name": "helm_wandb/a.txt", "updatedAt": f"2026-01-0{day}T00:00:00{zone}"})  # type: ignore[arg-type] # asks nothing
        for day in (1, 2)
    )

    assert (True, False) == (reservations.is_stale(old, new), reservations.is_stale(new, old))


def test_late_listing_is_waited_for(a: Reservations, b: Reservations) -> None:
    """A list that does not have the own file yet is not believed: it may lack another's too."""
    with WandbServer(listing_seconds=1.0) as server:
        server.add_run("llm", "helm-1")
        run = run_of(server)
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda one: one.take(run, seconds=LONG), (a, b)))

        assert ["helm_wandb/a.txt"] == [file.name for file in found if file]


def test_reservation_that_is_lost_is_reported(server: WandbServer, a: Reservations) -> None:
    """If W&B never lists it, the run is not written to."""
    server.fault("upload", lose=True)

    with pytest.raises(ServiceError) as raised:
        a.take(run_of(server), seconds=SOON)
    assert Cause.LOST is raised.value.fault.cause


@pytest.mark.parametrize("match", ["CreateRunFiles", "upload", "RunFiles"])
def test_fault_of_the_server_is_raised(server: WandbServer, a: Reservations, match: str) -> None:
    """The SDK reports what W&B refuses."""
    server.fault(match, status=403)

    with pytest.raises(wandb.errors.CommError):
        a.take(run_of(server), seconds=SOON)


def test_failed_release_is_no_fault(server: WandbServer, a: Reservations) -> None:
    """What cannot be deleted becomes stale."""
    own = a.take(run_of(server), seconds=SOON)
    server.fault("deleteFiles", status=403)

    assert own is not None
    reservations.release(own)
    assert ["helm_wandb/a.txt"] == reserved(server)


def test_withdrawing_takes_the_own_file_only(
    server: WandbServer, a: Reservations, b: Reservations
) -> None:
    """A process that takes the place of one that was ended gives its runs free."""
    run = run_of(server)
    a.take(run, seconds=SOON)
    b.withdraw(run)
    assert ["helm_wandb/a.txt"] == reserved(server)
    a.withdraw(run)

    assert [] == reserved(server)
