"""Inspect's numbers, read as Inspect wrote them."""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
import zipfile
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.errors import ArtifactError, ConfigError
from helm_wandb.model import ScoreKey

from .builders import pair_instances
from .inspect_builders import log, read_logs, read_one, unpack_inspect, write_eval, write_json

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from helm_wandb.model import Evaluation, Instances

TREES = ("after", "before", "scores_only")
NAN = float("nan")
SPREADS = {"stderr", "std"}
KEY = ScoreKey("sums", "match.accuracy")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every tree of real logs."""
    return unpack_inspect(tmp_path_factory.mktemp("inspect"))


# An independent reading, with nothing of this project.


def whole_logs(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield each whole log, with the samples and reductions that it has."""
    for path in sorted(folder.iterdir()):
        content = json.loads(path.read_text()) if path.suffix == ".json" else unzipped(path)
        if content.get("status") == "success":
            yield content


def unzipped(path: Path) -> dict[str, Any]:
    """Return an `.eval` as the `.json` that Inspect would have written."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as stream:
        members = {}
        for info in archive.infolist():
            stream.seek(info.header_offset)
            header = stream.read(30)
            lengths = header[26:28], header[28:30]
            stream.seek(sum(int.from_bytes(one, "little") for one in lengths), 1)
            members[info.filename] = json.loads(zstd.decompress(stream.read(info.compress_size)))
    return {
        **members.get("header.json", {}),
        "reductions": members.get("reductions.json"),
        "samples": [one for name, one in members.items() if name.startswith("samples/")],
    }


def written_values(folder: Path) -> dict[str, float]:
    """Return every number of the results, by task, scorer, metric, and reducer if there are some.

    Several reducers are those of `repeated`.
    """
    return {
        f"{content['eval']['task']}.{score['name']}.{key}"
        + (f",{score['reducer']}" if score.get("reducer") else ""): metric["value"]
        for content in whole_logs(folder)
        for score in content["results"]["scores"]
        for key, metric in score["metrics"].items()
    }


def sample_numbers(content: dict[str, Any], score: dict[str, Any]) -> dict[tuple[str, int], float]:
    """ID and epoch → number that a score's metrics are computed of, without unscored samples."""
    rows = [
        (str(one["sample_id"]).lstrip("0") or "0", 0, one["value"])
        for reduction in content.get("reductions") or ()
        if reduction["scorer"] == score["scorer"]
        if reduction.get("reducer") == score.get("reducer")
        for one in reduction["samples"]
    ] or [
        (str(one["id"]).lstrip("0") or "0", one["epoch"], one["scores"][score["scorer"]]["value"])
        for one in content["samples"]
    ]
    parts = ((row[:2], row[2]) for row in rows)
    values = (
        (place, value[score["name"]] if isinstance(value, dict) else value)
        for place, value in parts
    )
    numbers = {place: as_number(value) for place, value in values}
    return {place: number for place, number in numbers.items() if not math.isnan(number)}


def as_number(value: Any) -> float:
    """Return a sample's value as Inspect's mean counts it."""
    return {"C": 1.0, "I": 0.0}[value] if isinstance(value, str) else float(value)


def standard_error(values: list[float], clusters: list[str]) -> float:
    """Inspect's standard error of a mean: its `stderr`, of which each sample is a cluster."""
    mean = math.fsum(values) / len(values)
    sums: dict[str, float] = defaultdict(float)
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] += value - mean
    squares = math.fsum(one**2 for one in sums.values())
    return math.sqrt(squares * len(sums) / (len(sums) - 1)) / len(values)


def instances(evaluation: Evaluation, key: str) -> Instances:
    """Return the instances of a score that has some."""
    found = evaluation.scores[ScoreKey.parse(key)].instances
    assert found is not None
    return found


@pytest.fixture(scope="module", params=TREES)
def tree(request: pytest.FixtureRequest, outputs: Path) -> Path:
    """One of the trees."""
    return outputs / str(request.param)


def test_values_are_inspects_own(tree: Path) -> None:
    """Every number that Inspect wrote is read if it is named, and equals Inspect's."""
    written = written_values(tree)
    one = read_one(
        tree.name, tree.parent, with_details=False, score_keys=tuple(map(ScoreKey.parse, written))
    )

    assert {} == one.missing
    assert written == {str(key): score.value for key, score in one.scores.items()}


def test_by_default_every_score_is_read_without_spreads_and_groups(tree: Path) -> None:
    """Standard errors are no scores; the groups of a score are its subjects."""
    found = {str(key): score for key, score in read_one(tree.name, tree.parent).scores.items()}
    written = written_values(tree)
    left_out = written.keys() - found.keys()

    assert {"even", "odd", *SPREADS} == {name.partition(",")[0].split(".")[2] for name in left_out}
    for name in ("plain.closeness.all", "plain.by_kind.all"):
        expected = {kind: written[name.replace("all", kind)] for kind in ("even", "odd")}
        assert expected == {kind: part.value for kind, part in found[name].subjects.items()}


def test_instances_are_the_samples(tree: Path) -> None:
    """Each score has the samples that it is the mean of, with their values and their number."""
    one = read_one(tree.name, tree.parent)
    checked = 0
    for content in whole_logs(tree):
        for score in content["results"]["scores"]:
            expected = sample_numbers(content, score)
            for key in score["metrics"].keys() - SPREADS - {"even", "odd"}:
                name = f"{content['eval']['task']}.{score['name']}.{key}"
                name += f",{score['reducer']}" if score.get("reducer") else ""
                found = instances(one, name)
                places = zip(found.id, found.trial, strict=True)
                assert expected == dict(zip(places, found.value, strict=True))
                assert len(expected) == one.scores[ScoreKey.parse(name)].n
                assert found.has_mean(score["metrics"][key]["value"])
                checked += 1

    assert checked == (7 if tree.name == "scores_only" else 25)


def test_standard_errors_are_inspects_own(tree: Path) -> None:
    """The deviations and clusters of the instances make the standard errors that Inspect wrote.

    Without samples nobody knows the clusters. Without a reducer, Inspect takes the epochs of a
    question for independent; here, they are a cluster.
    """
    one = read_one(tree.name, tree.parent)
    checked = 0
    for content in whole_logs(tree):
        if content["eval"]["task"] == "unreduced":
            continue
        for score in content["results"]["scores"]:
            error = score["metrics"]["stderr"]
            if "cluster" in error["params"] and not content["samples"]:
                continue
            mean = next(key for key in ("mean", "accuracy", "all") if key in score["metrics"])
            name = f"{content['eval']['task']}.{score['name']}.{mean}"
            found = instances(one, name + (f",{score['reducer']}" if score.get("reducer") else ""))
            own = standard_error(list(found.value), list(found.cluster))
            assert math.isclose(error["value"], own, abs_tol=1e-9)
            checked += 1

    assert checked == (3 if tree.name == "scores_only" else 23)


def test_logs_that_are_not_whole_are_reported(outputs: Path) -> None:
    """Failed, cancelled and killed runs give no score; each has its status, and what to do."""
    reading = read_logs("before", outputs)
    states = [re.sub(r".*_(\w+)_\w+\.eval: ", r"\1: ", fault) for fault in reading.faults]

    assert [
        "fails: its status is error, and only whole runs count. Finish it (inspect eval-retry).",
        (
            "cancelled: its status is cancelled, with 3 of 6 samples, and only whole runs count. "
            "Finish it (inspect eval-retry)."
        ),
        "killed: its status is started, and only whole runs count. Finish it (inspect eval-retry).",
    ] == states
    (one,) = reading.evaluations
    assert {"chats", "plain", "repeated", "unreduced"} == {key.benchmark for key in one.scores}


def test_samples_without_a_score_are_named(outputs: Path) -> None:
    """A note says of how many samples a score is."""
    for tree, count in (("before", 1), ("after", 2)):
        reading = read_logs(tree, outputs, with_details=False)
        expected = "Samples without a score, which Inspect leaves out: "
        assert (f"{expected}plain.closeness {count} of 24.",) == reading.notes


def test_both_formats_have_the_same_questions(outputs: Path) -> None:
    """A `.json` is paired with an `.eval`, also chats, whose messages have other IDs."""
    before, after = (read_one(tree, outputs) for tree in ("before", "after"))
    for key, count in (("plain.match.accuracy", 24), ("chats.choice.accuracy", 8)):
        pairs = pair_instances(instances(after, key), instances(before, key))
        assert (count, 1.0) == (pairs.matched, pairs.share)


def test_epochs_without_a_reducer_are_trials_of_a_question(outputs: Path) -> None:
    """Each epoch counts, and those of a question are a cluster."""
    found = instances(read_one("before", outputs), "unreduced.match.accuracy")

    assert ["0", "0", "1", "1", "2", "2"] == list(found.id)[:6]
    assert [1, 2, 1, 2, 1, 2] == list(found.trial)[:6]
    assert found.id == found.cluster


def test_without_samples_a_note_says_what_is_unknown(outputs: Path) -> None:
    """Scores can be tested by their IDs alone."""
    reading = read_logs("scores_only", outputs)

    assert (
        "plain: the log has no samples (--no-log-samples), so questions are paired by ID alone, "
        "and each counts as independent."
    ) in reading.notes
    assert {None} == set(instances(reading.evaluations[0], "plain.match.accuracy").input)


# One log, and archives


@pytest.mark.parametrize("tree", ["before", "after"])
def test_one_log_is_read_on_its_own(tree: str, outputs: Path) -> None:
    """The path of a log is enough, also of one with another name."""
    (path,) = (outputs / tree).glob("*_chats_*")
    copy = shutil.copy(path, outputs / f"renamed{path.suffix}")

    for place in (path, copy):
        one = read_one(place, outputs)
        assert ["chats.choice.accuracy"] == [str(key) for key in one.scores]
        assert 8 == len(instances(one, "chats.choice.accuracy").id)


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_archives_of_logs_are_read(kind: str, outputs: Path, tmp_path: Path) -> None:
    """Logs in an archive, which are archives themselves, are what they are in a folder."""
    packed = shutil.make_archive(str(tmp_path / "packed"), kind, outputs, "before")

    assert read_logs("before", outputs).evaluations == read_logs(packed, outputs).evaluations


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_of_older_versions_are_read(method: int, tmp_path: Path) -> None:
    """Inspect wrote deflated members until April 2026."""
    write_eval(tmp_path / "new", log(["C", "I", "C"]))
    write_eval(tmp_path / "old", log(["C", "I", "C"]), method=method)

    assert read_one("new", tmp_path) == read_one("old", tmp_path)


# Several logs


def test_the_newest_log_of_each_model_and_task_counts(tmp_path: Path) -> None:
    """Newer by the time in the log, whatever its zone; a note names the others."""
    for name, created, value in (
        ("a", "2026-01-01T10:00:00+00:00", "I"),
        ("c", "2026-01-01T10:30:00-01:00", "C"),
        ("b", "2026-01-01T11:00:00+00:00", "I"),
    ):
        write_json(tmp_path / "logs" / name, log([value], created=created))
    write_json(tmp_path / "logs/d", log(["I"], task="others"))
    reading = read_logs("logs", tmp_path)

    assert [1.0, 0.0] == [score.value for score in reading.evaluations[0].scores.values()]
    name = "2026-01-01T10-00-00-00-00_sums_x1.json"
    assert (f"Newer logs replace {name}, {name}.",) == reading.notes


def test_other_arguments_of_a_task_are_named(tmp_path: Path) -> None:
    """Only one log of a task counts, so that one note for all others says how to keep them."""
    for day, level in enumerate(("easy", "hard", "medium"), 1):
        content = log(["C"], task_args={"level": level}, created=f"2026-01-0{day}T10:00:00+00:00")
        write_json(tmp_path / "logs", content, time=f"2026-01-0{day}T10-00-00")

    assert (
        "2026-01-01T10-00-00_sums_x1.json, 2026-01-02T10-00-00_sums_x1.json: other task "
        "arguments than 2026-01-03T10-00-00_sums_x1.json, the newer log of sums. Only the newest "
        "one counts: give them separate folders, and an entry of evals each."
    ) == read_logs("logs", tmp_path).notes[0]


def test_a_newer_log_that_is_not_whole_is_reported_and_the_older_counts(tmp_path: Path) -> None:
    """An old success is no silent stand-in for a run that failed."""
    write_eval(tmp_path / "logs", log(["C", "I"]))
    newer = log(["I"], status="cancelled", created="2026-01-02T10:00:00+00:00")
    write_eval(tmp_path / "logs", newer, time="2026-01-02T10-00-00")
    reading = read_logs("logs", tmp_path)

    assert 0.5 == reading.evaluations[0].scores[KEY].value
    (fault,) = reading.faults
    assert fault.endswith("Until then, the older 2026-01-01T10-00-00-00-00_sums_x1.eval counts.")


def test_a_failed_run_that_was_repeated_is_no_fault(tmp_path: Path) -> None:
    """A retry writes a new log, and leaves the old one."""
    write_eval(tmp_path / "logs", log(["C"], status="error"))
    newer = log(["C", "I"], created="2026-01-02T10:00:00+00:00")
    write_eval(tmp_path / "logs", newer, time="2026-01-02T10-00-00")
    reading = read_logs("logs", tmp_path)

    assert () == reading.faults
    assert ("Newer logs replace 2026-01-01T10-00-00-00-00_sums_x1.eval.",) == reading.notes


def test_a_log_with_invalidated_samples_does_not_count(tmp_path: Path) -> None:
    """Somebody found its samples wrong."""
    write_json(tmp_path / "logs", {**log(["C"]), "invalidated": True})

    with pytest.raises(ArtifactError, match="some of its samples were invalidated"):
        read_logs("logs", tmp_path)


def unscored(*, results: object = None, **fields: Any) -> dict[str, Any]:
    """Return the log of a run with --no-score."""
    return {**log(["C", "I"], **fields), "results": results, "reductions": None}


@pytest.mark.parametrize("results", [None, {"total_samples": 2, "completed_samples": 2}])
@pytest.mark.parametrize("write", [write_json, write_eval])
def test_a_log_without_scores_says_so(
    write: Callable[..., Path], results: object, tmp_path: Path
) -> None:
    """Nothing is said of `benchmarks`, which would not help."""
    shown = write(tmp_path / "logs", unscored(results=results)).name

    with pytest.raises(ArtifactError) as caught:
        read_logs("logs", tmp_path)
    assert (
        f"logs/{shown}: it has no scores: it was run with --no-score, its task has no scorer, or "
        "every sample failed. Score it (inspect score), or run it again."
    ) == str(caught.value)


def test_one_of_several_logs_without_scores_is_a_fault(tmp_path: Path) -> None:
    """Others count; if this were a note, a run whose samples all failed could pass."""
    write_eval(tmp_path / "logs", unscored(task="chat"))
    write_eval(tmp_path / "logs", log(["C"]))
    reading = read_logs("logs", tmp_path)

    assert [KEY] == list(reading.evaluations[0].scores)
    (fault,) = reading.faults
    assert fault.startswith("logs/2026-01-01T10-00-00-00-00_chat_x1.eval: it has no scores")


def test_a_log_that_was_scored_later_counts(tmp_path: Path) -> None:
    """`inspect score` writes copies next to the log, which began when it did."""
    first = write_eval(tmp_path / "logs", unscored())
    for name, values in (("-scored", ["C", "I"]), ("-scored-1", ["C", "C"])):
        write_eval(tmp_path / name, log(values)).rename(
            first.with_name(f"{first.stem}{name}{first.suffix}")
        )
    reading = read_logs("logs", tmp_path)

    assert 1.0 == reading.evaluations[0].scores[KEY].value
    assert () == reading.faults
    stem = first.stem
    assert (f"Newer logs replace {stem}-scored.eval, {stem}.eval.",) == reading.notes


def test_other_files_are_no_logs(tmp_path: Path) -> None:
    """JSON next to the logs is left alone; without any log, the error says what is read."""
    write_json(tmp_path / "logs", log(["C"]))
    for name in ("eval-set.json", "report.json", "notes.md"):
        (tmp_path / "logs" / name).write_text("{}")
    assert () == read_logs("logs", tmp_path).faults
    (tmp_path / "empty").mkdir()

    with pytest.raises(ArtifactError, match="empty: no log of Inspect"):
        read_logs("empty", tmp_path)


# Models and names


@pytest.mark.parametrize(
    ("model", "arguments", "expected"),
    [
        ("openai/gpt-4o", {}, ("openai/gpt-4o", 0)),
        ("hf/acme/toy", {"revision": "step1000"}, ("hf/acme/toy", 1000)),
        ("hf/acme/toy", {"revision": "main"}, ("hf/acme/toy", 0)),
        ("hf/local", {"model_path": "out/checkpoint-500"}, ("out", 500)),
        ("vllm/local", {"model_path": "./toy", "device": 1}, ("./toy", 0)),
        ("mockllm/model", {"custom_outputs": [{"choices": []}]}, ("mockllm/model", 0)),
    ],
)
def test_models_are_named_by_their_arguments(
    model: str, arguments: dict[str, Any], expected: tuple[str, int], tmp_path: Path
) -> None:
    """A local model is its folder, and a revision is a checkpoint."""
    write_json(tmp_path / "logs", log(["C"], model=model, model_args=arguments))
    one = read_one("logs", tmp_path)

    assert expected == (one.model, one.iteration)


def test_the_pattern_finds_the_iteration_in_the_arguments(tmp_path: Path) -> None:
    """If the name has none, as for a server's model."""
    arguments = {"model_path": "/ckpts/run7/at_1200.pt"}
    write_json(tmp_path / "logs", log(["C"], model="vllm/toy", model_args=arguments))

    assert 1200 == read_one("logs", tmp_path, iteration_pattern=r"at_(\d+)").iteration


def test_an_entry_means_one_of_several_models(tmp_path: Path) -> None:
    """By a glob over names; a name that fits none is answered with those that exist."""
    for name in ("a/x", "b/y"):
        write_json(tmp_path / "logs" / name[0], log(["C"], model=name))

    assert "mine" == read_one("logs", tmp_path, model_glob="b/*", model_name="mine").model
    with pytest.raises(ConfigError, match="set inspect_model to the one that is meant"):
        read_logs("logs", tmp_path, model_name="mine")


def test_tasks_have_their_names_without_the_package(tmp_path: Path) -> None:
    """Two packages' tasks of one name keep both."""
    write_json(tmp_path / "one", log(["C"], task="inspect_evals/gsm8k"))
    write_json(tmp_path / "two", log(["C"], task="inspect_evals/gsm8k"))
    write_json(tmp_path / "two", log(["I"], task="acme/gsm8k"))

    for folder, expected in (
        ("one", {"gsm8k": 1.0}),
        ("two", {"inspect_evals_gsm8k": 1.0, "acme_gsm8k": 0.0}),
    ):
        scores = read_one(folder, tmp_path).scores
        assert expected == {key.benchmark: score.value for key, score in scores.items()}


@pytest.mark.parametrize(
    ("benchmark", "metric", "expected"),
    [
        ("plain", "accuracy", 0.75),
        ("plain", "near.mean", 0.75),
        ("plain", "mean", "several of that name: name one of closeness.mean; near.mean;"),
        ("repeated", "match.accuracy", "name one of match.accuracy,mean; match.accuracy,mode;"),
        ("repeated", "match.accuracy,mode", 0.875),
        ("plain", "f1", "no such metric of this task; it has: match.accuracy; match.stderr;"),
        ("absent", "accuracy", "there is no log of it for this model"),
    ],
)
def test_metrics_may_be_named_in_short(
    benchmark: str, metric: str, expected: float | str, outputs: Path
) -> None:
    """The scorer may be left out if one has the metric; else the reason says what to name."""
    key = ScoreKey(benchmark, metric)
    one = read_one("before", outputs, score_keys=(key, ScoreKey("chats", "accuracy")))

    if isinstance(expected, str):
        assert expected in one.missing[key]
    else:
        assert expected == one.scores[key].value


def test_benchmarks_that_no_log_has_are_named(outputs: Path) -> None:
    """A note has what there is, and the nearest name."""
    keys = (ScoreKey("plan", "accuracy"), ScoreKey("chats", "accuracy"))

    assert (
        "before has no result of plan. It has: chats, plain, repeated, unreduced. Did you mean "
        "plain?"
    ) in read_logs("before", outputs, score_keys=keys).notes
    with pytest.raises(ArtifactError, match="none of the scores named"):
        read_logs("after", outputs, score_keys=keys[:1])


# Values


def test_unscored_samples_are_no_zeros(tmp_path: Path) -> None:
    """NaN is left out, as Inspect does, in both formats."""
    write_eval(tmp_path / "eval", log([1.0, NAN, 0.0]))
    write_json(tmp_path / "json", log([1.0, NAN, 0.0]))
    one, other = read_one("eval", tmp_path), read_one("json", tmp_path)

    assert one == other
    assert ("0", "2") == instances(one, str(KEY)).id
    assert (0.5, 2) == (one.scores[KEY].value, one.scores[KEY].n)


def test_a_score_of_no_samples_is_missing(tmp_path: Path) -> None:
    """Its NaN is no number, and the reason says why."""
    write_json(tmp_path / "logs/a", log([NAN]))
    write_json(tmp_path / "logs/b", log(["C"], task="others"))

    assert (
        "Inspect has no number for it: no sample was scored"
        == (read_one("logs", tmp_path).missing[KEY])
    )


def test_values_that_do_not_make_the_score_are_dropped(tmp_path: Path) -> None:
    """A metric that isn't a mean is shown and can't be tested."""
    content = log(["C", "I"])
    content["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 0.9
    write_json(tmp_path / "logs", content)
    score = read_one("logs", tmp_path).scores[KEY]

    assert (0.9, None) == (score.value, score.instances)
    assert "the mean of its samples is 0.5, and the score is 0.9" == score.no_instances


# Clusters


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ("metadata.story", 2),
        ("metadata.author.name", 3),
        (r"Story (\d)", 2),
        ("instance", 8),
        (None, 8),
    ],
)
def test_clusters_are_a_field_or_a_text(rule: str | None, count: int, tmp_path: Path) -> None:
    """A field of the metadata, or a part of the input."""
    write_eval(tmp_path / "logs", log(["C", "I"] * 4))
    one = read_one("logs", tmp_path, clusters={"sums": rule} if rule else {})

    assert count == len(set(instances(one, str(KEY)).cluster))


def test_the_config_overrides_the_clusters_of_the_log(outputs: Path) -> None:
    """`instance` makes each sample independent, whatever Inspect's own error is."""
    one = read_one("before", outputs, clusters={"plain": "instance"})

    assert 24 == len(set(instances(one, "plain.gap.mean").cluster))


def test_a_rule_that_matches_nothing_is_named(tmp_path: Path) -> None:
    """Otherwise a typing error would go unnoticed."""
    write_eval(tmp_path / "logs", log(["C", "I"]))

    (note,) = read_logs("logs", tmp_path, clusters={"sums": "metadata.stroy"}).notes
    assert (
        "compare.clusters: 'metadata.stroy' is in no sample of sums, so each question counts as "
        "independent."
    ) == note


# Settings


def test_settings_are_the_tasks_not_the_models(outputs: Path) -> None:
    """Both sides have the same, though model, time and format differ."""
    before, after = (read_one(tree, outputs) for tree in ("before", "after"))
    for key in before.scores:
        assert before.scores[key].fingerprint == after.scores[key].fingerprint
    assert {
        "dataset": "repeated",
        "epochs": "3",
        "reducer": "mode",
        "scorer": "match",
        "scorer numeric": "true",
        "solvers": '[["answers", {"fail": "3", "rate": 0.7}]]',
        "task": "repeated",
        "version": "0",
    } == before.scores[ScoreKey("repeated", "match.accuracy,mode")].fingerprint


def test_questions_that_changed_are_not_paired(tmp_path: Path) -> None:
    """Input, choices and target make a question, not its ID."""
    content = log(["C"] * 4)
    write_json(tmp_path / "old", content)
    content["samples"][1]["input"] = "Another question"
    content["samples"][2]["target"] = "7"
    content["samples"][3]["choices"] = ["yes", "no"]
    write_json(tmp_path / "new", content)
    old, new = (read_one(name, tmp_path) for name in ("old", "new"))

    assert ["0"] == [
        pair.id for pair in pair_instances(instances(new, str(KEY)), instances(old, str(KEY))).pairs
    ]
