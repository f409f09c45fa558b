"""Text in which every character shows, and written languages stay as they are written."""

# ruff: noqa: RUF001 -- the letters of other scripts are what this is about

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.text.safe_text import Name, plain
from helm_wandb.text.visible import visible, visible_lines

UNSEEN = {
    "Hangul fillers": "\u115f\u1160\u3164\uffa0",
    "Braille's blank": "\u2800",
    "other blanks": "\U00013441\U00013442\U00016fe4\U0001d159",
    "selectors without a sign": "a\ufe0fb\ufe00c\U000e0100",
    "joiners between letters": "a\u200db\u200cc",
    "a joiner after a letter that joins nothing": "\u062f\u200c\u0627",
    "marks that join or part": "\u034f\u17b4\u17b5\u180b\u180e\u00ad\u2060",
    "tags": "\U0001f3f4\U000e0067\U000e0062\U000e007f",
    "controls": "\x00\x1b[31m\x7f\x80\x9b\x85",
    "direction marks": "\u061c\u200e\u202e\u2066",
    "line ends": "a\nb\rc\u2028d\u2029e",
    "private use and surrogates": "\ue000\ud800",
}
WRITTEN = {
    "Korean": "한국어 모델 7B",
    "Korean, decomposed": unicodedata.normalize("NFD", "한국어"),
    "Japanese": "大規模言語モデル・ベータ版",
    "Chinese": "通义千问（第二版）",
    "Arabic with vowel signs": "نَمُوذَج",
    "Persian with its joiner": "می\u200cخواهم",
    "Hindi with both joiners": "क्\u200dष क्\u200cष",
    "Hebrew with points": "שָׁלוֹם",
    "Thai": "ภาษาไทยที่",
    "Vietnamese, decomposed": unicodedata.normalize("NFD", "Tiếng Việt"),
    "emoji": "❤️ ⚠️ ✔︎ 1️⃣ 👩‍💻 👩🏽‍🔬 🏳️‍🌈 🇰🇷",
    "signs of our own": "− – ± × … → ▼ ▲ Δ “ ” ▁▂▃▄▅▆▇█ ❌ ✅ ⏎",
}


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_what_cannot_be_seen_becomes_a_question_mark(text: str) -> None:
    """Each such character is shown by one `?`, and the printable ones around stay."""
    kept = {char for char in text if char.isascii() and char.isprintable()}
    expected = "".join(char if char in kept or char in "دا🏴" else "?" for char in text)

    assert expected == visible(text, is_name=True)


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_written_languages_stay_readable(text: str) -> None:
    """Letters, their marks and joiners, and emoji are shown as they are."""
    assert text == plain(Name(text))


@pytest.mark.parametrize("space", "\xa0\u1680\u2003\u202f\u205f\u3000\t")
def test_other_spaces_distinguish_names(space: str) -> None:
    """In a name a space that is not U+0020 is `?`; in a sentence it stays one."""
    assert "gpt?4" == plain(Name(f"gpt{space}4"))
    assert f"gpt{space}4".replace("\t", " ") == plain(f"gpt{space}4")


@pytest.mark.parametrize("mark", ["\u0336", "\u0489"])
def test_piled_marks_are_cut(mark: str) -> None:
    """Four marks stay on a letter; more, or one without a letter, would cover what is around."""
    assert f"a{mark * 4}??b" == visible(f"a{mark * 6}b", is_name=True)
    assert f"?a{mark}" == visible(f"{mark}a{mark}", is_name=True)


def test_only_line_feeds_part_lines() -> None:
    """The lines of a text stay, and nothing else makes another."""
    assert "a\n\nb?c?d e" == visible_lines("a\n\nb\rc\u2028d\te")


@given(st.text())
def test_what_is_visible_stays_visible(text: str) -> None:
    """Every character is one character, and a second time changes nothing."""
    seen = visible(text, is_name=True)

    assert (len(text), seen) == (len(seen), visible(seen, is_name=True))
