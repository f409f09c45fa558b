#!/usr/bin/env python3
"""`install.py runtime|development [--this-python]`: make .venv, whole or not at all.

The environment holds exactly the packages of requirements/NAME.txt. It is built in a new folder
under .venvs, and .venv becomes a link to that folder when everything is installed and checked. A
stamp in it says what it was made of; if the stamp does not fit, the environment is built again. An
interruption leaves .venv as it was, and the next call removes what the interrupted one has built.

--this-python: an environment with another version of Python does not fit.
To be called in the project's folder. A Python that is too old can run it, and says that it is.
"""

import fcntl
import hashlib
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 14)
"""The versions of Python for which all locked packages have wheels."""
ENVIRONMENT = Path(".venv")
STORE = Path(".venvs")
SERVES = {"runtime": ["runtime"], "development": ["development", "runtime"]}
"""The locks that the environment of each lock holds."""
# No resolver chooses a release, and no sdist is built, which would fetch tools that nothing pins.
INSTALL = "pip install --quiet --no-deps --only-binary :all: --require-hashes --requirement"
_PRINT_VERSION = "import sys; print(sys.implementation.cache_tag)"


def main(name: str, *options: str) -> int:
    """Build the environment of a lock if .venv does not hold it; an exit code."""
    this_python = "--this-python" in options
    if _fits(name, this_python=this_python):
        return 0
    STORE.mkdir(exist_ok=True)
    with (STORE / "turn").open("w") as turn:
        _take(turn.fileno())
        if _fits(name, this_python=this_python):
            return 0
        try:
            _build(name, turn.fileno())
        except (OSError, subprocess.CalledProcessError) as error:
            sys.stderr.write(f"{error}\n{ENVIRONMENT} is unchanged\n")
            return 1
    return 0


def _fits(name: str, *, this_python: bool) -> bool:
    """Whether .venv is whole, made of this lock as it is now, and works at this place."""
    command = [str(ENVIRONMENT / "bin/python"), "-I", "-S", "-c", _PRINT_VERSION]
    try:
        stamp = _stamp_path(ENVIRONMENT, name).read_text()
        version = subprocess.check_output(command, universal_newlines=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return False
    if this_python and version != sys.implementation.cache_tag:
        return False
    return stamp == _stamp(name, version, ENVIRONMENT)


def _take(turn: int) -> None:
    """Wait until no other call builds here; the turn ends with this process and its children."""
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.stderr.write("Waiting for another make, which installs in this folder\n")
        fcntl.flock(turn, fcntl.LOCK_EX)


def _build(name: str, turn: int) -> None:
    """Install a lock into a new folder, and let .venv be a link to it."""
    _check_version()
    _remove_others()
    lock = _lock_path(name)
    folder = STORE.resolve() / f"{name}-{time.time_ns()}"
    sys.stderr.write(f"Installing {lock} into {ENVIRONMENT}, which takes a minute or two\n")
    python = str(folder / "bin/python")
    for command in (
        [sys.executable, "-I", "-m", "venv", str(folder)],
        [python, "-I", "-m", *INSTALL.split(), str(lock), "--disable-pip-version-check"],
        [python, "-I", "-m", "pip", "check"],
        # Byte code halves our part of the start-up, also if PYTHONDONTWRITEBYTECODE keeps Python
        # from writing it.
        [python, "-I", "-m", "compileall", "-q", "helm_wandb"],
    ):
        # A child that outlives this process keeps the turn.
        subprocess.run(command, check=True, pass_fds=[turn])
    version = str(sys.implementation.cache_tag)
    for served in SERVES[name]:
        _stamp_path(folder, served).write_text(_stamp(served, version, folder))
    _switch(folder)


def _check_version() -> None:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        oldest, version, newest = (
            ".".join(map(str, numbers)) for numbers in (OLDEST, sys.version_info[:2], NEWEST)
        )
        sys.exit(
            f"{sys.executable} is Python {version}, and the packages are locked for {oldest} to "
            f"{newest}. Name another one, as in: make PYTHON=python{newest}"
        )


def _switch(folder: Path) -> None:
    """Let .venv be a link to the folder. The target of an earlier link elsewhere is kept."""
    if ENVIRONMENT.is_dir() and not ENVIRONMENT.is_symlink():
        if any(_stamp_path(ENVIRONMENT, name).exists() for name in SERVES):
            ENVIRONMENT.rename(STORE / "replaced")
        else:
            kept = ENVIRONMENT.rename(f"{ENVIRONMENT}.{time.time_ns()}")
            sys.stderr.write(f"{ENVIRONMENT} was not built by make, and is kept as {kept}\n")
    link = STORE / "link"
    if link.is_symlink():
        link.unlink()
    link.symlink_to(STORE / folder.name)
    link.replace(ENVIRONMENT)
    _remove_others()


def _remove_others() -> None:
    """Remove all environments in the store but the one that .venv is a link to."""
    for folder in STORE.iterdir():
        if folder.is_dir() and folder.resolve() != ENVIRONMENT.resolve():
            shutil.rmtree(folder, ignore_errors=True)


def _lock_path(name: str) -> Path:
    return Path("requirements") / f"{name}.txt"


def _stamp_path(environment: Path, name: str) -> Path:
    return environment / f".{name}"


def _stamp(name: str, version: str, environment: Path) -> str:
    """Identity of an environment: the lock, the version of Python, and its place."""
    digest = hashlib.sha256(_lock_path(name).read_bytes()).hexdigest()
    return f"{digest} {version} {environment.resolve()}\n"


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
