"""Runs in a working folder where somebody else has put links, FIFOs and settings."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from helm_wandb import cli

from .test_cli import file, user, write_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["user"]

OWNER = 1000


@pytest.fixture
def checkout(user: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of a user, with a config; `outside` in it leads out of it."""
    write_config(user, file("alpha", mmlu={"EM": 0.5}))
    (user / "outside").symlink_to(tmp_path_factory.mktemp("outside"))
    if os.geteuid() == 0:
        os.chown(user, OWNER, OWNER)
    return user


@pytest.fixture
def run(root: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run the command; return its exit code, and what it printed on standard error."""

    def run_command(*arguments: str) -> tuple[int, str]:
        exit_code = cli.main(["--config", "config.yaml", *arguments], root=root)
        return exit_code, capsys.readouterr().err

    return run_command


def test_runs_are_recorded_next_to_what_was_planted(
    checkout: Path, run: Callable[..., tuple[int, str]]
) -> None:
    """Settings in `wandb/` are not read, what lies outside keeps its owner, all new is handed over.

    The SDK itself would read the settings, a proxy for the key among them.
    """
    outside = (checkout / "outside").resolve()
    (outside / "secret").touch()
    wandb = checkout / "wandb"
    wandb.mkdir()
    (wandb / "settings").write_text("[default]\nrun_notes = planted\n")
    (wandb / "hard").hardlink_to(outside / "secret")
    (wandb / "link").symlink_to(outside)
    (wandb / "offline-run-1-helm-1").symlink_to(outside)
    before = set(wandb.iterdir())

    assert (0, "") == run("--summary-only")
    (made,) = set(wandb.iterdir()) - before
    (log,) = made.glob("run-helm-*.wandb")
    assert b"planted" not in log.read_bytes()
    assert (made / "helm-recording.json").is_file()
    owner = checkout.stat().st_uid
    assert {owner} == {path.lstat().st_uid for path in (made, *made.rglob("*"))}
    assert [os.geteuid()] == [path.stat().st_uid for path in outside.iterdir()]


@pytest.mark.parametrize("link", ["wandb", "out"])
def test_no_output_goes_through_a_link(
    link: str, checkout: Path, run: Callable[..., tuple[int, str]]
) -> None:
    """The output fails with the link's name, and the others are written."""
    (checkout / link).symlink_to("outside")
    with_runs = [] if link == "wandb" else ["--print-only"]
    exit_code, errors = run(*with_runs, "--report", "out/report.json", "--html", "page.html")
    what = {"wandb": "W&B: wandb: the W&B runs", "out": "report: out: the report"}[link]

    assert (
        f"error: {what} {'could not' if link == 'wandb' else 'cannot'} be written: it is a link, "
        "and nothing is written through links. Replace it with a folder, or write "
        "elsewhere\n"
    ) == errors
    assert 5 == exit_code
    assert [] == list((checkout / "outside").iterdir())
    assert (checkout / "page.html").is_file()


def test_a_fifo_elsewhere_gets_one_report(
    checkout: Path, run: Callable[..., tuple[int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Who names it outside of the working folder reads it: one report, with all its links."""
    fifo = tmp_path_factory.mktemp("elsewhere") / "fifo"
    os.mkfifo(fifo)
    # Opened for both, so that there is a reader before the report is written.
    with os.fdopen(os.open(fifo, os.O_RDWR), "rb", buffering=0) as reader:
        assert (0, "") == run("--print-only", "--report", str(fifo))
        assert json.loads(reader.read(1 << 20))["evaluations"]
    assert checkout.is_dir()


@pytest.mark.parametrize("name", ["fifo", "zero"])
@pytest.mark.parametrize(
    ("arguments", "entry", "exit_code"),
    [
        (("--baseline", "{}"), {}, 2),
        ((), {"source": "report", "path": "{}"}, 3),
        ((), {"helm_output_dir": "{}", "helm_suite_name": "s"}, 3),
    ],
    ids=["baseline", "path", "helm_output_dir"],
)
def test_nothing_is_read_that_never_ends(  # noqa: PLR0913, PLR0917 -- fixtures and columns
    name: str,
    arguments: tuple[str, ...],
    entry: dict[str, str],
    exit_code: int,
    checkout: Path,
    run: Callable[..., tuple[int, str]],
) -> None:
    """The message about a FIFO without a writer, or a link to an endless device, has its path."""
    os.mkfifo(checkout / "fifo")
    (checkout / "zero").symlink_to("/dev/zero")
    if entry:
        filled = {key: value.format(name) for key, value in entry.items()}
        write_config(checkout, {"eval_type": "helm", **filled})
    code, errors = run("--print-only", *(one.format(name) for one in arguments))

    assert exit_code == code
    assert name in errors


@pytest.mark.parametrize("flag", ["--report", "--html"])
def test_a_fifo_in_the_place_of_an_output_ends_the_run(
    flag: str, checkout: Path, run: Callable[..., tuple[int, str]]
) -> None:
    """Nobody reads it: the output fails, with its name, and the other is written."""
    os.mkfifo(checkout / "fifo")
    other = "--html" if flag == "--report" else "--report"
    exit_code, errors = run("--print-only", flag, "fifo", other, "other")

    assert errors.endswith(
        "fifo: the report cannot be written: it is a FIFO, and not a file. Remove it, or give "
        "another path\n".replace(
            "the report", "the HTML report" if flag == "--html" else "the report"
        )
    )
    assert 5 == exit_code
    assert (checkout / "other").is_file()
