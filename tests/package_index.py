"""A package index in a folder: stand-ins for the locked packages, and a newer release of each."""

from __future__ import annotations

import hashlib
import re
from importlib import metadata
from typing import TYPE_CHECKING
from zipfile import ZipFile, ZipInfo

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NEWER = "9999"
_DECLARED = ("Provides-Extra", "Requires-Dist")


def write_index(folder: Path, lock: str) -> str:
    """Add wheels without any code to an index; return the lock with their hashes.

    folder: the index, which pip takes as a file:// URL.
    Each stand-in declares what the installed package of its name depends on. A newer release
    stands next to each, which a resolver would prefer.
    """
    lines = []
    for requirement in requirements(lock):
        name, version = requirement.name, pinned_version(requirement)
        page = folder / name / "index.html"
        page.parent.mkdir(exist_ok=True, parents=True)
        dependencies = _dependencies(name)
        _write_wheel(page.parent, name, _NEWER, dependencies)
        digest = _write_wheel(page.parent, name, version, dependencies)
        names = sorted(path.name for path in page.parent.glob("*.whl"))
        page.write_text("".join(f'<a href="{name}">{name}</a>\n' for name in names))
        lines.append(f"{requirement} --hash=sha256:{digest}\n")
    return "".join(lines)


def requirements(lock: str) -> Iterator[Requirement]:
    """The packages that a lock file pins."""
    for line in re.findall(r"^[a-z].*?(?= \\$| --hash)", lock, re.MULTILINE):
        yield Requirement(line)


def pinned_version(requirement: Requirement) -> str:
    """The version that a lock names."""
    return str(requirement.specifier).removeprefix("==")


def locked_here(lock: str) -> dict[str, str]:
    """The versions that a lock names for this machine and this Python, by package."""
    return {
        requirement.name: pinned_version(requirement)
        for requirement in requirements(lock)
        if requirement.marker is None or requirement.marker.evaluate()
    }


def _dependencies(name: str) -> list[str]:
    """Lines of metadata with the extras and dependencies of an installed package."""
    try:
        declared = metadata.metadata(name)
    except metadata.PackageNotFoundError:  # of another system
        return []
    return [f"{key}: {value}\n" for key in _DECLARED for value in declared.get_all(key) or ()]


def _write_wheel(folder: Path, name: str, version: str, dependencies: list[str]) -> str:
    """Write a wheel that holds metadata only, the same bytes each time; return its SHA-256."""
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(dependencies),
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{stem}.dist-info/RECORD"
    with ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(ZipInfo(f"{stem}.dist-info/{file}"), text)
        listed = [f"{stem}.dist-info/{file},,\n" for file in files]
        wheel.writestr(ZipInfo(record), f"{''.join(listed)}{record},,\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()
