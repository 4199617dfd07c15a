"""YAML as far as the files of `scripts/deploy` go, for no parser is among the project's packages: mappings and lists by
indentation or in braces and brackets, comments, quoted and plain words, anchors, aliases and the merge key `<<`.

Anything else is refused, so that a file here is read as every parser reads it.

>>> parse('a: &one {b: [1, "x"]}\\nc:\\n  <<: *one\\n  d: yes it is  # or not\\n')
{'a': {'b': [1, 'x']}, 'c': {'b': [1, 'x'], 'd': 'yes it is'}}
"""

from __future__ import annotations

import json
import re
from typing import Any

_KEY = re.compile(r'("[^"]*"|[^\s\[\]{}"#&*!|>%@,][^\[\]{}",]*?):(?:\s+(.*))?')
_FLOW = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[\[\]{},]|[^\[\]{},"]+)')
_WORDS = {"true": True, "false": False, "null": None, "~": None}


def parse(text: str) -> Any:
    """What a file says.

    Raises:
        ValueError: it says it in a way that is not read here.
    """
    lines = [(len(line) - len(line.lstrip(" ")), _bare(line.strip())) for line in text.splitlines()]
    parser = _Parser([each for each in lines if each[1]])
    found = parser.block(0)
    if parser.at < len(parser.lines):
        raise ValueError(f"cannot read {parser.lines[parser.at][1]!r}")
    return found


def _bare(line: str) -> str:
    """Without its comment."""
    return re.sub(r"""((?:"[^"]*"|[^"#]|(?<=\S)#)*)(?:#.*)?""", r"\1", line, count=1).strip()


class _Parser:
    def __init__(self, lines: list[tuple[int, str]]) -> None:
        self.lines = lines
        self.at = 0
        self.anchors: dict[str, Any] = {}

    def block(self, indent: int) -> Any:
        return self._list(indent) if self.lines[self.at][1].startswith("- ") else self._mapping(indent)

    def _here(self, indent: int) -> str | None:
        return self.lines[self.at][1] if self.at < len(self.lines) and self.lines[self.at][0] == indent else None

    def _list(self, indent: int) -> list[Any]:
        found = []
        while (text := self._here(indent)) and text.startswith("- "):
            rest = text[2:].strip()
            if _KEY.fullmatch(rest) and rest[0] not in "[{":
                self.lines[self.at] = (indent + 2, rest)
                found.append(self._mapping(indent + 2))
            else:
                self.at += 1
                found.append(self._value(rest))
        return found

    def _mapping(self, indent: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while (text := self._here(indent)) and (match := _KEY.fullmatch(text)):
            key, rest = match[1].strip('"'), match[2] or ""
            self.at += 1
            name, rest = _anchor(rest)
            if rest:
                value = self._value(rest)
            elif self.at < len(self.lines) and self.lines[self.at][0] > indent:
                value = self.block(self.lines[self.at][0])
            else:
                value = None
            if name:
                self.anchors[name] = value
            if key in found:
                raise ValueError(f"{key!r} stands twice")
            if key == "<<":
                merged |= value
            else:
                found[key] = value
        return merged | found

    def _value(self, text: str) -> Any:
        if text.startswith("*"):
            return self.anchors[text[1:]]
        if text[0] in "[{":
            tokens = _FLOW.findall(text)
            found, rest = self._flow([each.strip() for each in tokens if each.strip()])
            if rest:
                raise ValueError(f"cannot read {text!r}")
            return found
        return _scalar(text)

    def _flow(self, tokens: list[str]) -> tuple[Any, list[str]]:
        first, *tokens = tokens
        if first == "[":
            found = []
            while tokens[0] != "]":
                value, tokens = self._flow(tokens)
                found.append(value)
                tokens = tokens[1:] if tokens[0] == "," else tokens
            return found, tokens[1:]
        if first == "{":
            table = {}
            while tokens[0] != "}":
                key, colon, value = tokens[0].partition(":")
                if not colon or (value and not value.startswith(" ")):
                    raise ValueError(f"cannot read {tokens[0]!r}")
                if value:
                    table[key], tokens = _scalar(value.strip()), tokens[1:]
                else:
                    table[key], tokens = self._flow(tokens[1:])
                tokens = tokens[1:] if tokens[0] == "," else tokens
            return table, tokens[1:]
        return _scalar(first), tokens


def _anchor(text: str) -> tuple[str | None, str]:
    match = re.fullmatch(r"&(\S+)\s*(.*)", text)
    return (match[1], match[2]) if match else (None, text)


def _scalar(text: str) -> Any:
    if text.startswith('"'):
        return json.loads(text)
    if text[0] in "'|>!%@`&*?" or text.startswith("- ") or ": " in text or " #" in text:
        raise ValueError(f"cannot read {text!r}")
    return _WORDS.get(text, int(text) if re.fullmatch(r"-?\d+", text) else text)
