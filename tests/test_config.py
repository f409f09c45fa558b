"""The config: what is accepted, and what is said of all that is not.

A file in data/config/invalid is a test; `--update-golden` writes what is said of it next to it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.config import LIMIT_BYTES, parse
from helm_wandb.config.messages import SENTENCES, SLIPS
from helm_wandb.config.yaml_syntax import LIMIT_DEPTH, LONGEST_SHOWN, read_node
from helm_wandb.config.yaml_tree import LIMIT_NODES
from helm_wandb.errors import ConfigError
from helm_wandb.harness.entry import HarnessEval
from helm_wandb.model import Config, EvalEntry, Place, Policy, ScoreKey
from helm_wandb.sources import file
from helm_wandb.sources.helm.entry import HelmEval
from helm_wandb.sources.inspect.entry import InspectEval
from helm_wandb.sources.lm_eval.entry import LmEval
from tests.conftest import DATA, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SCHEMA: Mapping[str, Any] = json.loads((ROOT / "schema/config.schema.json").read_text("utf-8"))
INVALID = sorted((DATA / "config/invalid").glob("*.yaml"))
VALID = sorted((DATA / "config/valid").glob("*.yaml"))

LEADERBOARD = b"project: my-model\nleaderboard: true\n"


def config_of(data: bytes) -> Config:
    """The config, by the schema that is shipped."""
    return parse(data, file="config.yaml", schema=SCHEMA)


def problems_of(data: bytes) -> list[str]:
    """Return the problems of a config that is refused."""
    with pytest.raises(ConfigError) as caught:
        config_of(data)
    return [str(problem) for problem in caught.value.problems]


def valid_config(name: str) -> Config:
    """A file of data/config/valid."""
    return config_of((DATA / "config/valid" / f"{name}.yaml").read_bytes())


# What is accepted


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid_files_are_accepted(path: Path) -> None:
    """Every file of the folder is a config."""
    config = config_of(path.read_bytes())

    assert config.project == "my-model"


def test_helm_evaluation_is_read_with_all_its_keys() -> None:
    """Each key comes out as what it means, at the place where the entry stands."""
    (entry,) = valid_config("helm").evals

    expected = HelmEval(
        place=Place("config.yaml", 6, 5),
        places=entry.places,
        path="$.evals[0]",
        output_dir="benchmark_output",
        helm_suite_name="mysuite",
        model_name="mymodel",
        model_glob="mymodel/*",
        token_per_iteration=0.004,
        default_iteration=1000,
        iteration_pattern=r"step-(\d+)",
        score_keys=(
            ScoreKey("mmlu", "EM"),
            ScoreKey("summarization_xsum", "ROUGE-2"),
            ScoreKey("summarization_xsum", "ECE (10-bin)"),
        ),
    )
    assert expected == HelmEval.parse(entry)


@pytest.mark.parametrize(
    ("name", "kind", "output", "keys"),
    [
        ("lm_eval", LmEval, "lm_eval_output", ["mmlu.acc", "gsm8k.exact_match,strict-match"]),
        (
            "inspect",
            InspectEval,
            "logs",
            ["gsm8k.match.accuracy", "mmlu.accuracy", "mmlu.choice.accuracy,pass_at_2"],
        ),
    ],
)
def test_evaluation_of_another_harness_is_read_with_all_its_keys(
    name: str, kind: type[HarnessEval], output: str, keys: list[str]
) -> None:
    """Each key comes out as what it means; `eval_type` names the source."""
    entry, packed, report, scores = valid_config(name).evals

    expected = kind(
        place=Place("config.yaml", 3, 5),
        places=entry.places,
        path="$.evals[0]",
        output_dir=output,
        model_name="toy",
        model_glob="acme/toy@*",
        token_per_iteration=0.004,
        default_iteration=7,
        iteration_pattern=r"step-(\d+)",
        score_keys=tuple(map(ScoreKey.parse, keys)),
    )
    assert expected == kind.parse(entry)
    assert () == kind.parse(packed).score_keys
    assert [name, name, "report", "file"] == [one.source for one in (entry, packed, report, scores)]


def test_each_key_of_an_evaluation_knows_its_place() -> None:
    """A later error about a key can name its line."""
    entry = HelmEval.parse(valid_config("helm").evals[0])
    lines = (DATA / "config/valid/helm.yaml").read_text().splitlines()

    for key in ("helm_output_dir", "model_name", "iteration_pattern"):
        assert key in lines[entry.at(key).line - 1]
    assert entry.place == entry.at("not_given")


def test_general_keys_are_read() -> None:
    """Project, entity, URL and directions come out as they are written."""
    config = valid_config("helm")

    expected = ("my-model", "my-team", "https://wandb.example.com", False)
    assert expected == (config.project, config.entity, config.base_url, config.leaderboard)
    assert (
        frozenset({ScoreKey("summarization_xsum", "ECE (10-bin)")})
        == config.compare.lower_is_better
    )


def test_points_are_hundredths() -> None:
    """`0.5pp` is 0.005, alone and in a table; a bare number is in the metric's own unit."""
    table = b"compare: {min_effect: {default: 2 pp, mmlu.EM: 0.5pp, raft.EM: 0.3}}"
    alone = config_of(LEADERBOARD + b"compare: {min_effect: .5pp}").compare
    each = config_of(LEADERBOARD + table).compare

    assert (0.005, {}) == (alone.min_effect, alone.min_effects)
    assert 0.02 == each.min_effect
    assert {ScoreKey("mmlu", "EM"): 0.005, ScoreKey("raft", "EM"): 0.3} == each.min_effects


def test_a_benchmark_or_a_metric_only_warns() -> None:
    """A benchmark's name means all its metrics; a metric's name means that one."""
    policy = config_of(LEADERBOARD + b"compare: {warn_only: [raft, imdb.EM]}").compare
    keys = ("raft.EM", "raft.F1", "imdb.EM", "imdb.F1")

    assert [True, True, True, False] == [policy.is_warn_only(ScoreKey.parse(key)) for key in keys]


def test_file_evaluation_is_read_with_all_its_keys() -> None:
    """Scores come out by benchmark and metric; those that are null or .nan are missing."""
    (entry,) = valid_config("file").evals
    (one,) = file.read(entry).evaluations

    assert ("llama-7b", 1000, 1000.0) == (one.model, one.iteration, one.tokens_billions)
    assert {"mmlu.EM": 0.345, "boolq.EM": 1.0} == {
        str(key): score.value for key, score in one.scores.items()
    }
    assert {
        "quac.F1": "the config has no number for it",
        "quac.EM": "the config has nan for it",
    } == {str(key): why for key, why in one.missing.items()}


def test_report_evaluation_is_read_with_all_its_keys() -> None:
    """The path comes out as the glob that it is, at the place where the entry stands."""
    entry, _ = valid_config("report").evals

    expected = EvalEntry(
        source="report",
        fields={"eval_type": "helm", "source": "report", "path": "reports/*.json"},
        path="$.evals[0]",
        place=Place("config.yaml", 4, 5),
        places=entry.places,
    )
    assert expected == entry


def test_leaderboard_needs_no_evaluations() -> None:
    """`leaderboard: true` alone ranks the project, by the metrics that are named."""
    config = valid_config("leaderboard")

    assert config.evals == ()
    assert config.leaderboard
    assert (
        ScoreKey("mmlu", "EM"),
        ScoreKey("msmarco_trec", "NDCG@10"),
    ) == config.leaderboard_metrics
    assert frozenset({"llama-7b"}) == config.excluded_models


def test_absent_metrics_are_core_metrics() -> None:
    """Without `benchmarks` and `leaderboard_metrics`, both are HELM's 16 core metrics."""
    config = config_of(
        b"project: p\nevals: [{eval_type: helm, helm_output_dir: a, helm_suite_name: b}]\n"
    )

    entry = HelmEval.parse(config.evals[0])
    assert entry.score_keys == CORE_METRICS
    assert config.leaderboard_metrics == CORE_METRICS
    assert (None, None, None, None, 0) == (
        entry.model_name,
        entry.model_glob,
        entry.iteration_pattern,
        entry.token_per_iteration,
        entry.default_iteration,
    )


def test_merge_keys_take_over_what_is_not_written() -> None:
    """An own key goes before a merged one, and the first merged mapping before the next."""
    entries = valid_config("merge").evals

    expected = [("first", None), ("second", None), ("third", "mymodel")]
    assert expected == [
        (entry.fields["helm_suite_name"], entry.fields.get("model_name")) for entry in entries
    ]


@pytest.mark.parametrize("written", ["1e-3", "1.e-3", ".1e-2", "1E-3", "+1e-3", "0.001", "1.0e-3"])
def test_exponents_are_numbers(written: str) -> None:
    """A number with an exponent is one, though YAML 1.1 demands a dot and a sign."""
    config = config_of(
        "project: p\nevals: [{eval_type: helm, helm_output_dir: a, helm_suite_name: b, "
        f"token_per_iteration: {written}}}]\n".encode()
    )

    entry = HelmEval.parse(config.evals[0])
    assert entry.token_per_iteration == 0.001


@pytest.mark.parametrize(
    "written", ["1e5", '"1e5"', '"no"', "=", "<<", "v1.0", "step 7...", "!!str 7"]
)
def test_texts_stay_texts(written: str) -> None:
    """What is quoted, or is no number, boolean or date, is the text that it looks like."""
    config = config_of(f"project: {written}\nleaderboard: true\n".encode())

    assert config.project == written.removeprefix("!!str ").strip('"')


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_is_accepted(indent: int | str | None) -> None:
    """What Python writes as JSON is a config, with an emoji in its two escaped halves."""
    scores = {"model_name": "\U0001f999 llama/7b", "eval_result": {"mmlu": {"EM": 0.3}}}
    entry = {"eval_type": "helm", "source": "file", **scores}
    written = json.dumps({"project": "my-model", "evals": [entry]}, indent=indent)

    assert "\\ud83e\\udd99" in written
    assert entry == config_of(written.encode()).evals[0].fields


def test_windows_line_ends_are_accepted() -> None:
    """Carriage returns before line feeds change nothing."""
    assert config_of(LEADERBOARD) == config_of(LEADERBOARD.replace(b"\n", b"\r\n"))


# What is said of the rest


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_problems_are_shown_as_the_golden_file_has_them(
    path: Path, golden: Callable[[str, str], None]
) -> None:
    """Every problem is reported at once, each with place, JSON path, cause and fix."""
    with pytest.raises(ConfigError) as caught:
        parse(path.read_bytes(), file=path.name, schema=SCHEMA)

    golden(str(path.with_suffix(".txt")), f"{caught.value}\n")


def test_golden_files_have_their_configs() -> None:
    """No expected text is left over from a config that is gone."""
    texts = sorted((DATA / "config/invalid").glob("*.txt"))

    assert [path.stem for path in INVALID] == [path.stem for path in texts]


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_both_loaders_say_the_same(path: Path) -> None:
    """If PyYAML was built without libyaml, broken syntax is reported in the same words."""
    outcomes = [syntax_problems(path.read_bytes(), loader) for loader in LOADERS]

    assert outcomes[0] == outcomes[1]


LOADERS = (yaml.CSafeLoader, yaml.SafeLoader)


def syntax_problems(data: bytes, loader: Any) -> list[str]:
    """Problems of the bytes before any value is looked at."""
    try:
        _, problems = read_node(data, file="config.yaml", loader=loader)
    except ConfigError as error:
        problems = list(error.problems)
    # The loaders differ by one column in where a bad escape begins.
    return [problem.message for problem in problems]


EMPTY = (
    "the config is empty; it needs at least `project: NAME` with `evals:` and one entry in it, "
    "or with `leaderboard: true`"
)
UTF_16 = "the file looks like UTF-16 or is binary: save it as UTF-8"
NOT_UTF_8 = "is not UTF-8: save the file as UTF-8"
NOT_YAML = "is not allowed in YAML: remove it"
TOO_LARGE = (
    "the file is larger than 1,048,576 bytes (1 MiB), the limit for a config: is it another file?"
)
AT_MOST = "must have at most 1,000 characters, and this has 1,001"
TOO_DEEP = "nested deeper than 50 levels"
KEY_WITH_CONTROL_CHARACTER = "the key holds a line break or control character"


def unreadable(digits: str) -> str:
    """What is said of a number that begins with these digits and is too long."""
    return (
        f"YAML takes {digits}… for a number or boolean, and cannot read it: shorten it, or put it "
        "in quotes if it is a text"
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", f"1:1: $: {EMPTY}"),
        (b"\n\n", f"1:1: $: {EMPTY}"),
        (LEADERBOARD.decode().encode("utf-16"), f"1:1: $: {UTF_16}"),
        (LEADERBOARD.decode().encode("utf-16-be"), f"1:1: $: {UTF_16}"),
        (LEADERBOARD + "entity: mé".encode("latin-1"), f"3:10: $: the byte 0xe9 {NOT_UTF_8}"),
        ("entity: é".encode() + b"\xff", f"1:10: $: the byte 0xff {NOT_UTF_8}"),
        (LEADERBOARD + b"entity: m\x00", rf"3:10: $: the character \x00 {NOT_YAML}"),
        (LEADERBOARD + b"entity: \x1b[31m", rf"3:9: $: the character \x1b {NOT_YAML}"),
        (LEADERBOARD + b"#" * LIMIT_BYTES, f"1:1: $: {TOO_LARGE}"),
        (LEADERBOARD + b"entity: " + b"[" * 60 + b"]" * 60, f"3:58: $: {TOO_DEEP}"),
        (b"[" * 1_000_000, f"1:51: $: {TOO_DEEP}"),
        (LEADERBOARD + b"entity: " + b"9" * 5000, f"3:9: $.entity: {unreadable('9' * 59)}"),
        (
            LEADERBOARD + b"entity: 0x" + b"F" * 5000,
            f"3:9: $.entity: {unreadable('0x' + 'F' * 57)}",
        ),
        (
            LEADERBOARD + b"excluded_models: [" + b"x" * 1_001 + b"]",
            f"3:19: $.excluded_models[0]: {AT_MOST}",
        ),
        (
            LEADERBOARD + b"x" * 1_001 + b": 1",
            f'3:1: $["{"x" * 59}…"]: the key {AT_MOST}',
        ),
        (
            LEADERBOARD + b"entity: ''",
            "3:9: $.entity: must not be empty: give one, for example `my-team`",
        ),
        (LEADERBOARD + b'"\\e[31m": 1', rf'3:1: $["\x1b[31m"]: {KEY_WITH_CONTROL_CHARACTER}'),
        (LEADERBOARD + b"entity: !<x y", "3:12: $: YAML: did not find the expected '>'"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else "",
)
def test_hostile_bytes_are_reported(data: bytes, expected: str) -> None:
    """Bytes that no editor would write are explained as plainly as typing errors."""
    assert f"config.yaml:{expected}" in problems_of(data)


def test_a_byte_order_mark_is_no_part_of_a_config() -> None:
    """YAML allows one, and editors on Windows write it: places are those without it."""
    marked = b"\xef\xbb\xbf" + LEADERBOARD

    assert config_of(LEADERBOARD) == config_of(marked)
    assert problems_of(LEADERBOARD.replace(b"project", b"1")) == problems_of(
        marked.replace(b"project", b"1")
    )


def test_dots_are_found_before_windows_line_ends() -> None:
    """A line that only holds `...` is reported with its place, whatever ends it."""
    problems = problems_of(LEADERBOARD.replace(b"\n", b"\r\n") + b"entity: [\r\n  ...\r\n  ]")

    assert any(problem.startswith("config.yaml:4:3: ") for problem in problems)


def test_escape_beyond_unicode_is_reported_by_either_loader() -> None:
    """The loader in Python fails on it differently."""
    data = LEADERBOARD + b'entity: "\\UFFFFFFFF"'

    assert [1, 1] == [len(syntax_problems(data, loader)) for loader in LOADERS]


def test_aliases_may_not_explode() -> None:
    """A few lines of aliases that stand for billions of values are refused, in time."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    problems = problems_of("\n".join(lines).encode())

    assert f"more than {LIMIT_NODES:,} values" in problems[-1]


def test_merges_may_not_explode() -> None:
    """Merge keys repeat values in the same way, and make no value by themselves."""
    lines = ["a0: &a0 {}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12)]

    problems = problems_of("\n".join(lines).encode())

    assert f"more than {LIMIT_NODES:,} values" in problems[-1]


def test_aliases_may_not_nest_without_end() -> None:
    """A chain of aliases is as deep as brackets would be, though no line is."""
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 2000))]

    problems = problems_of("\n".join(lines).encode())

    assert any(f"aliases nest deeper than {LIMIT_DEPTH} levels" in problem for problem in problems)


def test_merges_may_not_nest_without_end() -> None:
    """Merge keys nest in the same way; one that takes over itself is reported as well."""
    lines = ["a0: &a0 {<<: *a0}", *(f"a{n}: &a{n} {{<<: *a{n - 1}}}" for n in range(1, 2000))]

    problems = problems_of("\n".join(lines).encode())

    assert any(f"aliases nest deeper than {LIMIT_DEPTH} levels" in problem for problem in problems)
    assert any("refers to what it is in" in problem for problem in problems)


def test_alias_of_a_problem_reports_it_once() -> None:
    """A problem at one place is reported once, however often an alias brings it."""
    problems = problems_of(
        LEADERBOARD + b"leaderboard_metrics: &m [mmlu]\ncompare: {lower_is_better: *m}\n"
    )

    assert len(problems) == 1


def test_a_metric_has_one_direction() -> None:
    """A metric named for both directions is reported at its second place."""
    (problem,) = problems_of(
        LEADERBOARD + b"compare:\n  lower_is_better: [a.b, c.d]\n  higher_is_better: [e.f, c.d]\n"
    )

    assert "$.compare.higher_is_better[1]: " in problem
    assert problem.endswith("c.d is under lower_is_better too: remove one of the two")


def test_long_values_are_shortened() -> None:
    """A message repeats no more of a value than fits on a line."""
    (problem,) = problems_of(b"project: my/" + b"x" * 100 + b"\nleaderboard: true\n")

    assert f"this is my/{'x' * (LONGEST_SHOWN - 4)}…" in problem


def test_problems_come_in_the_order_of_the_file() -> None:
    """Whichever check finds a problem, the first line's comes first."""
    path = DATA / "config/invalid/types.yaml"
    with pytest.raises(ConfigError) as caught:
        config_of(path.read_bytes())

    places = [(problem.place.line, problem.place.column) for problem in caught.value.problems]
    assert sorted(places) == places


# The schema


def subschemas(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Every subschema, the schema itself included."""
    if not isinstance(schema, dict):
        return
    yield schema
    for keyword in ("properties", "$defs"):
        for inner in schema.get(keyword, {}).values():
            yield from subschemas(inner)
    for keyword in ("items", "additionalProperties", "propertyNames", "if", "then", "else"):
        yield from subschemas(schema.get(keyword))
    for inner in schema.get("allOf", ()):
        yield from subschemas(inner)


STRUCTURE = {
    *("$schema", "$id", "$defs", "$ref", "title", "description", "examples", "default"),
    *("properties", "propertyNames", "items", "allOf", "if", "then", "else", "patternErrorMessage"),
    *("required", "additionalProperties"),
}
"""Keywords that assert nothing about a single value."""


def resolved(subschema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the subschema that it refers to, else itself."""
    found: Any = SCHEMA if "$ref" in subschema else subschema
    for part in subschema.get("$ref", "#").split("/")[1:]:
        found = found[part]
    return dict(found)


def test_schema_is_valid() -> None:
    """The schema is one of JSON Schema draft 2020-12."""
    Draft202012Validator.check_schema(SCHEMA)


def test_each_keyword_has_its_sentence() -> None:
    """The validator's own English never reaches a user."""
    conditions = [subschema["if"] for subschema in subschemas(SCHEMA) if "if" in subschema]
    conditional = {id(inner) for condition in conditions for inner in subschemas(condition)}
    used = {
        keyword
        for subschema in subschemas(SCHEMA)
        if id(subschema) not in conditional
        for keyword in subschema
    }

    assert set(SENTENCES) == used - STRUCTURE


def test_each_pattern_has_its_sentence() -> None:
    """A regular expression is explained where it stands, to editors as well."""
    patterns = [subschema for subschema in subschemas(SCHEMA) if "pattern" in subschema]

    assert all("patternErrorMessage" in subschema for subschema in patterns)


def test_each_key_is_explained() -> None:
    """Every key has a description and examples for the editor that completes it."""
    keys = {
        name: resolved(inner)
        for subschema in subschemas(SCHEMA)
        if "const" not in str(subschema.get("properties"))
        for name, inner in subschema.get("properties", {}).items()
    }

    assert [name for name, key in keys.items() if not {"description", "examples"} <= set(key)] == []


def test_each_mapping_is_closed() -> None:
    """No place of the config lets an unknown key pass."""
    open_ones = [
        subschema
        for subschema in subschemas(SCHEMA)
        if "required" in subschema and "properties" in subschema and "description" in subschema
        if subschema.get("additionalProperties") is not False
    ]

    assert open_ones == []


def test_examples_and_defaults_are_valid() -> None:
    """What the editor offers is accepted where it is offered."""
    for subschema in subschemas(SCHEMA):
        validator = Draft202012Validator({**subschema, "$defs": SCHEMA["$defs"]})
        offered = [*subschema.get("examples", ())]
        offered += [subschema["default"]] if "default" in subschema else []

        assert [value for value in offered if not validator.is_valid(value)] == []


def test_default_metrics_are_core_metrics() -> None:
    """The schema names the same 16 metrics that an absent key means."""
    benchmarks = SCHEMA["$defs"]["helm"]["properties"]["benchmarks"]["default"]

    assert [*map(str, CORE_METRICS)] == SCHEMA["properties"]["leaderboard_metrics"]["default"]
    assert [*map(str, CORE_METRICS)] == [
        f"{benchmark['name']}.{metric}"
        for benchmark in benchmarks
        for metric in benchmark["metrics"]
    ]


def test_slips_name_keys_that_there_are() -> None:
    """The table of slips proposes no key that the schema has not, and none that it has."""
    known = {name for subschema in subschemas(SCHEMA) for name in subschema.get("properties", {})}

    assert set(SLIPS.values()) <= known
    assert not set(SLIPS) & known


# Whatever the bytes are

WORDS = st.sampled_from(
    [
        *SCHEMA["properties"],
        *SCHEMA["$defs"]["helm"]["properties"],
        *(
            "eval_result",
            "name",
            "metrics",
            "file",
            "report",
            "path",
            "helm",
            "mmlu",
            "mmlu.EM",
            "...",
            "<<",
            "&a",
        ),
        *("*a", "!!int", "!x", "1e5", ":", ": ", "\n", "\n  ", "\n  - ", "- ", "[", "]", "{", "}"),
        *('"', "'", "|", "\t", "---\n", "2026-01-15", ".nan", ".inf", "010", "no", "~", "#"),
        *("%YAML 1.1\n", "\\", "0x", "(", "\u2028"),
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | WORDS
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SCALARS, inner, max_size=4),
    max_leaves=20,
)


def assert_reported_well(data: bytes) -> None:
    """Check that bytes are a config, or that each problem is one printable line with its place."""
    try:
        config_of(data)
    except ConfigError as error:
        problems = error.problems
    else:
        return
    assert problems
    for problem in problems:
        assert str(problem).isprintable()
        assert problem.place.line >= 1
        assert problem.place.column >= 1


@given(st.binary())
def test_any_bytes_are_a_config_or_a_config_error(data: bytes) -> None:
    """No bytes raise anything else, and each message is one printable line with its place."""
    assert_reported_well(data)


@given(st.lists(WORDS).map("".join))
def test_any_text_is_a_config_or_a_config_error(text: str) -> None:
    """Texts made of the parts of configs are read or reported well, too."""
    assert_reported_well(text.encode())
    assert_reported_well(b"project: p\nleaderboard: true\n" + text.encode())


@given(
    st.dictionaries(st.sampled_from([*SCHEMA["properties"]]), DOCUMENTS),
    st.dictionaries(
        st.sampled_from(sorted({*SCHEMA["$defs"]["helm"]["properties"], "eval_result", "path"})),
        DOCUMENTS,
    ),
)
def test_any_values_are_a_config_or_a_config_error(
    document: dict[str, Any], entry: dict[str, Any]
) -> None:
    """Right keys with values of any kind are read or reported well, too."""
    document = {**document, "evals": [{"eval_type": "helm", **entry}, document.get("evals")]}

    assert_reported_well(yaml.safe_dump(document).encode())


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_both_loaders_accept_the_same(text: str) -> None:
    """The loader in Python raises nothing but a config error either."""
    for loader in LOADERS:
        assert syntax_problems(text.encode(), loader) is not None


# There and back

NAMES = st.text(st.characters(categories=["L", "N", "Pd"]), min_size=1, max_size=20)
METRICS = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=20).filter(
    lambda text: not text.startswith("<") and not text.endswith(("...", "…"))
)
POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False) | st.integers(1, 2**53)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
EFFECTS = st.floats(min_value=0, allow_infinity=False)
ITERATIONS = st.integers(0, 10**15)
SCORE_KEYS = st.tuples(NAMES, METRICS).map(".".join)
LOWER_KEYS = METRICS.map("better when lower.{}".format)
HELM_ENTRIES = st.fixed_dictionaries(
    {"eval_type": st.just("helm"), "helm_output_dir": METRICS, "helm_suite_name": NAMES},
    optional={
        "source": st.just("helm"),
        "model_name": METRICS,
        "helm_model": METRICS,
        "token_per_iteration": POSITIVE,
        "default_iteration": ITERATIONS,
        "iteration_pattern": st.just(r"step-(\d+)"),
        "benchmarks": st.lists(
            st.fixed_dictionaries(
                {"name": NAMES, "metrics": st.lists(METRICS, min_size=1, unique=True)}
            ),
            min_size=1,
            unique_by=lambda benchmark: benchmark["name"],
        ),
    },
)
FILE_ENTRIES = st.fixed_dictionaries(
    {
        "eval_type": st.just("helm"),
        "source": st.just("file"),
        "model_name": METRICS,
        "eval_result": st.dictionaries(
            NAMES,
            st.dictionaries(
                METRICS,
                st.none() | st.floats(allow_nan=False, allow_infinity=False),
                min_size=1,
            ),
            min_size=1,
        ),
    },
    optional={"token_num": POSITIVE, "default_iteration": ITERATIONS},
)
REPORT_ENTRIES = st.fixed_dictionaries(
    {"eval_type": st.just("helm"), "source": st.just("report"), "path": METRICS}
)
ENTRIES = HELM_ENTRIES | FILE_ENTRIES | REPORT_ENTRIES
CONFIGS = st.fixed_dictionaries(
    {"project": NAMES, "evals": st.lists(ENTRIES, min_size=1, max_size=3)},
    optional={
        "entity": NAMES,
        "base_url": st.just("https://wandb.example.com"),
        "leaderboard": st.booleans(),
        "leaderboard_metrics": st.lists(SCORE_KEYS, min_size=1, unique=True),
        "excluded_models": st.lists(METRICS),
        "compare": st.fixed_dictionaries(
            {},
            optional={
                "alpha": st.floats(0, 0.5, exclude_min=True),
                "min_effect": EFFECTS
                | st.dictionaries(SCORE_KEYS | st.just("default"), EFFECTS, min_size=1),
                "lower_is_better": st.lists(LOWER_KEYS),
                "higher_is_better": st.lists(SCORE_KEYS),
                "clusters": st.dictionaries(NAMES, st.sampled_from(["instance", "^Q", "^(.*)$"])),
                "floor": st.dictionaries(SCORE_KEYS, FINITE),
            },
        ),
    },
)


def plain(config: Config) -> dict[str, Any]:
    """The config as the document that says the same with every key written."""
    return {
        "project": config.project,
        "entity": config.entity,
        "base_url": config.base_url,
        "evals": [{**entry.fields, "source": entry.source} for entry in config.evals],
        "leaderboard": config.leaderboard,
        "leaderboard_metrics": [*map(str, config.leaderboard_metrics)],
        "excluded_models": set(config.excluded_models),
        "compare": plain_policy(config.compare),
    }


def plain_policy(policy: Policy) -> dict[str, Any]:
    """The policy as the mapping that says the same with every key written."""
    return {
        "alpha": policy.alpha,
        "min_effect": {"default": policy.min_effect} | by_name(policy.min_effects),
        "lower_is_better": {*map(str, policy.lower_is_better)},
        "higher_is_better": {*map(str, policy.higher_is_better)},
        "clusters": policy.clusters,
        "floor": by_name(policy.floor),
    }


def by_name(values: Mapping[ScoreKey, float]) -> dict[str, float]:
    """The values by the written form of their keys."""
    return {str(key): value for key, value in values.items()}


def completed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the default of every key that it has not."""
    core = [*map(str, CORE_METRICS)]
    return {
        "project": document["project"],
        "entity": document.get("entity"),
        "base_url": document.get("base_url"),
        "evals": [{"source": "helm", **entry} for entry in document["evals"]],
        "leaderboard": document.get("leaderboard", False),
        "leaderboard_metrics": document.get("leaderboard_metrics", core),
        "excluded_models": set(document.get("excluded_models", ())),
        "compare": completed_policy(document.get("compare", {})),
    }


def completed_policy(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return `compare` with its defaults."""
    effects = document.get("min_effect", {})
    by_key = effects if isinstance(effects, dict) else {"default": effects}
    return {
        "alpha": document.get("alpha", 0.05),
        "min_effect": {"default": 0.01, **by_key},
        "lower_is_better": set(document.get("lower_is_better", ())),
        "higher_is_better": set(document.get("higher_is_better", ())),
        "clusters": document.get("clusters", {}),
        "floor": document.get("floor", {}),
    }


@given(CONFIGS)
def test_dumped_config_is_read_back(document: dict[str, Any]) -> None:
    """A valid document that PyYAML writes comes back as the config that it describes."""
    config = config_of(yaml.safe_dump(document, sort_keys=False).encode())

    assert completed(document) == plain(config)
