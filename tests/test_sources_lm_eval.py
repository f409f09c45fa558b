"""lm-eval's numbers, read as lm-eval wrote them."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.errors import ArtifactError, ConfigError
from helm_wandb.model import ScoreKey
from helm_wandb.sources.lm_eval.formats import Results, RunConfig
from helm_wandb.sources.lm_eval.runs import model_id
from helm_wandb.text.patterns import Pattern

from .lm_eval_builders import read_one, read_output, unpack_lm_eval, write_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from helm_wandb.model import Evaluation

TREES = ("after", "before", "checkpoints", "nameless", "scores_only")
NEWER = "2026-01-01T11-00-00"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every tree of real output."""
    return unpack_lm_eval(tmp_path_factory.mktemp("lm_eval"))


# An independent reading, with nothing of this project.


def newest_values(folder: Path) -> Iterator[tuple[str, str, float, Path, dict[str, Any]]]:
    """Yield revision, task and metric, lm-eval's number, its file, and the file's content."""
    newest: dict[tuple[str, str], tuple[Path, dict[str, Any]]] = {}
    for path in sorted(folder.rglob("*T*.json"), key=lambda path: path.name[-31:]):
        results = json.loads(path.read_text())
        revision = (results["config"]["model_args"] or {}).get("revision", "")
        for task in results["results"]:
            newest[revision, task] = path, results
    for (revision, task), (path, results) in newest.items():
        for key, value in results["results"][task].items():
            if "," in key and "_stderr," not in key:
                yield revision, f"{task}.{key}", value, path, results


def sample_values(path: Path, task: str, key: str) -> dict[str, Any]:
    """Document → value of a metric and filter, in the samples next to a results file."""
    metric, _, name = key.partition(",")
    time = re.sub(r".*_(.*)\.json", r"\1", path.name)
    rows = map(json.loads, (path.parent / f"samples_{task}_{time}.jsonl").read_text().splitlines())
    return {str(row["doc_id"]): row[metric] for row in rows if row["filter"] == name}


def scores(evaluations: tuple[Evaluation, ...]) -> dict[tuple[str, str], Any]:
    """(revision, task and metric) → score."""
    return {
        (f"step{one.iteration}" if one.iteration else "", str(key)): score
        for one in evaluations
        for key, score in one.scores.items()
    }


@pytest.fixture(scope="module", params=TREES)
def tree(request: pytest.FixtureRequest, outputs: Path) -> Path:
    """One of the trees."""
    return outputs / str(request.param)


def test_values_are_lm_evals_own(tree: Path) -> None:
    """Every number of every task and group is read, and equals lm-eval's to the last digit."""
    found = scores(read_output(tree.name, tree.parent).evaluations)
    # The iterations of before and after are in the names of the models.
    own = {step for step, _ in found} if tree.name in ("before", "after") else {None}
    expected = {
        (own_step or revision, key): value
        for revision, key, value, *_ in newest_values(tree)
        for own_step in own
    }

    assert expected == {place: score.value for place, score in found.items()}
    assert {} == {
        place: reason
        for one in read_output(tree.name, tree.parent).evaluations
        for place, reason in one.missing.items()
    }


def test_instances_are_the_samples(tree: Path) -> None:
    """Of each task's metric that is a mean of them, all samples are read, with their values."""
    found = scores(read_output(tree.name, tree.parent).evaluations)
    steps = {step for step, _ in found}
    checked = 0
    for revision, key, value, path, results in newest_values(tree):
        score = found[steps.pop() if len(steps) == 1 else revision, key]
        steps = {step for step, _ in found}
        task, _, metric = key.partition(".")
        if score.instances is None or results["group_subtasks"].get(task):
            continue
        ids, values = score.instances.id, score.instances.value
        assert sample_values(path, task, metric) == dict(zip(ids, values, strict=True))
        assert math.isclose(value, math.fsum(values) / len(values), abs_tol=1e-9)
        assert score.n == len(values) == results["n-samples"][task]["effective"]
        checked += 1

    assert checked == {"scores_only": 0, "nameless": 2, "checkpoints": 16}.get(tree.name, 4)


def test_standard_errors_of_the_harness_follow_from_the_instances(outputs: Path) -> None:
    """The deviation of the instances is what lm-eval computed its standard errors from."""
    (one,) = read_output("before", outputs).evaluations
    (path,) = (outputs / "before").rglob("results_*.json")
    written = json.loads(path.read_text())["results"]["parity"]
    for metric in ("acc", "acc_norm"):
        score = one.scores[ScoreKey("parity", f"{metric},none")]
        assert score.instances is not None
        values = tuple(score.instances.value)
        squares = math.fsum((value - score.value) ** 2 for value in values)
        error = math.sqrt(squares / (len(values) - 1) / len(values))
        assert math.isclose(written[f"{metric}_stderr,none"], error, abs_tol=1e-9)


def test_groups_have_their_parts_as_subjects(outputs: Path) -> None:
    """A group's tasks, and the groups in it, are its subjects, with their own values and n."""
    late = read_output("checkpoints", outputs).evaluations[-1]
    group = late.scores[ScoreKey("all_parities", "acc,none")]

    assert (0.59375, 64) == (group.value, group.n)
    assert {
        "by_size": (0.625, 32),
        "even_a": (0.625, 24),
        "odd_a": (0.625, 8),
        "by_task": (0.5, 32),
        "even_b": (0.625, 24),
        "odd_b": (0.375, 8),
    } == {name: (part.value, part.n) for name, part in group.subjects.items()}


def test_groups_have_the_instances_that_make_their_score(outputs: Path) -> None:
    """By documents or by tasks, as lm-eval weighted them, and alike in both checkpoints."""
    for one in read_output("checkpoints", outputs).evaluations:
        strata = {}
        for name in ("by_size", "by_task", "all_parities"):
            score = one.scores[ScoreKey(name, "acc,none")]
            assert score.instances is not None
            assert score.instances.has_mean(score.value)
            strata[name] = set(score.instances.stratum)
        assert {
            "by_size": {"by_size"},
            "by_task": {"even_b", "odd_b"},
            "all_parities": {"all_parities"},
        } == strata


def test_perplexities_are_shown_and_untestable(outputs: Path) -> None:
    """Their value is lm-eval's, lower is better, and the reason says why they have no samples."""
    late = read_output("checkpoints", outputs).evaluations[-1]
    for metric in ("word_perplexity,none", "byte_perplexity,none", "bits_per_byte,none"):
        score = late.scores[ScoreKey("texts", metric)]
        assert score.lower_is_better
        assert score.instances is None
        assert "lm-eval wrote no per-sample values of it for texts" == score.no_instances


def test_without_samples_the_reason_says_how_to_get_them(outputs: Path) -> None:
    """Values are read; the samples that a test needs come with --log_samples."""
    one = read_one("scores_only", outputs)

    assert {"acme/toy"} == {one.model}
    assert {
        f"lm-eval wrote no samples of {task}: run it with --log_samples"
        for task in ("even_a", "texts")
    } == {score.no_instances for score in one.scores.values()}


def test_samples_of_another_task_are_no_others(outputs: Path) -> None:
    """`samples_parity_…` is not `samples_parity_generated_…`, whose lines have other metrics."""
    one = read_one("before", outputs)
    counts = {str(key): score.n for key, score in one.scores.items()}

    assert {40} == set(counts.values())
    assert "parity_generated.exact_match,flexible-extract" in counts


# Models and iterations


@pytest.mark.parametrize(
    ("model_args", "name", "expected"),
    [
        ({"pretrained": "acme/toy"}, "acme/toy", "acme/toy"),
        ("pretrained=acme/toy,dtype=float16", "acme/toy", "acme/toy"),
        ("pretrained=acme/toy,revision=main", "acme/toy", "acme/toy"),
        ("pretrained=acme/toy,revision=step1000", "acme/toy", "acme/toy@step1000"),
        ({"pretrained": "a", "revision": "step1", "subfolder": "x"}, "a", "a/x@step1"),
        ({"pretrained": "base", "peft": "lora/step-5"}, "lora/step-5", "lora/step-5"),
        ({"model": "gpt-5", "base_url": "http://localhost"}, "gpt-5", "gpt-5"),
        (None, "x3k9q1zz", "hf"),
        ("", "", "hf"),
        ({"dtype": "auto"}, "x3k9q1zz", "hf"),
    ],
)
def test_ids_are_names_with_revisions(model_args: object, name: str, expected: str) -> None:
    """A revision keeps checkpoints apart; a name that lm-eval drew at random is not used."""
    config = RunConfig(model="hf", model_args=model_args, model_revision="main")
    results = Results(results={}, configs={}, config=config, model_name=name)

    assert expected == model_id(results, None)


def test_a_pattern_sees_the_models_arguments() -> None:
    """If only an argument has the iteration, its part of it belongs to the id."""
    config = RunConfig(model="hf", model_args="pretrained=a/b,tag=tokens-300,dtype=auto")
    results = Results(results={}, configs={}, config=config, model_name="a/b")

    assert "a/b@tokens-300" == model_id(results, Pattern.compile(r"tokens-(\d+)"))
    assert "a/b" == model_id(results, Pattern.compile(r"steps-(\d+)"))


def test_checkpoints_share_a_folder(outputs: Path) -> None:
    """Revisions of one model are its iterations, though lm-eval writes them to one folder."""
    found = read_output("checkpoints", outputs, token_per_iteration=0.5).evaluations

    assert [("acme/toy", 1000, 500.0), ("acme/toy", 2000, 1000.0)] == [
        (one.model, one.iteration, one.tokens_billions) for one in found
    ]


def test_the_configs_name_wins(outputs: Path) -> None:
    """One model in the output is recorded under model_name, whatever its folder is called."""
    assert "mine" == read_one("nameless", outputs, model_name="mine").model
    assert "dummy" == read_one("nameless", outputs).model


def test_several_models_need_a_choice(tmp_path: Path) -> None:
    """Under one name, lm_eval_model chooses; without a name, each is recorded under its own."""
    write_run(tmp_path / "out/a", {"t": [1, 0]}, model="acme/a")
    write_run(tmp_path / "out/b", {"t": [1, 1]}, model="acme/b")

    assert ["acme/a", "acme/b"] == [one.model for one in read_output("out", tmp_path).evaluations]
    assert 1.0 == (
        read_one("out", tmp_path, model_name="mine", model_glob="*/b")
        .scores[ScoreKey("t", "acc,none")]
        .value
    )
    with pytest.raises(ConfigError, match="set lm_eval_model to the one that is meant"):
        read_output("out", tmp_path, model_name="mine")
    reading = read_output("out", tmp_path, model_name="acme/a")
    assert "out also has 'acme/b': not recorded as 'acme/a'." in reading.notes


def test_the_newest_run_counts(tmp_path: Path) -> None:
    """Of a model's several results of a task, the newest by the time in the name counts."""
    write_run(tmp_path / "out/m", {"t": [1, 1]}, time=NEWER)
    write_run(tmp_path / "out/m", {"t": [0, 0]})
    reading = read_output("out", tmp_path)

    assert 1.0 == reading.evaluations[0].scores[ScoreKey("t", "acc,none")].value
    assert ("Newer results replace m/results_2026-01-01T10-00-00.000000.json.",) == (reading.notes)


def test_tasks_of_older_runs_are_kept(tmp_path: Path) -> None:
    """Runs of one task each, into one folder, are one evaluation; a note says which are older."""
    write_run(tmp_path / "out/m", {"old": [1, 1]})
    write_run(tmp_path / "out/m", {"new": [0, 1]}, time=NEWER)
    reading = read_output("out", tmp_path)

    assert ["new.acc,none", "old.acc,none"] == sorted(map(str, reading.evaluations[0].scores))
    (note,) = reading.notes
    assert (
        "acme/toy: its newest results, results_2026-01-01T11-00-00.json, lack old, which older "
        "results in the same output have."
    ) == note


# Names and what is missing


def named(*keys: str) -> tuple[ScoreKey, ...]:
    """Return the keys that a config names."""
    return tuple(map(ScoreKey.parse, keys))


def test_a_single_filter_needs_no_name(outputs: Path) -> None:
    """`acc` is `acc,none`; of a metric with several filters, the reason names them."""
    keys = named("parity.acc", "parity_generated.exact_match", "parity.bleu")
    one = read_one("before", outputs, score_keys=keys)

    assert {"parity.acc": 0.65} == {str(key): score.value for key, score in one.scores.items()}
    assert {
        "parity_generated.exact_match": "lm-eval has it for several filters: name one of "
        "exact_match,strict-match; exact_match,flexible-extract",
        "parity.bleu": "lm-eval has no such metric of this task; it has: acc,none; acc_norm,none",
    } == {str(key): why for key, why in one.missing.items()}


def test_an_absent_task_is_missing(outputs: Path) -> None:
    """A note names the task that is probably meant."""
    keys = named("parity.acc", "paritty.acc")
    reading = read_output("before", outputs, score_keys=keys)

    assert ["lm-eval has no result of it for this model"] == list(
        reading.evaluations[0].missing.values()
    )
    (note,) = reading.notes
    assert (
        "before has no result of paritty. It has: parity, parity_generated, parity_group. Did you "
        "mean parity?"
    ) == note


def test_nothing_that_is_named_is_an_error(outputs: Path) -> None:
    """It says what there is."""
    with pytest.raises(ArtifactError) as caught:
        read_output("before", outputs, score_keys=named("mmlu.acc"))

    assert (
        "config.yaml:3:5: before has none of the scores named (mmlu.acc: lm-eval has no result of "
        "it for this model). Its tasks are: parity_group, parity, parity_generated. Name them "
        "under benchmarks."
    ) == str(caught.value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, "lm-eval wrote nan for it"),
        (math.inf, "lm-eval wrote inf for it"),
        pytest.param(10**400, "lm-eval wrote a number larger than any float", id="10**400"),
        ("N/A", "lm-eval wrote 'N/A' for it"),
        (None, "lm-eval wrote null for it, not a number"),
        (True, "lm-eval wrote true for it, not a number"),
        ([0.5], "lm-eval wrote a list for it, not a number"),
        ({"a": 1}, "lm-eval wrote a mapping for it, not a number"),
    ],
)
def test_no_number_is_missing(tmp_path: Path, value: object, reason: str) -> None:
    """A score that is no finite number is missing, with lm-eval's own word; others are read."""

    def change(results: dict[str, Any]) -> None:
        results["results"]["t"]["acc,none"] = value

    write_run(tmp_path / "out", {"t": [1], "u": [1]}, change=change)
    one = read_one("out", tmp_path)

    assert {"t.acc,none": reason} == {str(key): why for key, why in one.missing.items()}
    assert ["u.acc,none"] == list(map(str, one.scores))


def test_a_run_that_only_predicts_has_no_scores(tmp_path: Path) -> None:
    """`bypass` is 999 for any model."""

    def change(results: dict[str, Any]) -> None:
        results["results"]["t"] = {"alias": "t", "bypass,none": 999, "bypass_stderr,none": "N/A"}

    write_run(tmp_path / "out", {"t": [1], "u": [1]}, change=change)

    assert ["lm-eval ran with --predict_only, which computes no score"] == list(
        read_one("out", tmp_path).missing.values()
    )


def test_names_are_those_that_a_config_can_hold(tmp_path: Path) -> None:
    """A dot or slash in a task's name is recorded as _, so that a config can name the task."""
    write_run(tmp_path / "out", {"llama_3.1": [1, 0]})
    one = read_one("out", tmp_path, score_keys=named("llama_3_1.acc"))

    assert {"llama_3_1.acc": 2} == {str(key): score.n for key, score in one.scores.items()}


def test_tasks_of_one_name_are_not_mixed(tmp_path: Path) -> None:
    """Of two tasks that would have one name, the one that is called so is read; a note says it."""
    write_run(tmp_path / "out", {"a.b": [1, 0], "a_b": [1], "c.d": [1, 0, 0], "c:d": [1]})
    reading = read_output("out", tmp_path)

    assert {"a_b.acc,none": 1, "c_d.acc,none": 3, "c:d.acc,none": 1} == {
        str(key): score.n for key, score in reading.evaluations[0].scores.items()
    }
    assert ("Not read, because another task has the same name in a config: a.b.",) == reading.notes


@pytest.mark.parametrize("higher", [True, False, None])
def test_directions_are_lm_evals(tmp_path: Path, higher: object) -> None:
    """`higher_is_better` may be null, which is unknown."""

    def change(results: dict[str, Any]) -> None:
        results["higher_is_better"] = {"t": {"acc": higher}}

    write_run(tmp_path / "out", {"t": [1]}, change=change)

    assert [None if higher is None else not higher] == [
        score.lower_is_better for score in read_one("out", tmp_path).scores.values()
    ]


def test_a_limit_is_noted(outputs: Path) -> None:
    """Scores over a part of the documents are said to be that."""
    reading = read_output("nameless", outputs)

    assert ("lm-eval ran with --limit; documents that it evaluated: even_a 10 of 24.",) == (
        reading.notes
    )
    assert {10} == {score.n for score in reading.evaluations[0].scores.values()}


# Layouts


def test_an_output_path_may_end_in_json(tmp_path: Path) -> None:
    """`--output_path out/step.json` writes `step_TIME.json`, with the samples next to it."""
    path = write_run(tmp_path / "out", {"t": [1, 0]})
    path.rename(path.with_name(path.name.replace("results", "step")))
    score = read_one("out", tmp_path).scores[ScoreKey("t", "acc,none")]

    assert (0.5, 2) == (score.value, score.instances and len(score.instances.id))


@pytest.mark.parametrize("kind", ["tar", "gztar", "zip"])
def test_archives_read_as_folders(outputs: Path, tmp_path: Path, kind: str) -> None:
    """Packed, the output has the same evaluations."""
    name = shutil.make_archive(str(tmp_path / "packed"), kind, outputs, "checkpoints")

    assert (
        read_output("checkpoints", outputs).evaluations == read_output(name, tmp_path).evaluations
    )


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "no results_TIME.json of lm-eval is in it. Give the folder of lm_eval's"),
        ({"a.json": "{}"}, "is in it. It has a.json. Give the folder of lm_eval's"),
        ({"results.json": "{}"}, "It has results.json, as lm-eval 0.4.2 and older wrote it. Give"),
        (
            {f"results_{NEWER}.json": "{}"},
            "unexpected content: Object missing required field `results`. If the file was cut",
        ),
        ({f"results_{NEWER}.json": '{"results"'}, "unexpected content: Input data was truncated."),
    ],
)
def test_an_output_without_results_is_an_error(
    tmp_path: Path, files: dict[str, str], expected: str
) -> None:
    """It says what is there, and what to give."""
    (tmp_path / "out").mkdir()
    for name, text in files.items():
        (tmp_path / "out" / name).write_text(text)

    with pytest.raises(ArtifactError, match=re.escape(expected)):
        read_output("out", tmp_path)


def test_one_broken_file_costs_its_run_only(tmp_path: Path) -> None:
    """Other results are read; the broken file is a fault."""
    write_run(tmp_path / "out/a", {"t": [1]})
    (tmp_path / f"out/a/results_{NEWER}.json").write_text("{")
    reading = read_output("out", tmp_path)

    assert 1 == len(reading.evaluations)
    assert [True] == [f"a/results_{NEWER}.json: unexpected" in fault for fault in reading.faults]


def test_an_absent_output_is_an_error(tmp_path: Path) -> None:
    """It names the config's line and key."""
    with pytest.raises(ArtifactError, match=r"^config.yaml:3:5: lm_eval_output_dir 'gone' doesn't"):
        read_output("gone", tmp_path)


def test_a_name_without_end_is_refused(tmp_path: Path) -> None:
    """A report could not hold it."""
    write_run(tmp_path / "out", {"t": [1]}, model="x" * 1001)

    with pytest.raises(ArtifactError, match="has a name of 1,001 characters, 'xxx"):
        read_output("out", tmp_path)


# Settings


def fingerprints(outputs: Path, *names: str) -> list[dict[str, object]]:
    """Return the fingerprint of each output's first score."""
    found: dict[str, list[Any]] = defaultdict(list)
    for name in names:
        one = read_one(name, outputs)
        found[name] = [score.fingerprint for score in one.scores.values()]
    return [found[name][0] for name in names]


def test_runs_of_two_checkpoints_have_the_same_settings(outputs: Path) -> None:
    """The model's arguments are no setting, and neither is a seed that draws no examples."""
    before, after = fingerprints(outputs, "before", "after")

    assert before == after
    assert "0" == before["num_fewshot"]
    assert "1" == before["version"]
    assert [] == [name for name, value in before.items() if "step1000" in str(value)]


@pytest.mark.parametrize(
    ("config", "call", "top", "is_same"),
    [
        ({"task_alias": "other", "unsafe_code": False}, {}, {}, True),
        ({"process_docs": "<function f at 0x7f0a>"}, {}, {}, False),
        ({"doc_to_text": "{{other}}"}, {}, {}, False),
        ({"metadata": {"version": 1, "pretrained": "x"}}, {}, {}, True),
        ({}, {"limit": 10.0}, {}, False),
        ({}, {"fewshot_seed": 7}, {}, True),
        ({}, {"gen_kwargs": {"temperature": 1}}, {}, True),
        ({"output_type": "generate_until"}, {"gen_kwargs": {"top_p": 1}}, {}, False),
        ({}, {}, {"chat_template_sha": "abc"}, False),
        ({}, {}, {"system_instruction_sha": "abc"}, False),
        ({}, {}, {"fewshot_as_multiturn": True}, True),
        ({}, {}, {"n-shot": {"t": 5}}, False),
        ({}, {}, {"versions": {"t": 2}}, False),
        ({}, {}, {"lm_eval_version": "0.4.9", "git_hash": "abc", "date": 1.5}, True),
    ],
)
def test_settings_are_what_changes_a_score(
    tmp_path: Path,
    config: dict[str, Any],
    call: dict[str, Any],
    top: dict[str, Any],
    is_same: bool,  # noqa: FBT001
) -> None:
    """What the caller chose is compared; what lm-eval merely reports is not."""

    def change(results: dict[str, Any]) -> None:
        results["configs"]["t"].update(config)
        results["config"].update(call)
        results.update(top)

    write_run(tmp_path / "plain", {"t": [1]})
    write_run(tmp_path / "other", {"t": [1]}, change=change)
    plain, other = fingerprints(tmp_path, "plain", "other")

    assert is_same == (plain == other)


def test_addresses_of_functions_are_no_setting(tmp_path: Path) -> None:
    """lm-eval writes a function's address if it cannot find its source."""
    for name, address in (("one", "7f0a"), ("two", "7f0b")):

        def change(results: dict[str, Any], at: str = address) -> None:
            results["configs"]["t"] |= {
                "process_docs": f"<function f at 0x{at}>",
                "metric_list": [f"<function g at 0x{at}>" * 9],
            }

        write_run(tmp_path / name, {"t": [1]}, change=change)

    one, two = fingerprints(tmp_path, "one", "two")
    assert one == two


def test_the_seed_of_examples_is_a_setting_if_it_draws_them(tmp_path: Path) -> None:
    """With examples, their seed counts, unless the sampler takes the first ones."""
    found = []
    for number, sampler in enumerate(("default", "default", "first_n", "first_n")):

        def change(results: dict[str, Any], number: int = number, sampler: str = sampler) -> None:
            results["n-shot"] = {"t": 5}
            results["configs"]["t"]["fewshot_config"] = {"sampler": sampler}
            results["config"]["fewshot_seed"] = number

        write_run(tmp_path / str(number), {"t": [1]}, change=change)
        found += fingerprints(tmp_path, str(number))

    assert found[0] != found[1] != found[2]
    assert found[2] == found[3]
    assert ("5", "0") == (found[0]["num_fewshot"], found[0]["fewshot_seed"])


def test_an_upgrade_of_lm_eval_changes_no_setting(tmp_path: Path) -> None:
    """0.4.13 writes defaults, and repeats the task's own fields; 0.4.9 did not."""

    def old(results: dict[str, Any]) -> None:
        results["n-shot"] = {"t": 5}
        results["configs"]["t"] |= {"fewshot_split": "dev", "process_docs": "def f(docs): ..."}

    def new(results: dict[str, Any]) -> None:
        old(results)
        task = results["configs"]["t"]
        task |= {"unsafe_code": False, "description": ""}
        task["fewshot_config"] = {
            "sampler": "default",
            "split": "dev",
            "process_docs": "def f(docs): ...",
            "fewshot_indices": None,
            "samples": None,
            "target_delimiter": " ",
        }

    write_run(tmp_path / "old", {"t": [1]}, change=old)
    write_run(tmp_path / "new", {"t": [1]}, change=new)
    before, after = fingerprints(tmp_path, "old", "new")

    assert before == after
