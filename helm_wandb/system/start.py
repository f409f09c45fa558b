"""The start of a shell: signals first, then the imports, with advice if something is missing."""

from __future__ import annotations

import sys
from importlib import import_module

from helm_wandb.system import signals

TYPE_CHECKING = False  # a signal must end the run early, and typing takes long to import
if TYPE_CHECKING:
    from types import ModuleType
    from typing import NoReturn

OLDEST_PYTHON = (3, 11)
_WRONG = 2
_INSTALL = """\
Install the packages in a virtual environment:

    python -m pip install --no-deps --require-hashes -r requirements/runtime.txt

or call `make demo`, which installs them into .venv; then use .venv/bin/python.
"""


def load(name: str) -> ModuleType:
    """Return the module of a shell; signals end the process from now on, also during the import.

    If Python is too old or a package is missing, says so on stderr and exits with 2.
    """
    signals.install()
    if sys.version_info < OLDEST_PYTHON:
        version = ".".join(map(str, sys.version_info[:2]))
        _exit(f"this is Python {version}; use 3.11 or later\n")
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("helm_wandb"):
            raise
        _exit(f"the Python package {error.name} is not installed. {_INSTALL}")


def call(*arguments: str) -> str:
    """Return a shell's command line: Python as it was typed if that is a path, then the arguments.

    Otherwise Python is `python`.
    """
    # Imported here: a signal must end the run during the imports too.
    import shlex  # noqa: PLC0415

    typed = sys.orig_argv[0]
    return shlex.join((typed if "/" in typed else "python", *arguments))


def _exit(advice: str) -> NoReturn:
    sys.stderr.write(advice)
    sys.exit(_WRONG)
