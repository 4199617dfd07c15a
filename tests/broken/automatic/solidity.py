"""Small changes of Solidity, one at a time: what may be wrong with a comparison, a number, a condition, a line.

slither-mutate and its like make ten times as many, of which most are no Solidity or revert whatever is asked; these are
those that are told apart only by tests that look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SWAPS = (
    ("boundary", r"(?<![<=])<(?![<=])", "<="),
    ("boundary", r"<=", "<"),
    ("boundary", r"(?<![>=-])>(?![>=])", ">="),
    ("boundary", r">=", ">"),
    ("equality", r"==", "!="),
    ("equality", r"!=", "=="),
    ("and, or", r"&&", "||"),
    ("and, or", r"\|\|", "&&"),
    ("not", r"!(?=[\w(])", ""),
    ("sign", r"(?<!\+)\+(?!\+)", "-"),
    ("sign", r"(?<!-)-(?![->])", "+"),
    ("sign", r"\+\+", "--"),
    ("sign", r"--", "++"),
    ("shift", r"<<", ">>"),
    ("shift", r">>", "<<"),
    ("mask", r"(?<!&)&(?!&)", "|"),
    ("mask", r"(?<!\|)\|(?!\|)", "&"),
    ("mask", r"~", ""),
    ("remainder", r"%", "/"),
    ("truth", r"\btrue\b", "false"),
    ("truth", r"\bfalse\b", "true"),
)
HIDDEN = re.compile(r'//.*|"[^"\n]*"')
STATEMENT = re.compile(r"(?<=[;{}]\n)( *)((?!return\b|if\b|using\b|import\b|mapping\b|for\b)[^\s/{}][^;{}]*;)(?=\n)")


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Each with the operator that made it. Some are no Solidity."""
    head = re.search(r"^(?:abstract )?(?:contract|library) ", source, re.MULTILINE)
    first = head.start() if head else 0
    bare = HIDDEN.sub(lambda found: " " * len(found[0]), source)

    def put(start: int, end: int, text: str) -> str:
        return source[:start] + text + source[end:]

    for operator, pattern, text in SWAPS:
        for found in re.compile(pattern).finditer(bare, first):
            yield operator, put(found.start(), found.end(), text)
    for found in re.compile(r"\b\d+\b").finditer(bare, first):
        yield "number", put(found.start(), found.end(), str(int(found[0]) + 1))
    for found in re.compile(r"\bif (?=\()").finditer(bare, first):
        for truth in ("true", "false"):
            yield "condition", put(found.end(), _closing(bare, found.end()), f"({truth})")
    for found in STATEMENT.finditer(bare, first):
        yield "statement", put(found.start(2), found.end(2), "")


def _closing(text: str, start: int) -> int:
    """Behind the bracket that closes the one at `start`."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return place + 1
    raise ValueError("a bracket is not closed")
