"""Families and iterations of model ids, and the names they are recorded under.

A family is all ids that differ in nothing but their iteration: the checkpoints of one model.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct

from helm_wandb.comparing.evaluations import group_values
from helm_wandb.errors import ConfigError, Problem
from helm_wandb.harness.entry import HarnessEval
from helm_wandb.text.patterns import Pattern
from helm_wandb.text.words import join_truncated

_NAMES_SHOWN = 20
_NUMBER = r"(?P<number>[0-9]{1,15})"
_TOKENS = r"[_-]tokens?[_-]?[0-9]+(?:\.[0-9]+)?[kmbt]?"
"""Tokens seen until the iteration: OLMo's revisions are `step1000-tokens4B`."""
_TOKENS_AFTER = re.compile(_TOKENS, re.IGNORECASE)
_MARKED = re.compile(
    r"(?:^|[/_@-])(?:global[_-]?)?(?:steps?|ckpts?|iter(?:ation)?s?|checkpoints?|epochs?)[/_-]?"
    rf"{_NUMBER}(?:{_TOKENS})?$",
    re.IGNORECASE,
)
_LAST_PART = re.compile(rf"[/@]{_NUMBER}$")
"""A last part that is only a number, or a revision: Hugging Face's are `model@revision`."""
_BARE = re.compile(rf"[_-]{_NUMBER}$")
_SEPARATORS = "/_@-"


class Checkpoint(Struct, frozen=True):
    """A model's family and iteration."""

    family: str
    iteration: int | None
    """None: the id names none."""


class _Parts(Struct, frozen=True):
    """An id around its iteration."""

    rest: str
    """The id less the number, and less the tokens after it: ids of one family share it."""
    name: str
    """The id less the marker too: what people call the family."""
    iteration: int | None


def assign(ids: Iterable[str], spec: HarnessEval) -> dict[str, Checkpoint]:
    """Return the checkpoint of each model id that the entry means, under the name to record.

    Raises ConfigError if the entry does not say which of several families it means, or
    if two ids would be one point of one curve.
    """
    ids = sorted(set(ids))
    checkpoints = _checkpoints(ids, spec)
    chosen = _choose(checkpoints, spec)
    _refuse_clashes(chosen, spec)
    families = {checkpoint.family for checkpoint in chosen.values()}
    if spec.model_name is None or len(families) != 1:
        return chosen
    name = spec.model_name
    return {model: Checkpoint(name, checkpoint.iteration) for model, checkpoint in chosen.items()}


def latest_ids(
    checkpoints: Mapping[str, Checkpoint], spec: HarnessEval, *, count: int
) -> list[str]:
    """Return the ids of each family's latest iterations, `count` of each."""
    by_family = group_values(
        (checkpoint.family, (spec.iteration(checkpoint.iteration), model))
        for model, checkpoint in checkpoints.items()
    )
    return [model for of_family in by_family.values() for _, model in sorted(of_family)[-count:]]


def iterations_by_family(checkpoints: Iterable[Checkpoint]) -> dict[str, list[int]]:
    """Return each family's iterations, none if its ids name none."""
    iterations: dict[str, list[int]] = defaultdict(list)
    for one in checkpoints:
        iterations[one.family] += [] if one.iteration is None else [one.iteration]
    return iterations


def _checkpoints(ids: list[str], spec: HarnessEval) -> dict[str, Checkpoint]:
    """Return the checkpoint of each id, each family under a name that no other one has."""
    parts = _split_ids(ids, spec)
    rests: dict[str, set[str]] = defaultdict(set)
    for one in parts.values():
        rests[one.name].add(one.rest)
    return {
        model: Checkpoint(
            one.name if one.name and len(rests[one.name]) == 1 else one.rest or model,
            one.iteration,
        )
        for model, one in parts.items()
    }


def _split_ids(ids: list[str], spec: HarnessEval) -> dict[str, _Parts]:
    if spec.iteration_pattern is not None:
        pattern = Pattern.compile(spec.iteration_pattern)
        return {model: _by_pattern(model, pattern, spec) for model in ids}
    parts = {model: _by_marker(model) for model in ids}
    if spec.model_name is None or spec.model_glob is not None:
        return parts
    if any(one.iteration is not None for one in parts.values()):
        return parts
    return _by_bare_number(ids) or parts


def _by_pattern(model: str, pattern: Pattern, spec: HarnessEval) -> _Parts:
    spans = pattern.search(model)
    if spans is None:
        return _Parts(model, model, None)
    match, number = spans
    caught = model[slice(*number)]
    if not re.fullmatch(r"[0-9]{1,15}", caught):
        raise _error(
            spec,
            "iteration_pattern",
            f"its group caught {caught!r} in {model!r}, which is not a whole number",
        )
    return _split_id(model, number, match)


def _by_marker(model: str) -> _Parts:
    match = _MARKED.search(model) or _LAST_PART.search(model)
    if match is None:
        return _Parts(model, model, None)
    return _split_id(model, match.span("number"), match.span())


def _split_id(model: str, number: tuple[int, int], match: tuple[int, int]) -> _Parts:
    """The id's parts, by where the number and the whole match stand in it."""
    tokens = _TOKENS_AFTER.match(model, number[1])
    return _Parts(
        rest=_join(model[: number[0]], model[tokens.end() if tokens else number[1] :]),
        name=_join(model[: match[0]], model[match[1] :]),
        iteration=int(model[slice(*number)]),
    )


def _join(before: str, after: str) -> str:
    """Return what stands around a number, with one separator between the two sides."""
    start, end = before.rstrip(_SEPARATORS), after.lstrip(_SEPARATORS)
    if not (start and end):
        return start + after
    separators = before[len(start) :] + after[: len(after) - len(end)]
    return f"{start}{separators[:1] or '-'}{end}"


def _by_bare_number(ids: list[str]) -> dict[str, _Parts]:
    """Return all ids as checkpoints of one family; none if one does not fit.

    Real models are called `gpt-4-0314` and `gpt-4-0613`: a bare number alone says nothing.
    """
    matches = {model: _BARE.search(model) for model in ids}
    starts = {m[: match.start("number")] if match else None for m, match in matches.items()}
    if len(ids) < 2 or len(starts) != 1 or None in starts:  # noqa: PLR2004 -- a pair at least
        return {}
    return {
        model: _split_id(model, match.span("number"), match.span())
        for model, match in matches.items()
        if match
    }


def _choose(checkpoints: Mapping[str, Checkpoint], spec: HarnessEval) -> dict[str, Checkpoint]:
    if spec.model_glob is not None:
        return _match_glob(checkpoints, spec, spec.model_glob)
    families = {checkpoint.family for checkpoint in checkpoints.values()}
    if len(families) == 1 or spec.model_name is None:
        return dict(checkpoints)
    own = {m: one for m, one in checkpoints.items() if one.family == spec.model_name}
    if not own:
        raise _error(
            spec,
            "model_name",
            f"the output holds several models and none is called {spec.model_name!r}: "
            f"{quote_names(families)}. If these are its checkpoints, set iteration_pattern to find "
            f"the iteration in their ids; else set {spec.MODEL_KEY} to the one that is meant, or "
            "leave model_name out to record each under its own name",
        )
    return own


def _match_glob(
    checkpoints: Mapping[str, Checkpoint], spec: HarnessEval, glob: str
) -> dict[str, Checkpoint]:
    matching = {
        model: checkpoint
        for model, checkpoint in checkpoints.items()
        if fnmatchcase(model, glob) or fnmatchcase(checkpoint.family, glob)
    }
    families = {checkpoint.family for checkpoint in matching.values()}
    if not families:
        raise _error(
            spec,
            spec.MODEL_KEY,
            f"{glob!r} matches no model of the output: "
            f"{quote_names({checkpoint.family for checkpoint in checkpoints.values()})}",
        )
    if len(families) > 1 and spec.model_name is not None:
        raise _error(
            spec,
            spec.MODEL_KEY,
            f"{glob!r} matches several models, which cannot all be {spec.model_name!r}: "
            f"{quote_names(families)}. Match one of them, or leave model_name out to record each "
            "under its own name",
        )
    return matching


def _refuse_clashes(checkpoints: Mapping[str, Checkpoint], spec: HarnessEval) -> None:
    ids = group_values(
        ((checkpoint.family, spec.iteration(checkpoint.iteration)), model)
        for model, checkpoint in checkpoints.items()
    )
    for (family, iteration), models in ids.items():
        if len(models) > 1:
            raise _error(
                spec,
                spec.MODEL_KEY,
                f"{quote_names(models)} would all be iteration {iteration} of {family!r}; "
                "match one of them",
            )


def quote_names(names: Iterable[str]) -> str:
    """Return the names in quotes and in order; of very many, the first ones."""
    return join_truncated([*map(repr, sorted(names))], _NAMES_SHOWN)


def _error(spec: HarnessEval, key: str, message: str) -> ConfigError:
    return ConfigError([Problem(place=spec.at(key), path=f"{spec.path}.{key}", message=message)])
