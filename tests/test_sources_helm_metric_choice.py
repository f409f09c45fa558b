"""The metrics that `init` chooses of a benchmark."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from helm_wandb.harness.files import Limits
from helm_wandb.harness.folder import Folder
from helm_wandb.sources.helm import layout
from helm_wandb.sources.helm.metric_choice import choose_metrics
from helm_wandb.sources.helm.runs import Runs


@pytest.fixture
def tree(helm_trees: Path, tmp_path: Path) -> Path:
    """A copy of summarized output, to be changed."""
    return Path(shutil.copytree(helm_trees / "checkpoints_us", tmp_path / "out"))


def chosen(tree: Path) -> tuple[str, ...]:
    """Return the metrics that are chosen of boolq."""
    suite = layout.suite_named("toy-us", Folder(tree, shown_as="out", limits=Limits()))

    assert suite is not None
    return choose_metrics("boolq", suite, Runs(suite))


def test_the_main_metric_is_chosen(tree: Path) -> None:
    """The column of the metric that the schema calls the main one is enough."""
    assert ("EM",) == chosen(tree)


def test_columns_without_numbers_are_not_chosen(tree: Path) -> None:
    """If the main metric has no number, all that have some and an order are chosen, each once."""
    path = tree / "runs/toy-us/groups/boolq.json"
    (table,) = json.loads(path.read_text())
    names = [header["value"] for header in table["header"]]
    for row in table["rows"]:
        del row[names.index("EM")]["value"]
    table["header"].append(table["header"][names.index("ECE (10-bin)")])
    for row in table["rows"]:
        row.append(row[names.index("ECE (10-bin)")])
    path.write_text(json.dumps([table]))

    found = chosen(tree)
    assert "ECE (10-bin)" in found
    assert len(set(found)) == len(found)
    assert not {"EM", "# eval", "# train"} & set(found)
