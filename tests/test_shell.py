"""What both shells do."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from helm_wandb import shell
from helm_wandb.errors import InputError
from helm_wandb.helm_metrics import CORE_METRICS
from helm_wandb.model import Config
from helm_wandb.sinks.terminal import Terminal


def config(base_url: str | None = None) -> Config:
    """A config with this W&B server."""
    return Config(
        project="test",
        entity=None,
        base_url=base_url,
        evals=(),
        leaderboard=False,
        leaderboard_metrics=CORE_METRICS,
        excluded_models=frozenset(),
        lower_is_better=frozenset(),
    )


@pytest.mark.parametrize(
    ("given", "own", "variable", "expected"),
    [
        ("http://input", "http://config", "http://variable", "http://input"),
        (None, "http://config", "http://variable", "http://config"),
        (None, None, "http://variable", "http://variable"),
        (None, None, " ", None),
    ],
)
def test_one_base_url(
    given: str | None, own: str | None, variable: str, expected: str | None
) -> None:
    """The input goes before the config, and the config before the environment."""
    found = shell.with_base_url(config(own), {"WANDB_BASE_URL": variable}, given=given)

    assert expected == found.base_url


def test_a_variable_without_url_is_an_input_error() -> None:
    """WANDB_BASE_URL that is no URL is told by its name, exit 2."""
    with pytest.raises(InputError, match="WANDB_BASE_URL: 'x' is no URL of a server"):
        shell.with_base_url(config(), {"WANDB_BASE_URL": "x"})


@pytest.mark.parametrize(
    ("wishes", "environ", "names"),
    [
        (
            shell.Wishes(report="r.json", records=True, summary_only=False),
            {"GITHUB_STEP_SUMMARY": "s.md"},
            ["report", "terminal", "W&B", "job summary", "report"],
        ),
        (shell.Wishes(report=None, records=False, summary_only=False), {}, ["terminal"]),
    ],
)
def test_sinks_in_their_order(
    wishes: shell.Wishes, environ: dict[str, str], names: list[str]
) -> None:
    """The report file is first and last, and W&B comes before the texts that link to it."""
    found = shell.sinks(wishes, config(), terminal=Terminal(stream=StringIO()), environ=environ)

    assert names == [sink.name for sink in found]
    assert not Path("r.json").exists()
