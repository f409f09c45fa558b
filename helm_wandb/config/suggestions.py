"""Values that are probably meant by those that a config can't hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches

from helm_wandb.comparing.helm_schemas import helm_schemas, main_labels
from helm_wandb.config.yaml_tree import Path
from helm_wandb.model import DEFAULT_EFFECT
from helm_wandb.text.yaml_text import to_yaml

_LONGEST = 120
"""Characters of a suggestion; a longer one is not shown."""
_REFUSED_BY_WANDB = re.compile(r"[/\\#?%:]+")
"""Characters that the name of a project or entity can't hold."""
_WITH_FILTER = re.compile(r"[a-z0-9_.]+,[a-z0-9_-]+")
"""A metric with lm-eval's filter, `acc,none`, or Inspect's reducer, which is one name."""
_COMMONEST = {"lm_eval": "acc", "inspect": "accuracy"}
"""The metric that most tasks of a harness have."""
_DIGITS = re.compile(r"\\d\+|\[0-9\]\+")


def suggestion(
    path: Path, value: object, is_valid: Callable[[object], bool], harness: object = None
) -> str | None:
    """Return the valid value that is probably meant, as YAML in backticks; None if none is plain.

    path: the place, which takes another kind or form of value.
    harness: the `eval_type` of its entry.
    """
    if isinstance(value, str) and len(value) > _LONGEST:
        return None
    meant = (quote(one) for one in _meant_values(path, value, harness) if is_valid(one))
    return next(meant, None)


def quote(value: object) -> str | None:
    """Return the value in backticks, on one line of YAML; None if it is long or unreadable."""
    text = to_yaml(value, in_one_line=True).removesuffix("...\n").rstrip("\n")
    return f"`{text}`" if len(text) <= _LONGEST and text.isprintable() else None


def main_metric(benchmark: str, harness: object = None) -> str:
    """Return HELM's main metric of the benchmark, and the commonest of one that it doesn't know.

    harness: the `eval_type` of the entry; for others than HELM, its commonest metric is returned.
    """
    if isinstance(harness, str) and harness in _COMMONEST:
        return _COMMONEST[harness]
    return next(iter(main_labels(benchmark, helm_schemas())), "EM")


def whole_benchmark(value: object, harness: object) -> object:
    """Return the entry of `benchmarks` that a name, or a mapping of another form, means."""
    match value:
        case str(text):
            benchmark, _, metric = text.partition(".")
            return _entry(benchmark, metric, harness)
        case {"name": str(name), **others} if others.keys() <= {"metric", "metrics"}:
            return _entry(name, others.get("metrics") or others.get("metric"), harness)
        case dict() if not value:
            return _entry("mmlu", None, harness)
        case dict() if len(value) == 1 and not value.keys() & {"metric", "metrics"}:
            return _entry(*next(iter(value.items())), harness)
        case _:
            return value


def _entry(name: str, metrics: object, harness: object) -> dict[str, object]:
    return {"name": name, "metrics": _words(metrics) or [main_metric(name, harness)]}


def _words(value: object) -> object:
    """Return a text, or the keys of a mapping, as the list that they mean."""
    match value:
        case str(text) if _WITH_FILTER.fullmatch(text):
            return [text]
        case str(text):
            return [word.strip() for word in text.split(",") if word.strip()]
        case dict():
            return list(value)
        case _:
            return value


def _meant_values(path: Path, value: object, harness: object) -> Iterator[object]:
    """Yield what may be meant, the likeliest first."""
    match path, value:
        case ("evals", int(), "benchmarks"), {"name": _}:
            yield [whole_benchmark(value, harness)]
        case ("evals", int(), "benchmarks"), dict():
            yield [_entry(str(name), metrics, harness) for name, metrics in value.items()]
        case ("evals", int(), "benchmarks"), str(text):
            yield [whole_benchmark(word.strip(), harness) for word in text.split(",")]
        case ("evals", int(), "benchmarks", int()), _:
            yield whole_benchmark(value, harness)
        case ("evals", int(), "eval_result", str(benchmark)), int() | float():
            yield {main_metric(benchmark, harness): value}
        case _, str(text):
            yield _meant_text(path, text)
            yield _words(text)
            yield [_meant_text(path, word.strip()) for word in text.split(",")]
        case _, [dict(), *_]:
            yield _joined(value)
        case _, [single]:
            yield single
        case _, dict() if value:
            yield from _meant_lists(path, value)
        case _:
            pass


def _meant_lists(path: Path, mapping: Mapping[str, object]) -> Iterator[object]:
    """Yield the list of names that the keys of a mapping mean."""
    match path:
        case ("leaderboard_metrics",) | ("compare", "lower_is_better"):
            yield list(_metric_names(path, mapping))
        case ("excluded_models",) | ("compare", "warn_only") | (*_, "metrics"):
            yield list(mapping)
        case _ if not any(mapping.values()):
            yield list(mapping)
        case _:
            pass


def _metric_names(path: Path, mapping: Mapping[str, object]) -> Iterator[str]:
    """Yield `mmlu.EM` for each metric of each benchmark, and for each key without metrics."""
    for key, metrics in mapping.items():
        match _words(metrics):
            case False:
                pass
            case list(words) if words:
                yield from (f"{key}.{word}" for word in words)
            case _:
                yield _meant_text(path, key)


def _joined(items: Iterable[object]) -> object:
    """Return the mappings of a list as one."""
    mappings = [item for item in items if isinstance(item, dict)]
    return {key: value for mapping in mappings for key, value in mapping.items()}


def _meant_text(path: Path, text: str) -> str:
    """Return a text or key in the form that its place takes."""
    match path:
        case ("project",) | ("entity",):
            meant = _REFUSED_BY_WANDB.sub("-", text.rpartition("/")[2]).strip("-")
        case ("base_url",):
            meant = f"https://{text}"
        case ("evals", int(), "helm_suite_name"):
            meant = "/".join(part for part in text.split("/") if part.strip("."))
        case ("evals", int(), "iteration_pattern") | ("compare", "clusters", str()):
            meant = _with_one_group(text)
        case ("evals", int(), "benchmarks", int(), "name") | ("evals", int(), "eval_result", str()):
            meant = re.split(r"[/\\]", text)[-1].strip(".")
        case ("compare", "min_effect", _) if get_close_matches(text, [DEFAULT_EFFECT]):
            meant = DEFAULT_EFFECT
        case ("leaderboard_metrics", *_) | ("compare", *_):
            benchmark, _, metric = text.rstrip(".").partition(".")
            meant = f"{benchmark}.{metric or main_metric(benchmark)}"
        case _:
            meant = text
    return meant


def _with_one_group(pattern: str) -> str:
    """Return the pattern with its first group only, or with one around its first number."""
    start, bracket, rest = pattern.partition("(")
    if not bracket:
        return _DIGITS.sub(r"(\g<0>)", pattern, count=1)
    return start + bracket + re.sub(r"(?<!\\)\((?!\?)", "(?:", rest)
