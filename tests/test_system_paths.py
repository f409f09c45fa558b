"""The files that a user names."""

from __future__ import annotations

from pathlib import Path

import pytest

from helm_wandb.system import paths

SHELL = "A leading ~ and $NAME are not expanded here: write the whole path."
URL = "It is a URL, and only files of this machine are read: download it in an earlier step."
GLOB = "It is a glob, and one name is needed: write the whole path."


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("/home/me/x", ""),
        ("~/x", SHELL),
        ("$HOME/x", SHELL),
        ("out/${RUN}/x", SHELL),
        ("https://example.com/x.tar.gz", URL),
        ("s3://bucket/x", URL),
        ("out/*", GLOB),
        ("out-[12]", GLOB),
    ],
)
def test_names_that_lead_elsewhere_are_explained(name: str, hint: str, tmp_path: Path) -> None:
    """A shell expands `~`, `$NAME` and globs, and a browser opens URLs; a config does neither."""
    assert hint == paths.hint(name, tmp_path)


@pytest.mark.parametrize("name", ["out/x~", "C:/out", "x"])
def test_other_names_are_looked_for_in_the_folder(name: str, tmp_path: Path) -> None:
    """The hint for an ordinary name is the folder that it is relative to."""
    assert f"It is looked for in {tmp_path}." == paths.hint(name, tmp_path)


def test_what_exists_is_not_looked_for(tmp_path: Path) -> None:
    """That it is a folder, for example, has nothing to do with where it is."""
    (tmp_path / "x").mkdir()

    assert not paths.hint("x", tmp_path)


def test_an_absolute_path_is_explained_in_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only in the workspace of the action's container is a path of the host another one."""
    monkeypatch.setattr(paths, "WORKSPACE", tmp_path)

    assert "only the workspace exists, as /github/workspace. Give the" in paths.hint("/x", tmp_path)
    assert "" == paths.hint("/x", tmp_path / "other")


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
