"""JSON of strangers, read whole or refused with the path of the fault.

`json.loads` takes what RFC 8259 leaves open: of two members with one name the last, numbers that are none, half a
surrogate pair. Whoever reads a consent otherwise than its author wrote it may permit what was denied, so none of it
passes here.

>>> read_json('{"a": [1, {"b": 2, "b": 3}]}')
Traceback (most recent call last):
    ...
dtledger.errors.InputError: $.a[1].b: it stands there twice.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from ..errors import InputError

MAX_DEPTH = 64
"""Brackets in brackets. FHIR's resources have some fifteen."""

MAX_VALUES = 2_000_000
"""Commas and brackets: a bundle of 100,000 observations has about as many."""

LONGEST_NUMBER = 40
"""Characters. A decimal of FHIR has at most 18 digits."""

_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\],]|NaN|-?Infinity|-?\d[\d.eE+-]*', re.DOTALL)


def refuse(path: str, reason: str, hint: str = "") -> NoReturn:
    """Raises the InputError of a fault; `.evidence["path"]` is where."""
    raise InputError(f"{path}: {reason}.", hint=hint, path=path)


def read_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        InputError: it is none, nests deeper than `MAX_DEPTH`, is larger than `MAX_VALUES`, has a name twice in one
            object, a number that is none or longer than `LONGEST_NUMBER`, or text that is no Unicode.
    """
    _walk(text)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        path = _walk(text, error.pos)
        refuse(path, f"it is no JSON: {error.msg[:1].lower()}{error.msg[1:]} (line {error.lineno})")


class _Level:
    """One bracket that is open: an object with the names that it had, or an array with a place."""

    __slots__ = ("key", "names", "place")

    def __init__(self, *, is_object: bool) -> None:
        self.names: set[str] | None = set() if is_object else None
        self.key: str | None = None
        self.place = 0


def _walk(text: str, until: int | None = None) -> str:
    """Look at every word before `until`; the path of the last one."""
    levels: list[_Level] = []
    values = 0
    for match in _WORD.finditer(text):
        if until is not None and match.start() >= until:
            break
        word = match[0]
        top = levels[-1] if levels else None
        if word == '"':
            break  # it has no end: `json.loads` refuses the whole
        if word[0] == '"':
            _string(word, levels)
        elif word in "{[":
            levels.append(_Level(is_object=word == "{"))
            if len(levels) > MAX_DEPTH:
                refuse(_path(levels), f"it nests deeper than {MAX_DEPTH}")
        elif word in "}]":
            if top is not None:
                levels.pop()
        elif word == ",":
            if top is not None:
                top.key = None
                top.place += 1
        elif not word[-1].isdigit():
            refuse(_path(levels), "it is no number that JSON has")
        elif len(word) > LONGEST_NUMBER:
            refuse(_path(levels), f"a number of more than {LONGEST_NUMBER} characters")
        values += word in "{[,"
        if values > MAX_VALUES:
            refuse(_path(levels), f"the text holds more than {MAX_VALUES:,} values")
    return _path(levels)


def _string(word: str, levels: list[_Level]) -> None:
    value = word[1:-1]
    if "\\" in word:
        try:
            value = json.loads(word)
            value.encode()
        except ValueError:  # a bad escape is told by `json.loads` of the whole
            if "\\u" in word:
                refuse(_path(levels), "the text is no Unicode")
    top = levels[-1] if levels else None
    if top is None or top.names is None or top.key is not None:
        return
    top.key = value
    if value in top.names:
        refuse(_path(levels), "it stands there twice")
    top.names.add(value)


def _path(levels: list[_Level]) -> str:
    steps = ((f".{each.key}" if each.key is not None else "") if each.names is not None else f"[{each.place}]"
             for each in levels)  # fmt: skip
    return "$" + "".join(steps)
