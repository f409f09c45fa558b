"""What a run's summary says of what the run holds."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helm_wandb.wandb_runs import run_record
from helm_wandb.wandb_runs.layout_names import MARK
from helm_wandb.wandb_runs.run_record import JobReport, Latest, LatestScore, Record

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCORES = st.builds(
    LatestScore, value=FLOATS, lower_is_better=st.none() | st.booleans(), partial=st.none() | TEXTS
)
LATEST = st.builds(
    Latest,
    iteration=st.integers(0, 3) | st.just(2**63 - 1),
    tokens_billions=st.none() | FLOATS,
    scores=st.dictionaries(st.sampled_from(["mmlu.EM", "quac.F1", "raft.EM"]), SCORES),
)
REPORTS = st.builds(
    JobReport,
    part=st.sampled_from("pqr"),
    digest=TEXTS,
    scores=st.lists(st.sampled_from(["mmlu.EM", "quac.F1", "raft.EM"]), unique=True).map(tuple),
    commit=st.none() | st.sampled_from(["c1", "c2"]),
    run_url=st.none() | TEXTS,
)
RECORDS = st.builds(
    Record,
    writer=TEXTS,
    rows=st.dictionaries(st.integers(0, 2**63 - 1).map(str), TEXTS),
    settings=TEXTS,
    tables=TEXTS,
    reports=st.lists(REPORTS, max_size=4).map(tuple),
    latest=st.none() | LATEST,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    """What a summary is given is what is read from it, next to whatever else it holds."""
    summary = {MARK: run_record.to_text(record), "mmlu": {"EM": 0.5}, "_step": 3}

    assert record == run_record.from_summary(summary)


@given(RECORDS)
def test_a_record_is_one_line(record: Record) -> None:
    """W&B's table of runs shows a record in one cell."""
    assert [run_record.to_text(record)] == run_record.to_text(record).split("\n")


def test_what_is_not_known_takes_no_room() -> None:
    """A record of nothing names its writer only."""
    assert '{"writer":"w"}' == run_record.to_text(Record(writer="w"))


@pytest.mark.parametrize(
    "summary_text",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        '{"writer":1}',
        '{"writer":"w","rows":[]}',
        '{"writer":"w","rows":{"1":2}}',
        '{"writer":"w","latest":{"iteration":1.5,"scores":{}}}',
        '{"writer":"w","latest":{"iteration":1}}',
        '{"writer":"w","latest":{"iteration":1,"scores":{"a.b":{"value":NaN}}}}',
        '{"writer":"w","latest":{"iteration":1,"scores":{"a.b":{"value":1e999}}}}',
        '{"writer":"\ud800"}',
        f'{{"writer":"{"w" * 65}"}}',
        '{"writer":"w","rows":{"-1":"d"}}',
        f'{{"writer":"w","rows":{{"{"1" * 20}":"d"}}}}',
        f'{{"writer":"w","latest":{{"iteration":{2**63},"scores":{{}}}}}}',
        f'{{"writer":"w","latest":{{"iteration":{"9" * 5000},"scores":{{}}}}}}',
        '{"writer":"w","latest":{"iteration":-1,"scores":{}}}',
        f'{{"writer":"w","latest":{{"iteration":1,"scores":{{"{"a" * 5001}":{{"value":1}}}}}}}}',
        b'{"writer":"w"}',
        {"writer": "w"},
        None,
        7,
    ],
)
def test_what_is_no_record_is_none(summary_text: object) -> None:
    """A summary under whose mark something else stands has no record, and raises nothing."""
    assert None is run_record.from_summary({MARK: summary_text})


def test_a_text_of_brackets_is_no_record() -> None:
    """What is nested too deeply to be read is garbage as any other."""
    assert None is run_record.from_summary({MARK: '{"writer":"w","x":' + "[" * 5000})


def test_a_summary_without_the_mark_has_no_record() -> None:
    """A run of another tool has no record."""
    assert None is run_record.from_summary({"mmlu": {"EM": 0.5}})


@given(JSON, TEXTS)
@example([], '{"writer":"w"}')
def test_whatever_stands_under_the_mark_raises_nothing(value: object, text: str) -> None:
    """Any JSON, as a value or as a text, is a record or none."""
    for summary_text in (value, json.dumps(value), text):
        found = run_record.from_summary({MARK: summary_text})

        assert found is None or isinstance(found, Record)


def test_a_field_of_a_later_version_is_no_hindrance() -> None:
    """A record with more fields than are known is still read."""
    assert Record(writer="w") == run_record.from_summary({MARK: '{"writer":"w","more":1}'})


@given(LATEST, LATEST)
def test_the_greater_iteration_is_the_newer(one: Latest, other: Latest) -> None:
    """Whichever of two comes first, the newer is of the greater iteration, and changes nothing."""
    found = run_record.newer(one, other)

    assert found is not None
    assert max(one.iteration, other.iteration) == found.iteration
    if one.iteration != other.iteration:
        assert run_record.newer(other, one) == found
        assert found in (one, other)


@given(LATEST, LATEST)
def test_at_the_same_iteration_the_second_wins(one: Latest, other: Latest) -> None:
    """Both jobs' scores are there; where both have one, it is the second's."""
    second = Latest(
        iteration=one.iteration, tokens_billions=other.tokens_billions, scores=other.scores
    )
    found = run_record.newer(one, second)

    known = one.tokens_billions if second.tokens_billions is None else second.tokens_billions
    assert found == Latest(
        iteration=one.iteration, tokens_billions=known, scores={**one.scores, **second.scores}
    )


@given(LATEST)
def test_what_is_known_twice_is_known_once(one: Latest) -> None:
    """The newer of the same, or of one and nothing, is that one."""
    assert [one] * 3 == [
        run_record.newer(one, one),
        run_record.newer(one, None),
        run_record.newer(None, one),
    ]
    assert None is run_record.newer(None, None)


@given(LATEST, LATEST, LATEST)
def test_several_are_newer_in_any_grouping(one: Latest, two: Latest, three: Latest) -> None:
    """It does not matter in which pairs three are compared."""
    assert run_record.newer(run_record.newer(one, two), three) == run_record.newer(
        one, run_record.newer(two, three)
    )


@given(REPORTS, st.lists(REPORTS))
def test_a_report_takes_the_place_of_what_it_makes_useless(
    report: JobReport, recorded: list[JobReport]
) -> None:
    """That is its own last one, and those of other commits that its commit leaves no score."""
    first, *others = run_record.add_report(report, recorded)
    gone = [one for one in recorded if one not in others]

    assert report == first
    assert others == [one for one in recorded if one in others]
    assert report.part not in {one.part for one in others}
    of_commit = {
        key for one in (report, *others) if one.commit == report.commit for key in one.scores
    }
    assert all(
        one.part == report.part or (one.commit != report.commit and {*one.scores} <= of_commit)
        for one in gone
    )
    assert all(one.commit == report.commit or {*one.scores} - of_commit for one in others)


def test_a_matrix_keeps_the_reports_of_the_commit_before_until_each_job_has_its_own() -> None:
    """While the second job runs, its benchmark's report is that of the commit before."""

    def written(part: str, commit: str) -> JobReport:
        return JobReport(part=part, digest=commit, scores=(f"{part}.EM",), commit=commit)

    reports: tuple[JobReport, ...] = ()
    seen = []
    for commit in ("c1", "c2"):
        for part in ("mmlu", "raft"):
            reports = run_record.add_report(written(part, commit), reports)
            seen.append([(one.part, one.commit) for one in reports])

    assert [
        [("mmlu", "c1")],
        [("raft", "c1"), ("mmlu", "c1")],
        [("mmlu", "c2"), ("raft", "c1")],
        [("raft", "c2"), ("mmlu", "c2")],
    ] == seen


def test_a_single_jobs_report_gives_way_to_those_of_a_matrix_together() -> None:
    """When main's only job is split, its last report stays until all of the new jobs have ended."""
    whole = JobReport(part="p", digest="d", scores=("mmlu.EM", "raft.EM"), commit="c1")
    mmlu, raft = (
        JobReport(part=key, digest="d", scores=(key,), commit="c2")
        for key in ("mmlu.EM", "raft.EM")
    )
    one = run_record.add_report(mmlu, [whole])

    assert (mmlu, whole) == one
    assert (raft, mmlu) == run_record.add_report(raft, one)


def test_a_record_lists_the_newest_reports() -> None:
    """Jobs that evaluate ever other checkpoints don't let it grow without end."""
    reports: tuple[JobReport, ...] = ()
    for number in range(2 * run_record.REPORTS):
        new = JobReport(part=str(number), digest="d", scores=("mmlu.EM",), commit="c1")
        reports = run_record.add_report(new, reports)

    newest = range(2 * run_record.REPORTS - 1, run_record.REPORTS - 1, -1)
    assert [str(number) for number in newest] == [one.part for one in reports]


@given(st.dictionaries(TEXTS, st.integers(-(2**53), 2**53)))
def test_a_rows_digest_is_that_of_its_numbers(values: dict[str, int]) -> None:
    """8 and 8.0 are one number, and the order of the values is none."""
    floats = {key: float(value) for key, value in reversed(values.items())}

    assert run_record.row_digest(values) == run_record.row_digest(floats)


@given(st.dictionaries(TEXTS, FLOATS), st.dictionaries(TEXTS, FLOATS))
@example({"a": 0.1}, {"a": 0.1 + 2**-56})
@example({"a": 1.0}, {"b": 1.0})
def test_rows_that_differ_have_other_digests(one: dict[str, float], two: dict[str, float]) -> None:
    """Each value counts to its last digit."""
    same = json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)

    assert same == (run_record.row_digest(one) == run_record.row_digest(two))
