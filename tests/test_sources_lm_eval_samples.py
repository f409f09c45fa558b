"""Samples of lm-eval: read line by line, paired by document and prompt, and shown."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helm_wandb.errors import ArtifactError
from helm_wandb.model import Score, ScoreKey, Texts
from helm_wandb.sources.lm_eval import answers
from helm_wandb.sources.lm_eval.samples import LINE_BYTES, Sample, iter_samples

from .builders import pair_instances
from .lm_eval_builders import TIME, read_one, read_output, sample, spec, unpack_lm_eval, write_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from helm_wandb.harness.files import Files
    from helm_wandb.model import Instances

ACC = ScoreKey("t", "acc,none")
QUESTION = "Passage 0. Is 1 an even number?\nAnswer:"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every tree of real output."""
    return unpack_lm_eval(tmp_path_factory.mktemp("lm_eval"))


def score(folder: Path, name: str = "out", key: ScoreKey = ACC, **options: Any) -> Score:
    """Return a score of an output."""
    return read_one(name, folder, **options).scores[key]


def instances(folder: Path, **options: Any) -> Instances:
    """Return the instances of a score."""
    found = score(folder, **options).instances
    assert found is not None
    return found


def rewrite(path: Path, change: Any) -> None:
    """Write a samples file again, each of its lines altered."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(f"{json.dumps(change(row))}\n" for row in rows))


# Pairs


def test_questions_pair_by_document_and_prompt(tmp_path: Path) -> None:
    """A question is the same if document and prompt are, whatever else a line holds."""
    write_run(tmp_path / "one", {"t": [1, 0, 1, 1]})

    def change(line: dict[str, Any]) -> None:
        line["target_hash"] = line["resps"] = "other"
        if line["doc_id"] == 0:
            line["doc_hash"] = "other"
        if line["doc_id"] == 1:
            line["prompt_hash"] = "other"

    write_run(tmp_path / "two", {"t": [0, 0, 0, 1]}, change_sample=change)
    one, two = (score(tmp_path, name).instances for name in ("one", "two"))
    assert one is not None
    assert two is not None

    assert [("2", 1.0, 0.0), ("3", 1.0, 1.0)] == [
        (pair.id, pair.candidate, pair.baseline) for pair in pair_instances(one, two).pairs
    ]


def test_all_questions_of_the_real_pair_are_paired(outputs: Path) -> None:
    """40 of 40; 19 of them have another score in `acc`."""
    key = ScoreKey("parity", "acc,none")
    one, two = (score(outputs, name, key).instances for name in ("after", "before"))
    assert one is not None
    assert two is not None
    pairs = pair_instances(one, two)

    assert (40, 1.0) == (pairs.matched, pairs.share)
    assert 19 == sum(pair.candidate != pair.baseline for pair in pairs.pairs)


def test_filters_are_kept_apart(outputs: Path) -> None:
    """Each filter has its own value of a document; the documents are the same."""
    one = read_one("before", outputs)
    found = [
        one.scores[ScoreKey("parity_generated", f"exact_match,{name}")].instances
        for name in ("strict-match", "flexible-extract")
    ]

    assert [tuple(map(str, range(40)))] * 2 == [columns and columns.id for columns in found]


def test_lines_without_a_filter_are_in_the_order_of_the_filters(
    outputs: Path, tmp_path: Path
) -> None:
    """lm-eval 0.4.5 names no filter in a line, and writes the lines of one after another's."""
    shutil.copytree(outputs / "before", tmp_path / "new")
    (path,) = (tmp_path / "new").rglob("samples_parity_generated_*")
    rewrite(path, lambda row: {**row, "exact_match": float(row["filter"] == "flexible-extract")})
    (results,) = (tmp_path / "new").rglob("results_*")
    written = json.loads(results.read_text())
    written["results"]["parity_generated"]["exact_match,flexible-extract"] = 1.0
    written["config"]["model_args"] = "pretrained=acme/toy-step1000"
    written["group_subtasks"] |= {"parity": [], "parity_generated": []}
    del written["lm_eval_version"]
    results.write_text(json.dumps(written))
    shutil.copytree(tmp_path / "new", tmp_path / "old")
    for path in (tmp_path / "old").rglob("samples_*"):
        rewrite(path, lambda row: {k: v for k, v in row.items() if k not in {"filter", "metrics"}})

    assert read_output("new", tmp_path).evaluations == read_output("old", tmp_path).evaluations
    flexible = ScoreKey("parity_generated", "exact_match,flexible-extract")
    assert (1.0,) * 40 == instances(tmp_path, name="old", key=flexible).value


def test_the_order_of_lines_changes_nothing(tmp_path: Path) -> None:
    """Several processes write their documents in turns."""
    write_run(tmp_path / "out", {"t": [1, 0, 1, 1]})
    before = instances(tmp_path)
    path = tmp_path / f"out/samples_t_{TIME}.jsonl"
    path.write_text("\n\n".join(reversed(path.read_text().splitlines())))

    assert before == instances(tmp_path)


# Values


@pytest.mark.parametrize("value", [True, 1, 1.0])
def test_right_may_be_any_one(tmp_path: Path, value: object) -> None:
    """Metrics of tasks write true, 1 or 1.0."""
    write_run(tmp_path / "out", {"t": [1, 1]}, change_sample=lambda line: line.update(acc=value))

    assert (1.0, 1.0) == instances(tmp_path).value


@pytest.mark.parametrize("value", [[-1.5, 3], None, "0.5", {"a": 1}, 10**400])
def test_no_number_makes_no_instance(tmp_path: Path, value: object) -> None:
    """A metric whose lines hold lists, say, has a value and no instances."""
    write_run(tmp_path / "out", {"t": [1, 0]}, change_sample=lambda line: line.update(acc=value))
    found = score(tmp_path)

    assert 0.5 == found.value
    assert "lm-eval wrote no per-sample values of it for t" == found.no_instances


def test_values_that_do_not_make_the_score_are_no_instances(tmp_path: Path) -> None:
    """A metric that is no mean of its samples' values is shown, and the reason says so."""

    def change(results: dict[str, Any]) -> None:
        results["results"]["t"]["acc,none"] = 0.9

    write_run(tmp_path / "out", {"t": [1, 0]}, change=change)

    assert "the mean of its samples is 0.5, and the score is 0.9" == score(tmp_path).no_instances


def test_a_sample_without_a_number_is_left_out(tmp_path: Path) -> None:
    """lm-eval's mean may pass over NaN, which stands in a line as it is."""

    def change(results: dict[str, Any]) -> None:
        results["results"]["t"]["acc,none"] = 0.5

    write_run(
        tmp_path / "out",
        {"t": [1, 0, 1]},
        change=change,
        change_sample=lambda line: line["doc_id"] == 2 and line.update(acc=float("nan")),
    )

    assert ("0", "1") == instances(tmp_path).id


@pytest.mark.parametrize(
    ("sizes", "weights", "strata"),
    [
        ((2, 6), "documents", {"g"}),
        ((2, 6), "tasks", {"a", "b"}),
        ((4, 4), "tasks", {"a", "b"}),
    ],
)
@pytest.mark.parametrize("are_equal", [False, True])
def test_a_groups_weights_are_found(
    tmp_path: Path,
    sizes: tuple[int, int],
    weights: str,
    strata: set[str],
    are_equal: bool,  # noqa: FBT001
) -> None:
    """Also if its tasks' scores are equal, so that any weights make the group's score."""
    shares = (0.5, 0.5) if are_equal else (1.0, 0.5)
    tasks = {
        name: [1] * int(share * size) + [0] * (size - int(share * size))
        for name, size, share in zip("ab", sizes, shares, strict=True)
    }
    errors = (0.5, 0.2)

    def change(results: dict[str, Any]) -> None:
        total = sum(sizes)
        by_documents = sum(share * size for share, size in zip(shares, sizes, strict=True)) / total
        is_even = weights == "tasks"
        pooled = [(n - 1) * error**2 * n for n, error in zip(sizes, errors, strict=True)]
        for name, error in zip("ab", errors, strict=True):
            results["results"][name]["acc_stderr,none"] = error
        results["results"]["g"] = {
            "acc,none": sum(shares) / 2 if is_even else by_documents,
            "acc_stderr,none": sum(error**2 for error in errors) ** 0.5 / 2
            if is_even
            else (sum(pooled) / (total - 2) / total) ** 0.5,
        }
        results["group_subtasks"] = {"g": ["a", "b"]}

    write_run(tmp_path / "out", tasks, change=change)
    found = score(tmp_path, key=ScoreKey("g", "acc,none"))

    assert found.instances is not None
    assert strata == set(found.instances.stratum)
    assert found.instances.has_mean(found.value)
    assert {"a", "b"} == found.subjects.keys()


@pytest.mark.parametrize("error", ["N/A", None, 10**400, float("nan")])
def test_a_group_without_errors_counts_each_document(tmp_path: Path, error: object) -> None:
    """If nothing says how its tasks weigh, and any weights fit, it is as lm-eval's default."""

    def change(results: dict[str, Any]) -> None:
        results["group_subtasks"] = {"g": ["a", "b"]}
        results["results"]["g"] = {"acc,none": 0.5, "acc_stderr,none": error}

    write_run(tmp_path / "out", {"a": [1, 0], "b": [1, 0, 1, 0]}, change=change)
    found = score(tmp_path, key=ScoreKey("g", "acc,none")).instances

    assert found is not None
    assert {"g"} == set(found.stratum)


# Clusters


@pytest.mark.parametrize(
    ("rule", "groups"),
    [
        (None, "012345"),
        ("instance", "012345"),
        ("doc.passage", "aaaabb"),
        ("doc.author.name", "abcabc"),
        (r"^Passage (\d+)", "aaaabb"),
        ("doc.absent", "012345"),
        ("nowhere", "012345"),
    ],
)
def test_clusters_are_by_field_or_prompt(tmp_path: Path, rule: str | None, groups: str) -> None:
    """A rule is `instance`, a field of the document, or a pattern for the prompt."""
    write_run(tmp_path / "out", {"t": [1, 0, 1, 1, 0, 1]})
    clusters = instances(tmp_path, clusters={"t": rule} if rule else {}).cluster
    first = dict(zip(clusters, groups, strict=True))

    assert list(groups) == [first[cluster] for cluster in clusters]
    assert len(set(groups)) == len(first)


def test_a_rule_that_finds_nothing_is_noted(tmp_path: Path) -> None:
    """Otherwise nobody would see that the interval is too narrow."""
    write_run(tmp_path / "out", {"t": [1, 0]})

    (note,) = read_output("out", tmp_path, clusters={"t": "doc.pasage"}).notes
    assert (
        "compare.clusters: 'doc.pasage' is in no sample of t, so each question counts "
        "as independent."
    ) == note


def test_a_groups_rule_is_that_of_its_tasks(outputs: Path) -> None:
    """A task's own rule goes before its group's; clusters never reach across tasks."""
    one = read_one("before", outputs, clusters={"parity_group": "doc.passage"})
    for name in ("parity", "parity_group"):
        found = one.scores[ScoreKey(name, "acc,none")].instances
        assert found is not None
        assert 10 == len(set(found.cluster))
    late = read_output("checkpoints", outputs, clusters={"by_size": "doc.passage"}).evaluations[-1]
    found = late.scores[ScoreKey("by_size", "acc,none")].instances
    assert found is not None
    assert 8 == len(set(found.cluster))


# Damaged and large files


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"doc_id": 5', "line 3: unexpected content: Input data was truncated"),
        ("[]", "line 3: unexpected content: Expected `object`, got `array`"),
        (
            '{"filter": "none"}',
            "line 3: unexpected content: Object missing required field `doc_id`",
        ),
        ('{"doc_id": 1, "doc_hash": 1}', "line 3: unexpected content: Expected `str | null`"),
    ],
)
def test_a_damaged_line_costs_its_task_only(tmp_path: Path, line: str, expected: str) -> None:
    """The value is read, the file is a fault, and other tasks keep their instances."""
    write_run(tmp_path / "out", {"t": [1, 0], "u": [1, 1]})
    with (tmp_path / f"out/samples_t_{TIME}.jsonl").open("a") as file:
        file.write(line)
    reading = read_output("out", tmp_path)
    scores = reading.evaluations[0].scores

    assert [True] == [f"out/samples_t_{TIME}.jsonl: {expected}" in one for one in reading.faults]
    assert [reading.faults[0], None] == [one.no_instances for one in scores.values()]


class Streamed:
    """A file that never is in memory as a whole."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def chunks(self, _: str) -> Iterator[bytes]:
        """Yield the pieces."""
        yield from self._pieces

    def shown(self, path: str) -> str:
        """Return the path."""
        return path


def streamed(pieces: Iterable[bytes]) -> Files:
    """Return files that are these pieces."""
    files: Any = Streamed(pieces)
    return files  # type: ignore[no-any-return]


def test_a_large_file_is_read_in_bounded_memory() -> None:
    """Of 200 MB, a few are in memory: a line is decoded, and what is not used of it is skipped."""
    line = json.dumps({**sample(1, 1), "doc": {"passage": "x" * 100_000}}).encode() + b"\n"
    count = 2_000
    tracemalloc.start()
    read = sum(one.doc_id for one in iter_samples(streamed([line] * count), "large", Sample))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == read
    assert peak < 3_000_000


def test_a_line_without_end_is_refused() -> None:
    """It is not collected until the memory is full."""
    pieces = [bytes(1 << 20)] * ((LINE_BYTES >> 20) + 2)

    with pytest.raises(ArtifactError, match="has a line of more than 64 MiB"):
        list(iter_samples(streamed(pieces), "samples", Sample))


@given(st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_are_the_same_however_they_are_cut(data: st.DataObject) -> None:
    """Where a piece of the file ends changes nothing."""
    text = b"".join(msgspec.json.encode({"doc_id": at}) + b"\n" * (at % 3) for at in (1, 2, 4, 5))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=9)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    assert [1, 2, 4, 5] == [one.doc_id for one in iter_samples(streamed(pieces), "cut", Sample)]


# Texts


def texts(folder: Path, name: str, place: tuple[str, str, int], benchmark: str) -> Texts:
    """Return the texts of an instance."""
    (model,) = read_output(name, folder).evaluations
    run = model.model, model.iteration, benchmark
    found, faults = answers.read(spec(name), folder=folder, wanted={run: frozenset({place})})
    assert () == faults
    return found[run][place]


def test_options_are_shown_as_texts(outputs: Path) -> None:
    """Prompt, the option that the target numbers, and the likeliest one."""
    expected = Texts(input="Passage 0. Is 4 an even number?\nAnswer:", reference="yes", answer="no")

    assert expected == texts(outputs, "before", ("parity", "1", 0), "parity")
    assert expected == texts(outputs, "before", ("parity", "1", 0), "parity_group")


def test_generated_answers_are_shown(outputs: Path) -> None:
    """The answer is what the filter left of the response."""
    expected = Texts(
        input="Passage 0. Is 4 an even number?\nAnswer:", reference="yes", answer="[invalid]"
    )

    assert expected == texts(outputs, "before", ("parity_generated", "1", 0), "parity_generated")


def test_texts_of_pooled_instances_are_found(tmp_path: Path) -> None:
    """An instance of a group names its task."""

    def change(results: dict[str, Any]) -> None:
        results["group_subtasks"] = {"g": ["a", "b"]}
        results["results"]["g"] = {"acc,none": 1 / 3}

    write_run(tmp_path / "out", {"a": [0], "b": [1, 0]}, change=change)

    assert "Passage 0. Is 1 an even number?\nAnswer:" == (
        texts(tmp_path, "out", ("g", "b 1", 0), "g").input
    )


def test_texts_that_cannot_be_read_are_faults(tmp_path: Path) -> None:
    """What is wrong is said; nothing else is lost."""
    write_run(tmp_path / "out", {"t": [1, 0]})
    (tmp_path / f"out/samples_t_{TIME}.jsonl").write_text("{")
    wanted = {("acme/toy", 0, "t"): frozenset({("t", "0", 0)})}

    found, (fault,) = answers.read(spec("out"), folder=tmp_path, wanted=wanted)
    assert "samples_t" in fault
    assert {("acme/toy", 0, "t"): {}} == found
    found, (fault,) = answers.read(spec("gone"), folder=tmp_path, wanted=wanted)
    assert "gone" in fault


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"arguments": {"gen_args_0": {"arg_0": ["[chat]"]}}, "filtered_resps": "42"},
            Texts(input="[chat]", reference="1", answer="42"),
        ),
        ({"arguments": [], "target": 1, "filtered_resps": [[]]}, Texts()),
        ({"arguments": {}, "filtered_resps": [["42", "43"]]}, Texts(reference="1", answer="42")),
        ({"target": "7"}, Texts(input=QUESTION, reference="7", answer="yes")),
        ({"filtered_resps": [["x"], []]}, Texts(input=QUESTION, reference="no", answer="yes")),
    ],
)
def test_texts_of_any_form(tmp_path: Path, change: dict[str, Any], expected: Texts) -> None:
    """A chat is a list; what has no text is unknown."""
    write_run(tmp_path / "out", {"t": [1, 0]}, change_sample=lambda line: line.update(change))

    assert expected == texts(tmp_path, "out", ("t", "1", 0), "t")
