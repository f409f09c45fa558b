"""What people read: each block of code works, each link leads somewhere, each message exists."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml

from helm_wandb import action, cli, compare_command, config, errors
from helm_wandb.comparing import changed_instances
from helm_wandb.render import comment
from helm_wandb.runner import wandb_key
from helm_wandb.runner.settings import Settings
from helm_wandb.system import signals
from helm_wandb.wandb_runs.sdk import session

from .builders import INPUT_DEFAULTS
from .documents import (
    ENGLISH,
    KOREAN,
    ROOT,
    Block,
    Document,
    code_of,
    constant_text,
    fixed,
    is_said,
    literals,
    pattern_of,
    texts_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helm_wandb.model import Config

ALL = (*ENGLISH, *KOREAN)
MESSAGES = Document(ROOT / "docs/messages.md")
README = Document(ROOT / "README.md")
COMPARISON = Document(ROOT / "docs/comparison.md")
ACTION = "org/helm-wandb-action@main"
HOSTS = {"github.com", "inspect.aisi.org.uk", "pre-commit.com", "shields.io", "wandb.ai"}
"""The only other servers that what people read leads to."""
LANGUAGES = {"", "sh", "yaml"}
FEWEST_WORDS = 4
"""Least number of words of a text that is a message and not a name."""
MESSAGE_MODULES = (
    *("baselines/artifact_zip.py", "baselines/artifacts.py", "baselines/notes.py"),
    *("baselines/permissions.py", "baselines/search.py", "baselines/track.py"),
    *("comparing/evaluations.py", "comparing/gate.py", "comparing/pairing.py"),
    *("comparing/unchecked.py", "comparing/verdicts.py"),
    *("harness/archive.py", "harness/families.py", "harness/files.py", "harness/output.py"),
    *("pipeline.py", "pr_comment/comment_texts.py", "runner/event.py", "runner/settings.py"),
    *("sinks/job_summary.py", "sources/file.py", "sources/helm/instances.py"),
    *("sources/helm/layout.py", "sources/helm/raw.py", "sources/helm/reader.py"),
    *("sources/helm/runs.py", "sources/helm/scores.py", "sources/inspect/instances.py"),
    *("sources/inspect/logs.py", "sources/inspect/reader.py", "sources/inspect/scores.py"),
    *("harness/clusters.py", "harness/evaluations.py", "sources/lm_eval/instances.py"),
    *("sources/lm_eval/reader.py", "sources/lm_eval/samples.py", "sources/lm_eval/scores.py"),
    *("system/files.py", "wandb_runs/disabled.py", "wandb_runs/layout.py"),
    *("wandb_runs/offline.py", "wandb_runs/online.py", "wandb_runs/receipt_texts.py"),
)
"""Modules all of whose sentences are messages."""
USED = re.compile(r"uses: (actions/[\w-]+)@(\S+)(?: # (v\d+))?")


def workflow_of(block: Block) -> dict[Any, Any] | None:
    """The workflow that a YAML block is, or whose steps it shows; None of any other block."""
    content = yaml.safe_load(block.text)
    if isinstance(content, list):
        job = {"runs-on": "ubuntu-24.04", "strategy": {"matrix": {"shard": [0]}}, "steps": content}
        return {"on": "push", "jobs": {"shown": job}}
    return content if "jobs" in content else None


def blocks(language: str) -> list[Block]:
    """All English blocks of a language."""
    found = [block for name in ENGLISH for block in Document(ROOT / name).blocks]
    return [block for block in found if block.language == language]


def workflows() -> list[dict[Any, Any]]:
    """All workflows that are shown."""
    return [found for block in blocks("yaml") if (found := workflow_of(block))]


def steps(action: str) -> list[dict[str, Any]]:
    """All steps shown that use an action."""
    jobs = (job for one in workflows() for job in one["jobs"].values())
    found = (step for job in jobs for step in job["steps"])
    return [step for step in found if step.get("uses", "").startswith(action)]


def parsed(text: str) -> Config:
    """The config of a text; raises ConfigError."""
    schema = json.loads((ROOT / "schema/config.schema.json").read_text())
    return config.parse(text.encode(), file="shown.yaml", schema=schema)


def test_blocks_are_of_kinds_that_are_checked() -> None:
    """Every block has a language, or is the help, which a test of the promises holds."""
    bare = [
        block for block in blocks("") if not block.text.startswith("usage: python wandb_writer.py")
    ]

    assert [] == bare
    assert (
        set()
        == {block.language for name in ALL for block in Document(ROOT / name).blocks} - LANGUAGES
    )


def test_workflows_pass_the_linter(tmp_path: Path) -> None:
    """Actionlint has nothing to say of any workflow that is shown, or whose steps are."""
    paths = [tmp_path / f"{number}.yml" for number, _ in enumerate(workflows())]
    for path, workflow in zip(paths, workflows(), strict=True):
        # YAML 1.1 takes `on` for true.
        named = {("on" if key is True else key): value for key, value in workflow.items()}
        path.write_text(yaml.safe_dump(named, sort_keys=False))
    folder = Path(sys.executable).parent
    done = subprocess.run(
        [folder / "actionlint", "-shellcheck", folder / "shellcheck", *paths],
        check=False,
        capture_output=True,
        text=True,
    )

    assert ("", 0) == (done.stdout + done.stderr, done.returncode)
    assert len(paths) == 5


def test_inputs_shown_are_accepted() -> None:
    """What the workflows hand to the action is known and valid, and no bare YAML boolean."""
    given = [step["with"] for step in steps(ACTION)]
    accepted = [
        Settings.from_environ({f"INPUT_{key.upper()}": value for key, value in one.items()})
        for one in given
        if one.pop("wandb-api-key", "${{ secrets.WANDB_API_KEY }}")
    ]

    assert set() == {key for one in given for key in one} - INPUT_DEFAULTS.keys()
    assert [one["config"] for one in given] == [one.config for one in accepted]


def test_actions_are_those_of_the_examples() -> None:
    """Each action of others is shown in the major version of the workflows in `examples`."""
    examples = "".join(path.read_text() for path in (ROOT / "examples").glob("*.yml"))
    pinned = {(action, major) for action, _, major in USED.findall(examples)}
    shown = {
        (action, version)
        for name in ALL
        for action, version, _ in USED.findall(Document(ROOT / name).text)
    }

    assert shown
    assert set() == shown - pinned


def test_the_workflow_uploads_what_is_looked_for() -> None:
    """The report that the first workflow keeps has the name and path that the action expects."""
    (upload,) = (
        step
        for step in steps("actions/upload-artifact")
        if "shard" not in step["with"]["name"] and "report" in step["with"]["name"]
    )

    assert upload["with"] == {
        "name": INPUT_DEFAULTS["baseline-artifact"],
        "path": INPUT_DEFAULTS["report"],
    }


def test_configs_shown_are_valid() -> None:
    """Every config that is shown can be read, and the first fits the workflow above it."""
    shown = [block.text for block in blocks("yaml") if "\nevals:" in block.text]
    (command,) = (
        step["run"] for step in workflows()[0]["jobs"]["evaluate"]["steps"] if "run" in step
    )
    (first,) = parsed(shown[0]).evals

    assert 4 == len([parsed(text) for text in shown])
    assert f"--suite {first.fields['helm_suite_name']} " in command


def test_the_hook_is_ours(root: Path) -> None:
    """The only other YAML is the hook of pre-commit, by the name that this repository gives it."""
    (shown,) = (
        yaml.safe_load(block.text)["repos"]
        for block in blocks("yaml")
        if not workflow_of(block) and "\nevals:" not in block.text
    )
    ours = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())

    assert [hook["id"] for hook in ours] == [one["id"] for repo in shown for one in repo["hooks"]]


def test_commands_run(
    workspace: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line for the shell runs, one after the other, or names a target of the Makefile."""
    monkeypatch.delenv("GITHUB_EVENT_NAME", raising=False)
    targets = re.findall(r"^([a-z0-9]+):", (root / "Makefile").read_text(), re.MULTILINE)
    lines = [line for block in blocks("sh") for line in block.text.splitlines() if line]
    ran = 0
    for line in lines:
        program, *arguments = shlex.split(line, comments=True)
        if program == "make":
            assert set() == set(arguments) - set(targets)
            continue
        if program == "uvx":
            assert ["--from", "helm-wandb", "compare"] == [arguments[0], *arguments[2:4]]
            compare_command.parser(program).parse_args(arguments[4:])
            continue
        assert [".venv/bin/python", "wandb_writer.py"] == [program, arguments.pop(0)]
        assert 0 == cli.main(arguments, root=root), line
        ran += 1

    assert ran == 4
    assert (workspace / "report.html").exists()
    assert ["warning: boolq.EM of acme/assistant regressed"] == [
        line.partition(". ")[0] for line in capsys.readouterr().err.splitlines()
    ]


@pytest.mark.parametrize("name", ALL)
def test_links_lead_somewhere(name: str) -> None:
    """Files and headings that are linked exist; other servers are few, and known."""
    page = Document(ROOT / name)
    lost = []
    for link in page.links:
        parts = urlsplit(link.target)
        target = (page.path.parent / parts.path).resolve() if parts.path else page.path
        if parts.scheme:
            found = parts.scheme == "https" and parts.hostname in HOSTS
        elif parts.fragment:
            found = parts.fragment in Document(target).anchors
        else:
            found = target.is_file() and target.is_relative_to(ROOT)
        lost += [] if found else [link.target]

    assert [] == lost


_PICTURE = re.compile(
    r'^<picture><source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">'
    r"!\[[^\]]+\]\((\S+)\)</picture>$",
    re.MULTILINE,
)
"""A picture for readers of dark pages, and the one for others."""


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_pictures_are_described(name: str) -> None:
    """Each picture that is kept is shown, light or dark, with words for who cannot see it."""
    page = Document(ROOT / name)
    shown = {link.target: link.text for link in page.links if link.is_picture}
    dark = {light: source for source, light in _PICTURE.findall(page.prose)}
    kept = {f"docs/pictures/{path.name}" for path in (ROOT / "docs/pictures").glob("*.png")}

    assert dark == {light: light.replace(".png", "-dark.png") for light in shown}
    assert kept == {*shown, *dark.values()}
    assert all(len(text) > 30 for text in shown.values())


def test_exit_codes_are_those_of_the_code() -> None:
    """The table of exit codes has each class of error and the three signals, and no other."""
    (table,) = (table for table in README.tables if table[0][0] == "code")
    classes = errors.UserError.__subclasses__()
    codes = {0, errors.BUG_EXIT_CODE, errors.GATE_EXIT_CODE} | {one.exit_code for one in classes}
    codes |= {signals.exit_code(number) for number in signals.NUMBERS}

    assert sorted(codes) == [int(code) for row in table[2:] for code in row[0].split(", ")]


def test_limits_are_those_of_the_code() -> None:
    """The numbers that the README names are those that hold."""
    limits = README.section("Limits")
    server = wandb_key.DEFAULT_BASE_URL

    assert f"{comment.LIMIT_BYTES:,} bytes" in limits
    assert all(
        f"`{server}`" in Document(ROOT / name).text for name in ("README.md", "docs/wandb.md")
    )
    github_seconds = action.SEARCH_SECONDS + action.CONVERSATION_SECONDS
    assert f"{github_seconds:.0f} seconds for GitHub, and {session.BUDGET_SECONDS:.0f}" in limits
    assert f"up to {changed_instances.LIMIT:,}" in COMPARISON.section("Questions that changed")


def test_verdicts_are_those_of_the_pages() -> None:
    """Each verdict that the README explains is a word that the pages use."""
    (table,) = (table for table in README.tables if table[0][0] == "verdict")
    words = [word for row in table[2:] for word in re.split(r", |(?<=[▼▲]) ", row[0])]

    assert len(words) == 8
    assert [] == [word for word in words if not any(word in one.lower() for one in literals())]


def test_the_readme_is_short() -> None:
    """The README has at most 250 lines; details are in docs/."""
    for name in ("README.md", "README.ko.md"):
        assert len((ROOT / name).read_text().splitlines()) <= 250


def test_sections_that_messages_name_exist() -> None:
    """If a text of ours sends its reader to a section of the README, there is one."""
    named = {name for text in literals() for name in re.findall(r'README, "([^"]+)"', text)}

    assert named
    assert set() == named - {words for _, words in README.headings}


def is_sentence(text: str) -> bool:
    """Return whether it is a message, and not a name or a pattern."""
    return (
        "(?" not in text and len(re.findall(r"(?<![\w-])[a-z]{2,}(?![\w-])", text)) >= FEWEST_WORDS
    )


def quotes() -> Iterator[str]:
    """The messages that are quoted, in docs/messages.md and in the README's list."""
    for page in (MESSAGES, README):
        for table in page.tables if page is MESSAGES else page.tables[-1:]:
            for first, fix in table[2:]:
                yield from code_of(first)
                yield from filter(is_sentence, code_of(fix))


@pytest.mark.parametrize("message", list(quotes()))
def test_quoted_messages_exist(message: str) -> None:
    """The fixed words of each message that is explained stand in one text of the code."""
    assert fixed(message)
    assert is_said(message)


def raised(path: Path) -> Iterator[str]:
    """Each text of a module that becomes an error's message."""
    kinds = {"InputError", "ArtifactError", "UnknownOutputError", "SinkError"}
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        nodes = list(ast.walk(function))
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        made = [one for one in calls if ast.unparse(one.func).partition(" if ")[0] in kinds]
        named = [
            node.value
            for node in nodes
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "message"
        ]
        values = [*(one.args[0] for one in made), *named] if made else []
        yield from filter(None, map(constant_text, values))


def test_every_error_is_explained() -> None:
    """What errors are raised with, and modules that hold messages say, is in docs/messages.md."""
    explained = [pattern_of(message) for message in quotes() if len("".join(fixed(message))) > 8]
    package = ROOT / "helm_wandb"
    messages = {text for path in package.rglob("*.py") for text in raised(path)}
    messages |= {text for name in MESSAGE_MODULES for text in texts_of(package / name)}
    messages = set(filter(is_sentence, messages))

    assert len(messages) > 90
    assert [] == [text for text in messages if not any(one.search(text) for one in explained)]


def test_the_same_messages_are_explained_in_korean() -> None:
    """Row by row, the Korean page quotes what the English one does."""
    korean = Document(ROOT / "docs/messages.ko.md")

    assert [row[0] for table in MESSAGES.tables for row in table[1:]] == [
        row[0] for table in korean.tables for row in table[1:]
    ]


PAIRS = list(zip(ENGLISH, KOREAN, strict=True))


@pytest.mark.parametrize(("english", "korean"), PAIRS)
def test_korean_has_the_same_structure(english: str, korean: str) -> None:
    """The Korean page has the English one's headings, tables, pictures and links in their order."""
    ours, theirs = Document(ROOT / english), Document(ROOT / korean)

    assert [level for level, _ in ours.headings] == [level for level, _ in theirs.headings]
    assert shapes(ours) == shapes(theirs)
    assert places(ours) == places(theirs)


def shapes(page: Document) -> list[list[int]]:
    """The number of cells in each row of each table."""
    return [[len(row) for row in table] for table in page.tables]


def places(page: Document) -> list[tuple[bool, str]]:
    """What a page leads to, in the language that the page is in, less the headings' words."""
    targets = ((link.is_picture, link.target.partition("#")) for link in page.links[1:])
    return [(shown, path.replace(".ko.md", ".md") + mark) for shown, (path, mark, _) in targets]


@pytest.mark.parametrize(("english", "korean"), PAIRS)
def test_korean_has_the_same_code(english: str, korean: str) -> None:
    """Blocks are the same to the letter but for their comments; so is code within the text."""
    ours, theirs = Document(ROOT / english), Document(ROOT / korean)

    assert [uncommented(one) for one in ours.blocks] == [uncommented(one) for one in theirs.blocks]
    assert [code - {""} for code in ours.code()] == [code - {""} for code in theirs.code()]


def uncommented(block: Block) -> str:
    """A block without its comments, which are translated."""
    if block.language == "":
        return block.text
    bare = (re.sub(r"(^|\s+)#.*$", "", line) for line in block.text.splitlines())
    return "\n".join(line for line in bare if line)


@pytest.mark.parametrize("name", KOREAN)
def test_korean_is_korean(name: str) -> None:
    """Each line of a Korean page that says more than a name, outside of code, is Korean."""
    lines = re.sub(r"`[^`]*`|\(.*?\)|<[^>]*>", "", Document(ROOT / name).prose).splitlines()

    assert [] == [line for line in lines if is_sentence(line) and not re.search(r"[가-힣]", line)]


@pytest.mark.parametrize(("english", "korean"), PAIRS)
def test_the_languages_know_each_other(english: str, korean: str) -> None:
    """The first link of each page leads to the same page in the other language."""
    first = [Document(ROOT / name).links[0].target for name in (english, korean)]

    assert [Path(korean).name, Path(english).name] == first
