"""Jinja2 for the templates of this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from helm_wandb.text.words import keep_units

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = "helm_wandb.render"
"""The package whose folder `templates` has them."""


def create_environment(
    finalize: Callable[[object], object], *, keep_trailing_newline: bool = False
) -> Environment:
    """Return an environment in which `finalize` escapes every value of a template.

    Without `Markup`, what it returns is escaped for HTML.
    """
    # Imported here: a terminal needs no templates.
    from jinja2 import PackageLoader, StrictUndefined  # noqa: PLC0415
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415

    environment = SandboxedEnvironment(
        loader=PackageLoader(TEMPLATES),
        autoescape=True,
        keep_trailing_newline=keep_trailing_newline,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(keep_units=keep_units, unbroken=_unbroken)
    return environment


def _unbroken(cell: str) -> str:
    """Return a number with its unit on one line; its interval, in brackets, may be on the next."""
    space = "\N{NO-BREAK SPACE}"
    return cell.replace(" ", space).replace(f"{space}(", " (").replace(f",{space}", ", ")
