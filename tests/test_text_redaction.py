"""Secrets are removed from texts in whatever form they come, and nothing else is."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Struct, field

from helm_wandb.text.redaction import NO_SECRETS, Redactor, masked_forms
from helm_wandb.text.safe_text import Name
from tests.leaks import shown

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "8d3f0c61b7e94a25d0f7c3e1a6b95824ec17f03d"
"""As W&B makes it."""
TOKENS = (
    KEY,
    f"local-{KEY}",
    "wandb_v1_Qx7LmB2kTzR9aVf4YpWc_8sHgJdN3eUo6iXl0tPqZrEwCbMyKvSa5OuGhFn1DjTk",
    "ghs_Zr8KqW2mXv5TnB7yLp3CdF9hJs4GgAe6RtU1",
    "github_pat_11BQ7XK3Y0mZ4vRtN8pLwS_c5HdJfU2gTqWnEoVbA9sKxMzPy6iDrGuC1lF3hYjQkX8wRvBtZe5N",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI4NzIzNDUifQ.Qm9x-K3v_T7pZ0rLw5NsYcXe1uGhJd2A",
    "비밀번호-아주-길고-긴-Ünïcödé-열쇠-42-jfkw8",
    "x.*(q)[v]+?{8}|^m$w\\k#h&t%z@p!n~r,b;y:d'j\"f<c>s=",
)


ALL = Redactor(TOKENS)
redactor_of = cache(lambda secret: Redactor((secret,)))
"""Makes each redactor once."""


def basic(secret: str, user: str = "api") -> str:
    """As in the header of a request."""
    return base64.b64encode(f"{user}:{secret}".encode()).decode()


def escaped(pattern: str) -> Callable[[str], str]:
    """Each character by its number."""
    return lambda text: "".join(pattern % ord(one) for one in text)


def folded(text: str) -> str:
    """Over several lines, as a header or as base64 in a mail."""
    return "\r\n\t".join(re.findall(".{1,9}", text, re.DOTALL))


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "base64 without padding": lambda secret: basic(secret).rstrip("="),
    "a Basic header of W&B": basic,
    "a Basic header of git": lambda secret: basic(secret, "x-access-token"),
    "a Basic header of whoever": lambda secret: basic(secret, "ab"),
    "hexadecimal": lambda secret: secret.encode().hex(),
}
WRAPPINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "in a URL": lambda text: quote(text, safe=""),
    "in a URL, in lower case": lambda text: quote(text, safe="").lower(),
    "twice in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "in JSON": json.dumps,
    "in JSON, without slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "in JSON, by numbers": escaped("\\u%04x"),
    "in JSON in JSON, by numbers": lambda text: json.dumps(escaped("\\u%04x")(text)),
    "in a URL, by numbers": lambda text: "".join(f"%{one:02X}" for one in text.encode()),
    "in Python": repr,
    "in Python, as bytes": lambda text: repr(text.encode()),
    "in Go": lambda text: json.dumps([f"Authorization: {text}"]),
    "in a shell, by numbers": lambda text: "".join(f"\\x{one:02x}" for one in text.encode()),
    "in C, by numbers": lambda text: "".join(f"\\{one:03o}" for one in text.encode()),
    "in HTML": html.escape,
    "in HTML, by numbers": escaped("&#%d;"),
    "in HTML, by other numbers": escaped("&#x%X;"),
    "folded": folded,
    "folded in JSON": lambda text: json.dumps(folded(text)),
    "folded in HTML": lambda text: "<br>".join(re.findall(".{1,30}", text, re.DOTALL)),
    "without its beginning": lambda text: text[7:],
    "without its end": lambda text: text[:-5],
    "without both": lambda text: text[len(text) // 3 : -len(text) // 3],
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_secret_is_removed_in_each_form(wrapping: str) -> None:
    """Encoded, quoted, folded or cut: no eight characters are left, and the rest of the text is."""
    for secret, (form, encode) in product(TOKENS, FORMS.items()):
        wrapped = WRAPPINGS[wrapping](encode(secret))
        text = redactor_of(secret).text(f"HTTP 401: {wrapped} is no key. Sorry!")

        assert "***" in text, form
        assert text.startswith("HTTP 401: ")
        assert text.endswith(" is no key. Sorry!")
        assert [] == shown(unlabelled(secret), text), form


@pytest.mark.parametrize("secret", TOKENS)
def test_a_header_that_is_encoded_again_is_removed(secret: str) -> None:
    """A proxy that reports a whole header in base64 shows nothing of the secret."""
    header = b"Basic " + base64.b64encode(f"api:{secret}".encode())
    text = redactor_of(secret).text(f"refused: {base64.b64encode(header).decode()}")

    assert "***" in text
    assert [] == shown(base64.b64encode(base64.b64encode(secret.encode())).decode(), text)


def unlabelled(secret: str) -> str:
    """The secret without the words that say what it is."""
    return re.sub("^(local-|wandb_v1_|ghs_|github_pat_)", "", secret)


CHARACTERS = st.text("0123456789abcdefABC XYZghij%\\u&#;<br>+/=_-.\n\"'é✗", max_size=60)


@given(st.text(max_size=300) | CHARACTERS)
@example("github path and access token of wandb v1 api")
@example("%" * 50 + "\\" * 50 + "&#" * 50)
@example("\\ud83d\\ude00 &#xD800; &#99999999; \\U00110000 %ff \ud800")
def test_a_text_without_a_secret_stays(text: str) -> None:
    """Whatever else is in a text, it comes out as it went in."""
    assert text == ALL.text(text)


LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@given(
    before=CHARACTERS,
    after=CHARACTERS,
    secret=st.sampled_from(TOKENS[:-2])
    # Letters before the first `_` would say what kind of token it is.
    | st.lists(st.text(LETTERS, min_size=7), min_size=3, max_size=5).map("_".join).map("0".__add__),
    form=st.sampled_from(sorted(FORMS)),
    wrappings=st.lists(st.sampled_from(sorted(WRAPPINGS)), max_size=2),
)
def test_a_secret_is_removed_wherever_it_stands(
    before: str, after: str, secret: str, form: str, wrappings: list[str]
) -> None:
    """Whatever stands around it, and however it was wrapped, twice at most."""
    text = FORMS[form](secret)
    for one in wrappings:
        text = WRAPPINGS[one](text)

    assert [] == shown(unlabelled(secret), Redactor((secret,)).text(before + text + after))


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        ("hunter2", "the password hunter2, and nothing else", "the password ***, and nothing else"),
        ("hunter2", "u:hunter2@host, hunter22, hunter-2", "u:***@host, hunter22, hunter-2"),
        ("a$b c&", '{"pw": "a$b c&"} a%24b%20c%26 a$b c&amp;', '{"pw": "***"} *** ***'),
        ("$%&/()=?", "$%&/()=? and %24%25%26%2F%28%29%3D%3F", "*** and ***"),
        ("correct-horse", "the correct answer of correct-horse", "the correct answer of ***"),
        ("correct-horse", base64.b64encode(b"u:correct-horse").decode(), "dTp***"),
        ("비밀번호12", f"비밀번호12 {quote('비밀번호12')}", "*** ***"),
        ("test", "a test", "a test"),
        ("", "a text", "a text"),
        ("\ud800" * 30, "a text", "a text"),
    ],
)
def test_a_short_secret_is_removed_whole(secret: str, text: str, expected: str) -> None:
    """A password is removed as a word, its parts stay, and one that is a short word stays too."""
    assert expected == Redactor((secret,)).text(text)


def test_what_stands_between_secrets_stays() -> None:
    """Each secret is removed by itself, and those that touch each other at once."""
    assert "a *** b *** c ***" == ALL.text(f"a {KEY} b {TOKENS[3][4:]} c {KEY}{KEY}")


class Kind(StrEnum):
    """Words of our own."""

    SECRET = KEY


class Noun(Struct, frozen=True, kw_only=True):
    """As the package's own."""

    name: str
    kind: Kind = Kind.SECRET
    parts: tuple[Any, ...] = ()
    numbers: tuple[str, ...] = ()
    values: dict[Any, Any] = field(default_factory=dict)


def test_values_are_redacted_throughout() -> None:
    """Texts within all kinds of data lose the secret; types, numbers and our own words stay."""
    noun = Noun(
        name=Name(f"a {KEY}"),
        parts=(Noun(name="b"), [KEY, 1, None], frozenset({KEY}), b"bytes"),
        numbers=(KEY,),
        values={KEY: {"x": KEY}, 1: 2.5},
    )
    redacted = Redactor((KEY,)).values(noun, leave={"numbers"})

    assert redacted == Noun(
        name="a ***",
        parts=(Noun(name="b"), ["***", 1, None], frozenset({"***"}), b"bytes"),
        numbers=(KEY,),
        values={"***": {"x": "***"}, 1: 2.5},
    )
    assert Name is type(redacted.name)
    assert redacted.kind is Kind.SECRET
    assert redacted.parts[0] is noun.parts[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """As W&B's SDK's process gives them."""

    detail: str
    run: Noun


def test_dataclasses_are_redacted_too() -> None:
    """Their fields lose the secret as those of Structs do."""
    answer = Answer(detail=f"key {KEY}", run=Noun(name=KEY))

    assert Answer(detail="key ***", run=Noun(name="***")) == Redactor((KEY,)).values(answer)


@pytest.mark.parametrize("redactor", [NO_SECRETS, Redactor((KEY,))])
def test_values_without_a_secret_are_the_same(redactor: Redactor) -> None:
    """Nothing is copied if nothing changes, so that a large report costs little."""
    noun = Noun(name="a", parts=(["b"], float("nan")), values={"c": {"d"}})

    assert noun is redactor.values(noun)


def test_no_representation_shows_a_secret() -> None:
    """A traceback or a message that shows the object shows no secret."""
    assert "Redactor()" == repr(ALL)


def test_the_runner_masks_what_headers_hold() -> None:
    """Masked are the secret, its base64, and that of the headers of W&B and git, unpadded."""
    word = "hunter2"
    encoded = base64.b64encode(word.encode()).decode()
    headers = {encoded, basic(word), basic(word, "x-access-token")}

    assert {word, *(one.rstrip("=") for one in headers)} == set(masked_forms(word))


def test_the_runner_masks_no_letter() -> None:
    """A password of a few letters would make the log unreadable."""
    assert () == masked_forms("p")
