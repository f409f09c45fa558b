"""The image that ours is built on: Docker's own, or without a registry one that is like it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.engine import EngineError, run, tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.engine import Engine

OFFICIAL = "python:3.12-slim-bookworm"
"""Base image of the Dockerfile."""
OWN = "helm-wandb-e2e/base"
_PACKAGES = ("ca-certificates", "netbase", "tzdata")
"""What the official image has in addition to Python and what that is linked to."""
_UNNEEDED = (
    *("var/lib/apt/lists", "var/cache/apt", "var/cache/debconf", "var/log"),
    *("usr/share/doc", "usr/share/info", "usr/share/lintian"),
    *("usr/share/locale", "usr/share/man"),
)
_NOT_COPIED = (
    *("*/__pycache__", "*.a", "*/site-packages/*", "*/test", "*/tests"),
    *("*/idlelib", "*/turtledemo", "*/tkinter", "*/_tkinter*"),
)
"""Parts of a CPython's `lib` that are left out: packages and tests in it are not Python's own."""
_DEBIANS_OWN = ("python3", "python3-pip", "python3-venv")
_PATH = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


def base_image(engine: Engine) -> str:
    """The name of an image with CPython 3.11 or newer, pip, and certificates.

    Raises EngineError if there is neither a registry nor a Debian to make it from.
    """
    for name in (OFFICIAL, OWN):
        if engine.ask("images", "--quiet", name):
            return name
    try:
        engine.ask("pull", "--quiet", OFFICIAL)
    except EngineError:
        with tempfile.TemporaryDirectory(prefix="helm-wandb-base-") as folder:
            _make(engine, Path(folder))
        return OWN
    return OFFICIAL


def _make(engine: Engine, root: Path) -> None:
    """Import this machine's Debian, the smallest of it, with the Python that runs this."""
    prefix = Path(sys.base_prefix)
    own = prefix != Path("/usr")
    packages = [*_PACKAGES, *(_linked(prefix) if own else _DEBIANS_OWN)]
    run(
        tool("debootstrap"),
        *("--variant=minbase", f"--include={','.join(packages)}"),
        *(_of_release("VERSION_CODENAME"), str(root), *_mirror()),
    )
    for name in _UNNEEDED:
        shutil.rmtree(root / name, ignore_errors=True)
    if own:
        _copy(prefix, root)
    _name_python(root / "usr/local/bin", f"python{sys.version_info.major}")
    _import(engine, root)


def _linked(prefix: Path) -> set[str]:
    """The packages of the libraries that a CPython needs."""
    library = prefix / f"lib/python{sys.version_info.major}.{sys.version_info.minor}"
    parts = [part for part in (library / "lib-dynload").glob("*.so") if not part.match("_tkinter*")]
    output = run(tool("ldd"), str(Path(sys.executable).resolve()), *map(str, parts))
    found = {words[2] for line in output.splitlines() if (words := line.split())[1:2] == ["=>"]}
    return {
        line.partition(":")[0]
        for path in sorted(found)
        if path.startswith("/") and not path.startswith(f"{prefix}/")
        # Debian's /lib is a link to /usr/lib, and packages name either.
        for line in run(tool("dpkg"), "--search", f"*{path}").splitlines()
    }


def _copy(prefix: Path, root: Path) -> None:
    """Copy a CPython to where the official image has it, with a pip and nothing else."""
    options = [f"--exclude={pattern}" for pattern in _NOT_COPIED]
    command = [tool("tar"), "--create", *options, "--directory", str(prefix), "bin", "lib"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as tar:
        target = ("--directory", str(root / "usr/local"))
        run(tool("tar"), "--extract", *target, stdin=tar.stdout)
    shutil.rmtree(root / "usr/local/bin")
    (root / "usr/local/bin").mkdir()
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copy2(Path(sys.executable).resolve(), root / "usr/local/bin" / name)
    (root / "usr/local/bin/python3").symlink_to(name)
    run(tool("chroot"), str(root), "/sbin/ldconfig")
    run(tool("chroot"), str(root), "/usr/local/bin/python3", "-m", "ensurepip")
    (root / "usr/local/bin/pip").symlink_to("pip3")
    # As in the official image, whose lack of byte code ours must cope with.
    for folder in sorted((root / "usr/local").rglob("__pycache__")):
        shutil.rmtree(folder)


def _name_python(folder: Path, name: str) -> None:
    """Let the Python and its pip be found under their short names."""
    where = "" if (folder / name).exists() else "/usr/bin/"
    (folder / "python").symlink_to(f"{where}{name}")
    if where:
        (folder / "pip").symlink_to("/usr/bin/pip3")


def _import(engine: Engine, root: Path) -> None:
    with tempfile.TemporaryFile() as archive:
        command = [tool("tar"), "--create", "--directory", str(root), "."]
        subprocess.run(command, stdout=archive, check=True)
        archive.seek(0)
        changes = ("--change", f"ENV {_PATH}", "--change", "ENV LANG=C.UTF-8")
        engine.ask("import", *changes, "-", OWN, stdin=archive)


def _mirror() -> Iterator[str]:
    """Where apt's own packages come from; nothing where apt does not say."""
    output = run(tool("apt-get"), "indextargets", "--format", "$(CODENAME) $(SITE)")
    release = _of_release("VERSION_CODENAME")
    yield from [
        site
        for name, _, site in (line.partition(" ") for line in output.splitlines())
        if name == release
    ][:1]


def _of_release(key: str) -> str:
    """What /etc/os-release says."""
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    return dict(line.replace('"', "").split("=", 1) for line in lines if "=" in line)[key]
