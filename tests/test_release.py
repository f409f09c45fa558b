"""What the release workflow runs: for real, into a repository on the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from helm_wandb import __version__
from release import image, version

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE = "ghcr.io/org/helm-wandb-action"
REFERENCE = f"{IMAGE}@sha256:{'0123456789abcdef' * 4}"
GIT = shutil.which("git") or "git is needed"
HEADING = f"## {__version__} - 2026-11-24"


def tree(folder: Path, *, changelog: str, declared: str = __version__) -> Path:
    """A folder with the two files that say which version it is."""
    (folder / "pyproject.toml").write_text(f'[project]\nversion = "{declared}"\n')
    (folder / "CHANGELOG.md").write_text(changelog)
    return folder


def test_notes_are_the_section_of_the_version(tmp_path: Path) -> None:
    """The notes are what stands under the version's heading, down to the next version's."""
    changelog = (
        f"# C\n\n## Unreleased\n\n- new\n\n{HEADING}\n\n### Added\n\n- old\n\n## 0.0.1 - x\n"
    )

    assert "### Added\n\n- old\n" == version.notes(__version__, tree(tmp_path, changelog=changelog))


def test_the_last_section_goes_to_the_end(tmp_path: Path) -> None:
    """The first release's section ends with the file."""
    root = tree(tmp_path, changelog=f"# C\n\n{HEADING}\n- old\n")

    assert "- old\n" == version.notes(__version__, root)


@pytest.mark.parametrize("given", ["v1.2.3", "1.2", "1.2.3-rc1", "01.2.3", "1.2.3\n", "$(id)", ""])
def test_no_other_text_is_a_version(given: str, tmp_path: Path) -> None:
    """What is not three numbers is refused before anything is looked up."""
    with pytest.raises(ValueError, match="is no version: give three numbers"):
        version.notes(given, tmp_path)


def test_everything_that_does_not_fit_is_reported(tmp_path: Path) -> None:
    """A version that no file has is an error for each file that must name it."""
    root = tree(tmp_path, changelog=f"# C\n\n{HEADING}\n", declared="7.0.0")
    with pytest.raises(ValueError, match=r"9\.9\.9 is to be released") as refused:
        version.notes("9.9.9", root)

    assert ["pyproject.toml", "helm_wandb/__init__.py", "CHANGELOG.md"] == [
        line.partition(":")[0] for line in str(refused.value).splitlines()
    ]


def test_an_empty_section_is_none(tmp_path: Path) -> None:
    """A release without notes is refused."""
    root = tree(tmp_path, changelog=f"# C\n\n{HEADING}\n\n## 0.0.1 - 2026-01-01\n\n- old\n")
    with pytest.raises(ValueError, match="nothing stands under"):
        version.notes(__version__, root)


def test_the_command_prints_notes_or_problems(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command prints notes with exit code 0, problems on standard error with 1."""
    root = tree(tmp_path, changelog=f"{HEADING}\n- old\n")

    assert (0, "- old\n") == (version.main(__version__, root), capsys.readouterr().out)
    assert (1, "'x' is no version: give three numbers, as in 1.2.3\n") == (
        version.main("x", root),
        capsys.readouterr().err,
    )


def test_the_version_is_one(root: Path) -> None:
    """pyproject.toml and the package name the same version."""
    declared = (root / "pyproject.toml").read_text()

    assert f'\nversion = "{__version__}"\n' in declared


def test_action_yml_names_the_image(root: Path) -> None:
    """Of action.yml only the image changes, and it is what the runner pulls by digest."""
    before = (root / "action.yml").read_text()
    after = image.pinned(before, REFERENCE)
    built, pulled = yaml.safe_load(before), yaml.safe_load(after)

    assert {"using": "docker", "image": f"docker://{REFERENCE}"} == pulled["runs"]
    assert {**built, "runs": None} == {**pulled, "runs": None}
    assert len(before.splitlines()) == len(after.splitlines())


@pytest.mark.parametrize(
    "reference",
    [f"{IMAGE}:1.2.3", f"{IMAGE}@sha256:0", f"docker.io/x/y@{REFERENCE[-71:]}", f"{REFERENCE}\n"],
)
def test_only_a_digest_is_an_image(reference: str) -> None:
    """A tag, a short digest or another registry is refused."""
    with pytest.raises(ValueError, match="is no image by digest"):
        image.pinned("runs:\n  image: Dockerfile\n", reference)


def test_action_yml_is_pinned_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command rewrites the file; the second time it changes nothing and exits with 1."""
    path = tmp_path / "action.yml"
    path.write_text("runs:\n  using: docker\n  image: Dockerfile\n")
    pinned = f"runs:\n  using: docker\n  image: docker://{REFERENCE}\n"

    assert (0, pinned) == (image.main(REFERENCE, tmp_path), path.read_text())
    assert (1, pinned) == (image.main(REFERENCE, tmp_path), path.read_text())
    assert "is it pinned already?" in capsys.readouterr().err


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of a job: an identity for git, and no settings of whoever runs the tests."""
    who = {"NAME": "release", "EMAIL": "release@example.com"}
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{role}_{key}": who[key] for role in ("AUTHOR", "COMMITTER") for key in who},
    }


@pytest.fixture
def git(tmp_path: Path, environ: dict[str, str]) -> Callable[..., str]:
    """Runs git in the clone."""

    def run(*arguments: str) -> str:
        command = [GIT, "-C", str(tmp_path / "clone"), *arguments]
        return subprocess.run(
            command, env=environ, check=True, capture_output=True, text=True
        ).stdout.strip()

    return run


@pytest.fixture
def clone(tmp_path: Path, root: Path, git: Callable[..., str]) -> Path:
    """A clone of a repository on the disk, with what a release needs on its branch main."""
    origin, folder = tmp_path / "origin.git", tmp_path / "clone"
    (folder / "release").mkdir(parents=True)
    shutil.copy(root / "action.yml", folder)
    for name in ("__init__.py", "image.py", "tag.sh"):
        shutil.copy(root / "release" / name, folder / "release")
    git("init", "--quiet", "--initial-branch=main")
    git("init", "--quiet", "--bare", str(origin))
    git("add", ".")
    git("commit", "--quiet", "--message=First")
    git("remote", "add", "origin", str(origin))
    git("push", "--quiet", "origin", "main")
    return folder


def tag(clone: Path, environ: dict[str, str], number: str) -> subprocess.CompletedProcess[str]:
    """What tag.sh does in the clone, which is on main as a job's checkout is."""
    return subprocess.run(
        [clone / "release/tag.sh", number, REFERENCE],
        cwd=clone,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_release_is_a_commit_outside_of_main(
    clone: Path, environ: dict[str, str], git: Callable[..., str]
) -> None:
    """Both tags name one commit on top of main whose one change is the image; main stays."""
    before = git("rev-parse", "main")
    done = tag(clone, environ, "1.2.3")
    git("fetch", "--quiet", "--tags", "--force", "origin")

    assert (0, "") == (done.returncode, done.stderr)
    assert git("rev-parse", "v1.2.3^{commit}") == git("rev-parse", "v1^{commit}")
    assert before == git("rev-parse", "v1.2.3~1") == git("rev-parse", "origin/main")
    assert "action.yml" == git("diff", "--name-only", "main", "v1.2.3")
    assert f"image: docker://{REFERENCE}" in git("show", "v1.2.3:action.yml")


def test_the_major_tag_moves_on(
    clone: Path, environ: dict[str, str], git: Callable[..., str]
) -> None:
    """The next version takes the major tag along, and leaves the version before where it is."""
    tag(clone, environ, "1.2.3")
    first = git("ls-remote", "origin", "refs/tags/v1.2.3")
    git("switch", "--quiet", "main")
    git("commit", "--quiet", "--allow-empty", "--message=Second")
    git("push", "--quiet", "origin", "main")
    git("tag", "--delete", "v1", "v1.2.3")
    done = tag(clone, environ, "1.3.0")

    assert (0, "") == (done.returncode, done.stderr)
    assert first == git("ls-remote", "origin", "refs/tags/v1.2.3")
    assert (
        git("ls-remote", "origin", "refs/tags/v1^{}").split()[0]
        == git("ls-remote", "origin", "refs/tags/v1.3.0^{}").split()[0]
    )


def test_a_version_is_released_once(
    clone: Path, environ: dict[str, str], git: Callable[..., str]
) -> None:
    """A version that is there already is refused, and nothing moves."""
    tag(clone, environ, "1.2.3")
    before = git("ls-remote", "origin")
    git("switch", "--quiet", "main")
    done = tag(clone, environ, "1.2.3")

    assert (1, before) == (done.returncode, git("ls-remote", "origin"))
    assert "v1.2.3 is there already" in done.stderr


def test_without_the_right_to_push_nothing_is_there(
    clone: Path, environ: dict[str, str], git: Callable[..., str]
) -> None:
    """If the server refuses one tag, the other does not arrive either."""
    hook = clone.parent / "origin.git" / "hooks" / "update"
    hook.write_text('#!/bin/sh\ntest "$1" != refs/tags/v1\n')
    hook.chmod(0o755)
    before = git("ls-remote", "origin")

    assert tag(clone, environ, "1.2.3").returncode != 0
    assert before == git("ls-remote", "origin")


def base_image(
    folder: Path, root: Path, environ: dict[str, str], digest: str
) -> subprocess.CompletedProcess[str]:
    """What base-image.sh says of the project's Dockerfile where a registry knows the digest."""
    docker = folder / "docker"
    docker.write_text(f"#!/bin/sh\necho '\"{digest}\"'\n")
    docker.chmod(0o755)
    return subprocess.run(
        [root / "release/base-image.sh"],
        cwd=root,
        env={**environ, "PATH": f"{folder}{os.pathsep}{environ['PATH']}"},
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_base_image_is_pinned(tmp_path: Path, root: Path, environ: dict[str, str]) -> None:
    """The Dockerfile's base image is printed with the digest that the registry gives."""
    digest = REFERENCE[-71:]
    done = base_image(tmp_path, root, environ, digest)

    assert (0, f"python:3.12-slim-bookworm@{digest}\n") == (done.returncode, done.stdout)


def test_a_base_image_without_a_digest_is_none(
    tmp_path: Path, root: Path, environ: dict[str, str]
) -> None:
    """What is no digest ends the release, and is never built from."""
    done = base_image(tmp_path, root, environ, "MediaType: application/json")

    assert (1, "") == (done.returncode, done.stdout)
    assert "is no base image with a tag and a digest" in done.stderr
