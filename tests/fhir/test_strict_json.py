"""JSON of strangers: read whole, or refused with the path of the fault."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtledger.errors import InputError
from dtledger.fhir.element import Element
from dtledger.fhir.strict import LONGEST_NUMBER, MAX_DEPTH, read_json

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_json_is_read_as_it_is(value: Any) -> None:
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value, ensure_ascii=False, indent=1)) == value


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ('{"a": {"b": 1, "c": 2, "b": 3}}', "$.a.b", "twice"),
        ('{"a": [{"b": 1}, {"b": 1, "\\u0062": 2}]}', "$.a[1].b", "twice"),
        ('{"a": [1, NaN]}', "$.a[1]", "no number"),
        ('{"a": -Infinity}', "$.a", "no number"),
        ('{"a": "\\ud800"}', "$.a", "no Unicode"),
        ('{"a": {"b": 1,}}', "$.a", "no JSON"),
        ('{"a": [1, 2', "$.a[1]", "no JSON"),
        ("", "$", "no JSON"),
        ('{"a": ' + "1" * (LONGEST_NUMBER + 1) + "}", "$.a", "more than"),
        ('{"a": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}", "$.a" + "[0]" * MAX_DEPTH, "deeper"),
    ],
    ids=["a name twice", "a name twice in other letters", "NaN", "infinity", "half a character", "a comma too many",
         "cut off", "nothing", "a number too long", "too deep"],
)  # fmt: skip
def test_what_is_open_to_two_readings_is_refused_with_its_path(text: str, path: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        read_json(text)
    assert refused.value.evidence["path"].startswith(path.removesuffix("[0]" * MAX_DEPTH))
    assert refused.value.message.startswith(refused.value.evidence["path"])


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"b": 1, "c": 2, "d": 3}}',
        '{"a": [{"b": 1}, {"b": 1, "\\u0063": 2}]}',
        '{"a": "\\ud83d\\ude00"}',
        '{"a": "NaN", "b": "1, NaN"}',
        '{"a": ' + "1" * LONGEST_NUMBER + "}",
        '{"a": ' + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1) + "}",
        '{"a": "[[[[' + "[" * 100 + '", "b": "\\\\"}',
    ],
)
def test_the_same_without_its_fault_is_read(text: str) -> None:
    assert read_json(text) == json.loads(text)


def test_a_text_without_end_is_refused_before_anybody_looks_for_it_twice() -> None:
    """Of a million quotes each was an opening one, and looked for its end in all that follow: hours."""
    quotes = '\\"' * 1_000_000
    with pytest.raises(InputError, match=r"\$\.a: it is no JSON: unterminated"):
        read_json('{"a": "' + quotes)
    assert read_json('{"a": "' + quotes + '"}') == {"a": '"' * 1_000_000}


def test_brackets_without_end_are_refused_before_they_take_the_stack() -> None:
    with pytest.raises(InputError, match="deeper"):
        read_json("[" * 10_000_000)


@pytest.mark.parametrize(
    ("value", "read", "path", "reason"),
    [
        ({"a": 1}, lambda e: e.text("a"), "Test.a", "a number, not text"),
        ({"a": "x"}, lambda e: e.number("a"), "Test.a", "text, not a number"),
        ({"a": True}, lambda e: e.number("a"), "Test.a", "true or false, not a number"),
        ({"a": None}, lambda e: e.text("a"), "Test.a", "null, not text"),
        ({"a": {}}, lambda e: e.element("a"), "Test.a", "empty"),
        ({"a": []}, lambda e: e.elements("a"), "Test.a", "empty"),
        ({"a": {"b": 1}}, lambda e: e.elements("a"), "Test.a", "an object, not a list"),
        ({"a": [{"b": 1}, 2]}, lambda e: e.elements("a"), "Test.a[1]", "a number, not an object"),
        ({"a": " "}, lambda e: e.text("a"), "Test.a", "empty"),
        ({"a": 10**400}, lambda e: e.number("a"), "Test.a", "too large"),
        ({"b": 1}, lambda e: e.needed("a"), "Test.a", "missing"),
    ],
)
def test_a_wrong_type_is_refused_with_its_path(value: Any, read: Any, path: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        read(Element.root({"resourceType": "Test", **value}))
    assert refused.value.evidence["path"] == path


@pytest.mark.parametrize("value", [[], "Consent", 1, None, {}, {"resourceType": 7}, {"resourceType": "../x"}])
def test_what_is_no_resource_is_refused(value: Any) -> None:
    with pytest.raises(InputError):
        Element.root(value)
