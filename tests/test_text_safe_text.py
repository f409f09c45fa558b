"""Names of strangers, shown in Markdown and terminals without doing anything."""

from __future__ import annotations

import html
import re
import unicodedata
from html.parser import HTMLParser

import cmarkgfm  # type: ignore[import-untyped]  # it has no types
import pytest
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]  # as above
from hypothesis import example, given
from hypothesis import strategies as st

from helm_wandb.text.safe_text import Name, OwnName, link, markdown, plain

HOSTILE = (
    "",
    " ",
    "  two spaces on both sides  ",
    "a|b",
    "a\\|b\\",
    "`code` ``more``",
    "$x^2$ and $`y`$",
    "@octocat @org/team",
    "#1 org/project#2 GH-3 gh-4",
    ":tada: a:+1:b",
    "www.example.com WWW.example.com",
    "https://example.com http://localhost ftp://example.com/x",
    "someone@example.com mailto:a@b.c xmpp:a@b.c/d",
    "<!-- --> <!--",
    "</code></td></table></details></summary>",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[text](https://example.com) ![image](x.png) [^1] [ ] [x]",
    "::error::x",
    "##[error]x",
    "# heading",
    "- item",
    "+ item",
    "* item",
    "-",
    "1. item",
    "12) item",
    "---",
    "===",
    "> quote",
    "> [!NOTE]",
    "~~~",
    "    indented code",
    "&amp; &#64; &copy;",
    "**bold** __bold__ ~~gone~~",
    "one\ntwo\r\nthree\u2028four\u2029five\x0bsix\x85seven\ttab",
    "\u202egnp.exe\u2066\u200b\u200d\ufeff\x00\x1b[31m",
    "\u3164\u115f\u2800\u034f\ufe0f\U000e0041",
    "lone \ud800 surrogate",
    "e\u0301 \u0300 combining",
    "模型-七十亿参数",
    "x" * 10_000,
)
ANY_TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(),
    st.text(alphabet="|\\`$@#1:.-+*_~<>!/()[]&; abwhtpsx=\n"),
)
PLACES = {
    "start of a line": ("{}\n", {"p"}),
    "list item": ("- {}\n", {"ul", "li"}),
    "heading": ("### {}\n", {"h3"}),
    "summary": ("<details><summary>{}</summary>\n\ntext\n\n</details>\n", {"details", "summary"}),
}


class Page(HTMLParser):
    """The elements of a page, and the text inside one kind of them."""

    def __init__(self, text: str, *, inside: str) -> None:
        """Read a page of Markdown as GitHub does."""
        super().__init__(convert_charrefs=True)
        self.inside = inside
        self.elements: list[str] = []
        self.found = ""
        self.depth = 0
        self.feed(
            cmarkgfm.markdown_to_html_with_extensions(
                text,
                Options.CMARK_OPT_UNSAFE,
                ["table", "autolink", "strikethrough", "tagfilter"],
            )
        )
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 -- a part of the protocol
        """Count an element."""
        self.elements.append(tag)
        self.depth += tag == self.inside

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        self.depth -= tag == self.inside

    def handle_data(self, data: str) -> None:
        """Keep the text that is inside."""
        if self.depth:
            self.found += data


@given(ANY_TEXT)
@example("".join(HOSTILE))
@pytest.mark.parametrize("kind", [str, Name])
def test_plain_text_is_one_visible_line(kind: type[str], text: str) -> None:
    """Any text becomes one line without controls, direction marks and surrogates."""
    seen = plain(kind(text))

    assert seen.splitlines() in ([], [seen])
    assert not {unicodedata.category(char) for char in seen} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert seen == seen.encode().decode()


@pytest.mark.parametrize("text", ["mmlu.EM", "meta-llama/Llama-2-70b", "模型", "a b", ""])
def test_plain_text_keeps_what_is_harmless(text: str) -> None:
    """A usual name is shown as it is."""
    assert text == plain(Name(text))


def test_long_name_is_cut_visibly() -> None:
    """A name of 10,000 characters is shown by its first 299 and a sign that it goes on."""
    assert "x" * 299 + "…" == plain(Name("x" * 10_000))


@given(ANY_TEXT)
def test_name_in_table_cell_is_code_of_just_its_text(text: str) -> None:
    """GitHub's parser sees one table of four cells, and the name as the text of one code."""
    page = Page(f"| a | b |\n| --- | --- |\n| {markdown(Name(text))} | 1 |\n", inside="code")

    table = ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "code", "td"]
    assert table == page.elements
    assert plain(Name(text)) == page.found


@given(ANY_TEXT)
def test_name_as_column_head_is_code_of_just_its_text(text: str) -> None:
    """A name as the head of a column leaves the table's other cells where they are."""
    page = Page(f"| a | {markdown(Name(text))} |\n| --- | --: |\n| 1 | 2 |\n", inside="code")

    table = ["table", "thead", "tr", "th", "th", "code", "tbody", "tr", "td", "td"]
    assert table == page.elements
    assert plain(Name(text)) == page.found


@given(ANY_TEXT)
@pytest.mark.parametrize("place", PLACES)
def test_text_makes_no_element_anywhere(place: str, text: str) -> None:
    """A text at the start of a line, in a list, a heading or a summary is only text."""
    template, expected = PLACES[place]
    inside = "summary" if place == "summary" else min(expected)
    page = Page(template.format(markdown(text)), inside=inside)

    elements = set(page.elements) - ({"p"} if place == "summary" or not plain(text) else set())
    assert elements == expected - ({"p"} if not plain(text) else set())
    assert plain(text) == page.found.strip("\n")


@given(ANY_TEXT)
@pytest.mark.parametrize("kind", [str, Name])
def test_text_holds_no_reference_that_github_looks_for_later(kind: type[str], text: str) -> None:
    """Once entities are characters, a comment still parts what GitHub would take for a mention."""
    shown = html.unescape(markdown(kind(text)).replace("<code>", " ").replace("</code>", " "))

    assert re.findall(r"[@#$][^<]|:[^ <]|\bGH-\d", shown, re.IGNORECASE) == []


@given(st.one_of(ANY_TEXT, st.text(alphabet="0123456789abcdefABCDEF -@/", max_size=60)))
@example("4be1c02")
@example("fixed in " + "a1" * 20)
@example("octo/repo@4be1c02deadbeef")
def test_text_names_no_commit(text: str) -> None:
    """No seven hex digits stand together, which GitHub links to a commit of any fork."""
    shown = html.unescape(markdown(text))

    assert re.findall(r"(?<![0-9a-z])[0-9a-f]{7,40}(?![0-9a-z])", shown) == []
    assert plain(text) == Page(f"{markdown(text)}!\n", inside="p").found[:-1]


def test_own_name_stands_out() -> None:
    """A model of this run is bold among others, and shows just its text."""
    page = Page(f"{markdown(OwnName('a|b*'))}\n", inside="strong")

    assert ["p", "strong", "code"] == page.elements
    assert "a|b*" == page.found


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//a.example", "https://a b", "x", ""])
def test_what_is_no_address_of_the_web_is_text(url: str) -> None:
    """A link is only made of what a browser would open as it is written."""
    assert "W&#38;B" == link("W&B", url=url)


def test_link_shows_its_text_and_leads_to_its_address() -> None:
    """A link's address may hold any sign without ending it."""
    url = "https://wandb.example/a_b/c(d)?x=1&y=<2>|`#runs"
    text = cmarkgfm.github_flavored_markdown_to_html(link("W&B", url=url))

    address = "https://wandb.example/a_b/c(d)?x=1&amp;y=%3C2%3E%7C%60#runs"
    assert text == f'<p><a href="{address}">W&amp;B</a></p>\n'
