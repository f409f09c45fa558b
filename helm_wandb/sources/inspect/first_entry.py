"""An entry of a first config for Inspect's logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from helm_wandb.harness import families
from helm_wandb.harness.entry import metrics_by_benchmark
from helm_wandb.harness.evaluations import split_by_value
from helm_wandb.harness.first_lines import benchmark_lines, model_lines, token_lines
from helm_wandb.model import FirstEntry, Place, ScoreKey
from helm_wandb.sources.inspect.entry import InspectEval
from helm_wandb.sources.inspect.log_files import open_logs
from helm_wandb.sources.inspect.reader import Output
from helm_wandb.text.yaml_text import to_yaml


def entries(path: Path, *, shown_as: str) -> tuple[FirstEntry, ...]:
    """Return the one entry that reads the logs, or raise ArtifactError if none can be read.

    shown_as: the logs, as the config is to name them.
    """
    spec = InspectEval(place=Place(shown_as, 0, 0), path="", output_dir=shown_as)
    with open_logs(path, shown_as=shown_as) as files:
        output = Output.read(spec, files)
        scores, _ = output.scores()
    models = families.iterations_by_family(output.checkpoints.values())
    keys, without_value = split_by_value(scores.values())
    return (
        FirstEntry(
            yaml="".join(_lines(shown_as, models, keys)),
            score_keys=keys,
            without_value=without_value,
        ),
    )


def _lines(
    folder: str, models: Mapping[str, list[int]], keys: tuple[ScoreKey, ...]
) -> Iterator[str]:
    yield to_yaml({"eval_type": "inspect"})
    yield to_yaml({InspectEval.OUTPUT_KEY: folder})
    yield from model_lines(models, model_key=InspectEval.MODEL_KEY)
    yield from token_lines(models)
    yield from benchmark_lines(metrics_by_benchmark(keys))
