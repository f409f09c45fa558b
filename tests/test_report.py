"""The report and its JSON form."""

from __future__ import annotations

import gzip
import json
import random
import re
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from helm_wandb.model import (
    Evaluation,
    Instances,
    Origin,
    Provenance,
    Score,
    ScoreKey,
    SubjectScore,
    Verdict,
)
from helm_wandb.report import from_json, leaderboard_rows, to_dict, to_json
from tests import builders
from tests.conftest import ROOT
from tests.golden_reports import REPORTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCHEMA = Draft202012Validator(json.loads((ROOT / "schema" / "report.schema.json").read_bytes()))


def _decoded(text: bytes) -> Any:
    def refuse(constant: str) -> None:
        message = f"{constant} is not JSON"
        raise ValueError(message)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("name", REPORTS)
def test_report_is_valid_by_its_schema(name: str) -> None:
    """Every report is what the schema says, and its JSON decodes to its plain data."""
    told = to_dict(REPORTS[name])

    assert [error.message for error in SCHEMA.iter_errors(told)] == []
    assert told == _decoded(to_json(REPORTS[name]))


def test_report_golden(golden: Callable[[str, str], None]) -> None:
    """A report with missing scores looks as in the golden file."""
    golden("missing.report.json", to_json(REPORTS["missing"]).decode())


def test_all_that_is_known_is_told() -> None:
    """Subjects, suites, provenance and links are in the JSON."""
    report = replace(
        builders.report(
            [
                builders.evaluation(
                    subjects={"mmlu.EM": {"anatomy": 0.25}}, missing={"raft.EM": "x"}
                )
            ],
            notes=["a note"],
            provenance=Provenance(tool_version="1", track="pr/7", pull_request=7, attempt=1),
        ),
        links={"W&B": "https://wandb.example"},
    )
    told = to_dict(report)

    (evaluation,) = told["evaluations"]
    assert evaluation["scores"]["mmlu.EM"]["subjects"] == {"anatomy": {"value": 0.25, "n": None}}
    assert evaluation["missing"] == {"raft.EM": "x"}
    assert evaluation["suite"] == "nightly"
    assert told["links"] == {"W&B": "https://wandb.example"}
    assert told["notes"] == ["a note"]
    assert told["provenance"]["pull_request"] == 7
    assert told["verdict"] == Verdict.NO_BASELINE.value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_their_precision(value: float) -> None:
    """A score is in the JSON to the last digit."""
    told = _decoded(to_json(builders.report([builders.evaluation(scores={"mmlu.EM": value})])))

    assert value == told["evaluations"][0]["scores"]["mmlu.EM"]["value"]


@given(st.text(st.characters(), min_size=1))
def test_any_name_can_be_written(model: str) -> None:
    """Any name is in the JSON as it is; a lone surrogate, which UTF-8 lacks, becomes `?`."""
    told = _decoded(to_json(builders.report([builders.evaluation(model)])))

    assert model.encode(errors="replace").decode() == told["evaluations"][0]["model"]


def test_unknown_is_null() -> None:
    """Tokens that nobody knows are null, and so is the mean that could not be made."""
    report = builders.report([builders.evaluation(scores={"other.EM": 0.5})])
    told = _decoded(to_json(report))

    assert told["evaluations"][0]["tokens_billions"] is None
    assert told["leaderboard"]["rows"][0]["mean"] is None
    assert told["leaderboard"]["rows"] == leaderboard_rows(report.leaderboard)


@pytest.mark.parametrize(
    ("places", "headline"),
    [
        ([("a", 0)], "HELM evaluations: 1 model, 1 metric; no baseline to compare with"),
        ([("a", 0), ("b", 0)], "HELM evaluations: 2 models, 1 metric; no baseline to compare with"),
        (
            [("a", 1), ("a", 2), ("b", 0)],
            "HELM evaluations: 2 models, 1 metric, 3 iterations; no baseline to compare with",
        ),
    ],
)
def test_headline_counts(places: list[tuple[str, int]], headline: str) -> None:
    """The headline counts models and metrics, and iterations where a model has several."""
    report = builders.report([builders.evaluation(*place) for place in places])

    assert headline == report.headline


# Instances


def instances(count: int, strata: int = 1) -> Instances:
    """So many invented instances, as HELM's are: most of their columns repeat themselves."""
    numbers = random.Random(count)  # noqa: S311 -- test data
    ids = tuple(f"id{numbers.randrange(count * 20)}" for _ in range(count))
    return Instances(
        stratum=tuple(f"mmlu:subject=subject_{at * strata // count}" for at in range(count)),
        id=ids,
        trial=(0,) * count,
        input=tuple(sha256(str(at).encode()).hexdigest()[:8] for at in range(count)),
        cluster=ids,
        value=tuple(numbers.random() for _ in range(count)),
    )


def detailed(iteration: int = 0, benchmarks: int = 1, count: int = 4) -> Evaluation:
    """An evaluation of benchmarks with so many instances each."""
    key = [ScoreKey(f"benchmark_{at}", "EM") for at in range(benchmarks)]
    of_key = Score(
        value=0.5,
        n=count,
        lower_is_better=False,
        subjects={"anatomy": SubjectScore(value=0.5, n=count)},
        partial="it lacks botany",
        fingerprint={"max_train_instances": "5", "scenario subject": ["anatomy", "botany"]},
        instances=instances(count),
    )
    one = builders.evaluation(iteration=iteration)
    return replace(one, scores=dict.fromkeys(key, of_key))


def test_details_are_columns() -> None:
    """Fingerprint, mark and instances are in the JSON, and the report is valid."""
    report = builders.report([detailed(count=2)])
    told = _decoded(to_json(report))
    of_key = told["evaluations"][0]["scores"]["benchmark_0.EM"]
    columns = instances(2)

    assert [error.message for error in SCHEMA.iter_errors(told)] == []
    assert {"max_train_instances": "5", "scenario subject": ["anatomy", "botany"]} == of_key[
        "fingerprint"
    ]
    assert "it lacks botany" == of_key["partial"]
    assert of_key["instances"] == {
        name: list(getattr(columns, name)) for name in Instances.__dataclass_fields__
    }


def test_instances_are_absent_where_there_are_none() -> None:
    """Without instances there is no such key, but the reason."""
    one = detailed()
    scores = {
        key: replace(score, instances=None, no_instances="not kept")
        for key, score in one.scores.items()
    }
    told = to_dict(builders.report([replace(one, scores=scores)]))
    of_key = told["evaluations"][0]["scores"]["benchmark_0.EM"]

    assert "instances" not in of_key
    assert "not kept" == of_key["no_instances"]


def test_instances_of_the_two_greatest_iterations_are_kept() -> None:
    """Of each model the iterations that can be compared keep theirs, whatever their order."""
    others = [replace(detailed(iteration), model="beta") for iteration in (7, 8)]
    given_ = [detailed(iteration) for iteration in (30, 4, 200, 1000)] + others
    found = builders.report(given_).evaluations
    score_of = {
        (one.model, one.iteration): one.scores[ScoreKey("benchmark_0", "EM")] for one in found
    }

    assert [(one.model, one.iteration) for one in found] == [
        (one.model, one.iteration) for one in given_
    ]
    assert [("alpha", 200), ("alpha", 1000), ("beta", 7), ("beta", 8)] == [
        place for place, score in score_of.items() if score.instances is not None
    ]
    assert {"kept for the 2 greatest iterations of a model only"} == {
        score.no_instances for score in score_of.values() if score.instances is None
    }


def test_report_with_instances_is_small() -> None:
    """20 benchmarks of 1,000 instances each need less than 1.5 MB as an artifact."""
    report = builders.report([detailed(benchmarks=20, count=1000)])

    assert len(gzip.compress(to_json(report))) < 1_500_000


# There and back

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
TEXTS = st.none() | NAMES
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
BILLIONS = st.none() | st.floats(0, 1e12)
COUNTS = st.none() | st.integers(0, 2**63 - 1)
KEYS = st.builds(ScoreKey, NAMES.filter(lambda name: "." not in name), NAMES)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
ROWS = st.tuples(
    NAMES,
    NAMES,
    st.integers(0, 9),
    st.none() | st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
    NAMES,
    NUMBERS,
)
INSTANCES = st.lists(ROWS, min_size=1, max_size=4).map(
    lambda rows: Instances(
        **dict(zip(Instances.__dataclass_fields__, zip(*rows, strict=True), strict=True))
    )
)
SCORES = st.builds(
    Score,
    value=NUMBERS,
    n=COUNTS,
    lower_is_better=st.none() | st.booleans(),
    subjects=st.dictionaries(NAMES, st.builds(SubjectScore, value=NUMBERS, n=COUNTS), max_size=3),
    partial=TEXTS,
    fingerprint=st.none() | st.dictionaries(NAMES, JSON, max_size=3),
    instances=st.none() | INSTANCES,
    no_instances=TEXTS,
)
EVALUATIONS = st.builds(
    Evaluation,
    model=NAMES,
    iteration=st.integers(0, 2**63 - 1),
    tokens_billions=BILLIONS,
    origin=st.builds(
        Origin,
        source=st.sampled_from(["helm", "file", "report"]),
        suite=TEXTS,
        token_per_iteration=BILLIONS,
    ),
    scores=st.dictionaries(KEYS, SCORES, max_size=3),
    missing=st.dictionaries(KEYS, NAMES, max_size=3),
)


@given(st.lists(EVALUATIONS, max_size=4))
@settings(deadline=None)
def test_evaluations_are_read_back(given_: list[Evaluation]) -> None:
    """The evaluations of a report that was written are those that it had, to the last digit."""
    report = builders.report(given_)
    written = to_json(report)

    assert [error.message for error in SCHEMA.iter_errors(_decoded(written))] == []
    assert report.evaluations == from_json(written)


@pytest.mark.parametrize("name", REPORTS)
def test_golden_reports_are_read_back(name: str) -> None:
    """The same for the reports that golden files show."""
    assert REPORTS[name].evaluations == from_json(to_json(REPORTS[name]))


def test_nothing_but_evaluations_is_believed() -> None:
    """What a report says of itself may be anything."""
    report = builders.report([detailed()])
    told = {**to_dict(report), "leaderboard": 1, "verdict": "improved", "links": ["x"], "new": {}}

    assert report.evaluations == from_json(json.dumps(told).encode())


# What is no report


def changed(*path: str | int, to: object) -> bytes:
    """The JSON of a report in which one value is another."""
    told = json.loads(to_json(builders.report([detailed(count=2)])))
    place = told
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = to
    return json.dumps(told).encode()


AT = ("evaluations", 0)
OF = (*AT, "scores", "benchmark_0.EM")
COLUMNS = tuple(Instances.__dataclass_fields__)
IN_BENCHMARK = '$.evaluations[0].scores["benchmark_0.EM"]'
COLUMNS_MUST = f"{IN_BENCHMARK}.instances: the columns must be of one length, and not empty"
WHOLE = to_json(builders.report([detailed(count=2)]))
NESTED: Any = []
for _ in range(40):
    NESTED = [NESTED]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "$: it cannot be read as JSON: Input data was truncated"),
        (b"[]", "$: expected `object`, got `array`"),
        (b"{}", "$: object missing required field `schema_version`"),
        (WHOLE[:-3], "$: it cannot be read as JSON: Input data was truncated"),
        (WHOLE + b"{}", "$: it cannot be read as JSON: JSON is malformed: trailing characters"),
        (WHOLE.decode().encode("utf-16"), "$: it cannot be read as JSON: "),
        (WHOLE.replace(b"alpha", b"\xff"), "$: it cannot be read as JSON: 'utf-8' codec"),
        (WHOLE.replace(b"alpha", rb"\ud800"), "$: it cannot be read as JSON: "),
        (WHOLE.replace(b'"value": 0.5', b'"value": NaN'), "$: it cannot be read as JSON: "),
        (
            WHOLE.replace(b'"value": 0.5', b'"value": 1e999', 1),
            f"{'$.evaluations[0].scores[...]'}.value: ",
        ),
        (WHOLE.replace(b'"n": 2', b'"n": 2, "n": 3'), '$: the key "n" stands twice in one object'),
        (b'{"x": ' * 100_000, "$: it is nested too deep for a report"),
        (b'{"schema_version": 1, "evaluations": [], "x": ' + b"[" * 9_000, "$: it "),
        (changed("schema_version", to=2), "$.schema_version: this is 2, and 1 is what can be read"),
        (changed("schema_version", to="1"), "$.schema_version: expected `int`, got `str`"),
        (changed("evaluations", to={}), "$.evaluations: expected `array`, got `object`"),
        (changed(*AT, "model", to=""), "$.evaluations[0].model: expected `str` of length >= 1"),
        (changed(*AT, "iteration", to=-1), "$.evaluations[0].iteration: expected `int` >= 0"),
        (
            changed(*AT, "iteration", to=0.5),
            "$.evaluations[0].iteration: expected `int`, got `float`",
        ),
        (changed(*AT, "iteration", to=2**64), "$.evaluations[0].iteration: expected `int` <= 9"),
        (changed(*AT, "tokens_billions", to=-1), "$.evaluations[0].tokens_billions: "),
        (changed(*AT, "source", to="x"), "$.evaluations[0].source: invalid enum value 'x'"),
        (changed(*AT, "missing", to={"mmlu": "x"}), "$.evaluations[0].missing: 'mmlu' is not of"),
        (changed(*AT, "scores", to={".EM": 1}), "$.evaluations[0].scores[...]: expected `object`"),
        (changed(*OF, "value", to=None), "$.evaluations[0].scores[...].value: expected `float`"),
        (changed(*OF, "n", to=-1), "$.evaluations[0].scores[...].n: expected `int` >= 0"),
        (changed(*OF, "subjects", to={"a": 1}), "$.evaluations[0].scores[...].subjects[...]: "),
        (
            changed(*OF, "fingerprint", to={"a": NESTED}),
            f"{IN_BENCHMARK}.fingerprint: it is nested deeper than 20 levels",
        ),
        (
            changed(*OF, "instances", "trial", to=[0]),
            f"{COLUMNS_MUST}; they are of: stratum 2, id 2, trial 1, input 2, cluster 2, value 2",
        ),
        (
            changed(*OF, "instances", to={name: [] for name in COLUMNS}),
            COLUMNS_MUST,
        ),
        (
            changed(*OF, "instances", "input", to=["x", None]),
            "$.evaluations[0].scores[...].instances.input[0]: expected `str` matching regex",
        ),
        (
            changed(*OF, "instances", "value", to=[True, 1]),
            "$.evaluations[0].scores[...].instances.value[0]: expected `float`, got `bool`",
        ),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value[:60],
)
def test_what_is_no_report_is_told(data: bytes, expected: str) -> None:
    """Hostile and broken files raise ValueError, with a sentence that begins with the JSON path."""
    with pytest.raises(ValueError, match="^" + re.escape(expected)):
        from_json(data)


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_a_report_or_a_value_error(data: bytes) -> None:
    """No bytes raise anything else."""
    with suppress(ValueError):
        from_json(data)


@given(st.data())
@settings(deadline=None)
def test_any_change_is_a_report_or_a_value_error(data: st.DataObject) -> None:
    """The same for reports in which one value is any other; what is read can be written again."""
    path = data.draw(st.sampled_from(PATHS))
    document = changed(*path, to=data.draw(JSON))

    with suppress(ValueError):
        found = from_json(document)
        assert found == from_json(to_json(builders.report(found)))


def paths(value: Any, *above: str | int) -> Iterator[tuple[str | int, ...]]:
    """The path of each value in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for part, one in inner:
        yield (*above, part)
        if isinstance(one, dict | list):
            yield from paths(one, *above, part)


PATHS = [*paths({"evaluations": json.loads(WHOLE)["evaluations"]}), ("schema_version",)]
