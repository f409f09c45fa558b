"""Questions and answers, on trees that the real HELM wrote and on altered ones."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from helm_wandb import sources
from helm_wandb.model import EvalEntry, Place, Texts

from .test_sources_helm import copied

if TYPE_CHECKING:
    from pathlib import Path

    from helm_wandb.comparing.changed_instances import TextsByPlace

MODEL = "acme/assistant"
HELLASWAG = "commonsense:dataset=hellaswag,method=multiple_choice_separate_original"
ANATOMY = "mmlu:subject=anatomy,method=multiple_choice_joint"


def entry(output: str, suite: str, **fields: Any) -> EvalEntry:
    """An entry of `evals` that reads the core metrics of a suite."""
    return EvalEntry(
        source="helm",
        fields={"helm_output_dir": output, "helm_suite_name": suite, **fields},
        path="$.evals[0]",
        place=Place("config.yaml", 3, 5),
    )


CANDIDATE = entry("candidate", "nightly")


def texts(
    folder: Path,
    benchmark: str,
    *places: tuple[str, str, int],
    entries: tuple[EvalEntry, ...] = (CANDIDATE,),
    model: str = MODEL,
    iteration: int = 0,
) -> tuple[TextsByPlace, tuple[str, ...]]:
    """Return the entries' texts of instances of a benchmark."""
    whose = model, iteration, benchmark
    return sources.texts(entries, folder=folder, wanted={whose: frozenset(places)})


def one(folder: Path, benchmark: str, stratum: str, identity: str, **other: Any) -> Texts | None:
    """The texts of one instance; None if there are none."""
    place = stratum, identity, 0
    found, _ = texts(folder, benchmark, place, **other)
    return next(iter(found.values()), {}).get(place)


def states(run: Path) -> list[dict[str, Any]]:
    """The request states of a run."""
    found: list[dict[str, Any]] = json.loads((run / "scenario_state.json").read_text())[
        "request_states"
    ]
    return found


@pytest.fixture
def boolq(helm_trees: Path, tmp_path: Path) -> Path:
    """The folder of a run that may be altered, in a copy of the candidate's tree."""
    copy = copied(helm_trees, "candidate", tmp_path)
    return next((copy / "runs/nightly").glob("boolq*"))


def altered(run: Path, **changes: Any) -> Texts | None:
    """The texts of the run's first instance, once its request state has these fields."""
    found = states(run)
    found[0] |= changes
    (run / "scenario_state.json").write_text(json.dumps({"request_states": found}))
    folder = run.parents[3]
    return one(folder, "boolq", "boolq", found[0]["instance"]["id"])


def completions(*answered: tuple[str, float]) -> dict[str, Any]:
    """A result with completions of these texts and log probabilities."""
    return {"completions": [{"text": text, "logprob": logprob} for text, logprob in answered]}


def test_texts_are_those_of_the_file(helm_trees: Path) -> None:
    """Input, reference and answer of each boolq instance are what scenario_state.json says."""
    run = next((helm_trees / "candidate/runs/nightly").glob("boolq*"))
    expected = {
        ("boolq", state["instance"]["id"], 0): Texts(
            input=state["instance"]["input"]["text"],
            reference=state["instance"]["references"][0]["output"]["text"],
            answer=state["result"]["completions"][0]["text"].strip(),
        )
        for state in states(run)
    }

    assert ({(MODEL, 0, "boolq"): expected}, ()) == texts(helm_trees, "boolq", *expected)


def test_a_letter_stands_for_its_option(helm_trees: Path) -> None:
    """The answer to a multiple choice question is the text of the option that was named."""
    run = next((helm_trees / "candidate/runs/nightly").glob("mmlu:subject=anatomy*"))
    state = states(run)[0]
    letter = state["result"]["completions"][0]["text"].strip()
    found = one(helm_trees, "mmlu", ANATOMY, state["instance"]["id"])
    right = [r["output"]["text"] for r in state["instance"]["references"] if r["tags"]]

    assert found is not None
    assert (right, state["output_mapping"][letter]) == ([found.reference], found.answer)


def test_of_options_scored_one_by_one_the_likeliest_is_the_answer(helm_trees: Path) -> None:
    """If each option is a request, the answer is the one that HELM says was predicted."""
    run = next((helm_trees / "candidate/runs/nightly").glob("commonsense*"))
    options = {
        state["instance"]["id"]: [r["output"]["text"] for r in state["instance"]["references"]]
        for state in states(run)
    }
    expected = {
        entry["instance_id"]: options[entry["instance_id"]][int(stat["sum"])]
        for entry in json.loads((run / "per_instance_stats.json").read_text())
        for stat in entry["stats"]
        if stat["name"]["name"] == "predicted_index"
    }
    found, _ = texts(helm_trees, "hellaswag", *((HELLASWAG, identity, 0) for identity in options))

    assert 100 == len(expected)
    assert expected == {
        identity: answered.answer
        for (_, identity, _), answered in found[MODEL, 0, "hellaswag"].items()
    }


@pytest.mark.parametrize("stats", ["[]", '[{"stats": [], "instance_id": "id30"}]', None])
def test_an_unknown_choice_is_no_answer(
    stats: str | None, helm_trees: Path, tmp_path: Path
) -> None:
    """Without HELM's prediction, or with one that is no option, the answer is unknown."""
    copy = copied(helm_trees, "candidate", tmp_path)
    run = next((copy / "runs/nightly").glob("commonsense*"))
    path = run / "per_instance_stats.json"
    wrong = path.read_text().replace('"name": "predicted_index"', '"name": "?"')
    outside = (
        '[{"stats": [{"name": {"name": "predicted_index"}, "sum": NaN}], "instance_id": "%s"}]'
    )
    path.write_text(stats or wrong)
    unknown = one(tmp_path, "hellaswag", HELLASWAG, "id30")
    path.write_text(outside % "id30")

    assert unknown == one(tmp_path, "hellaswag", HELLASWAG, "id30")
    assert unknown is not None
    assert (True, None) == (bool(unknown.input), unknown.answer)


@pytest.mark.parametrize(
    ("mapping", "result", "expected"),
    [
        ({"A": "river", "B": "lake"}, completions((" B\n", -1.0)), "lake"),
        ({"A": "river"}, completions(("M", -1.0)), "M"),
        (None, completions(("no", -2.0), ("yes", -0.5), ("perhaps", -0.5)), "yes"),
        (None, completions((" \n ", -1.0)), ""),
        (None, completions(), None),
        (None, None, None),
        (None, completions((f"{'a' * 300}b", 0.0)), f"{'a' * 99}…{'a' * 99}b"),
        (None, completions(("half \ud83d", math.nan)), "half \\ud83d"),
    ],
)
def test_the_likeliest_completion_is_the_answer(
    mapping: dict[str, str] | None, result: dict[str, Any] | None, expected: str, boolq: Path
) -> None:
    """As HELM reckons: the likeliest, trimmed, mapped where it names an option."""
    found = altered(boolq, output_mapping=mapping, result=result)

    assert found is not None
    assert expected == found.answer


def test_the_end_of_a_long_input_is_kept(boolq: Path) -> None:
    """Of a passage and its question, the question is what stays."""
    text = f"{'long passage ' * 100}\nQuestion: who?"
    found = altered(boolq, instance={"id": "id40", "input": {"text": text}})

    assert found is not None
    assert (300, "…", "\nQuestion: who?") == (
        len(found.input or ""),
        (found.input or "")[0],
        (found.input or "")[-15:],
    )
    assert found.reference is None


def test_texts_of_older_releases_are_plain(boolq: Path) -> None:
    """Input and references may be strings, and several references may be correct."""
    references = [
        {"output": "one", "tags": ["correct"]},
        {"output": {"text": "two"}, "tags": ["correct"]},
        {"output": "three", "tags": []},
    ]
    found = altered(boolq, instance={"id": "id40", "input": "Q?", "references": references})

    assert found is not None
    assert ("Q?", "one | two") == (found.input, found.reference)


def test_an_empty_input_is_unknown(boolq: Path) -> None:
    """If HELM holds no text, as of conversations, there is none."""
    found = altered(boolq, instance={"id": "id40", "input": {"text": ""}})

    assert found is not None
    assert (None, None) == (found.input, found.reference)


def test_perturbed_questions_are_not_shown(boolq: Path) -> None:
    """The text is the instance's own, wherever its perturbed variants stand."""
    found = states(boolq)
    typos = {"name": "typos", "robustness": True}
    instance = {"id": "id40", "input": {"text": "Tpyo?"}, "perturbation": typos}
    perturbed = {"instance": instance, "result": completions(("no", 0.0))}
    (boolq / "scenario_state.json").write_text(json.dumps({"request_states": [perturbed, *found]}))
    answered = one(boolq.parents[3], "boolq", "boolq", "id40")

    assert answered is not None
    assert found[0]["instance"]["input"]["text"] == answered.input


def test_trials_have_separate_answers(boolq: Path) -> None:
    """An answer is of its train trial."""
    found = states(boolq)[0]
    second = {**found, "train_trial_index": 1, "result": completions(("second", 0.0))}
    (boolq / "scenario_state.json").write_text(json.dumps({"request_states": [found, second]}))
    places = ("boolq", "id40", 0), ("boolq", "id40", 1)
    answered, _ = texts(boolq.parents[3], "boolq", *places)
    answers = {place[2]: of.answer for place, of in answered[MODEL, 0, "boolq"].items()}

    assert {0: found["result"]["completions"][0]["text"].strip(), 1: "second"} == answers


def test_sub_splits_are_of_their_run(helm_trees: Path) -> None:
    """An instance of `RUN non-toxic` is found in the files of RUN."""
    old = entry("old", "toyproj-toyllama")
    male = "civil_comments:demographic=male non-toxic"
    other = "civil_comments:demographic=males non-toxic"
    where = {"entries": (old,), "model": "mymodel/toyproj-llama", "iteration": 5000}
    found = one(helm_trees, "civil_comments", male, "id231", **where)

    assert found is not None
    assert ("False", "True") == (found.reference, found.answer)
    assert one(helm_trees, "civil_comments", other, "id231", **where) is None


@pytest.mark.parametrize(
    ("model", "iteration", "entries"),
    [
        ("other", 0, (CANDIDATE,)),
        (MODEL, 1, (CANDIDATE,)),
        (
            MODEL,
            0,
            (entry("candidate", "nightly", benchmarks=[{"name": "mmlu", "metrics": ["EM"]}]),),
        ),
        (MODEL, 0, (replace(CANDIDATE, source="report"),)),
    ],
)
def test_texts_of_others_are_not_taken(
    model: str, iteration: int, entries: tuple[EvalEntry, ...], helm_trees: Path
) -> None:
    """Another model or iteration, a benchmark that the entry lacks, a source without texts."""
    found, faults = texts(
        helm_trees, "boolq", ("boolq", "id40", 0), entries=entries, model=model, iteration=iteration
    )

    assert ({}, ()) == (found, faults)


@pytest.mark.parametrize("name", ["model", "number"])
def test_a_model_is_found_under_its_recorded_name(name: str, helm_trees: Path) -> None:
    """Names and iterations are those that the entry gives."""
    changes: dict[str, Any] = (
        {"model_name": "mine"} if name == "model" else {"default_iteration": 7}
    )
    model, iteration = ("mine", 0) if name == "model" else (MODEL, 7)
    entries = (entry("candidate", "nightly", **changes),)
    found = one(
        helm_trees, "boolq", "boolq", "id40", entries=entries, model=model, iteration=iteration
    )

    assert found is not None


def test_the_first_entry_counts(helm_trees: Path) -> None:
    """If two entries hold the same instance, the first one's texts stay."""
    base = entry("baseline", "nightly")
    alone = one(helm_trees, "boolq", "boolq", "id101")
    first = one(helm_trees, "boolq", "boolq", "id101", entries=(CANDIDATE, base))
    last = one(helm_trees, "boolq", "boolq", "id101", entries=(base, CANDIDATE))

    assert alone == first != last


@pytest.mark.parametrize("damage", [None, "{", '{"request_states": [{}]}', "[" * 100_000])
def test_a_damaged_file_costs_the_texts_only(damage: str | None, boolq: Path) -> None:
    """What cannot be read is named, and the texts of other runs are there."""
    path = boolq / "scenario_state.json"
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage)
    wanted = {
        (MODEL, 0, "boolq"): frozenset({("boolq", "id40", 0)}),
        (MODEL, 0, "mmlu"): frozenset({(ANATOMY, "id32", 0)}),
    }
    found, (note,) = sources.texts([CANDIDATE], folder=boolq.parents[3], wanted=wanted)
    answered = "Texts of changed instances are left out: "

    assert note.startswith(f"{answered}candidate/runs/nightly/{boolq.name}/scenario_state.json: ")
    assert ({}, 1) == (found[MODEL, 0, "boolq"], len(found[MODEL, 0, "mmlu"]))


@pytest.mark.parametrize("changes", [{"helm_output_dir": "gone"}, {"helm_suite_name": "gone"}])
def test_what_is_gone_by_now_is_reported(changes: dict[str, Any], helm_trees: Path) -> None:
    """An output folder or suite that cannot be opened any more is a fault and no exception."""
    gone = replace(CANDIDATE, fields={**CANDIDATE.fields, **changes})
    found, (fault,) = texts(helm_trees, "boolq", ("boolq", "id40", 0), entries=(gone,))

    assert {} == found
    assert "gone" in fault


def test_a_model_that_cannot_be_distinguished_any_more_is_reported(helm_trees: Path) -> None:
    """If the entry does not say which of several models it means, there are no texts."""
    several = entry("models", "model-zoo", model_name="mine")
    found, (fault,) = texts(
        helm_trees, "boolq", ("boolq", "id40", 0), entries=(several,), model="mine"
    )

    assert {} == found
    assert "model" in fault


def test_only_marked_benchmarks_are_opened(helm_trees: Path, tmp_path: Path) -> None:
    """Of runs without wanted instances the files may be anything."""
    copy = copied(helm_trees, "candidate", tmp_path)
    for run in (copy / "runs/nightly").glob("*"):
        if run.is_dir() and not run.name.startswith("boolq"):
            (run / "scenario_state.json").write_text("{")
    place = "boolq", "id40", 0

    assert ((), 1) == (
        texts(tmp_path, "boolq", place)[1],
        len(texts(tmp_path, "boolq", place)[0][MODEL, 0, "boolq"]),
    )


def test_of_many_absent_files_one_is_named(helm_trees: Path, tmp_path: Path) -> None:
    """The others are counted; without wanted ones, none."""
    copy = copied(helm_trees, "candidate", tmp_path)
    wanted = {
        (MODEL, 0, "mmlu"): frozenset(
            (ANATOMY.replace("anatomy", subject), "id32", 0)
            for subject in ("anatomy", "econometrics", "philosophy")
        ),
        (MODEL, 0, "boolq"): frozenset({("boolq", "id40", 0)}),
        (MODEL, 0, "imdb"): frozenset({("imdb", "id20", 0)}),
    }
    for path in (copy / "runs/nightly").glob("*/scenario_state.json"):
        path.unlink()
    found, notes = sources.texts([CANDIDATE], folder=tmp_path, wanted=wanted)

    assert [{}, {}, {}] == list(found.values())
    (note,) = notes
    assert note.startswith("Texts of changed instances are left out: candidate/runs/nightly/")
    assert note.endswith(
        "/scenario_state.json: doesn't exist, and no other file has them. The same for 4 more "
        "files."
    )
    assert ({}, ()) == sources.texts([CANDIDATE], folder=tmp_path, wanted={})
