"""The files that a user names."""

from __future__ import annotations

from pathlib import Path

import pytest

from helm_wandb.errors import ABSOLUTE_PATH
from helm_wandb.system import paths


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("/home/me/x", ABSOLUTE_PATH),
        ("~/x", paths.NOT_EXPANDED),
        ("$HOME/x", paths.NOT_EXPANDED),
        ("out/${RUN}/x", paths.NOT_EXPANDED),
        ("out/x~", None),
    ],
)
def test_names_that_lead_elsewhere_are_explained(name: str, hint: str | None) -> None:
    """An absolute path is of another machine than the container; a shell expands the others."""
    assert hint == paths.hint(name)


# Globs


def test_a_glob_follows_no_links_to_folders_by_itself(tmp_path: Path) -> None:
    """Two links to where they are would never end; a link that the glob names is followed."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/a.json").touch()
    (tmp_path / "other.json").touch()
    (tmp_path / "reports/b.json").symlink_to("../other.json")
    for name in ("one", "two"):
        (tmp_path / "reports" / name).symlink_to(".")

    found = ["reports/a.json", "reports/b.json"]
    assert found == paths.matches("reports/**/*.json", tmp_path)
    assert ["reports/one/a.json"] == paths.matches("reports/one/a*.json", tmp_path)
    assert ["reports/one/a.json", "reports/two/a.json"] == paths.matches(
        "reports/*/a.json", tmp_path
    )


@pytest.mark.parametrize("glob", ["*/" * 100 + "x", "**/*/" * 100 + "x", "**"])
def test_a_glob_ends_whatever_it_is(
    glob: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many files and folders the search is given up, through links as well."""
    monkeypatch.setattr(paths, "ENTRIES", 1000)
    for name in ("a", "b"):
        (tmp_path / name).symlink_to(".")
    for number in range(1001):
        (tmp_path / f"file-{number}").touch()

    with pytest.raises(paths.TooManyError):
        paths.matches(glob, tmp_path)


def test_folders_may_be_nested_deeply(tmp_path: Path) -> None:
    """They may be deeper than functions can call each other."""
    folders = [f"{tmp_path}{'/d' * depth}" for depth in range(1, 1101)]
    for folder in folders:
        Path(folder).mkdir()
    try:
        assert [] == paths.matches("**/*.json", tmp_path)
    finally:
        # shutil.rmtree, which clears up after the tests, cannot.
        for folder in reversed(folders):
            Path(folder).rmdir()


@pytest.mark.parametrize(
    "glob", ["x" * 300, "x" * 300 + "/*", "a\0b", "a\0b/*", "file/*", "file/."]
)
def test_a_glob_of_no_file_matches_nothing(glob: str, tmp_path: Path) -> None:
    """A name that is too long, or no name at all, is no error."""
    (tmp_path / "file").touch()

    assert [] == paths.matches(glob, tmp_path)
