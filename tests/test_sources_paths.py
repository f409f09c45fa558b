"""The files that a user names."""

from __future__ import annotations

import pytest

from helm_wandb.errors import ABSOLUTE_PATH
from helm_wandb.sources import paths


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("/home/me/x", ABSOLUTE_PATH),
        ("~/x", paths.NOT_EXPANDED),
        ("$HOME/x", paths.NOT_EXPANDED),
        ("out/${RUN}/x", paths.NOT_EXPANDED),
        ("out/x~", None),
    ],
)
def test_names_that_lead_elsewhere_are_explained(name: str, hint: str | None) -> None:
    """An absolute path is of another machine than the container; a shell expands the others."""
    assert hint == paths.hint(name)
