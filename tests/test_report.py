"""The report and its JSON form."""

from __future__ import annotations

import json
import random
import re
from contextlib import suppress
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from bench import report_size
from helm_wandb import baselines
from helm_wandb.comparing import verdicts
from helm_wandb.comparing.answer_columns import LONGEST_ANSWER
from helm_wandb.model import (
    Evaluation,
    Instances,
    Origin,
    Policy,
    Provenance,
    Score,
    ScoreKey,
    SubjectScore,
    Verdict,
)
from helm_wandb.report import (
    baseline_from_json,
    baseline_name,
    from_json,
    json_pieces,
    reading,
    to_json,
)
from tests import builders
from tests.conftest import ROOT
from tests.golden_reports import COMPARED, HOSTILE_NAMES, REGRESSION, REPORTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from helm_wandb.model import Comparison, Report

COLUMNS = ("stratum", "id", "trial", "input", "cluster", "value")
SCHEMA = Draft202012Validator(json.loads((ROOT / "schema" / "report.schema.json").read_bytes()))


def _decoded(text: bytes) -> Any:
    def refuse(constant: str) -> None:
        message = f"{constant} is not JSON"
        raise ValueError(message)

    return json.loads(text, parse_constant=refuse)


def decoded(report: Report) -> Any:
    """Return the report's JSON, as any reader decodes it."""
    return _decoded(to_json(report))


@pytest.mark.parametrize("name", REPORTS)
def test_report_is_valid_by_its_schema(name: str) -> None:
    """Every report is what the schema says."""
    assert [] == [error.message for error in SCHEMA.iter_errors(decoded(REPORTS[name]))]


@pytest.mark.parametrize("name", REPORTS)
def test_pieces_make_the_report_as_it_is_formatted_whole(name: str) -> None:
    """Written piece by piece, it is indented as msgspec indents it."""
    text = to_json(REPORTS[name])

    assert msgspec.json.format(text, indent=1) + b"\n" == text


def test_no_piece_is_longer_than_a_score() -> None:
    """So that a report is never whole in the memory."""
    report = builders.report([detailed(iteration, benchmarks=5) for iteration in (1, 2)])
    score = replace(report, evaluations=report.evaluations[:1])
    pieces = list(json_pieces(report))

    assert to_json(report) == b"".join(pieces)
    assert max(map(len, pieces)) < len(to_json(score)) / 4


def test_report_golden(golden: Callable[[str, str], None]) -> None:
    """A report with missing scores looks as in the golden file."""
    golden("missing.report.json", to_json(REPORTS["missing"]).decode())


def test_all_that_is_known_is_reported() -> None:
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
    result = decoded(report)

    (evaluation,) = result["evaluations"]
    assert evaluation["scores"]["mmlu.EM"]["subjects"] == {"anatomy": {"value": 0.25, "n": None}}
    assert evaluation["missing"] == {"raft.EM": "x"}
    assert evaluation["suite"] == "nightly"
    assert result["links"] == {"W&B": "https://wandb.example"}
    assert result["notes"] == ["a note"]
    assert result["provenance"]["pull_request"] == 7
    assert result["verdict"] == Verdict.NO_BASELINE.value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_their_precision(value: float) -> None:
    """A score is in the JSON to the last digit."""
    result = decoded(builders.report([builders.evaluation(scores={"mmlu.EM": value})]))

    assert value == result["evaluations"][0]["scores"]["mmlu.EM"]["value"]


@given(st.text(st.characters(), min_size=1))
def test_any_name_can_be_written(model: str) -> None:
    """Any name is in the JSON as it is; a lone surrogate, which UTF-8 lacks, becomes `?`."""
    result = decoded(builders.report([builders.evaluation(model)]))

    assert model.encode(errors="replace").decode() == result["evaluations"][0]["model"]


def test_unknown_is_null() -> None:
    """Tokens that nobody knows are null, and so is the mean that could not be made."""
    report = builders.report([builders.evaluation(scores={"other.EM": 1.5})])
    result = decoded(report)

    assert result["evaluations"][0]["tokens_billions"] is None
    assert result["leaderboard"]["rows"][0]["mean"] is None


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
    columns = instances(count)
    of_key = Score(
        value=columns.mean(),
        n=count,
        lower_is_better=False,
        subjects={"anatomy": SubjectScore(value=0.5, n=count)},
        partial="it lacks botany",
        fingerprint={"max_train_instances": "5", "scenario subject": ["anatomy", "botany"]},
        instances=columns,
    )
    one = builders.evaluation(iteration=iteration)
    return replace(one, scores=dict.fromkeys(key, of_key))


def test_details_are_columns() -> None:
    """Fingerprint, mark and instances are in the JSON, and the report is valid."""
    report = builders.report([detailed(count=2)])
    result = decoded(report)
    of_key = result["evaluations"][0]["scores"]["benchmark_0.EM"]
    columns = instances(2)

    assert [error.message for error in SCHEMA.iter_errors(result)] == []
    assert {"max_train_instances": "5", "scenario subject": ["anatomy", "botany"]} == of_key[
        "fingerprint"
    ]
    assert "it lacks botany" == of_key["partial"]
    assert of_key["instances"] == {name: list(getattr(columns, name)) for name in COLUMNS}


def test_instances_are_absent_where_there_are_none() -> None:
    """Without instances there is no such key, but the reason."""
    one = detailed()
    scores = {
        key: replace(score, instances=None, no_instances="not kept")
        for key, score in one.scores.items()
    }
    result = decoded(builders.report([replace(one, scores=scores)]))
    of_key = result["evaluations"][0]["scores"]["benchmark_0.EM"]

    assert "instances" not in of_key
    assert "not kept" == of_key["no_instances"]


def test_instances_of_the_two_latest_iterations_are_kept() -> None:
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
    assert {"kept for the 2 latest iterations of a model only"} == {
        score.no_instances for score in score_of.values() if score.instances is None
    }


@pytest.mark.parametrize(("kind", "about"), [("EM", 550_000), ("both", 760_000), ("F1", 1_070_000)])
def test_report_with_instances_is_small(kind: str, about: int) -> None:
    """Of 20 benchmarks of 1,000 instances, the two iterations need under 1.5 MB as an artifact."""
    size = report_size.measured(kind).zipped_bytes

    assert about == pytest.approx(size, rel=0.05)
    assert size < report_size.MOST_BYTES


# Comparisons


def pair(change: float = 0.0) -> tuple[Report, Report]:
    """A baseline's report, and the report of the same model to compare."""
    keys = {"mmlu.EM": 50, "boolq.EM": 60}
    before = builders.measured(
        values={key: builders.right(count) for key, count in keys.items()}
        | {"raft.EM": [1.0, 0.0]},
        fingerprint={"method": "joint"},
    )
    after = builders.measured(
        values={key: builders.right(count + int(change)) for key, count in keys.items()}
        | {"raft.EM": [0.0, 0.0], "new.EM": [1.0]},
        fingerprint={"method": "joint"},
    )
    baseline = builders.report([before])
    found = baselines.BaselineMatch(origin="base.json", evaluations=from_json(to_json(baseline)))
    compared = verdicts.compared(baselines.partners([after], found), Policy())
    return baseline, builders.report([after], comparisons=compared, steps=compared)


@pytest.mark.parametrize("change", [-40.0, 0.0, 35.0])
def test_comparisons_are_valid_by_the_schema(change: float) -> None:
    """Comparisons and steps are what the schema says, with each number that was found."""
    _, report = pair(change)
    result = decoded(report)
    (comparison,) = result["comparisons"]
    (one,) = report.comparisons

    assert [] == [error.message for error in SCHEMA.iter_errors(result)]
    assert result["steps"] == result["comparisons"]
    assert {"new.EM": "only the candidate has it"} == (comparison["not_comparable"])
    assert [
        (str(d.key), d.baseline, d.candidate, d.difference, d.n, d.clusters, d.p, d.p_adjusted)
        for d in one.deltas
    ] == [
        tuple(
            d[name]
            for name in [
                "metric",
                "baseline",
                "candidate",
                "delta",
                "n",
                "clusters",
                "p",
                "p_adjusted",
            ]
        )
        for d in comparison["deltas"]
    ]
    assert [
        (d.mde, d.better, d.worse, d.verdict.value, d.lower_is_better, d.why) for d in one.deltas
    ] == [
        tuple(d[name] for name in ["mde", "better", "worse", "verdict", "lower_is_better", "why"])
        for d in comparison["deltas"]
    ]
    assert "overall" == comparison["overall"]["metric"]
    assert {
        "origin": "base.json",
        "model": "alpha",
        "iteration": 0,
        "ref": None,
        "commit": None,
        "url": None,
        "artifacts": [],
    } == (comparison["baseline"])


@pytest.mark.parametrize("name", COMPARED)
def test_the_gate_is_in_the_json(name: str) -> None:
    """Whether it is closed, why, and who accepted it."""
    gate = COMPARED[name].gate
    assert gate is not None

    assert {
        "closed": gate.closed,
        "reasons": list(gate.reasons),
        "warnings": list(gate.warnings),
        "accepted_by": gate.accepted_by,
    } == decoded(COMPARED[name])["gate"]
    assert decoded(builders.report([builders.evaluation()]))["gate"] is None


def of_verdicts(*verdicts: Verdict) -> list[Comparison]:
    """A comparison with a delta of each verdict."""
    deltas_ = [
        builders.delta(f"b{at}.EM", 0.5, 0.5, one, within=(0, 0)) for at, one in enumerate(verdicts)
    ]
    return [builders.comparison(*deltas_)]


R, I, N, U, X = (  # noqa: E741 -- as short as a table needs
    Verdict.REGRESSED,
    Verdict.IMPROVED,
    Verdict.NO_CHANGE,
    Verdict.INCONCLUSIVE,
    Verdict.UNTESTABLE,
)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([N, X, U, I, R], R),
        ([N, X, U, I], I),
        ([N, N], N),
        ([N, X], N),
        ([N, U], U),
        ([U, X], U),
        ([X, X], X),
        ([], X),
    ],
)
def test_the_runs_verdict_is_that_of_its_worst(verdicts: list[Verdict], expected: Verdict) -> None:
    """Any regression first, then any improvement, and no change only of all that was tested."""
    assert expected is builders.report([], comparisons=of_verdicts(*verdicts)).verdict


def test_verdicts_of_all_models_count_and_of_steps_none() -> None:
    """One model's regression is the run's, and a mean's; the curve's is not."""
    regressed = builders.delta(None, 0.5, 0.4, R, within=(-0.2, -0.05))
    quiet = [builders.comparison(), *of_verdicts(N)]
    report = partial(builders.report, [builders.evaluation()])

    assert R is report(comparisons=[*quiet, *of_verdicts(R)]).verdict
    assert R is report(comparisons=[*quiet, builders.comparison(overall=regressed)]).verdict
    assert N is report(comparisons=quiet, steps=of_verdicts(R)).verdict
    assert Verdict.NO_BASELINE is report(steps=of_verdicts(R)).verdict


@pytest.mark.parametrize(
    ("ref", "commit", "name"),
    [
        ("refs/heads/main", "4be1c02" + "0" * 33, "main@4be1c02"),
        ("refs/heads/a/b", None, "a/b"),
        ("refs/pull/7/head", "4be1c02", "refs/pull/7/head@4be1c02"),
        (None, "4be1c02", "4be1c02"),
        (None, None, "base.json"),
        ("", "", "base.json"),
    ],
)
def test_a_baseline_is_named_by_its_state(ref: str | None, commit: str | None, name: str) -> None:
    """Branch and short commit as far as the baseline says them, else where it was found."""
    result = builders.comparison(REGRESSION, ref=ref, commit=commit)
    report = builders.report([builders.evaluation()], comparisons=[result])

    assert name == baseline_name(report)
    assert "" == baseline_name(builders.report([builders.evaluation()]))


def of_state(provenance: object) -> bytes:
    """A report that says this of where it comes from."""
    return json.dumps({**decoded(pair()[0]), "provenance": provenance}).encode()


def test_a_baselines_evaluations_and_state_are_read() -> None:
    """Ref and commit come with the evaluations, and nothing else is believed."""
    result = {"ref": "refs/heads/main", "commit": "4be1c02", "track": 7, "new": []}

    found = baseline_from_json(of_state(result))

    assert pair()[0].evaluations == found.evaluations
    assert ("refs/heads/main", "4be1c02") == (found.ref, found.commit)


@pytest.mark.parametrize(
    "provenance",
    [None, 1, "x", [], {"ref": 1}, {"commit": {}}, {"ref": [["x"]]}, {"ref": None, "commit": None}],
)
def test_a_state_of_nonsense_is_unknown(provenance: object) -> None:
    """Whatever stands for the provenance, the evaluations are read."""
    found = baseline_from_json(of_state(provenance))

    assert (pair()[0].evaluations, None, None) == (found.evaluations, found.ref, found.commit)


def test_a_baseline_without_provenance_is_read() -> None:
    """The key may be absent."""
    result = decoded(pair()[0])
    del result["provenance"]

    found = baseline_from_json(json.dumps(result).encode())

    assert (None, None) == (found.ref, found.commit)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_state_is_one_line_of_text(name: str) -> None:
    """A ref of controls and commands is shown and does nothing; the JSON keeps it."""
    found = baseline_from_json(of_state({"ref": name, "commit": name}))
    result = builders.comparison(REGRESSION, ref=found.ref, commit=found.commit)
    report = builders.report([builders.evaluation()], comparisons=[result])

    assert (name, name) == (found.ref, found.commit)
    assert name == decoded(report)["comparisons"][0]["baseline"]["ref"]


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
    st.none() | st.text(max_size=LONGEST_ANSWER),
)
INSTANCES = st.lists(ROWS, min_size=1, max_size=4).map(
    lambda rows: Instances(**dict(zip((*COLUMNS, "answer"), zip(*rows, strict=True), strict=True)))
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
).map(lambda score: replace(score, value=score.instances.mean()) if score.instances else score)
EVALUATIONS = st.builds(
    Evaluation,
    model=NAMES,
    iteration=st.integers(0, 2**63 - 1),
    tokens_billions=BILLIONS,
    origin=st.builds(
        Origin,
        source=st.from_regex("[a-z][a-z0-9_]{0,31}", fullmatch=True),
        suite=TEXTS,
        token_per_iteration=BILLIONS,
    ),
    scores=st.dictionaries(KEYS, SCORES, max_size=3),
    missing=st.dictionaries(KEYS, NAMES, max_size=3),
)


@given(st.lists(EVALUATIONS, max_size=4))
def test_evaluations_are_read_back(given_: list[Evaluation]) -> None:
    """The evaluations of a report that was written are those that it had, to the last digit."""
    report = builders.report(given_)
    written = to_json(report)

    assert [error.message for error in SCHEMA.iter_errors(_decoded(written))] == []
    assert report.evaluations == from_json(written)
    assert _answers(report.evaluations) == _answers(from_json(written))


def _answers(evaluations: Sequence[Evaluation]) -> list[tuple[str | None, ...]]:
    """The columns of answers, which no two scores are compared by, as JSON holds them."""
    columns = (
        score.instances.answer
        for one in evaluations
        for score in one.scores.values()
        if score.instances and score.instances.answer is not None
    )
    return [tuple(text and _encodable(text) for text in column) for column in columns]


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


@pytest.mark.parametrize("name", REPORTS)
def test_golden_reports_are_read_back(name: str) -> None:
    """The reports that golden files show can be read back, too."""
    assert REPORTS[name].evaluations == from_json(to_json(REPORTS[name]))


def test_a_byte_order_mark_is_no_part_of_a_report() -> None:
    """Tools on Windows write one before the JSON."""
    marked = b"\xef\xbb\xbf" + WHOLE

    assert baseline_from_json(WHOLE) == baseline_from_json(marked)


def test_nothing_but_evaluations_is_believed() -> None:
    """What a report says of itself may be anything."""
    report = builders.report([detailed()])
    result = {**decoded(report), "leaderboard": 1, "verdict": "improved", "links": ["x"], "new": {}}

    assert report.evaluations == from_json(json.dumps(result).encode())


# What is no report


def changed(*path: str | int, to: object) -> bytes:
    """The JSON of a report in which one value is another."""
    result = json.loads(to_json(builders.report([detailed(count=2)])))
    place = result
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = to
    return json.dumps(result).encode()


AT = ("evaluations", 0)
OF = (*AT, "scores", "benchmark_0.EM")
IN_BENCHMARK = '$.evaluations[0].scores["benchmark_0.EM"]'
COLUMNS_MUST = f"{IN_BENCHMARK}.instances: the columns must have one length, and not be empty"
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
            changed(*OF, "value", to=0.5).replace(b'"value": 0.5', b'"value": 1e999', 1),
            f"{IN_BENCHMARK}.value: ",
        ),
        (WHOLE.replace(b'"n": 2', b'"n": 2, "n": 3'), '$: the key "n" is in one object twice'),
        (b'{"x": ' * 100_000, "$: it is nested more deeply than any report"),
        (b'{"schema_version": 1, "evaluations": [], "x": ' + b"[" * 9_000, "$: it "),
        (changed("schema_version", to=2), "$.schema_version: this is 2, and 1 is what can be read"),
        (changed("schema_version", to="1"), "$.schema_version: expected `int`, got `str`"),
        (changed("evaluations", to={}), "$.evaluations: expected `array`, got `object`"),
        (changed(*AT, "model", to=""), "$.evaluations[0].model: expected `str` of length >= 1"),
        (
            changed(*AT, "model", to="x" * 1_001),
            "$.evaluations[0].model: expected `str` of length ",
        ),
        (
            changed(*AT, "suite", to="x" * 1_001),
            "$.evaluations[0].suite: expected `str` of length ",
        ),
        (
            changed(*AT, "missing", to={f"mmlu.{'x' * 2_000}": "x"}),
            "key in $.evaluations[0].missing: expected `str` of length <= 2001",
        ),
        (
            changed(*AT, "missing", to={"mmlu.EM": "x" * 100_001}),
            '$.evaluations[0].missing["mmlu.EM"]: expected `str` of length <= 100000',
        ),
        (changed(*AT, "iteration", to=-1), "$.evaluations[0].iteration: expected `int` >= 0"),
        (
            changed(*AT, "iteration", to=0.5),
            "$.evaluations[0].iteration: expected `int`, got `float`",
        ),
        (changed(*AT, "iteration", to=2**64), "$.evaluations[0].iteration: expected `int` <= 9"),
        (changed(*AT, "tokens_billions", to=-1), "$.evaluations[0].tokens_billions: "),
        *(
            (changed(*AT, "source", to=name), "$.evaluations[0].source: expected `str` matching ")
            for name in ("", "Helm", "helm\n", "@someone", "2x", "x" * 33)
        ),
        (
            changed(*AT, "missing", to={"mmlu": "x"}),
            "$.evaluations[0].missing: 'mmlu' must have the form",
        ),
        (
            changed(*AT, "scores", to={".EM": 1}),
            "$.evaluations[0].scores: '.EM' must have the form",
        ),
        (
            changed(*AT, "scores", to={"mmlu.EM": 1}),
            '$.evaluations[0].scores["mmlu.EM"]: expected `object`, got `int`',
        ),
        (changed(*OF, "value", to=None), f"{IN_BENCHMARK}.value: expected `float`"),
        (changed(*OF, "n", to=-1), f"{IN_BENCHMARK}.n: expected `int` >= 0"),
        (changed(*OF, "subjects", to={"a": 1}), f"{IN_BENCHMARK}.subjects[...]: "),
        (
            changed(*OF, "fingerprint", to={"a": NESTED}),
            f"{IN_BENCHMARK}.fingerprint: it is nested deeper than 20 levels",
        ),
        (
            changed(*OF, "instances", "trial", to=[0]),
            f"{COLUMNS_MUST}; their lengths are: stratum 2, id 2, trial 1, input 2",
        ),
        (
            changed(*OF, "instances", "trial", to=None),
            f"{IN_BENCHMARK}.instances.trial: expected `array`, got `null`",
        ),
        (
            changed(*OF, "instances", to={name: [] for name in COLUMNS}),
            COLUMNS_MUST,
        ),
        (
            changed(*OF, "instances", "input", to=["x", None]),
            f"{IN_BENCHMARK}.instances.input[0]: expected `str` matching regex",
        ),
        (
            changed(*OF, "instances", "value", to=[True, 1]),
            f"{IN_BENCHMARK}.instances.value[0]: expected `float`, got `bool`",
        ),
        (
            changed(*OF, "instances", "answer", to=["a"]),
            f"{COLUMNS_MUST}; their lengths are: stratum 2, id 2, trial 2, input 2",
        ),
        (
            changed(*OF, "instances", "answer", to=["a", "b" * (LONGEST_ANSWER + 1)]),
            f"{IN_BENCHMARK}.instances.answer[1]: expected `str` of length <= 200",
        ),
        (
            changed(*OF, "value", to=0.5),
            f"{IN_BENCHMARK}: its value 0.5 isn't the mean of its instances, 0.46",
        ),
        (
            changed(*OF, "repeats", to={"values": [0.25, 0.5], "within": 0}),
            f"{IN_BENCHMARK}: its value 0.46",
        ),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value[:60],
)
def test_what_is_no_report_is_reported(data: bytes, expected: str) -> None:
    """Hostile and broken files raise ValueError, with a sentence that begins with the JSON path."""
    with pytest.raises(ValueError, match="^" + re.escape(expected)):
        from_json(data)


@pytest.mark.parametrize(
    ("limit", "most", "expected"),
    [
        ("EVALUATIONS", 0, "$.evaluations: there are more than 0: write them to several reports"),
        ("SCORES", 0, "$.evaluations: there are more than 0 scores: write them to several reports"),
        ("INSTANCES", 1, f"{IN_BENCHMARK}.instances: a score has more than 1 instances"),
        ("MOST_MEMORY_BYTES", 33 << 20, "$: it would take more than three times its size in "),
    ],
)
def test_more_than_a_report_can_have_is_reported(
    limit: str, most: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each limit is named with its number, and what to do."""
    data = changed(*OF, "fingerprint", to={"a": [[[]] * 9] * 2_000})
    monkeypatch.setattr(reading, limit, most)

    with pytest.raises(ValueError, match="^" + re.escape(expected)):
        from_json(data)


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_a_report_or_a_value_error(data: bytes) -> None:
    """No bytes raise anything else."""
    with suppress(ValueError):
        from_json(data)


@given(st.data())
def test_any_change_is_a_report_or_a_value_error(data: st.DataObject) -> None:
    """A report in which one value is any other is read or refused; what is read can be written."""
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
