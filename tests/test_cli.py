"""The command line, from argv to exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from helm_wandb import cli
from helm_wandb.sinks.report_file import ReportFile
from tests.wandb_server import API_KEY, WandbServer

from .test_sources_helm import TREES, Tree, cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from helm_wandb.model import Receipt

EXAMPLES = ("mymodel", "llama", "leaderboard")
REPORT_ARGUMENTS = ["--print-only", "--report", "report.json"]


def write_config(folder: Path, *evals: dict[str, Any], **keys: Any) -> str:
    """The name of a config with these entries, or with none at all; JSON is YAML too."""
    config = {"project": "test", **({"evals": list(evals)} if evals else {}), **keys}
    (folder / "config.yaml").write_text(json.dumps(config))
    return "config.yaml"


def helm(tree: str, suite: str, **keys: Any) -> dict[str, Any]:
    """An entry that reads a tree."""
    output = {"helm_output_dir": f"demo/helm/{tree}", "helm_suite_name": suite}
    return {"eval_type": "helm", **output, **keys}


def file(model: str, iteration: int = 0, **result: dict[str, float]) -> dict[str, Any]:
    """An entry that has its scores in itself."""
    about = {"model_name": model, "default_iteration": iteration}
    return {"eval_type": "helm", "source": "file", **about, "eval_result": result}


def files_with(text: str, folder: Path) -> list[Path]:
    """The files below a folder that hold a text."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if text.encode() in path.read_bytes()]


@pytest.fixture
def server() -> Iterator[WandbServer]:
    """A W&B server that got only requests that it knows."""
    with WandbServer() as served:
        yield served

    assert [] == served.unknown


@pytest.fixture
def user(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of a user without a key, a login or other settings of W&B."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("GITHUB_EVENT_NAME", raising=False)
    monkeypatch.delenv("GITHUB_EVENT_PATH", raising=False)
    return workspace


@pytest.fixture
def online(user: Path, server: WandbServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with a key for this server."""
    monkeypatch.setenv("WANDB_API_KEY", API_KEY)
    monkeypatch.setenv("WANDB_BASE_URL", server.url)
    return user


def bug(*_: object) -> Receipt:
    """A sink's fault that is ours."""
    name = "bug"
    raise KeyError(name)


def run(root: Path, *arguments: str) -> int:
    """The exit code of a print-only run."""
    return cli.main(["--print-only", *arguments], root=root)


def test_examples_print_their_leaderboard(
    workspace: Path,
    root: Path,
    capsys: pytest.CaptureFixture[str],
    golden: Callable[[str, str], None],
) -> None:
    """Each example config runs as it stands, and says nothing on standard error."""
    assert workspace == Path.cwd()
    assert [0] * len(EXAMPLES) == [
        run(root, "--config", f"configs/{name}_example.yaml") for name in EXAMPLES
    ]

    printed = capsys.readouterr()
    golden("examples.txt", printed.out)
    assert "" == printed.err


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: f"{tree.name}-{tree.suite}")
def test_report_holds_helms_cells(
    tree: Tree, workspace: Path, root: Path, helm_trees: Path
) -> None:
    """The report of each tree is valid, and its values are the cells that HELM shows."""
    config = write_config(workspace, helm(tree.name, tree.suite))

    assert 0 == run(root, "--config", config, "--report", "out/report.json")

    report = json.loads((workspace / "out/report.json").read_text())
    schema = json.loads((root / "schema/report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(report)
    assert cells(tree, helm_trees) == {
        (one["model"], one["iteration"], key): score["value"]
        for one in report["evaluations"]
        for key, score in one["scores"].items()
        if (helm_trees / tree.name / tree.groups / f"{key.partition('.')[0]}.json").exists()
    }


def in_a_process(root: Path, program: str, *arguments: str) -> str:
    """What a Python process prints that runs this program in the current folder."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(root), *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    return done.stdout.splitlines()[-1]


LIST_MODULES = """
import sys
from pathlib import Path
from helm_wandb import cli
from helm_wandb.sinks.report_file import ReportFile
cli.main(sys.argv[2:], root=Path(sys.argv[1]))
heavy = {"wandb", "github", "jinja2", "re2", "jsonschema", "dataclasses"}
print(sorted((heavy | {"helm_wandb.sources.lm_eval.reader"}) & sys.modules.keys()))
"""


def test_print_only_imports_no_sink(workspace: Path, root: Path) -> None:
    """What takes long to import, as the SDK, PyGithub and templates, is loaded only if needed.

    A dataclass is compiled at import, so the nouns are Structs.
    """
    config = write_config(workspace, helm("models", "model-zoo"))

    assert "[]" == in_a_process(root, LIST_MODULES, "--config", config, *REPORT_ARGUMENTS)


LIST_FILES = """
import json, sys
from pathlib import Path
opened = set()
sys.addaudithook(lambda event, what: opened.add(str(what[0])) if event == "open" else None)
from helm_wandb import cli
from helm_wandb.sinks.report_file import ReportFile
cli.main(sys.argv[2:], root=Path(sys.argv[1]))
print(json.dumps(sorted(path.partition("/runs/")[2] for path in opened if "/runs/" in path)))
"""


def test_only_what_the_output_needs_is_opened(workspace: Path, root: Path) -> None:
    """Only the tables that the config names and the list of run specs are opened."""
    benchmarks = [{"name": "mmlu", "metrics": ["EM"]}, {"name": "boolq", "metrics": ["EM"]}]
    config = write_config(workspace, helm("models", "model-zoo", benchmarks=benchmarks))
    opened = in_a_process(root, LIST_FILES, "--config", config, "--print-only")

    assert [
        "model-zoo/groups/boolq.json",
        "model-zoo/groups/mmlu.json",
        "model-zoo/run_specs.json",
    ] == json.loads(opened)


def test_instances_are_read_for_a_report(workspace: Path, root: Path) -> None:
    """With --report the report holds the per-instance scores that make the values."""
    config = write_config(workspace, helm("baseline", "nightly"))

    assert 0 == run(root, "--config", config, "--report", "report.json")

    (one,) = json.loads((workspace / "report.json").read_text())["evaluations"]
    assert 100 == len(one["scores"]["boolq.EM"]["instances"]["value"])


def test_a_badge_is_written(workspace: Path, root: Path) -> None:
    """The badge's file has the model and its score."""
    name = write_config(workspace, file("alpha", mmlu={"EM": 0.5}))

    assert 0 == run(root, "--config", name, "--badge", "out/badge.json")
    badge = json.loads((workspace / "out/badge.json").read_text())
    assert ("alpha", "mmlu.EM 50.0%") == (badge["label"], badge["message"])


def test_one_unreadable_evaluation_leaves_the_others(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can be read is printed and reported, faults are reported, and the exit code is 3."""
    config = write_config(workspace, helm("nowhere", "x"), helm("baseline", "nightly"))

    assert 3 == run(root, "--config", config, "--report", "report.json")

    printed = capsys.readouterr()
    assert "acme/assistant" in printed.out
    assert printed.err.startswith("error: config.yaml:1:")
    report = json.loads((workspace / "report.json").read_text())
    assert ["acme/assistant"] == [one["model"] for one in report["evaluations"]]
    assert ["nowhere" in note for note in report["notes"]] == [True]


def test_nothing_readable_is_exit_3(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any evaluation nothing is printed but the errors, one for each entry."""
    config = write_config(workspace, helm("nowhere", "x"), helm("baseline", "weekly"))

    assert 3 == run(root, "--config", config)

    printed = capsys.readouterr()
    assert "" == printed.out
    assert 2 == len(printed.err.splitlines())


def test_two_values_for_one_score_are_reported(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Entries that contradict each other are an error; the first one's value is kept."""
    scores = {"eval_type": "helm", "source": "file", "model_name": "a"}
    config = write_config(
        workspace,
        {**scores, "eval_result": {"mmlu": {"EM": 0.25}}},
        {**scores, "eval_result": {"mmlu": {"EM": 0.5}, "boolq": {"EM": 0.75}}},
    )

    assert 3 == run(root, "--config", config, "--report", "report.json")

    starts = re.finditer(r'\{"eval_type"', Path(config).read_text())
    first, second = (f"config.yaml:1:{start.start() + 1}" for start in starts)
    contradiction = (
        f"{first} and {second}: a at iteration 0 has two values of mmlu.EM: 0.25 (kept) and 0.5. "
        "Give each score in one entry of evals only; further runs of it, such as other seeds, "
        "belong under its key repeats."
    )
    printed = capsys.readouterr()
    assert f"error: {contradiction}\n" == printed.err
    assert contradiction not in printed.out
    assert ", 1 contradiction\n" in printed.out
    report = json.loads((workspace / "report.json").read_text())
    assert [contradiction] == report["notes"]
    assert "could not be read" not in report["headline"]
    (one,) = report["evaluations"]
    assert {"mmlu.EM": 0.25, "boolq.EM": 0.75} == {
        key: score["value"] for key, score in one["scores"].items()
    }


def test_direction_of_the_config_holds(workspace: Path, root: Path) -> None:
    """compare.lower_is_better goes before what the artifact says."""
    config = write_config(
        workspace,
        helm("models", "model-zoo"),
        compare={"lower_is_better": ["mmlu.EM"]},
    )

    assert 0 == run(root, "--config", config, "--report", "report.json")

    report = json.loads((workspace / "report.json").read_text())
    assert {True} == {one["scores"]["mmlu.EM"]["lower_is_better"] for one in report["evaluations"]}
    assert "lower is better" == report["leaderboard"]["left_out"]["mmlu.EM"]


def test_a_bug_in_a_sink_is_exit_1_and_others_are_served(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours shows its traceback, leaves the other sinks served, and exits with 1."""
    config = write_config(workspace, helm("baseline", "nightly"))
    monkeypatch.setattr(ReportFile, "deliver", bug)

    assert 1 == run(root, "--config", config, "--report", "report.json")

    printed = capsys.readouterr()
    assert "acme/assistant" in printed.out
    assert "KeyError: 'bug'" in printed.err


def test_absent_config(workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing config is an error with the folder that its path is relative to, exit 2."""
    assert 2 == run(root, "--config", "nowhere.yaml")
    assert capsys.readouterr().err == (
        "error: config 'nowhere.yaml' cannot be read: No such file or directory. "
        f"It is looked for in {workspace}.\n"
    )


@pytest.mark.parametrize("name", ["/dev/stdin", "/dev/fd/0"])
def test_a_config_comes_through_a_pipe(name: str, workspace: Path, root: Path) -> None:
    """`/dev/stdin` and the `<(envsubst …)` of a shell are read like a file."""
    config = Path(write_config(workspace, helm("baseline", "nightly"))).read_bytes()
    command = [sys.executable, str(root / "wandb_writer.py"), "--print-only", "--config", name]
    done = subprocess.run(command, input=config, capture_output=True, check=False)

    assert (0, b"") == (done.returncode, done.stderr)
    assert b"acme/assistant" in done.stdout


def test_an_absolute_config_is_explained_without_containers(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the command line a path from the root that doesn't exist just doesn't exist."""
    assert 2 == run(root, "--config", f"{workspace}/nowhere.yaml")
    assert capsys.readouterr().err == (
        f"error: config '{workspace}/nowhere.yaml' cannot be read: No such file or directory.\n"
    )


def test_config_without_evals_is_explained(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A config that ranks only the W&B project is exit 2 and one sentence."""
    (workspace / "config.yaml").write_text("project: test\nleaderboard: true\n")

    assert 2 == run(root, "--config", "config.yaml")
    assert capsys.readouterr().err.startswith("error: the config has no evals: ")


def test_report_that_cannot_be_written_is_exit_5(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The leaderboard is still printed, and the output's failure is reported once."""
    config = write_config(workspace, helm("baseline", "nightly"))

    assert 5 == run(root, "--config", config, "--report", "demo")

    printed = capsys.readouterr()
    assert "acme/assistant" in printed.out
    assert printed.err == (
        "error: report: demo: the report cannot be written: it is a folder, and not a file. "
        "Remove it, or give another path\n"
    )


def test_job_summary_is_written_where_a_workflow_asks_for_it(
    workspace: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With GITHUB_STEP_SUMMARY set, the command appends its Markdown to that file."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(workspace / "summary.md"))
    (workspace / "summary.md").write_text("before\n")
    config = write_config(workspace, helm("baseline", "nightly"))

    assert 0 == run(root, "--config", config)
    assert (
        (workspace / "summary.md")
        .read_text()
        .startswith("before\n\n\n## \u2139\ufe0f acme/assistant: 6\u00a0metrics")
    )


def test_unknown_flags_are_exit_2(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A flag that this version does not have is refused, not ignored."""
    with pytest.raises(SystemExit) as raised:
        run(root, "--config", "x.yaml", "--accept-label", "ok")

    assert 2 == raised.value.code
    assert "unrecognized arguments: --accept-label ok" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("schemas", "unknown command 'schemas': did you mean schema?"),
        ("helm.yaml", "unknown command 'helm.yaml': a run takes its config as --config FILE"),
        ("", "unknown command '': a run takes its config as --config FILE"),
    ],
)
def test_an_unknown_command_is_exit_2(
    name: str, expected: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt command is answered with the nearest, and the usage names them all."""
    with pytest.raises(SystemExit) as raised:
        cli.main([name], root=root)
    printed = capsys.readouterr().err

    assert 2 == raised.value.code
    assert printed.endswith(f"error: {expected}\n")
    assert "{init,validate,schema}" in printed


@pytest.mark.parametrize("flag", ["--config", "--report", "--html", "--badge", "--baseline"])
def test_an_empty_path_is_exit_2(flag: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty text, as a shell makes of a variable that is not set, is no path."""
    with pytest.raises(SystemExit) as raised:
        run(root, "--config", "x.yaml", flag, "")

    assert 2 == raised.value.code
    expected = f"argument {flag}: it is empty: give a path, or leave the flag out"
    assert expected in capsys.readouterr().err


def test_what_would_be_waited_for_is_no_config(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A FIFO that nobody writes to is refused at once."""
    os.mkfifo(workspace / "fifo")

    assert 2 == run(root, "--config", "fifo")
    expected = "error: config 'fifo' cannot be read: it is not a regular file.\n"
    assert expected == capsys.readouterr().err


@pytest.mark.parametrize("name", ["~/helm.yaml", "$HOME/helm.yaml"])
def test_a_name_for_a_shell_is_reported(
    name: str, workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message about a missing path says that only a shell expands ~ and $NAME."""
    assert workspace.is_dir()
    assert 2 == run(root, "--config", name)
    assert capsys.readouterr().err.endswith(
        ". A leading ~ and $NAME are not expanded here: write the whole path.\n"
    )


def test_contradictions_are_counted(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The headline counts each conflict between evaluations once."""
    write_config(
        workspace,
        file("a", mmlu={"EM": 0.25}, boolq={"EM": 0.25}),
        *[file("a", mmlu={"EM": 0.5}, boolq={"EM": 0.5})] * 3,
    )

    assert 3 == run(root, "--config", "config.yaml")
    printed = capsys.readouterr()
    assert 2 == len(printed.err.splitlines())
    assert ", 2 contradictions\n" in printed.out


def test_an_unreadable_event_is_a_warning(
    user: Path, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run goes on without the event of a workflow."""
    monkeypatch.setenv("GITHUB_EVENT_PATH", "/nope")
    write_config(user, file("a", mmlu={"EM": 0.5}))

    assert 0 == run(root, "--config", "config.yaml")
    assert capsys.readouterr().err.startswith("warning: the event at /nope cannot be read: ")


def test_a_wrong_server_matters_only_where_it_is_used(
    user: Path, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """WANDB_BASE_URL is looked at by runs that write, or that rank a project."""
    monkeypatch.setenv("WANDB_BASE_URL", "foo")
    write_config(user, file("a", mmlu={"EM": 0.5}))

    assert [2, 0] == [write(root), write(root, "--print-only")]
    write_config(user, leaderboard=True)
    assert 2 == write(root, "--print-only")
    errors = capsys.readouterr().err.splitlines()
    assert [
        "error: WANDB_BASE_URL: 'foo' isn't the URL of a server; fix it or unset it"
    ] * 2 == errors


def test_both_shims_run_from_a_foreign_folder_and_import_nothing_of_it(
    workspace: Path, root: Path
) -> None:
    """A json.py or a yaml folder in the user's checkout is never executed."""
    for name in ("json.py", "yaml.py", "sitecustomize.py", "helm_wandb.py"):
        (workspace / name).write_text("raise SystemExit('executed')\n")
    write_config(workspace, helm("baseline", "nightly"))
    environ = {"PATH": os.environ["PATH"], "INPUT_CONFIG": "config.yaml"}
    command = [sys.executable, "-E", "-u"]
    writer = [*command, str(root / "wandb_writer.py"), "--config", "config.yaml", "--print-only"]
    for line in (writer, [*command, str(root / "entrypoint.py")]):
        done = subprocess.run(line, check=False, capture_output=True, text=True, env=environ)

        assert (0, "") == (done.returncode, done.stderr)
        assert "acme/assistant" in done.stdout


def test_a_reader_that_leaves_early_causes_no_traceback(workspace: Path, root: Path) -> None:
    """`… | head -1` ends quietly."""
    write_config(workspace, helm("baseline", "nightly"))
    writer = f"{sys.executable} {root}/wandb_writer.py --config config.yaml --print-only"
    done = subprocess.run(
        ["/bin/sh", "-c", f"{writer} | true"], check=False, capture_output=True, text=True
    )

    assert "" == done.stderr


def write(root: Path, *arguments: str) -> int:
    """The exit code of a run that writes to W&B, of ./config.yaml."""
    return cli.main(["--config", "config.yaml", *arguments], root=root)


@pytest.mark.enable_socket
def test_with_a_key_runs_are_sent_once(
    online: Path, server: WandbServer, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The last line says where the runs are; the same results again add none, and it says so."""
    write_config(online, file("a", mmlu={"EM": 0.5}))

    assert 0 == write(root)
    first, runs = capfd.readouterr(), server.runs("test")
    assert 0 == write(root)
    second = capfd.readouterr()

    url = f"{server.url}/team/test"
    assert first.out.endswith(f"W&B: 2 runs are in {url}\n")
    assert second.out.endswith(f"W&B: 2 runs are in {url} (2 unchanged)\n")
    assert ["", ""] == [first.err, second.err]
    assert runs == server.runs("test")
    assert API_KEY not in first.out + second.out
    assert [] == files_with(API_KEY, online)
    assert not (online / "wandb").exists()


@pytest.mark.enable_socket
def test_a_login_is_a_key(
    online: Path, server: WandbServer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `wandb login` left for the server's host and port is as good as WANDB_API_KEY."""
    monkeypatch.delenv("WANDB_API_KEY")
    host = server.url.removeprefix("http://")
    (online / "netrc").write_text(f"machine {host}\n  login user\n  password {API_KEY}\n")
    write_config(online, file("a", mmlu={"EM": 0.5}))

    assert 0 == write(root, "--summary-only")
    assert ["summary"] == [run.display_name for run in server.runs("test").values()]


@pytest.mark.parametrize(
    "case",
    [("/usr/bin/wandb", "wandb"), (None, ".venv/bin/python -P -m wandb")],
    ids=["wandb is on PATH", "it is not"],
)
def test_without_a_key_runs_are_recorded_here(
    case: tuple[str | None, str],
    user: Path,
    root: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last line says how to send what is below ./wandb, even if wandb is not on PATH."""
    found, command = case
    write_config(user, file("a", mmlu={"EM": 0.5}))
    monkeypatch.setattr(sys, "orig_argv", [".venv/bin/python"])
    monkeypatch.setattr("shutil.which", lambda _: found)

    assert 0 == write(root)
    assert 2 == len(list((user / "wandb").glob("offline-run-*-helm-*")))
    last = capfd.readouterr().out.splitlines()[-1]
    assert last.startswith("W&B: 2 runs are recorded offline in wandb; ")
    assert last.endswith(f"; to upload: `{command} sync wandb/offline-run-*-helm-*`")


@pytest.mark.enable_socket
@pytest.mark.parametrize("mode", ["offline", "dryrun"])
def test_offline_a_key_sends_nothing(
    mode: str, online: Path, root: Path, server: WandbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With WANDB_MODE=offline, or its old word, the runs are recorded here in spite of a key."""
    monkeypatch.setenv("WANDB_MODE", mode)
    write_config(online, file("a", mmlu={"EM": 0.5}))

    assert 0 == write(root, "--summary-only")
    assert [] == server.requests
    assert 1 == len(list((online / "wandb").glob("offline-run-*-helm-*")))


@pytest.mark.enable_socket
def test_disabled_nothing_is_recorded(
    online: Path,
    root: Path,
    server: WandbServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With WANDB_MODE=disabled nothing is sent nor kept here, and one sentence says so."""
    monkeypatch.setenv("WANDB_MODE", "disabled")
    write_config(online, file("a", mmlu={"EM": 0.5}), leaderboard=True)

    assert 0 == write(root)
    assert [] == server.requests
    assert not (online / "wandb").exists()
    assert 1 == capsys.readouterr().out.count("WANDB_MODE is disabled")


def test_a_wrong_key_is_exit_2_and_not_shown(
    user: Path,
    root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is no key is refused before anything is read, but where none is needed."""
    monkeypatch.setenv("WANDB_API_KEY", "hunter2")
    write_config(user, file("a", mmlu={"EM": 0.5}))

    assert [2, 0] == [write(root), write(root, "--print-only")]

    printed = capsys.readouterr()
    assert printed.err.startswith("error: WANDB_API_KEY: this isn't a W&B key: ")
    assert "hunter2" not in printed.out + printed.err


@pytest.mark.enable_socket
def test_print_only_asks_wandb_nothing(online: Path, server: WandbServer, root: Path) -> None:
    """With evals in the config, --print-only leaves W&B alone, a leaderboard included."""
    write_config(online, file("a", mmlu={"EM": 0.5}), leaderboard=True)

    assert 0 == write(root, "--print-only")
    assert [] == server.requests
    assert not (online / "wandb").exists()


@pytest.mark.enable_socket
def test_a_project_alone_is_ranked(
    online: Path, server: WandbServer, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without evals, --print-only shows the models of the default branch and of this machine."""
    tracks = {"a": "branch/main", "b": "local", "c": "pr/7"}
    for value, (model, track) in enumerate(tracks.items()):
        server.add_run(
            "test",
            f"helm-{model}",
            group=model,
            tags=["summary"],
            config={"track": track},
            summary={"mmlu": {"EM": value / 4}},
        )
    write_config(online, leaderboard=True)

    assert 0 == write(root, "--print-only", "--report", "report.json")

    rows = json.loads((online / "report.json").read_text())["leaderboard"]["rows"]
    assert [(1, "b", 0.25), (2, "a", 0.0)] == [
        (row["rank"], row["model"], row["mean"]) for row in rows
    ]
    assert "25.0" in capsys.readouterr().out
    assert 0 == server.operations()["UpsertBucket"]


@pytest.mark.enable_socket
def test_an_empty_project_is_exit_3(
    online: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If there is nothing to rank, it is said on which tracks it was looked for."""
    write_config(online, leaderboard=True)

    assert 3 == write(root, "--print-only")
    assert capsys.readouterr().err == (
        "error: the W&B project 'test' has no summary run of track branch/main or track "
        "branch/master or track local: record evaluations first, or add evals to the config\n"
    )


@pytest.mark.enable_socket
def test_a_project_that_cannot_be_read_is_exit_5(
    online: Path, server: WandbServer, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the project is all there is to rank, W&B's refusal is the run's."""
    server.fault(status=401)
    write_config(online, leaderboard=True)

    assert 5 == write(root, "--print-only")
    assert capsys.readouterr().err.startswith(
        f"error: W&B at {server.url} does not accept the key (HTTP 401)"
    )


@pytest.mark.parametrize("flags", [[], ["--print-only"]])
def test_ranking_the_project_needs_a_key(
    flags: list[str], user: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without evals and without a key there is nothing to do, with or without --print-only."""
    write_config(user, leaderboard=True)

    assert 2 == write(root, *flags)
    assert "to read that a W&B key is needed" in capsys.readouterr().err


@pytest.mark.enable_socket
def test_a_strangers_config_gets_no_key(
    online: Path,
    server: WandbServer,
    root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a workflow with secrets and a stranger's checkout, its config's host hears nothing."""
    monkeypatch.delenv("WANDB_BASE_URL")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request_target")
    write_config(online, file("a", mmlu={"EM": 0.5}), base_url=server.url)

    assert 2 == write(root)
    assert [] == server.requests
    assert f"error: base_url '{server.url}': on pull_request_target" in capsys.readouterr().err


def test_json_is_all_of_standard_output(
    root: Path, user: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--json prints the report that --report writes, and what else is said goes to stderr."""
    config = write_config(user, helm("baseline", "nightly"))
    flags = ["--config", config, "--print-only", "--report", "report.json"]

    assert 0 == cli.main([*flags, "--json"], root=root)
    expected = capsys.readouterr()
    assert json.loads((user / "report.json").read_text()) == json.loads(expected.out)
    assert "report: written to report.json\n" == expected.err


def test_quiet_says_only_what_is_wrong(
    root: Path, user: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--quiet prints nothing where all went well, and errors where something did not."""
    config = write_config(user, helm("baseline", "nightly"))

    assert 0 == cli.main(["--config", config, "--print-only", "--quiet"], root=root)
    assert ("", "") == capsys.readouterr()
    assert 2 == cli.main(["--config", "gone.yaml", "--quiet"], root=root)
    assert "error: config 'gone.yaml' cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--json", "--quiet"])
def test_a_workflow_gets_annotations_whatever_the_flags(
    flag: str,
    root: Path,
    user: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In a workflow errors are annotations with --json and --quiet too."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    config = write_config(user, helm("baseline", "nightly"), helm("gone", "nightly"))

    assert 3 == cli.main(["--config", config, "--print-only", flag], root=root)
    output, errors = capsys.readouterr()
    if flag == "--json":
        assert json.loads(output)["evaluations"]
        output, errors = errors, ""
    assert re.fullmatch("::error title=helm-wandb-action::.*gone.*\n", output)
    assert "" == errors


def test_json_goes_nowhere_where_nobody_reads(root: Path, workspace: Path) -> None:
    """A reader that ends early, as head does, ends nothing else; a full disk is a failed sink."""
    config = write_config(workspace, file("alpha", mmlu={"EM": 0.5}))
    command = [sys.executable, str(root / "wandb_writer.py"), "--print-only", "--config", config]
    for target, exit_code in (("/dev/full", 5), ("/dev/null", 0)):
        with Path(target).open("w") as stream:
            done = subprocess.run([*command, "--json"], stdout=stream, check=False)

        assert exit_code == done.returncode
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*command, "--json"], stdout=writing, check=False)
    os.close(writing)

    assert 0 == done.returncode


@pytest.mark.parametrize(("choice", "code"), [("warn", 0), ("fail", 4)])
def test_a_missing_baseline_fails_if_the_user_wants_it(
    choice: str, code: int, workspace: Path, root: Path
) -> None:
    """`--on-missing-baseline fail` without a baseline is exit code 4, as the action's input."""
    config = write_config(workspace, file("alpha", mmlu={"EM": 0.5}))

    assert code == run(root, "--config", config, "--on-missing-baseline", choice)


def test_no_output_replaces_the_baseline(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The baseline stays as it is."""
    config = write_config(workspace, file("a", boolq={"EM": 0.5}))
    assert 0 == run(root, "--config", config, "--report", "base.json")
    before = Path("base.json").read_bytes()
    arguments = ["--baseline", "base.json", "--report", "./base.json"]
    assert 2 == run(root, "--config", config, *arguments)
    assert "./base.json: this run reads it" in capsys.readouterr().err
    assert before == Path("base.json").read_bytes()
