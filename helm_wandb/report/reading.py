"""The bytes of a report JSON → the evaluations in it; nothing else in it is trusted.

The file may come from anybody. Whatever it holds, ValueError is all that is raised, and reading
takes no more than three times the memory of the file, or of a small one LEAST_MEMORY_BYTES and its
own. So one score is decoded at a time, and what is kept of it is shared or packed, and counted.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from sys import getsizeof
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Struct, field
from msgspec.json import Decoder

from helm_wandb.comparing.answer_columns import LONGEST_ANSWER
from helm_wandb.comparing.history import LONGEST_COMMIT, POINTS, SERIES
from helm_wandb.model import (
    Evaluation,
    HistoryPoint,
    Instances,
    MetricHistory,
    Origin,
    Repeats,
    Score,
    ScoreKey,
    SubjectScore,
    is_close,
    mean,
)
from helm_wandb.report import LONGEST_NAME, LONGEST_TEXT, SCHEMA_VERSION
from helm_wandb.report.keys import check_keys
from helm_wandb.report.packed import Column, Subjects

DEPTH = 20
"""Levels of a fingerprint's value, at most: far more than HELM's specs have."""
EVALUATIONS = 20_000
"""Evaluations of a report, at most; each takes its part of the ranking, the tables and the page."""
SCORES = 250_000
"""Scores of all evaluations, also missing ones, at most."""
INSTANCES = 250_000
"""Instances of one score, at most; HELM takes 1,000 of a scenario unless another number is set."""
STRATA = 20_000
"""Runs and sub-splits that they lie in, at most; all of MMLU has 57, in each language again."""
RUNS = 1_000
"""Runs whose mean a score is, at most."""
LEAST_MEMORY_BYTES = 64 << 20
"""Memory that a report of any size may take in addition to its own."""
MOST_MEMORY_BYTES = 192 << 20
_DECODING_BYTES = 32 << 20
"""Part of it that is not kept: the keys of an object, a fingerprint or a column is decoded."""
_FINGERPRINT_BYTES = 512 << 10
"""Length of a fingerprint, at most; the longest of HELM's have some 100 KiB."""
_CHUNK_BYTES = 1 << 20
_HISTORY_BYTES = 8 << 20
"""Length of a history, at most; `comparing.history` writes less."""

# Memory of what is kept in addition to the texts, in CPython 3.11 to 3.14.
_EVALUATION_BYTES = 800
_SCORE_BYTES = 350
_MISSING_BYTES = 100
_SUBJECTS_BYTES = 250
_SUBJECT_BYTES = 16
_NAME_BYTES = 120
_COLUMN_BYTES = 150
_KEY_BYTES = 300
_TEXT_BYTES = 120
_VALUE_BYTES = 60

_T = TypeVar("_T")
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Billions = Annotated[float, msgspec.Meta(ge=0)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
_AnyName = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]
_Key = Annotated[str, msgspec.Meta(max_length=2 * LONGEST_NAME + 1)]
"""The names of a benchmark and a metric, and the dot between them."""
_Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
_Source = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")]
"""Name of any source: the run that wrote the report may have others than this version."""
_Answer = Annotated[str, msgspec.Meta(max_length=LONGEST_ANSWER)]
_Commit = Annotated[str, msgspec.Meta(max_length=LONGEST_COMMIT)]
_Deviation = Annotated[float, msgspec.Meta(ge=0)]
_Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}$", max_length=8)]


class _Version(msgspec.Struct):
    schema_version: int


class _Subject(msgspec.Struct, gc=False):
    value: float
    n: _Count | None


_NO_COLUMN = msgspec.Raw(b"null")


class _Columns(msgspec.Struct):
    stratum: msgspec.Raw
    id: msgspec.Raw
    trial: msgspec.Raw
    input: msgspec.Raw
    cluster: msgspec.Raw
    value: msgspec.Raw
    answer: msgspec.Raw = _NO_COLUMN


class _Repeats(msgspec.Struct):
    values: Annotated[tuple[float, ...], msgspec.Meta(min_length=2, max_length=RUNS)]
    within: Annotated[float, msgspec.Meta(ge=0)]


class _Score(msgspec.Struct):
    value: float
    n: _Count | None
    lower_is_better: bool | None
    subjects: msgspec.Raw
    fingerprint: msgspec.Raw
    partial: _Text | None = None
    no_instances: _Text | None = None
    instances: _Columns | None = None
    repeats: _Repeats | None = None


class _Evaluation(msgspec.Struct):
    model: msgspec.Raw
    iteration: _Count
    tokens_billions: _Billions | None
    source: _Source
    suite: msgspec.Raw
    scores: msgspec.Raw
    missing: msgspec.Raw
    token_per_iteration: _Billions | None = None


class _Report(msgspec.Struct):
    evaluations: tuple[_Evaluation, ...]


_VERSION = Decoder(_Version)
_REPORT = Decoder(_Report)
_MODEL = Decoder(_Name)
_SUITE = Decoder(_AnyName | None)
_BY_KEY = Decoder(dict[_Key, msgspec.Raw])
_REASON = Decoder(_Text)
_SCORE = Decoder(_Score)
_SUBJECTS = Decoder(dict[_Text, _Subject])
_FINGERPRINT = Decoder(dict[str, Any] | None)
_COLUMNS: dict[str, Decoder[Any]] = {
    "stratum": Decoder(tuple[str, ...]),
    "id": Decoder(tuple[str, ...]),
    "trial": Decoder(tuple[_Count, ...]),
    "input": Decoder(tuple[_Hash | None, ...]),
    "cluster": Decoder(tuple[str, ...]),
    "value": Decoder(tuple[float, ...]),
    "answer": Decoder(tuple[_Answer | None, ...]),
}
_NO_SUBJECTS: Mapping[str, SubjectScore] = MappingProxyType({})
_NUMBERS = ("trial", "value")
_REPEATING = ("stratum", "trial")
_HASHES = re.compile(rb'[\s\[]*+(?:(?:"[0-9a-f]{8}"|null)[\s,\]]*+)*+')
"""A column of hashes; to decode it as such takes six times as long."""
_HASHES_OR_NONE = Decoder(tuple[str | None, ...])


def evaluations(data: bytes) -> tuple[Evaluation, ...]:
    """Return the evaluations of a report, which may begin with a byte order mark.

    Raises ValueError, with a sentence that begins with the JSON path, for anything that is no
    report of this version.
    """
    document = _document(data)
    _check_version(document)
    _check_encoding(document)
    with _as_value_errors("$"):
        check_keys(document, listed="evaluations", at_most=EVALUATIONS)
    reader = _Reader(_memory(len(document)))
    return tuple(
        reader.evaluation(one, f"$.evaluations[{at}]")
        for at, one in enumerate(_decode(document, _REPORT, "$").evaluations)
    )


class _Point(msgspec.Struct, gc=False):
    commit: _Commit | None
    iteration: _Count
    value: float
    standard_error: _Deviation | None


class _Series(msgspec.Struct):
    model: _Name
    metric: _Key
    points: tuple[_Point, ...]


class _History(msgspec.Struct):
    history: msgspec.Raw = msgspec.Raw(b"[]")


_HISTORY = Decoder(_History)
_SERIES = Decoder(tuple[_Series, ...])


def history(data: bytes) -> tuple[MetricHistory, ...]:
    """Return the history in a report whose evaluations were read; empty if it has none.

    Raises ValueError as `evaluations` does. Decoding takes at most four times its bytes.
    """
    raw = _decode(_document(data), _HISTORY, "$").history
    if memoryview(raw).nbytes > _HISTORY_BYTES:
        raise ValueError(f"$.history: it is larger than {_HISTORY_BYTES >> 20} MiB")
    several = _decode(raw, _SERIES, "$.history")
    names = {(one.model, one.metric) for one in several}
    if len(names) < len(several) or len(several) > SERIES:
        raise ValueError(
            f"$.history: there are more than {SERIES:,} metrics, or one is there twice"
        )
    return tuple(_metric_history(one, f"$.history[{at}]") for at, one in enumerate(several))


def _metric_history(one: _Series, path: str) -> MetricHistory:
    if not 1 <= len(one.points) <= POINTS:
        raise ValueError(f"{path}.points: there must be 1 to {POINTS} points")
    return MetricHistory(
        model=one.model,
        key=_parse_key(one.metric, f"{path}.metric"),
        points=tuple(HistoryPoint(**msgspec.structs.asdict(point)) for point in one.points),
    )


def _parse_key(text: str, path: str) -> ScoreKey:
    try:
        return ScoreKey.parse(text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


class _Provenance(msgspec.Struct):
    ref: _AnyName | None = None
    commit: _AnyName | None = None


class _Origin(msgspec.Struct):
    provenance: _Provenance


def origin(data: bytes) -> tuple[str | None, str | None]:
    """Return the ref and the commit that a report names; None if it names none."""
    try:
        provenance = msgspec.json.decode(_document(data), type=_Origin).provenance
    except (msgspec.MsgspecError, RecursionError):
        return None, None
    return provenance.ref, provenance.commit


def _document(data: bytes) -> memoryview:
    """Return the data without a byte order mark, and without a copy."""
    return memoryview(data)[len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0 :]


def _check_version(document: memoryview) -> None:
    """Refuse other versions before the parts that they may have in another form."""
    version = _decode(document, _VERSION, "$").schema_version
    if version != SCHEMA_VERSION:
        raise ValueError(
            f"$.schema_version: this is {str(version)[:20]}, and {SCHEMA_VERSION} is what can be "
            "read here: use the same version of the action in all jobs"
        )


def _check_encoding(document: memoryview) -> None:
    """Refuse what isn't UTF-8, also in parts that nothing else reads."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _as_value_errors("$"):
        for at in range(0, len(document), _CHUNK_BYTES):
            decoder.decode(document[at : at + _CHUNK_BYTES])
        decoder.decode(b"", final=True)


def _decode(part: msgspec.Raw | memoryview | bytes, decoder: Decoder[_T], path: str) -> _T:
    """Return the part at the path, decoded; raise ValueError if it has another form."""
    with _as_value_errors(path):
        return decoder.decode(part)


@contextmanager
def _as_value_errors(path: str) -> Iterator[None]:
    """Let what a decoder raises be a ValueError that begins with the path in the report."""
    try:
        yield
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        place = place.replace("`", "").replace("$", path, 1) or path
        raise ValueError(f"{place}: {what[:1].lower()}{what[1:]}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"$: it cannot be read as JSON: {error}") from error
    except RecursionError as error:
        raise ValueError("$: it is nested more deeply than any report") from error


class _Budget(Struct):
    """Amount of something that a report may still take."""

    left: int
    message: str
    """Message about a report that takes more."""

    def take(self, amount: int) -> None:
        """Raise ValueError if there is no room for so much."""
        self.left -= amount
        if self.left < 0:
            raise ValueError(self.message)


def _memory(size_bytes: int) -> _Budget:
    """Return the memory that the evaluations of a report of this size may take."""
    most = min(max(2 * size_bytes, LEAST_MEMORY_BYTES), MOST_MEMORY_BYTES)
    message = "$: it would take more than three times its size in memory, more than any report"
    return _Budget(most - _DECODING_BYTES, message)


def _scores() -> _Budget:
    """Return how many scores a report may have."""
    message = f"$.evaluations: there are more than {SCORES:,} scores: write them to several reports"
    return _Budget(SCORES, message)


class _Reader(Struct, frozen=True):
    """Makes the nouns of what was decoded; what a report repeats is kept once."""

    memory: _Budget
    scores: _Budget = field(default_factory=_scores)
    texts: dict[str, str] = field(default_factory=dict)
    keys: dict[str, ScoreKey] = field(default_factory=dict)
    places: dict[tuple[str, ...], dict[str, int]] = field(default_factory=dict)
    fingerprints: dict[bytes, Mapping[str, object] | None] = field(default_factory=dict)

    def evaluation(self, one: _Evaluation, path: str) -> Evaluation:
        """The evaluation at the path."""
        scores = _decode(one.scores, _BY_KEY, f"{path}.scores")
        missing = _decode(one.missing, _BY_KEY, f"{path}.missing")
        self.scores.take(len(scores) + len(missing))
        self.memory.take(
            _EVALUATION_BYTES + _SCORE_BYTES * len(scores) + _MISSING_BYTES * len(missing)
        )
        return Evaluation(
            model=self._text(_decode(one.model, _MODEL, f"{path}.model")),
            iteration=one.iteration,
            tokens_billions=one.tokens_billions,
            origin=self._origin(one, path),
            scores={
                self._key(key, f"{path}.scores"): self._score(raw, _within(f"{path}.scores", key))
                for key, raw in scores.items()
            },
            missing={
                self._key(key, f"{path}.missing"): self._text(
                    _decode(raw, _REASON, _within(f"{path}.missing", key))
                )
                for key, raw in missing.items()
            },
        )

    def _origin(self, one: _Evaluation, path: str) -> Origin:
        suite = _decode(one.suite, _SUITE, f"{path}.suite")
        return Origin(
            source=self._text(one.source),
            suite=None if suite is None else self._text(suite),
            token_per_iteration=one.token_per_iteration,
        )

    def _text(self, text: str) -> str:
        known = self.texts.get(text)
        if known is None:
            self.memory.take(_TEXT_BYTES + getsizeof(text))
            known = self.texts[text] = text
        return known

    def _key(self, text: str, path: str) -> ScoreKey:
        if text not in self.keys:
            self.memory.take(_KEY_BYTES + 2 * getsizeof(text))
            self.keys[text] = _parse_key(text, path)
        return self.keys[text]

    def _score(self, raw: msgspec.Raw, path: str) -> Score:
        score = _decode(raw, _SCORE, path)
        return Score(
            value=score.value,
            n=score.n,
            lower_is_better=score.lower_is_better,
            subjects=self._subjects(score.subjects, f"{path}.subjects"),
            partial=score.partial and self._text(score.partial),
            fingerprint=self._fingerprint(score.fingerprint, f"{path}.fingerprint"),
            instances=self._instances(score, path),
            no_instances=score.no_instances and self._text(score.no_instances),
            repeats=self._repeats(score, path),
        )

    def _repeats(self, score: _Score, path: str) -> Repeats | None:
        """The score's runs; a score that isn't their mean is refused, as with instances."""
        if score.repeats is None:
            return None
        values = score.repeats.values
        self.memory.take(_VALUE_BYTES * (len(values) + 2))
        _check_mean(score.value, mean(values), of="runs", path=path)
        return Repeats(values=values, within=score.repeats.within)

    def _subjects(self, raw: msgspec.Raw, path: str) -> Mapping[str, SubjectScore]:
        subjects = _decode(raw, _SUBJECTS, path)
        if not subjects:
            return _NO_SUBJECTS
        self.memory.take(_SUBJECTS_BYTES + _SUBJECT_BYTES * len(subjects))
        return Subjects(
            self._places(tuple(subjects)),
            (subject.value for subject in subjects.values()),
            (subject.n for subject in subjects.values()),
        )

    def _places(self, names: tuple[str, ...]) -> dict[str, int]:
        """The names with their places; scores over the same subjects share them."""
        if names not in self.places:
            self.memory.take(_NAME_BYTES * len(names))
            shared = tuple(map(self._text, names))
            self.places[shared] = {name: place for place, name in enumerate(shared)}
        return self.places[names]

    def _fingerprint(self, raw: msgspec.Raw, path: str) -> Mapping[str, object] | None:
        """The fingerprint; scores with the same settings share it."""
        if memoryview(raw).nbytes > _FINGERPRINT_BYTES:
            raise ValueError(f"{path}: it is larger than {_FINGERPRINT_BYTES >> 10} KiB")
        digest = sha256(raw).digest()
        if digest not in self.fingerprints:
            fields = _decode(raw, _FINGERPRINT, path)
            self.fingerprints[digest] = fields and self._shared(fields, path)
        return self.fingerprints[digest]

    def _shared(self, value: Any, path: str, depth: int = 0) -> Any:  # noqa: ANN401 -- any JSON
        """The value, whose texts are kept once; what is too deep to be written is refused."""
        if isinstance(value, str):
            return self._text(value)
        if depth > DEPTH and isinstance(value, dict | list):
            raise ValueError(f"{path}: it is nested deeper than {DEPTH} levels")
        self.memory.take(_VALUE_BYTES + getsizeof(value))
        if isinstance(value, dict):
            return {
                self._text(key): self._shared(inner, path, depth + 1)
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self._shared(inner, path, depth + 1) for inner in value]
        return value

    def _instances(self, score: _Score, path: str) -> Instances | None:
        """The score's instances; a score that isn't their mean is refused."""
        if score.instances is None:
            return None
        instances = self._columns(score.instances, f"{path}.instances")
        _check_mean(score.value, instances.mean(), of="instances", path=path)
        return instances

    def _columns(self, raw: _Columns, path: str) -> Instances:
        has_answers = raw.answer != _NO_COLUMN
        given = [name for name in _COLUMNS if name != "answer" or has_answers]
        columns = {name: self._column(name, raw, path) for name in given if name != "cluster"}
        # Most instances are single clusters, which have their id.
        same = raw.cluster == raw.id
        columns["cluster"] = columns["id"] if same else self._column("cluster", raw, path)
        lengths = {name: len(columns[name]) for name in given}
        if len(set(lengths.values())) > 1 or 0 in lengths.values():
            shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise ValueError(
                f"{path}: the columns must have one length, and not be empty; their lengths "
                f"are: {shown}"
            )
        if len(set(columns["stratum"])) > STRATA:
            raise ValueError(f"{path}.stratum: there are more than {STRATA:,} different ones")
        return Instances(**columns)

    def _column(self, name: str, columns: _Columns, path: str) -> Column[Any]:
        """The column of the name, packed."""
        raw: msgspec.Raw = getattr(columns, name)
        _check_length(bytes(raw), path, is_text=name not in _NUMBERS)
        is_known = name == "input" and _HASHES.fullmatch(memoryview(raw))
        values = _decode(raw, _HASHES_OR_NONE if is_known else _COLUMNS[name], f"{path}.{name}")
        column = Column(values, has_runs=name in _REPEATING)
        self.memory.take(_COLUMN_BYTES + column.size_bytes)
        return column


def _within(path: str, key: str) -> str:
    return f"{path}[{json.dumps(key)}]"


def _check_mean(value: float, mean_value: float, *, of: str, path: str) -> None:
    """Refuse a score that contradicts the mean of its instances or runs."""
    if not is_close(value, mean_value):
        raise ValueError(
            f"{path}: its value {value} isn't the mean of its {of}, {mean_value}: write the mean "
            f"in full, or leave the {of} out"
        )


def _check_length(column: bytes, path: str, *, is_text: bool) -> None:
    """Refuse a column that would fill the memory when it is decoded."""
    most = column.count(b",") + 1
    if is_text:
        # Texts may hold commas.
        most = min(most, column.count(b'"') // 2 + column.count(b"null"))
    if most > INSTANCES:
        raise ValueError(f"{path}: a score has more than {INSTANCES:,} instances")
    # One character outside of ASCII makes a text up to four times as large.
    is_plain = column.isascii() and b"\\" not in column
    if _VALUE_BYTES * most + len(column) * (1 if is_plain else 4) > _DECODING_BYTES:
        raise ValueError(f"{path}: the texts of its instances are too long for so many")
