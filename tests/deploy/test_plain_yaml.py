"""The reader of YAML reads what the files here hold, and refuses what it would read otherwise than others do."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from tests.deploy import plain_yaml
from tests.deploy.plain_yaml import parse


def test_its_example() -> None:
    assert doctest.testmod(plain_yaml) == (0, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a:\n  - b: 1\n    c: 2\n  - d\n", {"a": [{"b": 1, "c": 2}, "d"]}),
        ('a: x{y="z"} == 0\n', {"a": 'x{y="z"} == 0'}),
        ('a: ["x, y", z:1, {b: {c: 1}}]\n', {"a": ["x, y", "z:1", {"b": {"c": 1}}]}),
        ("a: one#two # three\nb:\n", {"a": "one#two", "b": None}),
        ("a: &x {b: 1, c: 2}\nd:\n  c: 3\n  <<: *x\n", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
    ],
)
def test_it_reads(text: str, value: Any) -> None:
    assert parse(text) == value


@pytest.mark.parametrize("text", ["a: |\n  b\n", "a: 'b'\n", "a: 1\na: 2\n", "a: b: c\n", "a: 1\n  b: 2\n"])
def test_it_refuses(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 any
        parse(text)
