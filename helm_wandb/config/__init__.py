"""Bytes of a config file and the schema to a Config, or a ConfigError that lists every problem."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, cast

from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.config.messages import Finding, findings, resolve, source_schemas
from helm_wandb.config.schema_check import is_valid
from helm_wandb.config.suggestions import suggestion
from helm_wandb.config.yaml_syntax import LIMIT_BYTES, shown
from helm_wandb.config.yaml_tree import Path, Spot, Tree, json_path, read
from helm_wandb.errors import ConfigError, Problem
from helm_wandb.model import (
    DEFAULT_EFFECT,
    EACH_INSTANCE,
    Config,
    ConfigName,
    EvalEntry,
    Place,
    Policy,
    ScoreKey,
)
from helm_wandb.system.urls import holds_user, is_server_url
from helm_wandb.text.patterns import Pattern

__all__ = ["LIMIT_BYTES", "parse"]

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_VARIABLE = re.compile(
    r"\$\{\{[^}]*\}?\}?|\$\{[^{}]*\}|\$\([^()]*\)|\$[A-Za-z_][A-Za-z0-9_]*"
    r"|\{\{[^{}]*\}\}|%[A-Za-z_]\w*%|%\([A-Za-z_]\w*\)s|@[A-Z][A-Z0-9_]*@"
)
"""Texts that a workflow, a shell or a template would replace by a value."""
_VARIABLE_IN_PATTERN = re.compile(r"(?<!\\)\$(?:\{\{[^}]*\}?\}?|\{[A-Za-z_]\w*\})")
"""Those that no regular expression holds: there, $ alone is the end of the text."""

_REPORT = re.compile(rb'\s*\{\s*"schema_version"')
_IS_REPORT = (
    "this is a report, not a config. Read it with an entry with `source: report`, or compare with "
    "it: compare BEFORE AFTER, or --baseline FILE"
)

_EXPLAINED = 1_000
"""Errors of the schema whose messages say what is meant, for which more values are validated."""

LONGEST_NAME = 1_000
"""Characters of a key or text, as in a report: names reach outputs and comments."""

_NAME_LISTS = frozenset(
    {"excluded_models", "higher_is_better", "leaderboard_metrics", "lower_is_better", "warn_only"}
)
"""Keys whose values are lists of metrics, benchmarks or models."""
_COMPARED = (("alpha",), ("min_effect",), ("floor",))
"""Keys of `compare` whose values, or the values of whose keys, are numbers."""
_KEY_DEPTH = len(("evals", 0, "key"))
_SCORE_DEPTH = len(("evals", 0, "eval_result", "benchmark", "metric"))


class _Pattern(NamedTuple):
    """A demand on a regular expression of the config."""

    groups: range
    demand: str

    def is_met(self, text: object) -> bool:
        """Return whether a pattern has so many groups."""
        with suppress(ValueError):
            return isinstance(text, str) and Pattern.compile(text).groups in self.groups
        return False


_ITERATION = _Pattern(range(1, 2), r"must have one group, the iteration, such as step-(\d+)")
_CLUSTER = _Pattern(range(2), "may have one group, the text that a cluster shares")


def parse(data: bytes, *, file: str, schema: Mapping[str, Any]) -> Config:
    """Return the config that the bytes hold.

    data: the file; of a long one, the first LIMIT_BYTES + 1 bytes do.
    file: its name in problems.
    schema: schema/config.schema.json, loaded.
    Raises ConfigError with all problems, in the order of the file.
    """
    if _REPORT.match(data):
        raise ConfigError([Problem(Place(file, 1, 1), "$", _IS_REPORT)])
    tree = read(data, file=file, wants_number=partial(_wants_number, _number_keys(schema)))
    problems = [*tree.problems, *_problems(tree, schema)]
    if problems:
        raise ConfigError(_in_file_order(problems))
    return _config(tree)


def _number_keys(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the keys of all sources' entries whose values are numbers."""
    return frozenset(
        key
        for source in source_schemas(schema).values()
        for key, subschema in source["properties"].items()
        if resolve(subschema, schema).get("type") in {"number", "integer"}
    )


def _wants_number(number_keys: Collection[str], path: Path) -> bool:
    is_number_key = path[:1] == ("evals",) and len(path) == _KEY_DEPTH and path[2] in number_keys
    return _is_score(path) or is_number_key or (path[:1] == ("compare",) and path[1:2] in _COMPARED)


def _is_score(path: Path) -> bool:
    return len(path) == _SCORE_DEPTH and path[2] == "eval_result"


def _in_file_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return each problem once, though aliases bring some to several paths."""
    distinct: dict[tuple[Place, str], Problem] = {}
    for problem in problems:
        distinct.setdefault((problem.place, problem.message), problem)
    return sorted(distinct.values(), key=lambda problem: (problem.place.line, problem.place.column))


def _problems(tree: Tree, schema: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the problems that the checks below and the schema find in values not yet refused."""
    refused = set(tree.refused)
    for path, spot in tree.spots.items():
        if path in tree.refused:
            continue
        for finding in _check(path, spot):
            refused.add(finding.path)
            yield _problem(finding, tree)
    for finding in _schema_findings(tree, schema):
        if not any(finding.path[:length] in refused for length in range(len(finding.path) + 1)):
            yield _problem(finding, tree)


def _problem(finding: Finding, tree: Tree) -> Problem:
    spot = tree.spots[finding.path]
    place = spot.key if finding.at_key else spot.place
    return Problem(place, json_path(finding.path), finding.message)


def _schema_findings(tree: Tree, schema: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the findings of the schema."""
    if is_valid(tree.data, schema):
        return
    # Imported here: it takes longer than all else that a small run does.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    validator = Draft202012Validator(schema)
    for number, error in enumerate(validator.iter_errors(tree.data)):
        yield from findings(error, tree, schema, validator if number < _EXPLAINED else None)


def _check(path: Path, spot: Spot) -> Iterator[Finding]:
    """Yield the findings about one value that a schema can't express."""
    yield from _check_key(path)
    match path, spot.data:
        case (_, float(value)) if not math.isfinite(value):
            yield from _check_not_finite(path, value)
        # First, as it does not repeat a password.
        case (("base_url",), str(text)) if not is_server_url(text):
            yield Finding(path, _url_problem(text))
        case (_, str(text)) if problem := _text_problem(path, text):
            yield Finding(path, problem)
        case (("evals", int(), "iteration_pattern"), str(text)):
            yield from _check_pattern(path, text, _ITERATION)
        case (("compare", "clusters", str()), str(text)) if text != EACH_INSTANCE:
            yield from _check_pattern(path, text, _CLUSTER)
        case (("evals", int(), "benchmarks"), list(items)):
            names = [item.get("name") if isinstance(item, dict) else None for item in items]
            yield from _check_repeated(path, names, "name")
        case (
            ("evals", int(), "benchmarks", int(), "metrics") | ("leaderboard_metrics",),
            list(items),
        ):
            yield from _check_repeated(path, items)
        case (("compare",), {"lower_is_better": list(lower), "higher_is_better": list(higher)}):
            yield from _check_directions(path, lower, higher)
        case _:
            pass


def _text_problem(path: Path, text: str) -> str | None:
    """Return what is wrong with a text wherever it stands."""
    if _CONTROL.search(text):
        return f"must be one line without control characters: {shown(text)}"
    if len(text) > LONGEST_NAME:
        return _at_most(text)
    is_pattern = path[-1:] == ("iteration_pattern",) or path[:-1] == ("compare", "clusters")
    variable = (_VARIABLE_IN_PATTERN if is_pattern else _VARIABLE).search(text)
    return _not_replaced(variable[0]) if variable else None


def _url_problem(text: str) -> str:
    if holds_user(text):
        return "must hold no user name or password: remove it, and the @"
    meant = suggestion(("base_url",), text, lambda url: isinstance(url, str) and is_server_url(url))
    hint = f"; did you mean {meant}?" if meant else ""
    example = "https://wandb.example.com"
    if not text:
        return f"must not be empty: give one, for example `{example}`, or remove the key"
    return f"must be the URL of a server, such as {example}; this is {shown(text)}{hint}"


def _not_replaced(variable: str) -> str:
    return (
        f"{shown(variable)} is not replaced by its value in a config: write the value itself, or "
        "create the config with `envsubst` in an earlier step"
    )


def _at_most(text: str) -> str:
    return f"must have at most {LONGEST_NAME:,} characters, and this has {len(text):,}"


def _check_key(path: Path) -> Iterator[Finding]:
    key = str(path[-1]) if path else ""
    if _CONTROL.search(key):
        yield Finding(path, "the key holds a line break or control character", at_key=True)
    if len(key) > LONGEST_NAME:
        yield Finding(path, f"the key {_at_most(key)}", at_key=True)
    elif variable := _VARIABLE.search(key):
        yield Finding(path, _not_replaced(variable[0]), at_key=True)


def _check_not_finite(path: Path, value: float) -> Iterator[Finding]:
    """Yield a finding, unless the value is an unknown score."""
    is_score = _is_score(path)
    if not (is_score and math.isnan(value)):
        known = ", or `null` if the score is unknown" if is_score else ""
        yield Finding(path, f"must be a finite number{known}")


def _check_repeated(path: Path, items: Sequence[object], *inside: str) -> Iterator[Finding]:
    """Yield a finding for each text that stands in the list twice."""
    first: dict[str, int] = {}
    for index, item in enumerate(items):
        if isinstance(item, str) and first.setdefault(item, index) != index:
            message = f"{shown(item)} is in this list twice: merge the two, or remove one"
            yield Finding((*path, index, *inside), message)


def _check_directions(
    path: Path, lower: Sequence[object], higher: Sequence[object]
) -> Iterator[Finding]:
    """Yield a finding for each metric that is named for both directions."""
    texts = {item for item in lower if isinstance(item, str)}
    for index, item in enumerate(higher):
        if isinstance(item, str) and item in texts:
            message = f"{shown(item)} is under lower_is_better too: remove one of the two"
            yield Finding((*path, "higher_is_better", index), message)


def _check_pattern(path: Path, text: str, kind: _Pattern) -> Iterator[Finding]:
    """Yield a finding if the text is not a regular expression with so many groups."""
    try:
        groups = Pattern.compile(text).groups
    except ValueError as error:
        yield Finding(path, str(error))
        return
    if groups not in kind.groups:
        meant = suggestion(path, text, kind.is_met)
        hint = f"; did you mean {meant}?" if meant else ""
        yield Finding(path, f"{kind.demand}; it has {groups}{hint}")


def _config(tree: Tree) -> Config:
    """Return the config of a tree without problems."""
    data = cast("Mapping[str, Any]", tree.data)
    metrics = data.get("leaderboard_metrics")
    return Config(
        project=data["project"],
        entity=data.get("entity"),
        base_url=data.get("base_url"),
        evals=tuple(_entry(tree, index) for index in range(len(data.get("evals", ())))),
        leaderboard=data.get("leaderboard", False),
        leaderboard_metrics=_keys(metrics) if metrics else CORE_METRICS,
        excluded_models=frozenset(data.get("excluded_models", ())),
        compare=_policy(data.get("compare", {})),
        names=tuple(_names(tree)),
    )


def _names(tree: Tree) -> Iterator[ConfigName]:
    """Yield the metrics, benchmarks and models that are named outside of `evals`."""
    for path, spot in tree.spots.items():
        match path, spot.data:
            case ("compare", "min_effect"), int() | float() | str():
                key, name = "min_effect", DEFAULT_EFFECT
            case ("compare", "min_effect" | "clusters" | "floor" as key, str(name)), _:
                pass
            case ("compare", str(key), int()) | (str(key), int()), str(name):
                if key not in _NAME_LISTS:
                    continue
            case _:
                continue
        yield ConfigName(name=name, key=key, path=json_path(path), place=spot.key)


def _policy(compare: Mapping[str, Any]) -> Policy:
    effects = compare.get("min_effect", {})
    by_key = dict(effects) if isinstance(effects, dict) else {DEFAULT_EFFECT: effects}
    usual = Policy()
    return Policy(
        alpha=float(compare.get("alpha", usual.alpha)),
        min_effect=_effect(by_key.pop(DEFAULT_EFFECT, usual.min_effect)),
        min_effects={ScoreKey.parse(key): _effect(value) for key, value in by_key.items()},
        baseline_reports=int(compare.get("baseline_reports", usual.baseline_reports)),
        warn_only=frozenset(compare.get("warn_only", ())),
        lower_is_better=frozenset(_keys(compare.get("lower_is_better", ()))),
        higher_is_better=frozenset(_keys(compare.get("higher_is_better", ()))),
        clusters=dict(compare.get("clusters", {})),
        floor={
            ScoreKey.parse(key): float(value) for key, value in compare.get("floor", {}).items()
        },
    )


def _effect(value: float | str) -> float:
    """Return a number as it is, and points as hundredths: `1pp` is 0.01."""
    if isinstance(value, str):
        return float(value.removesuffix("pp")) / 100
    return float(value)


def _keys(texts: Iterable[str]) -> tuple[ScoreKey, ...]:
    return tuple(map(ScoreKey.parse, texts))


def _entry(tree: Tree, index: int) -> EvalEntry:
    path: Path = ("evals", index)
    spot = tree.spots[path]
    fields = cast("Mapping[str, Any]", spot.data)
    return EvalEntry(
        source=fields.get("source", fields["eval_type"]),
        fields=fields,
        path=json_path(path),
        place=spot.place,
        places={key: tree.spots[*path, key].place for key in fields},
    )
