"""CONTRIBUTING.md's table of words → places in files that have one of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from . import prose
from .documents import ROOT

if TYPE_CHECKING:
    from pathlib import Path

STYLE = prose.Style.of_document()


def found(text: str) -> list[tuple[int, str]]:
    """Return what the project's style refuses in a text."""
    return list(STYLE.findings(text))


@pytest.mark.parametrize("phrase", STYLE.instead)
@pytest.mark.parametrize(
    "shown",
    [
        pytest.param("Before, {}.", id="text"),
        pytest.param("# {} ", id="comment"),
        pytest.param('x = f"{{a}} {}\\n"', id="string"),
        pytest.param("x_{}_x = 1", id="identifier"),
    ],
)
def test_each_word_is_refused(phrase: str, shown: str) -> None:
    """Text, comments, strings and identifiers hold none of the words, in any case."""
    for word in (phrase, phrase.upper()):
        form = word.replace(" ", "_") if "_" in shown else word
        assert [(2, phrase)] == found("\n" + shown.format(form))


def test_humps_are_words() -> None:
    """A word of a class's name is one, too, and a letter of an escape belongs to none."""
    old, *_ = STYLE.instead

    assert [(1, old)] == found(f"class Is{old.title()}Here:")
    assert [(1, old)] == found(f'"\\n{old}"')


@pytest.mark.parametrize("between", ["\n", "\n    # ", ' "\n    "', "\n// "])
def test_phrases_go_on_in_the_next_line(between: str) -> None:
    """A phrase that a comment or a text continues on the next line is found on the first one."""
    phrase = next(one for one in STYLE.instead if " " in one)

    assert [(1, phrase)] == found(phrase.replace(" ", between, 1))


def test_longer_words_are_others() -> None:
    """A word inside of a longer one is not refused."""
    assert [] == [hit for phrase in STYLE.instead for hit in found(f"x{phrase}x")]


def test_the_table_and_quotations_are_exempt() -> None:
    """The table of words is, and a line that says that it quotes."""
    old, *_ = STYLE.instead
    table = f"| write | not |\n|---|---|\n| new | `{old}` |\n"

    assert [] == found(table)
    assert [] == found(f"{old}()  # {prose.QUOTED}")
    assert [(5, old)] == found(f"{table}\n{old}\n{old}  <!-- {prose.QUOTED} -->\n")


def test_only_quotations_are_exempt() -> None:
    """Each line that says that it quotes has one of the words."""
    lines = (line for path in prose.paths() for line in path.read_text("utf-8").splitlines())
    exempt = [line for line in lines if re.search(rf"# {prose.QUOTED}$", line)]

    assert exempt
    assert [] == [line for line in exempt if not found(line.replace(prose.QUOTED, ""))]


def test_all_kinds_of_files_are_searched() -> None:
    """Documents, code, workflows, templates, schemas and build files are, foreign data is not."""
    searched = {str(path.relative_to(ROOT)) for path in prose.paths()}

    assert {
        *("README.md", "README.ko.md", "docs/config.md", "Makefile", "Dockerfile", "action.yml"),
        *("helm_wandb/cli.py", "tests/prose.py", "schema/config.schema.json", "pyproject.toml"),
        *(".github/workflows/ci.yml", "examples/matrix.yml", ".ci/run", "release/tag.sh"),
    } <= searched
    assert not any(name.startswith(("tests/data/", "tests/golden/")) for name in searched)


def test_findings_name_place_and_word(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each finding is a line with file, line, the word, and what to write; the check fails."""
    old, new = next(iter(STYLE.instead.items()))
    page = tmp_path / "page.md"
    page.write_text(f"\n{old}\n")
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    monkeypatch.setattr(prose, "paths", lambda: [page])

    assert 1 == prose.main()
    assert f"page.md:2: {old!r}: write {new}\n" == capsys.readouterr().out
