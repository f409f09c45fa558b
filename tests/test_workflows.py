"""The project's own workflows, and what they have in common with those to copy."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
OWN = sorted((ROOT / ".github/workflows").glob("*.yml"))
ALL = [*OWN, *sorted((ROOT / "examples").glob("*.yml"))]
USED = re.compile(
    r"^ +(?:- )?uses: (?!\./|org/helm-wandb-action@main\b)([^@\s]+)@(\S+)(?: # (\S+))?",
    re.MULTILINE,
)


def jobs(name: str) -> dict[str, Any]:
    """The jobs of one of the project's own workflows."""
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows" / name).read_text())["jobs"]
    return found


def commands(job: dict[str, Any]) -> list[str]:
    """What a job runs."""
    return [step["run"] for step in job["steps"] if "run" in step]


def test_actions_are_pinned_alike() -> None:
    """Each action of others is named by one and the same commit everywhere, with its version."""
    pins = defaultdict(set)
    for path in ALL:
        for action, commit, version in USED.findall(path.read_text()):
            pins[action].add((commit, version))

    assert dict.fromkeys(pins, 1) == {action: len(found) for action, found in pins.items()}
    assert all(
        re.fullmatch(r"[0-9a-f]{40}", commit) and re.fullmatch(r"v\d+\.\d+\.\d+", version)
        for ((commit, version),) in pins.values()
    )


def test_dependabot_updates_every_lock() -> None:
    """The folder of each npm lock, and of the lock of Python's packages, is among those updated."""
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    updated = {
        folder: one["package-ecosystem"]
        for one in updates
        for folder in one.get("directories") or [one["directory"]]
        if one["package-ecosystem"] in {"npm", "pip"}
    }
    locks = [*(ROOT / "tests").glob("*/package-lock.json"), *ROOT.glob("requirements/runtime.txt")]

    assert updated == {
        f"/{path.parent.relative_to(ROOT).as_posix()}": "npm" if path.suffix == ".json" else "pip"
        for path in locks
    }


def test_no_action_escapes_the_pins() -> None:
    """Every step that uses an action of others is seen by the test of the pins."""
    texts = [path.read_text() for path in ALL]
    others = [
        step["uses"]
        for text in texts
        for job in yaml.safe_load(text)["jobs"].values()
        for step in job["steps"]
        if not step.get("uses", "./").startswith(("./", "org/"))
    ]

    assert len(others) == sum(len(USED.findall(text)) for text in texts)


def test_the_last_job_waits_for_all() -> None:
    """The one job that a branch rule asks for needs every other one."""
    found = jobs("ci.yml")

    assert set(found) - {"done"} == set(found["done"]["needs"])


def test_ci_runs_what_is_run_here() -> None:
    """What .ci/run calls is what the jobs of CI call, and a release too."""
    local = re.findall(r"^make \w+$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    on_github = [command for job in jobs("ci.yml").values() for command in commands(job)]
    before_release = commands(jobs("release.yml")["check"])

    assert local
    assert set(local) <= set(on_github)
    assert set(local) <= set(before_release)


def test_ci_calls_targets_that_there_are() -> None:
    """Each `make` of a workflow is a target of the Makefile."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = {
        target
        for path in OWN
        for job in jobs(path.name).values()
        for command in commands(job)
        for target in re.findall(r"^make (\w+)$", command)
    }

    assert called <= targets


def _files(text: str) -> set[str]:
    """The files of this repository that a workflow's commands and inputs name."""
    modules = re.findall(r"python3 -m ([\w.]+)", text)
    scripts = re.findall(r"(?<![\w./-])(?:release|requirements)/[\w./-]+", text)
    configs = re.findall(r"(?:config: |INPUT_CONFIG=)(configs/\S+)", text)
    return {*(f"{name.replace('.', '/')}.py" for name in modules), *scripts, *configs}


def test_workflows_name_files_that_there_are() -> None:
    """Each script, module and config that a workflow names is in the repository."""
    files = set().union(*(_files(path.read_text()) for path in OWN))

    assert {"release/version.py", "release/tag.sh", "release/base-image.sh"} < files
    assert [] == [name for name in files if not (ROOT / name).is_file()]


def test_an_image_is_scanned_before_it_is_signed() -> None:
    """A release scans the list of packages that it signs, as the weekly scan does."""
    scans = {}
    for name, job in (("release.yml", "build"), ("security.yml", "image")):
        used = [step.get("uses", "").partition("@")[0] for step in jobs(name)[job]["steps"]]
        scan = jobs(name)[job]["steps"][used.index("anchore/scan-action")]
        scans[name] = scan["with"]
        assert used.index("anchore/sbom-action") + 1 == used.index("anchore/scan-action")

    assert scans["release.yml"] == scans["security.yml"]
    signed = jobs("release.yml")["build"]["steps"][-3]["with"]["sbom-path"]
    assert signed == scans["release.yml"]["sbom"]


def test_nothing_names_an_image_that_only_members_can_pull() -> None:
    """GitHub makes a new package private: a release looks before it sets its tags."""
    ran = commands(jobs("release.yml")["publish"])
    looks = [at for at, text in enumerate(ran) if text.startswith("docker logout ghcr.io\n")]
    tags = [at for at, text in enumerate(ran) if "release/tag.sh" in text]

    assert [*looks, *tags] == [tags[0] - 1, tags[0]]


def test_ci_begins_with_the_oldest_python() -> None:
    """The tests run with the oldest Python that pyproject.toml promises, and newer ones."""
    versions = jobs("ci.yml")["test"]["strategy"]["matrix"]["python-version"]

    assert f'requires-python = ">={versions[0]}"' in (ROOT / "pyproject.toml").read_text()


def test_permissions_are_named_by_job() -> None:
    """Nothing is permitted to a whole workflow; each job has permissions and a time limit."""
    found = {path.name: yaml.safe_load(path.read_text()) for path in OWN}

    assert {name: {} for name in found} == {
        name: workflow["permissions"] for name, workflow in found.items()
    }
    assert all(
        {"permissions", "timeout-minutes"} <= job.keys()
        for workflow in found.values()
        for job in workflow["jobs"].values()
    )


def test_only_a_release_writes() -> None:
    """No job of CI may write anything."""
    permitted = [set(job["permissions"].values()) for job in jobs("ci.yml").values()]

    assert {"read"} == set().union(*permitted)
