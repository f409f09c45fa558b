"""The folders of a suite or a release.

Layout: HELM 0.2.4 to 0.5.16, presentation/summarize.py (Summarizer.__init__), runner.py.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path, PurePath

from msgspec import Struct, field

from helm_wandb.errors import ArtifactError, UnknownOutputError
from helm_wandb.harness.files import Files
from helm_wandb.harness.json_files import read_json
from helm_wandb.sources.helm.entry import KINDS, HelmEval
from helm_wandb.system import paths

_NAMES_SHOWN = 20
_FILES_OF_A_RUN = ("run_spec.json", "stats.json")


class Suite(Struct, frozen=True):
    """One suite or release; all paths are relative to the HELM output."""

    files: Files
    summary: str | None
    """Folder of `groups/` and `run_specs.json`; None if helm-summarize did not run."""
    runs: str
    """Folder of the run folders; for a release, those of the suite of its name."""
    suites: Mapping[str, str] = field(default_factory=dict)
    """Run name → suite, if runs of several suites make a release."""

    def table(self, benchmark: str) -> str | None:
        """Return the file of the benchmark's tables, if HELM wrote one."""
        return self._in_summary(f"groups/{benchmark}.json")

    def benchmarks(self) -> list[str]:
        """Return the benchmarks that HELM wrote tables of."""
        if self.summary is None:
            return []
        names = self.files.names(f"{self.summary}/groups")
        return [name.removesuffix(".json") for name in names if name.endswith(".json")]

    @property
    def listed_specs(self) -> str | None:
        """The file that lists all run specs, if HELM wrote one."""
        return self._in_summary("run_specs.json")

    @property
    def schema(self) -> str | None:
        """The file of the schema that HELM summarized with, since 0.4.0."""
        return self._in_summary("schema.json")

    def _in_summary(self, name: str) -> str | None:
        """Return the path of the entry of this name, readable or not; None if there is none."""
        path = f"{self.summary}/{name}"
        folder, _, entry = path.rpartition("/")
        return path if self.summary and entry in self.files.names(folder) else None

    def folder_of(self, run: str) -> str:
        """Return the folder of a run's files, by the run's name."""
        suite = self.suites.get(run)
        runs = self.runs if suite is None else f"runs/{suite}"
        return f"{runs}/{run.replace('/', '_')}"

    def run_folders(self, without: Collection[str] = ()) -> list[str]:
        """Return the folders of finished runs; a crashed run leaves one without stats.json.

        without: folders that are known, and not looked into.
        """
        own = (f"{self.runs}/{name}" for name in self.files.names(self.runs))
        folders = map(self.folder_of, sorted(self.suites)) if self.suites else own
        return [folder for folder in folders if folder not in without and self._is_run(folder)]

    def _is_run(self, folder: str) -> bool:
        try:
            return all(self.files.is_file(f"{folder}/{name}") for name in _FILES_OF_A_RUN)
        except ArtifactError:
            # It is taken for one, so that reading it reports what is wrong.
            return True


def find_suite(spec: HelmEval, files: Files) -> Suite:
    """Return the summarized suite `runs/<name>`, the release `releases/<name>`, or the raw suite.

    Raises ArtifactError if there is none of them.
    """
    suite = suite_named(spec.helm_suite_name, files)
    if suite is None:
        raise _no_suite(spec, files)
    return suite


def suite_named(name: str, files: Files) -> Suite | None:
    """Return the suite or release of that name, as `find_suite` finds it; None if there is none."""
    kinds, name = split_name(name)
    runs, release = f"runs/{name}", f"releases/{name}"
    if "runs" in kinds and files.is_folder(f"{runs}/groups"):
        return Suite(files, runs, runs)
    if "releases" in kinds and files.is_folder(f"{release}/groups"):
        return Suite(files, release, runs, _suites_of_runs(files, release))
    raw = Suite(files, None, runs)
    is_raw = "runs" in kinds and files.is_folder(runs) and raw.run_folders()
    return raw if is_raw else None


def split_name(name: str) -> tuple[tuple[str, ...], str]:
    """Return the folders that a suite may lie in, and its name: `runs/nightly` says in which."""
    kind, _, inner = name.strip("/").partition("/")
    return ((kind,), inner) if kind in KINDS and inner else (KINDS, name.strip("/"))


def split_suite_folder(path: Path) -> tuple[Path, str | None]:
    """Return the output that a suite's folder is in, and the suite; else the path, and None."""
    is_suite = (
        Path(os.path.abspath(path)).parent.name in KINDS  # noqa: PTH100 -- removes `..` too
        and paths.is_folder(path)
        and not any(paths.is_folder(path / kind) for kind in KINDS)
    )
    # HELM links `latest` to the newest suite.
    return (
        (Path(os.path.normpath(path / "../..")), path.resolve().name) if is_suite else (path, None)
    )


def entries(files: Files) -> list[str]:
    """Return the folders of suites and releases, `runs/nightly` and `releases/v1`."""
    return [f"{kind}/{entry}" for kind in KINDS for entry in _folders(kind, files)]


def advice(files: Files, *, shown_as: str) -> str:
    """Return advice for a folder that holds no suite; shown_as: the folder, as it was given."""
    nearby = nearby_advice(files, shown_as=shown_as)
    return nearby or "Give the folder that helm-run wrote to (its --output-path)."


def nearby_advice(files: Files, *, shown_as: str) -> str | None:
    """Return advice to give the folder below or above this one; None if that is no output."""
    below = [files.shown(name) for name in _folders("", files) if _holds_suites(name, files)]
    if below:
        return f"HELM's output is one folder below: give {_listed(below)}."
    path = PurePath(shown_as)
    for inner, outer in ((path, path.parent), (path.parent, path.parent.parent)):
        if inner.name in KINDS:
            return f"{inner.name}/ is a part of HELM's output: give {outer}, the folder above it."
    return None


def _holds_suites(folder: str, files: Files) -> bool:
    inner = (f"{folder}/{kind}" for kind in KINDS)
    # One that is no folder may be a link that leads out, through which nothing may be read.
    return any(files.is_folder(one) and _folders(one, files) for one in inner)


def _folders(folder: str, files: Files) -> list[str]:
    """Return the names of the folders in it."""
    within = f"{folder}/" if folder else ""
    return [name for name in files.names(folder) if files.is_folder(f"{within}{name}")]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMES_SHOWN]) + (" …" if len(names) > _NAMES_SHOWN else "")


def _suites_of_runs(files: Files, release: str) -> dict[str, str]:
    path = f"{release}/runs_to_run_suites.json"
    return read_json(files, path, dict[str, str]) if files.is_file(path) else {}


def _no_suite(spec: HelmEval, files: Files) -> ArtifactError:
    (kinds, name), place = split_name(spec.helm_suite_name), spec.at("helm_suite_name")
    if "runs" in kinds and files.is_folder(f"runs/{name}"):
        return ArtifactError(f"{place}: suite {name!r} holds no finished run. Did helm-run finish?")
    if "releases" in kinds and files.is_folder(f"releases/{name}"):
        return ArtifactError(
            f"{place}: release {name!r} has no tables in groups/. Did helm-summarize finish?"
        )
    suites = entries(files)
    if not suites:
        return UnknownOutputError(
            f"{spec.output_dir!r} has neither runs/ nor releases/ with a suite in it. "
            f"{advice(files, shown_as=spec.output_dir)}"
        )
    return ArtifactError(
        f"{place}: no suite or release {spec.helm_suite_name!r} in {spec.output_dir!r}. "
        f"There are: {_listed(suites)}."
    )
