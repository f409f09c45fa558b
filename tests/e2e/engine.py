"""A container engine: the one that answers, else one of our own from its start to its end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_SHOWN = 4000
"""Characters of what a command that failed has printed, which are its last."""
_PACKAGES = ("docker.io", "debootstrap")
_CLIENT = "docker-cli"
"""A separate package from Debian 13 on."""


class EngineError(Exception):
    """There is no engine, or its command failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Docker's client and the daemon that it asks."""

    host: str | None = None
    """The daemon's address; None: the one that the client finds by itself."""

    def command(self, *arguments: str) -> list[str]:
        """The client's command line."""
        host = ["--host", self.host] if self.host else []
        return [tool("docker"), *host, *arguments]

    def ask(self, *arguments: str, stdin: IO[bytes] | None = None) -> str:
        """What the client prints; raises EngineError if it fails."""
        return run(*self.command(*arguments), stdin=stdin)

    def answers(self) -> bool:
        """Whether there are a client and a daemon."""
        try:
            self.ask("version")
        except EngineError:
            return False
        return True


def tool(name: str) -> str:
    """The path of a program; raises EngineError if there is none."""
    # Debian's administrators have sbin on their PATH; the users of sudo may not.
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin")
    if found is None:
        message = f"there is no {name} on this machine"
        raise EngineError(message)
    return found


def run(
    *command: str, stdin: IO[bytes] | None = None, environ: Mapping[str, str] | None = None
) -> str:
    """What a command prints; raises EngineError if it fails."""
    done = subprocess.run(command, stdin=stdin, env=environ, capture_output=True, check=False)
    if done.returncode:
        output = (done.stdout + done.stderr).decode(errors="replace")
        message = f"`{' '.join(command)}` ended with {done.returncode}:\n{output[-_SHOWN:]}"
        raise EngineError(message)
    return done.stdout.decode().strip()


@contextmanager
def engine() -> Iterator[Engine]:
    """The engine of this machine, installed or started if need be; raises EngineError."""
    if (found := Engine()).answers():
        yield found
        return
    if os.geteuid() != 0:
        message = "no container engine answers, and only root could start one"
        raise EngineError(message)
    _install()
    with (
        tempfile.TemporaryDirectory(prefix="helm-wandb-engine-") as folder,
        _daemon(Path(folder)) as own,
    ):
        yield own


def _install() -> None:
    """Install Docker's daemon and client and debootstrap, those that lack."""
    if all(map(_has, ("docker", "dockerd", "debootstrap"))):
        return
    # As if there were no services to start: the daemon is ours to start, and to stop.
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    run(tool("apt-get"), "update", environ=environ)
    install = (tool("apt-get"), "install", "--yes", "--no-install-recommends")
    run(*install, *_PACKAGES, environ=environ)
    if not _has("docker"):
        run(*install, _CLIENT, environ=environ)


def _has(name: str) -> bool:
    try:
        tool(name)
    except EngineError:
        return False
    return True


@contextmanager
def _daemon(folder: Path) -> Iterator[Engine]:
    """A daemon that keeps all it has in the folder, and touches no network of the machine's."""
    own = Engine(host=f"unix://{folder}/docker.sock")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                # It ends with us, also where we are killed, and with it all that it mounted.
                *(tool("setpriv"), "--pdeathsig", "TERM", "--", tool("unshare"), "--mount", "--"),
                *(tool("dockerd"), "--host", str(own.host)),
                *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
                *("--pidfile", str(folder / "pid")),
                *("--bridge", "none", "--iptables=false", "--ip6tables=false"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait(own, process, folder / "log")
        yield own
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(own: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while not own.answers():
        if process.poll() is not None or time.monotonic() > end:
            message = f"dockerd does not answer:\n{log.read_text(errors='replace')}"
            raise EngineError(message)
        time.sleep(0.2)
