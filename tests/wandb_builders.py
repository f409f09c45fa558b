"""Short ways to run the command against a W&B server for tests, and to say what that holds."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helm_wandb.wandb_runs.layout_names import MARK, run_id
from tests.waiting import LIMIT_SECONDS
from tests.wandb_server import API_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.wandb_server import Run, WandbServer

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
PROJECT = "llm"
METRICS = ["mmlu.EM", "raft.EM", "quac.F1"]
_UNRANKED = ": $.leaderboard_metrics["


@dataclass(frozen=True, kw_only=True)
class Done:
    """A command that has ended."""

    exit_code: int
    seconds: float
    stdout: str
    stderr: str


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The folders of one user: each command of it can write there and nowhere else."""

    folder: Path
    base_url: str
    api_key: str | None = API_KEY

    @property
    def work(self) -> Path:
        """The current folder of its commands."""
        return self.made("work")

    @property
    def environ(self) -> dict[str, str]:
        """The variables that its commands see."""
        key = {"WANDB_API_KEY": self.api_key} if self.api_key else {}
        return {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": str(self.made("home")),
            "TMPDIR": str(self.made("tmp")),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "WANDB_BASE_URL": self.base_url,
            **key,
        }

    def made(self, name: str) -> Path:
        """A folder of it, made where it is not."""
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def configure(self, *evals: Mapping[str, Any], **keys: Any) -> None:
        """Write the config that its commands read; JSON is YAML too."""
        wanted = {"project": PROJECT, "entity": "team", "leaderboard_metrics": METRICS, **keys}
        config = wanted | ({"evals": list(evals)} if evals else {})
        (self.work / "config.yaml").write_text(json.dumps(config, ensure_ascii=False))

    def begin(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """The writer's process."""
        program = [sys.executable, str(ROOT / "wandb_writer.py"), "--config", "config.yaml"]
        return subprocess.Popen(
            [*program, *arguments],
            cwd=self.work,
            env=self.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, *arguments: str, **variables: str) -> Done:
        """What came of the writer."""
        began = time.monotonic()
        return ended(self.begin(*arguments, **variables), began)

    def shell(self, command: str) -> Done:
        """What came of a command that a user copies into a shell."""
        began = time.monotonic()
        return ended(
            subprocess.Popen(
                ["/bin/sh", "-c", command],
                cwd=self.work,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ),
            began,
        )

    def copies(self) -> dict[str, Path]:
        """The offline runs that wait to be sent, by their ids."""
        found = self.work.glob("wandb/offline-run-*-helm-*")
        return {f"helm-{path.name.rpartition('-')[2]}": path for path in found}

    def waiting(self) -> dict[str, Path]:
        """Those of them that were not sent yet."""
        return {key: path for key, path in self.copies().items() if not [*path.glob("*.synced")]}

    def processes(self) -> list[str]:
        """The command lines of processes that its commands started and that still run."""
        mark = f"={self.folder}/".encode()
        return [line for line, environ in _processes() if mark in environ]

    def scratch(self) -> list[str]:
        """What is left of temporary folders."""
        return sorted(path.name for path in self.made("tmp").iterdir())

    def with_key(self) -> list[str]:
        """The files of all its folders that hold the key."""
        key = API_KEY.encode()
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return [str(path) for path in files if key in path.read_bytes()]


def ended(process: subprocess.Popen[str], began: float) -> Done:
    """The process at its end; one that does not end in time is killed, and has no exit code."""
    try:
        stdout, stderr = process.communicate(timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
    seconds = time.monotonic() - began
    # The desk's config ranks metrics that not every run has, and of these the command warns.
    lines = [line for line in stderr.splitlines(keepends=True) if _UNRANKED not in line]
    return Done(exit_code=process.returncode, seconds=seconds, stdout=stdout, stderr="".join(lines))


def _processes() -> Iterable[tuple[str, bytes]]:
    """The command line and the variables of each process of ours."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            environ = (path / "environ").read_bytes()
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if line:
            yield line, environ


def scores(model: str, iteration: int, /, **values: float) -> dict[str, Any]:
    """An entry of a config: `mmlu=0.3` is mmlu.EM, and `quac=0.3` quac.F1."""
    metrics = {"quac": "F1"}
    return {
        "eval_type": "helm",
        "source": "file",
        "model_name": model,
        "default_iteration": iteration,
        "eval_result": {name: {metrics.get(name, "EM"): value} for name, value in values.items()},
    }


def summary_id(model: str, track: str = "local") -> str:
    """The id of a model's summary run."""
    return run_id(track, model, "summary")


def own(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row or summary without what W&B and the record add."""
    return {key: value for key, value in row.items() if key[0] != "_" and key != MARK}


def rows(run: Run | None) -> list[dict[str, Any]]:
    """A run's rows as they were logged; none of a run that there is not."""
    return [own(row) for row in run.rows] if run else []


def curve(run: Run | None) -> dict[int, dict[str, Any]]:
    """What a reader of the curve gets: of each iteration the last value of each metric."""
    found: dict[int, dict[str, Any]] = {}
    for row in sorted(run.rows if run else (), key=lambda row: row["_step"]):
        nested = own(row)
        found.setdefault(nested.pop("iteration"), {}).update(_flat(nested))
    return found


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        flat |= (
            _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        )
    return flat


def summary_run(server: WandbServer, model: str, track: str = "local") -> Run | None:
    """A model's summary run as the server holds it."""
    return server.runs(PROJECT).get(summary_id(model, track))


def holds(server: WandbServer) -> dict[str, object]:
    """Everything of a project that a second recording must not change."""
    artifacts = server.artifacts(PROJECT)
    return {
        run.id: (run.rows, run.summary, run.config, run.tags, run.state)
        for run in server.runs(PROJECT).values()
    } | {
        name: [(one.version, one.state, sorted(one.aliases), dict(one.files)) for one in versions]
        for name, versions in artifacts.items()
    }


def command_of(message: str) -> str:
    """The command that a message names."""
    return message.split("`")[-2]


def board(server: WandbServer, track: str = "local") -> list[dict[str, Any]]:
    """The rows of the leaderboard that W&B shows, each by its columns."""
    run = server.runs(PROJECT)[run_id(track, "leaderboard", "leaderboard")]
    table = json.loads(run.files[run.summary["leaderboard"]["path"]])
    return [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]


def reservations(run: Run) -> list[str]:
    """The files by which jobs reserve a run."""
    return [name for name in run.files if name.startswith("helm_wandb/")]
