"""Keys of a report that stand twice, found without decoding it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helm_wandb.report import keys
from helm_wandb.report.keys import check_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

TWICE = "is in one object twice"


def check(text: str | bytes) -> None:
    """Check a document whose list `of` may hold two objects."""
    check_keys(text.encode() if isinstance(text, str) else text, listed="of", at_most=2)


def refusal(text: str) -> str:
    """Return why a document is refused."""
    with pytest.raises(ValueError, match=r"^\$") as caught:
        check(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ('{"a": 1, "a": 2}', "a"),
        ('{"a" : 1, "\\u0061": 2}', "a"),
        ('{"\\n": 1, "\\u000a": 2}', "\\n"),
        ('{"b": [{"c": {"a": 1, "d": {}, "a": 2}}]}', "a"),
        ('{"b": {"value": 0.5, "n": 1, "n": 2}}', "n"),
        ('{"b": {"value": "\\"", "n": 1, "value": 2}}', "value"),
        ('{"a": ":", "b": ",\\"a\\":", "a": 1}', "a"),
        ('{"é": 1, "é": 2}', "\\u00e9"),
        ('{"": {}, "": {}}', ""),
        ('{"a": {"x": {"value": 1, "n": 2}, "x": {"value": 1, "n": 2}}}', "x"),
        ("{" + '"a": "x", ' * 300 + '"b": 1}', "a"),
    ],
)
def test_a_key_that_stands_twice_is_named(document: str, key: str) -> None:
    """However it is written, and whatever else is in the object."""
    assert f'$: the key "{key}" {TWICE}' == refusal(document)


@pytest.mark.parametrize(
    "document",
    [
        "{}",
        "[]",
        '"a"',
        '{"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}]}',
        '{"a": "\\"a\\": 1", "b": "a", "c": ["a", "a"], "d": "{", "e": "}"}',
        '{"x": {"value": 1, "n": 2}, "y": {"value": 1, "n": null}}',
        '{"a": "\\\\", "b": "\\\\\\"", "c": ":"}',
        '{"of": [{}, {"of": [{}, {}, {}]}], "b": {"of": [{}, {}, {}]}}',
    ],
)
def test_keys_of_several_objects_may_be_the_same(document: str) -> None:
    """Braces, colons and quotes in strings are no part of an object."""
    check(document)


KEYS = st.sampled_from(["a", "b", "value", "n", "é", '"', "\\", ":", "{", "\n"])
TEXTS = st.sampled_from(["", "a", '"a":', "\\", '\\"', "{", "}", "\U0001f600"])


def _object(members: Sequence[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{key} : {value}" for key, value in members) + "}"


def _written(text: str) -> st.SearchStrategy[str]:
    escaped = "".join(f"\\u{ord(one):04x}" for one in text if one < "\uffff")
    return st.sampled_from([json.dumps(text), json.dumps(text, ensure_ascii=False), f'"{escaped}"'])


DOCUMENTS = st.recursive(
    st.sampled_from(["0", "null", "[]", "{}", '{"value": 1, "n": 2}']) | TEXTS.flatmap(_written),
    lambda inner: (
        st.lists(st.tuples(KEYS.flatmap(_written), inner), max_size=5).map(_object)
        | st.lists(inner, max_size=3).map(lambda values: f"[{', '.join(values)}]")
    ),
    max_leaves=12,
)


def has_key_twice(document: str) -> bool:
    """Return whether the standard library's decoder sees a key twice in one object."""
    seen = []

    def look(pairs: list[tuple[str, object]]) -> None:
        seen.append(len({key for key, _ in pairs}) < len(pairs))

    json.loads(document, object_pairs_hook=look)
    return any(seen)


@given(DOCUMENTS)
@example('{"a": {"value": "n", "n": 1}}')
def test_keys_are_those_that_a_decoder_sees(document: str) -> None:
    """Exactly the documents with a key that stands twice are refused."""
    refused = pytest.raises(ValueError, match=TWICE) if has_key_twice(document) else nullcontext()

    with refused:
        check(document)


def test_what_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects of too many or too long keys, and a list of too many objects."""
    monkeypatch.setattr(keys, "OPEN_KEYS_BYTES", 1_000)
    monkeypatch.setattr(keys, "MOST_PARTS", 20)
    too_many = "$: an object has more keys, or longer ones, than any of a report"

    assert too_many == refusal(json.dumps({f"{at}": [{}] for at in range(10)}))
    assert too_many == refusal(json.dumps({"a" * 300: [{}]}))
    assert "$: it has more than 20 objects and keys" == refusal(json.dumps([{}] * 30))
    assert "$.of: there are more than 2: write them to several reports" == refusal(
        json.dumps({"of": [{}, {"a": 1}, {"a": [{}]}]})
    )
