"""An entry of a first config for lm-eval's output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from helm_wandb.errors import ArtifactError
from helm_wandb.harness import families
from helm_wandb.harness.entry import metrics_by_benchmark
from helm_wandb.harness.evaluations import split_by_value
from helm_wandb.harness.first_lines import benchmark_lines, join_names, model_lines, token_lines
from helm_wandb.harness.output import open_output
from helm_wandb.model import FirstEntry, Place, ScoreKey
from helm_wandb.sources.lm_eval.entry import LmEval
from helm_wandb.sources.lm_eval.reader import Found, Output
from helm_wandb.sources.lm_eval.runs import time_of
from helm_wandb.sources.lm_eval.tasks import parts_of
from helm_wandb.system import paths
from helm_wandb.text.safe_text import plain
from helm_wandb.text.yaml_text import to_yaml


def entries(path: Path, *, shown_as: str) -> tuple[FirstEntry, ...]:
    """Return the one entry that reads the output, or raise ArtifactError if it cannot be read.

    shown_as: the output, as the config is to name it.
    """
    if time_of(path.name) and paths.is_file(path):
        raise ArtifactError(
            f"{plain(shown_as)}: is a results file of lm-eval. Give its folder, which has the "
            f"samples too: {plain(str(PurePath(shown_as).parent))}"
        )
    spec = LmEval(place=Place(shown_as, 0, 0), path="", output_dir=shown_as)
    with open_output(path, shown_as=shown_as) as files:
        output = Output.read(spec, files)
        scores, found = output.scores()
    models = families.iterations_by_family(output.checkpoints.values())
    valued, without_value = split_by_value(scores.values())
    keys = _keys(found, {*valued})
    return (
        FirstEntry(
            yaml="".join(_lines(shown_as, models, keys, found)),
            score_keys=keys,
            without_value=without_value,
        ),
    )


def _keys(
    found: Mapping[str, Mapping[ScoreKey, Found]], valued: set[ScoreKey]
) -> tuple[ScoreKey, ...]:
    """Return the scores to record: those of tasks and groups that are no part of a group's."""
    places = {key: place for one in found.values() for key, place in one.items() if key in valued}
    parts = {
        part
        for place in places.values()
        for part in parts_of(place.task, place.run.results)
        if place.key in place.run.results.results.get(part, ())
    }
    return tuple(key for key, place in places.items() if place.task not in parts)


def _lines(
    folder: str,
    models: Mapping[str, list[int]],
    keys: tuple[ScoreKey, ...],
    found: Mapping[str, Mapping[ScoreKey, Found]],
) -> Iterator[str]:
    yield to_yaml({"eval_type": "lm_eval"})
    yield to_yaml({"lm_eval_output_dir": folder})
    yield from model_lines(models, model_key=LmEval.MODEL_KEY)
    yield from token_lines(models)
    benchmarks = metrics_by_benchmark(keys)
    left_out = {key.benchmark for one in found.values() for key in one} - benchmarks.keys()
    if left_out:
        yield f"# {join_names(sorted(left_out))}: parts of a group's score, shown with it.\n"
    yield from benchmark_lines(benchmarks)
