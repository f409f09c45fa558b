"""The bar of a long reading."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from helm_wandb.system import progress

if TYPE_CHECKING:
    import pytest


class Terminal(StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_no_bar_without_a_terminal() -> None:
    """Into a pipe, or without a stream, nothing is drawn."""
    stream = StringIO()
    for bar in (progress.progress_bar(stream), progress.progress_bar(None)):
        bar(1, 2)

    assert stream.getvalue() == ""


def test_no_bar_for_quick_work() -> None:
    """Work that is over within a second shows no bar."""
    stream = Terminal()
    bar = progress.progress_bar(stream)
    for done in range(1, 4):
        bar(done, 3)

    assert stream.getvalue() == ""


def test_long_work_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second the bar shows the share that is done, and at the end it is gone."""
    monkeypatch.setattr(progress, "_PATIENCE_SECONDS", 0.0)
    stream = Terminal()
    bar = progress.progress_bar(stream)
    bar(1, 4)
    bar(4, 4)

    assert "Reading per-instance scores" in stream.getvalue()
    assert "25%" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")
