"""Removes from the image's packages what no run needs.

Only the Dockerfile uses it: `shrink.py SITE_PACKAGES`.
"""

from __future__ import annotations

import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = {
    # W&B's SDK sends evaluation tables by it, of which we have none. It alone needs the others.
    "cwevals": "coreweave_evaluations",
    **{name: name for name in ("anyio", "distro", "h11", "httpcore", "httpx", "sniffio")},
    # PyGithub signs by it as a GitHub app; we have a token.
    "cryptography": "cryptography",
    # It reads C for cffi, see below.
    "pycparser": "pycparser",
}
"""Whole packages: name in the lock → module."""
PARTS = (
    # The SDK's monitor for terminals. Its other binaries are needed: the Parquet library if W&B
    # has exported a run's history, which the SDK then reads from there.
    "wandb/bin/wandb-symon",
    # rich's colours for source code.
    *("pygments/lexers", "pygments/styles"),
    # It makes modules of C; those that it has made need `_cffi_backend` alone.
    "cffi",
)
"""Parts of packages."""
_GOOGLE = frozenset({"protobuf", "_upb"})
"""What is kept of Google's packages; the rest are messages of its services."""
_FOLDERS = frozenset({"tests", "benchmarks"})
_SUFFIXES = frozenset({".pyi", ".pyx", ".h", ".c"})
STRIPPED = (
    *("backports/zstd", "charset_normalizer", "google/_upb", "nacl"),
    *("re2", "rpds", "xxhash", "yaml"),
)
"""Packages whose libraries come with symbols for a debugger, which can be most of them."""
_ELF = b"\x7fELF\x02\x01"
"""Of 64 bits, the least significant byte first."""


def main(site_packages: Path) -> None:
    """Remove them all; raises OSError if one of those that are named is missing."""
    for path in _unneeded(site_packages):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    for name in STRIPPED:
        for library in (site_packages / name).glob("*.so"):
            library.write_bytes(strip(library.read_bytes()))


def _unneeded(site_packages: Path) -> Iterator[Path]:
    for name, module in PACKAGES.items():
        yield site_packages / module
        yield from list(site_packages.glob(f"{name}-*.dist-info"))
    yield from (site_packages / part for part in PARTS)
    for path in list((site_packages / "google").iterdir()):
        if path.name not in _GOOGLE:
            yield path
    for path in list(site_packages.rglob("*")):
        is_folder = path.name in _FOLDERS and path.is_dir()
        if (is_folder or path.suffix in _SUFFIXES) and path.exists():
            yield path


def strip(library: bytes) -> bytes:
    """Return a shared library without what is loaded by debuggers only.

    The system loads segments. What comes after the last one, and the table of sections that
    describes it, is left out.
    """
    if not library.startswith(_ELF):
        return library
    (start,) = struct.unpack_from("<Q", library, 32)
    size, number = struct.unpack_from("<HH", library, 54)
    ends = [start + size * number]
    for place in range(start, start + size * number, size):
        offset, _, _, length = struct.unpack_from("<QQQQ", library, place + 8)
        ends.append(offset + length)
    stripped = bytearray(library[: max(ends)])
    struct.pack_into("<Q", stripped, 40, 0)
    struct.pack_into("<HH", stripped, 60, 0, 0)
    return bytes(stripped)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
