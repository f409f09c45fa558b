"""GitHub's runner, as far as an action in a container can see.

Source: actions/runner 2.336.0, Runner.Worker/Handlers/ContainerActionHandler.cs and Handler.cs,
Container/DockerCommandManager.cs, ActionRunner.cs and GitHubContext.cs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import time
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.e2e import command_files
from tests.e2e.engine import EngineError, run, tool
from tests.e2e.workflow_commands import Log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.e2e.engine import Engine
    from tests.e2e.workflow_commands import Annotation

ROOT = Path(__file__).parent.parent.parent
TOKEN = "ghs_" + "t0ken" * 7
USER = 1001
"""Whose the runner's folders are, as on GitHub's own machines."""
WITHOUT_GITHUB = {"comment": "off", "baseline": "none"}
"""Inputs with which no request goes to GitHub."""
_SECONDS = 120.0
_NOT_STARTED = 125
"""The exit code of `docker run` where the fault is not the container's."""
_FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE")
REPOSITORY = "octocat/hello-world"
_GITHUB = {
    "GITHUB_ACTION": "__self",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_BASE_REF": "main",
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_GRAPHQL_URL": "https://api.github.com/graphql",
    "GITHUB_HEAD_REF": "feature",
    "GITHUB_JOB": "evaluate",
    "GITHUB_REF": "refs/pull/1/merge",
    "GITHUB_REF_NAME": "1/merge",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_REPOSITORY": REPOSITORY,
    "GITHUB_REPOSITORY_OWNER": "octocat",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_NUMBER": "7",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": "5" * 40,
    "GITHUB_WORKFLOW": "Evaluate",
    "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/evaluate.yml@refs/pull/1/merge",
    "GITHUB_WORKFLOW_SHA": "5" * 40,
    "RUNNER_ARCH": "X64",
    "RUNNER_ENVIRONMENT": "github-hosted",
    "RUNNER_NAME": "local",
    "RUNNER_OS": "Linux",
}
_ITSELF = {
    "id": 1296269,
    "full_name": REPOSITORY,
    "owner": {"login": "octocat"},
    "default_branch": "main",
}
_PULL_REQUEST = {
    "action": "synchronize",
    "number": 1,
    "pull_request": {
        "number": 1,
        "labels": [],
        "base": {"ref": "main", "sha": "b" * 40, "repo": _ITSELF},
        "head": {"ref": "feature", "sha": "a" * 40, "repo": _ITSELF},
    },
    "repository": _ITSELF,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step came to."""

    exit_code: int
    printed: tuple[str, ...]
    """All lines, commands and secrets included."""
    log: str
    """What users see of them."""
    annotations: tuple[Annotation, ...]
    outputs: Mapping[str, str]
    summary: str
    changes: tuple[str, ...]
    """The files of the image that the container changed or added, without /tmp and the mounts."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A machine with one job, whose steps share its folders."""

    engine: Engine
    image: str
    folder: Path
    token: str = TOKEN
    """What `github.token` is."""
    secrets: tuple[str, ...] = ()
    """What the workflow's secrets hold."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """What stands under `with:` in every step."""
    github: Mapping[str, str] = field(default_factory=dict)
    """Variables that are not as usual."""
    event: Mapping[str, Any] = field(default_factory=lambda: _PULL_REQUEST)

    @property
    def workspace(self) -> Path:
        """The user's checkout."""
        return self._made("work")

    @property
    def temp(self) -> Path:
        """The folder at RUNNER_TEMP."""
        return self._made("temp")

    @property
    def home(self) -> Path:
        """The folder at HOME."""
        return self._made("temp/_github_home")

    def step(
        self,
        *options: str,
        environ: Mapping[str, str] | None = None,
        network: str = "none",
        arguments: Sequence[str] = (),
        **inputs: str,
    ) -> Step:
        """Run the action once.

        inputs: what stands under `with:`, with `_` for `-`.
        environ: what stands under `env:`.
        options: more for `docker run`, which a runner would not give.
        network: of the engine's; the runner's default is a bridge.
        arguments: what stands under `args:`.
        """
        files = dict(self._files())
        variables = {
            **(environ or {}),
            **self._inputs({name.replace("_", "-"): value for name, value in inputs.items()}),
            **self._variables(files),
        }
        mounts = self._mounts()
        self._give_to_user()
        name = f"helm-wandb-e2e-{uuid.uuid4().hex}"
        command = [
            *("run", "--name", name, "--workdir", "/github/workspace", "--network", network),
            *(part for pair in variables.items() for part in ("-e", "=".join(pair))),
            *(part for mount in mounts for part in ("-v", mount)),
            *options,
            self.image,
            *arguments,
        ]
        try:
            start = time.monotonic()
            done = self._run(command)
            seconds = time.monotonic() - start
            # The runner gives --rm, and has nothing to compare.
            changes = self.engine.ask("diff", name).splitlines()
        finally:
            self.engine.ask("rm", "--force", "--volumes", name)
        return self._step(done, files, changes, seconds)

    def of(self, **changes: Any) -> Runner:
        """Return this machine with another event, or whatever else is named."""
        return replace(self, **changes)

    def pack(self, folder: str, archive: str) -> None:
        """Replace a folder of the workspace by an archive of it."""
        with tarfile.open(self.workspace / archive, "w:gz") as packed:
            packed.add(self.workspace / folder, arcname=folder)
        shutil.rmtree(self.workspace / folder)

    def left_by_root(self) -> list[str]:
        """The files in the runner's folders that only root may delete."""
        return sorted(
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if path.lstat().st_uid == 0
        )

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.engine.command(*command),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode == _NOT_STARTED:
            raise EngineError(done.stderr)
        return done

    def _step(
        self,
        done: subprocess.CompletedProcess[str],
        files: Mapping[str, Path],
        changes: list[str],
        seconds: float,
    ) -> Step:
        printed = (*done.stdout.splitlines(), *done.stderr.splitlines())
        log = Log(masks={self.token, *self.secrets})
        for line in printed:
            log.read(line)
        return Step(
            exit_code=done.returncode,
            printed=printed,
            log="\n".join(log.shown),
            annotations=tuple(log.annotations),
            outputs=command_files.outputs(files["GITHUB_OUTPUT"].read_text(encoding="utf-8")),
            summary=files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8"),
            changes=tuple(
                change
                for change in changes
                if not change[2:].startswith(("/github", "/tmp"))  # noqa: S108 -- of the container
            ),
            seconds=seconds,
        )

    def _made(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _files(self) -> Iterator[tuple[str, Path]]:
        """The step's command files, which are empty, by the variables that name them."""
        folder = self._made("temp/_runner_file_commands")
        for name in _FILES:
            path = folder / f"{name.lower()}_{uuid.uuid4()}"
            path.touch()
            yield name, path
        path = self._made("temp/_github_workflow") / "event.json"
        path.write_text(json.dumps(self.event), encoding="utf-8")
        yield "GITHUB_EVENT_PATH", path

    def _variables(self, files: Mapping[str, Path]) -> dict[str, str]:
        folders = {"GITHUB_EVENT_PATH": "/github/workflow"}
        return {
            **_GITHUB,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": "/github/workspace",
            "HOME": "/github/home",
            "RUNNER_TEMP": "/github/runner_temp",
            **{
                name: f"{folders.get(name, '/github/file_commands')}/{path.name}"
                for name, path in files.items()
            },
            **self.github,
        }

    def _inputs(self, given: Mapping[str, str]) -> dict[str, str]:
        """The variables of the inputs, those that are not given with their defaults."""
        action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
        declared = {name: str(of.get("default", "")) for name, of in action["inputs"].items()}
        found = {**declared, **self.inputs, **given}
        if unknown := found.keys() - declared.keys():
            message = f"not among the inputs: {', '.join(sorted(unknown))}"
            raise ValueError(message)
        return {
            # Hyphens stay.
            f"INPUT_{name.upper()}": self.token if value == "${{ github.token }}" else value
            for name, value in found.items()
        }

    def _mounts(self) -> tuple[str, ...]:
        return (
            f"{self.temp}:/github/runner_temp",
            f"{self.home}:/github/home",
            f"{self._made('temp/_github_workflow')}:/github/workflow",
            f"{self._made('temp/_runner_file_commands')}:/github/file_commands",
            f"{self.workspace}:/github/workspace",
        )

    def _give_to_user(self) -> None:
        """Let all that is there belong to the runner's user; it does where we are not root."""
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, USER, USER, follow_symlinks=False)


def prepared(runner: Runner) -> Runner:
    """The runner, with a checkout that holds real HELM output and `config.yaml` for it."""
    unpack(runner, "checkpoints")
    example = (ROOT / "configs/mymodel_example.yaml").read_text(encoding="utf-8")
    text = example.replace("demo/helm/", "")
    (runner.workspace / "config.yaml").write_text(text, encoding="utf-8")
    return runner.of(inputs=WITHOUT_GITHUB)


def unpack(runner: Runner, tree: str) -> None:
    """Put one of the trees of real HELM output into the workspace."""
    archive = ROOT / f"tests/data/helm/{tree}.tar.gz"
    # Not by tarfile, whose `filter` Debian 12's Python does not know.
    run(tool("tar"), "--extract", "--file", str(archive), "--directory", str(runner.workspace))
