"""Lines of a first config's entry, as YAML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from glob import escape
from textwrap import indent

from helm_wandb.text.safe_text import Name, plain
from helm_wandb.text.words import count_noun, join_truncated
from helm_wandb.text.yaml_text import to_yaml

_SHOWN = 10


def model_lines(models: Mapping[str, Sequence[int]], *, model_key: str) -> Iterator[str]:
    """Yield comments that say how to choose and name models.

    models: family → its iterations. model_key: the config's key of the glob over model ids.
    """
    names = list(models)
    if len(names) == 1:
        yield f"# model_name: another name to record {join_names(names)} under\n"
    else:
        yield "# Each model is recorded under its own name. For only one of them:\n"
        shown = [name for name in names if name.isprintable()][:_SHOWN]
        yield from (f"# {to_yaml({model_key: escape(name)})}" for name in shown)
        if more := len(names) - len(shown):
            yield f"# and {count_noun(more, 'more model')}\n"


def token_lines(models: Mapping[str, Sequence[int]]) -> Iterator[str]:
    """Yield a comment on tokens, if any iteration is known."""
    if any(models.values()):
        yield "# Billions of tokens in one iteration, for curves over tokens:\n"
        yield "# token_per_iteration: 0.004\n"


def benchmark_lines(metrics: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield the key `benchmarks`: each benchmark with its metrics."""
    yield "benchmarks:\n"
    for benchmark, names in metrics.items():
        item = to_yaml({"name": benchmark, "metrics": list(names)}, in_one_line=True)
        yield indent(f"- {item}", "  ")


def join_names(names: Iterable[str]) -> str:
    """Return the first names, fit for a comment."""
    return join_truncated([plain(Name(name)) for name in names], _SHOWN)
