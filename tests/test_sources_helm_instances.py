"""Per-instance scores and fingerprints, on trees that the real HELM wrote."""

from __future__ import annotations

import json
from hashlib import sha256
from statistics import fmean
from typing import TYPE_CHECKING

import pytest

from helm_wandb.model import Evaluation, Instances, Score, ScoreKey
from helm_wandb.sources.helm import instances as helm_instances

from .test_sources_helm import TREES, Tree, copied, read_spec, spec

if TYPE_CHECKING:
    from pathlib import Path

BOOLQ, MMLU = ScoreKey("boolq", "EM"), ScoreKey("mmlu", "EM")
PERTURBED = ScoreKey("boolq", "EM (Robustness)")


def detailed(folder: Path, name: str, suite: str, **changes: object) -> tuple[Evaluation, ...]:
    """The evaluations of a tree, with details."""
    return read_spec(spec(name, suite, **changes), folder, with_details=True).evaluations


def only(score: Score) -> Instances:
    """The instances of a score that has them."""
    assert score.instances is not None, score.no_instances
    return score.instances


def mean_of_strata(instances: Instances) -> float:
    """The mean over strata of the means within, by the standard library."""
    return fmean(
        fmean(v for s, v in zip(instances.stratum, instances.value, strict=True) if s == stratum)
        for stratum in set(instances.stratum)
    )


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: f"{tree.name}-{tree.suite}")
def test_instances_reproduce_helms_cell(tree: Tree, helm_trees: Path) -> None:
    """The mean over strata of every score's instances is the score to 1e-9."""
    found = [
        (score.value, score.instances)
        for one in detailed(helm_trees, tree.name, tree.suite)
        for score in one.scores.values()
    ]

    with_instances = [(value, columns) for value, columns in found if columns]
    assert len(with_instances) >= min(len(found), 4)
    assert [] == [v for v, columns in with_instances if abs(mean_of_strata(columns) - v) > 1e-9]


def test_columns_are_of_one_length_and_of_helms_files(helm_trees: Path) -> None:
    """Ids and values are those of per_instance_stats.json, read without any code of ours."""
    (one,) = detailed(helm_trees, "baseline", "nightly")
    run = next((helm_trees / "baseline/runs/nightly").glob("boolq*"))
    expected = {
        entry["instance_id"]: stat["mean"]
        for entry in json.loads((run / "per_instance_stats.json").read_text())
        for stat in entry["stats"]
        if stat["name"]["name"] == "quasi_exact_match" and "perturbation" not in entry
    }
    columns = only(one.scores[BOOLQ])

    assert expected == dict(zip(columns.id, columns.value, strict=True))
    assert (100, 100) == (one.scores[BOOLQ].n, len(columns.input))


def test_inputs_are_hashes_of_the_texts(helm_trees: Path) -> None:
    """An instance's input is the beginning of the sha256 of its text in scenario_state.json."""
    (one,) = detailed(helm_trees, "baseline", "nightly")
    run = next((helm_trees / "baseline/runs/nightly").glob("boolq*"))
    states = json.loads((run / "scenario_state.json").read_text())["request_states"]
    expected = {
        state["instance"]["id"]: sha256(state["instance"]["input"]["text"].encode()).hexdigest()[:8]
        for state in states
    }
    columns = only(one.scores[BOOLQ])

    assert expected == dict(zip(columns.id, columns.input, strict=True))


def test_inputs_come_from_instances_json_where_it_is(helm_trees: Path, tmp_path: Path) -> None:
    """The smaller file that helm-summarize writes is read in place of the scenario's state."""
    copy = copied(helm_trees, "baseline", tmp_path)
    run = next((copy / "runs/nightly").glob("boolq*"))
    (run / "instances.json").write_text('[{"id": "id40", "input": {"text": "Q"}}]')
    (one,) = detailed(tmp_path, "baseline", "nightly")
    columns = only(one.scores[BOOLQ])
    inputs = dict(zip(columns.id, columns.input, strict=True))

    assert sha256(b"Q").hexdigest()[:8] == inputs.pop("id40")
    assert {None} == set(inputs.values())


def test_line_ends_change_no_question(helm_trees: Path, tmp_path: Path) -> None:
    """Questions and passages that differ only in their line ends are the same."""
    copy = copied(helm_trees, "baseline", tmp_path)
    run = next((copy / "runs/nightly").glob("boolq*"))
    texts = {"id40": "P\nQuestion: a", "id41": "P\r\nQuestion: a", "id42": "P\rQuestion: a"}
    written = [{"id": identity, "input": {"text": text}} for identity, text in texts.items()]
    (run / "instances.json").write_text(json.dumps(written))
    (one,) = detailed(tmp_path, "baseline", "nightly")
    columns = only(one.scores[BOOLQ])
    rows = zip(columns.id, columns.input, columns.cluster, strict=True)

    assert 1 == len({(text, cluster) for identity, text, cluster in rows if identity in texts})


def test_questions_on_one_passage_share_a_cluster(helm_trees: Path, tmp_path: Path) -> None:
    """Of boolq, what stands before the question is the passage; elsewhere each is its own."""
    copy = copied(helm_trees, "baseline", tmp_path)
    run = next((copy / "runs/nightly").glob("boolq*"))
    texts = {"id40": "P\nQuestion: a", "id41": "P\nQuestion: b", "id42": "Other\nQuestion: a"}
    written = [{"id": identity, "input": {"text": text}} for identity, text in texts.items()]
    (run / "instances.json").write_text(json.dumps(written))
    (one,) = detailed(tmp_path, "baseline", "nightly")
    columns = only(one.scores[BOOLQ])
    clusters = dict(zip(columns.id, columns.cluster, strict=True))
    mmlu = only(one.scores[MMLU])

    assert clusters["id40"] == clusters["id41"] != clusters["id42"]
    assert mmlu.id == mmlu.cluster


def test_strata_are_runs_and_sub_splits(helm_trees: Path) -> None:
    """Each subject's run is a stratum, and so is each sub-split of civil_comments."""
    one = detailed(helm_trees, "full16", "v1.0.0")[0]

    assert {
        "mmlu:subject=abstract_algebra,method=multiple_choice_joint",
        "mmlu:subject=anatomy,method=multiple_choice_joint",
    } == set(only(one.scores[MMLU]).stratum)
    assert {
        f"civil_comments:demographic={who} {split}"
        for who in ("all", "black")
        for split in ("toxic", "non-toxic")
    } == set(only(one.scores[ScoreKey("civil_comments", "EM")]).stratum)


def test_strata_do_not_name_the_model(helm_trees: Path) -> None:
    """Two checkpoints have the same strata, so that they can be paired."""
    first, second = detailed(helm_trees, "checkpoints", "toyproj-toyllama")[-2:]

    assert only(first.scores[MMLU]).stratum == only(second.scores[MMLU]).stratum


def test_only_the_two_latest_iterations_have_instances(helm_trees: Path) -> None:
    """Of six checkpoints the last two are read in detail."""
    found = detailed(helm_trees, "checkpoints", "toyproj-toyllama")

    assert [5000, 6000] == [one.iteration for one in found if one.scores[BOOLQ].instances]


def test_subjects_have_their_numbers(helm_trees: Path) -> None:
    """The instances of all subjects add up to the score's."""
    (one,) = detailed(helm_trees, "baseline", "nightly")
    score = one.scores[MMLU]

    assert (285, [95, 95, 95]) == (score.n, [part.n for part in score.subjects.values()])


def perturbed(folder: Path) -> None:
    """Give each boolq run a perturbed copy of its instances that are all wrong."""
    for path in (folder / "runs/nightly").glob("boolq*/per_instance_stats.json"):
        entries = json.loads(path.read_text())
        for entry in entries[:10]:
            copy = json.loads(json.dumps(entry))
            copy["perturbation"] = {"name": "typos", "robustness": True, "fairness": False}
            for stat in copy["stats"]:
                stat.update(sum=0, mean=0.0)
            entries.append(copy)
        path.write_text(json.dumps(entries))


def test_perturbed_copies_stay_out_of_the_main_score(helm_trees: Path, tmp_path: Path) -> None:
    """The main score's instances are the unperturbed ones; HELM's cell is still reproduced."""
    perturbed(copied(helm_trees, "baseline", tmp_path))
    (plain,) = detailed(helm_trees, "baseline", "nightly")
    (one,) = detailed(tmp_path, "baseline", "nightly")

    assert only(plain.scores[BOOLQ]) == only(one.scores[BOOLQ])


def test_perturbed_copies_make_the_worst_case(helm_trees: Path, tmp_path: Path) -> None:
    """Under its own key, each instance has its worst value over the perturbations."""
    copy = copied(helm_trees, "baseline", tmp_path)
    perturbed(copy)
    path = copy / "runs/nightly/groups/boolq.json"
    tables = json.loads(path.read_text())
    run = next((copy / "runs/nightly").glob("boolq*"))
    values: dict[str, float] = {}
    for entry in json.loads((run / "per_instance_stats.json").read_text()):
        for stat in entry["stats"]:
            if stat["name"]["name"] == "quasi_exact_match":
                seen = values.get(entry["instance_id"], 1.0)
                values[entry["instance_id"]] = min(seen, stat["mean"])
    column = [header["value"] for header in tables[0]["header"]].index("EM (Robustness)")
    tables[0]["rows"][0][column]["value"] = fmean(values.values())
    path.write_text(json.dumps(tables))
    (one,) = detailed(tmp_path, "baseline", "nightly", score_keys=(PERTURBED,))
    columns = only(one.scores[PERTURBED])

    assert values == dict(zip(columns.id, columns.value, strict=True))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "doesn't exist; keep it with the other files of HELM"),
        ("[]", "HELM wrote no per-instance values of it"),
        ("[{", "unexpected content"),
        ('[{"instance_id": 1}]', "unexpected content"),
    ],
)
def test_why_there_are_no_instances(
    content: str | None, reason: str, helm_trees: Path, tmp_path: Path
) -> None:
    """A file that is absent, empty or damaged costs the instances of its score only."""
    copy = copied(helm_trees, "baseline", tmp_path)
    path = next((copy / "runs/nightly").glob("boolq*")) / "per_instance_stats.json"
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    (one,) = detailed(tmp_path, "baseline", "nightly")

    assert 0.73 == one.scores[BOOLQ].value
    assert one.scores[BOOLQ].instances is None
    assert reason in str(one.scores[BOOLQ].no_instances)
    assert one.scores[MMLU].instances is not None


def test_instances_that_make_another_mean_are_not_kept(helm_trees: Path, tmp_path: Path) -> None:
    """If the files contradict HELM's table, the score says both numbers."""
    copy = copied(helm_trees, "baseline", tmp_path)
    path = next((copy / "runs/nightly").glob("boolq*")) / "per_instance_stats.json"
    path.write_text(json.dumps(json.loads(path.read_text())[:50]))
    (one,) = detailed(tmp_path, "baseline", "nightly")

    assert "and the score is 0.73" in str(one.scores[BOOLQ].no_instances)


def test_passage_scenarios_are_classes_of_helm() -> None:
    """The scenarios with passages are named by class, as run specs name them."""
    assert "BoolQScenario" in helm_instances.PASSAGE_SCENARIOS


# compare.clusters


def clusters(folder: Path, rule: str | None, *texts: str) -> list[str]:
    """The clusters of boolq's first instances, which have these texts, by a rule."""
    run = next((folder / "baseline/runs/nightly").glob("boolq*"))
    stats = json.loads((run / "per_instance_stats.json").read_text())
    ids = sorted({entry["instance_id"] for entry in stats})
    written = [
        {"id": identity, "input": {"text": texts[at] if at < len(texts) else f"other {at}"}}
        for at, identity in enumerate(ids)
    ]
    (run / "instances.json").write_text(json.dumps(written))
    (one,) = read_spec(
        spec("baseline", "nightly"),
        folder,
        with_details=True,
        clusters={} if rule is None else {"boolq": rule},
    ).evaluations
    columns = only(one.scores[BOOLQ])
    assert tuple(columns.id)[: len(texts)] == tuple(ids[: len(texts)])
    mmlu = only(one.scores[MMLU])
    assert mmlu.id == mmlu.cluster
    return ["own" if c == i else c for c, i in zip(columns.cluster, columns.id, strict=True)][
        : len(texts)
    ]


TEXTS = ("Doc 1: a\nQuestion: x", "Doc 1: b\nQuestion: x", "Doc 2: b\nQuestion: x", "nothing")


@pytest.mark.parametrize(
    ("rule", "groups"),
    [
        (r"Doc \d+", "aab-"),
        (r"Doc \d+: (\w)", "abb-"),
        (r"Doc (?:\d+): (\w)", "abb-"),
        (r"Doc (\d+): (\w)", "abb-"),
        (r"Doc \d+(x)?", "----"),
        (r"no such text", "----"),
        ("instance", "----"),
        (r"\nQuestion: .*", "aaa-"),
        (None, "abc-"),
    ],
)
def test_clusters_are_the_configs(
    rule: str | None, groups: str, helm_trees: Path, tmp_path: Path
) -> None:
    """What a regex finds is the cluster: its last group if it has one; without a match, oneself.

    `instance` sets the passages aside that are the clusters without any rule.
    """
    copied(helm_trees, "baseline", tmp_path)
    found = clusters(tmp_path, rule, *TEXTS)
    names: dict[str, str] = {}

    assert groups == "".join(
        "-" if one == "own" else names.setdefault(one, "abc"[len(names)]) for one in found
    )


@pytest.mark.parametrize(("rule", "notes"), [("no such text", 1), ("instance", 0), (".", 0)])
def test_a_rule_that_matches_nothing_is_noted(rule: str, notes: int, helm_trees: Path) -> None:
    """A typo in it would make each question count as independent without a word."""
    found = read_spec(
        spec("baseline", "nightly"), helm_trees, with_details=True, clusters={"boolq": rule}
    ).notes
    note = (
        f"compare.clusters: {rule!r} is in no sample of boolq, so each question counts as "
        "independent."
    )

    assert notes == found.count(note)


def test_a_rule_without_texts_finds_nothing(helm_trees: Path, tmp_path: Path) -> None:
    """If no file holds the texts, each instance is its own cluster."""
    copy = copied(helm_trees, "baseline", tmp_path)
    (next((copy / "runs/nightly").glob("boolq*")) / "scenario_state.json").unlink()
    (one,) = read_spec(
        spec("baseline", "nightly"), tmp_path, with_details=True, clusters={"boolq": "."}
    ).evaluations
    columns = only(one.scores[BOOLQ])

    assert ({None}, columns.id) == (set(columns.input), columns.cluster)
