"""A config to begin with, whatever HELM's output is called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb import config
from helm_wandb.config.first_config import first_config
from helm_wandb.model import ScoreKey
from helm_wandb.sources.helm.entry import HelmEval
from helm_wandb.sources.helm.first_entry import suite_entries
from helm_wandb.sources.helm.inventory import SuiteInventory

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = json.loads((Path(__file__).parent.parent / "schema/config.schema.json").read_text())

# What a path of a config may hold: YAML's printable characters.
WORDS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x2FF, exclude_characters="$%{<\u2026."),
    min_size=1,
).filter(str.isprintable)


def suite(**known: object) -> SuiteInventory:
    """A suite of one benchmark, and what is known of it."""
    usual = {
        "name": "nightly",
        "run_count": 1,
        "models": {"org/model": ()},
        "needs_model_name": False,
        "metrics": {"mmlu": ("EM",)},
    }
    return SuiteInventory(**(usual | known))  # type: ignore[arg-type] # its own fields


def entry(text: str) -> HelmEval:
    """The one entry of a config that must be valid."""
    (found,) = config.parse(text.encode(), file="config.yaml", schema=SCHEMA).evals
    return HelmEval.parse(found)


def written(*suites: SuiteInventory, folder: str = "out") -> str:
    """The config for the first of the suites."""
    return first_config(suite_entries(suites, folder=folder)[0])


def test_it_is_read_by_people(golden: Callable[[str, str], None]) -> None:
    """A suite of checkpoints and another one next to it make this text."""
    found = suite(models={"org/model": (1000, 2000)}, metrics={"mmlu": ("EM",), "quac": ("F1",)})

    golden("first_config.yaml", written(found, suite(name="other")))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"needs_model_name": True, "models": {"model": (1, 2)}}, "    model_name: model\n"),
        ({"models": {"a": (), "b": ()}}, "    # helm_model: a\n    # helm_model: b\n"),
        ({"models": {str(n): () for n in range(12)}}, "'9'\n    # and 2 more models\n"),
        ({"models": {"a\nb": (), "b": ()}}, "them:\n    # helm_model: b\n    # and 1 more model\n"),
        ({"metrics": {}}, "the 16 core metrics of HELM are read.\n"),
        ({"metrics": {"bbq": ("EM", "F1")}}, "leaderboard_metrics:\n- bbq.EM\n- bbq.F1\nevals:"),
        ({"metrics": {"mmlu": ("EM",), "x": ("y",)}}, "leaderboard_metrics:\n- mmlu.EM\n- x.y\n"),
    ],
)
def test_it_says_what_it_rests_on(known: dict[str, object], expected: str) -> None:
    """Models of several names, of a common one, and a suite without benchmarks are named."""
    text = written(suite(**known))

    assert expected in text
    assert "out" == entry(text).output_dir


@given(
    name=WORDS, model=WORDS, folder=WORDS, benchmark=st.text("ab: {}[],'\"#&*!|>%@`-", min_size=1)
)
def test_no_name_breaks_it(name: str, model: str, folder: str, benchmark: str) -> None:
    """Folder, suite and benchmark are read back as they are, and a model's name changes nothing."""
    found = suite(name=name, models={model: (), "b": ()}, metrics={benchmark: ("E: M",)})
    read = entry(written(found, suite(name=model), folder=folder))

    assert (folder, name) == (read.output_dir, read.helm_suite_name)
    assert (ScoreKey(benchmark, "E: M"),) == read.score_keys
