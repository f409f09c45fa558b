"""The bytes of a report JSON → the evaluations in it; nothing else of it is believed.

The file may come from anybody. Whatever it holds, ValueError is all that is raised.
"""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from helm_wandb.model import Evaluation, Instances, Origin, Score, ScoreKey, SubjectScore
from helm_wandb.report import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPTH = 20
"""How deep a fingerprint's value may nest: far more than HELM's specs do."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Billions = Annotated[float, msgspec.Meta(ge=0)]
_LONGEST_NAME = 1_000
"""Characters; what HELM and configs name has some 100."""
_LONGEST_TEXT = 100_000
"""Characters of a reason, which may list all columns of a table."""
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_NAME)]
_AnyName = Annotated[str, msgspec.Meta(max_length=_LONGEST_NAME)]
_Key = Annotated[str, msgspec.Meta(max_length=2 * _LONGEST_NAME + 1)]
"""The names of a benchmark and a metric, and the dot between them."""
_Text = Annotated[str, msgspec.Meta(max_length=_LONGEST_TEXT)]
_Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}$", max_length=8)]


class _Version(msgspec.Struct):
    schema_version: int


class _Subject(msgspec.Struct):
    value: float
    n: _Count | None


class _Columns(msgspec.Struct):
    stratum: tuple[str, ...]
    id: tuple[str, ...]
    trial: tuple[_Count, ...]
    input: tuple[_Hash | None, ...]
    cluster: tuple[str, ...]
    value: tuple[float, ...]


class _Score(msgspec.Struct):
    value: float
    n: _Count | None
    lower_is_better: bool | None
    subjects: dict[_Text, _Subject]
    fingerprint: dict[str, Any] | None
    partial: _Text | None = None
    no_instances: _Text | None = None
    instances: _Columns | None = None


class _Evaluation(msgspec.Struct):
    model: _Name
    iteration: _Count
    tokens_billions: _Billions | None
    source: Literal["helm", "file", "report"]
    suite: _AnyName | None
    scores: dict[_Key, _Score]
    missing: dict[_Key, _Text]
    token_per_iteration: _Billions | None = None


class _Report(msgspec.Struct):
    evaluations: tuple[_Evaluation, ...]


def evaluations(data: bytes) -> tuple[Evaluation, ...]:
    """The evaluations of a report, as they were written; a byte order mark may precede it.

    Raises ValueError, with a sentence that begins with the JSON path, for anything that is no
    report of this version.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        _check_version(data)
        read = msgspec.json.decode(data, type=_Report)
        _check_keys(data)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at ")
        message = f"{path.replace('`', '') or '$'}: {what[:1].lower()}{what[1:]}"
        raise ValueError(message) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"$: it cannot be read as JSON: {error}"
        raise ValueError(message) from error
    except RecursionError as error:
        message = "$: it is nested too deep for a report"
        raise ValueError(message) from error
    return tuple(
        _evaluation(one, f"$.evaluations[{at}]") for at, one in enumerate(read.evaluations)
    )


class _Provenance(msgspec.Struct):
    ref: _AnyName | None = None
    commit: _AnyName | None = None


class _Origin(msgspec.Struct):
    provenance: _Provenance


def origin(data: bytes) -> tuple[str | None, str | None]:
    """The ref and the commit that a report says it is of; None where it does not say."""
    try:
        found = msgspec.json.decode(data.removeprefix(codecs.BOM_UTF8), type=_Origin).provenance
    except (ValueError, RecursionError):
        return None, None
    return found.ref, found.commit


def _check_version(data: bytes) -> None:
    """Refuse other versions before anything that they may well have otherwise."""
    version = msgspec.json.decode(data, type=_Version).schema_version
    if version != SCHEMA_VERSION:
        message = (
            f"$.schema_version: this is {str(version)[:20]}, and {SCHEMA_VERSION} is what can be "
            "read here: use the same version of the action in all jobs"
        )
        raise ValueError(message)


def _check_keys(data: bytes) -> None:
    """Refuse keys that stand twice in one object: other readers might believe the other one."""
    # As floats, integers of any length are read; none of the numbers is used.
    json.loads(data, object_pairs_hook=_refuse_repeated, parse_int=float)


def _refuse_repeated(pairs: list[tuple[str, object]]) -> None:
    keys = set()
    for key, _ in pairs:
        if key in keys:
            message = f"$: the key {json.dumps(key[:80])} stands twice in one object"
            raise ValueError(message)
        keys.add(key)


def _evaluation(one: _Evaluation, path: str) -> Evaluation:
    return Evaluation(
        model=one.model,
        iteration=one.iteration,
        tokens_billions=one.tokens_billions,
        origin=Origin(
            source=one.source, suite=one.suite, token_per_iteration=one.token_per_iteration
        ),
        scores={
            _key(key, f"{path}.scores"): _score(score, f"{path}.scores[{json.dumps(key)}]")
            for key, score in one.scores.items()
        },
        missing={_key(key, f"{path}.missing"): why for key, why in one.missing.items()},
    )


def _key(text: str, path: str) -> ScoreKey:
    try:
        return ScoreKey.parse(text)
    except ValueError as error:
        message = f"{path}: {error}"
        raise ValueError(message) from error


def _score(score: _Score, path: str) -> Score:
    if score.fingerprint is not None:
        _check_depth(score.fingerprint, f"{path}.fingerprint")
    return Score(
        value=score.value,
        n=score.n,
        lower_is_better=score.lower_is_better,
        subjects={
            name: SubjectScore(value=subject.value, n=subject.n)
            for name, subject in score.subjects.items()
        },
        partial=score.partial,
        fingerprint=score.fingerprint,
        instances=None
        if score.instances is None
        else _instances(score.instances, f"{path}.instances"),
        no_instances=score.no_instances,
    )


def _check_depth(fields: Mapping[str, object], path: str) -> None:
    """Refuse what would be too deep to be compared or written again."""
    level: list[Any] = [fields]
    for _ in range(DEPTH):
        inner = [one.values() if isinstance(one, dict) else one for one in level]
        level = [value for values in inner for value in values if isinstance(value, dict | list)]
    if level:
        message = f"{path}: it is nested deeper than {DEPTH} levels"
        raise ValueError(message)


def _instances(columns: _Columns, path: str) -> Instances:
    instances = Instances(
        stratum=columns.stratum,
        id=columns.id,
        trial=columns.trial,
        input=columns.input,
        cluster=columns.cluster,
        value=columns.value,
    )
    lengths = {name: len(getattr(columns, name)) for name in columns.__struct_fields__}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        message = f"{path}: the columns must be of one length, and not empty; they are of: {told}"
        raise ValueError(message)
    return instances
