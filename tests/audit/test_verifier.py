"""What an auditor is told to read is what an audit is made of, and as long as is said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "dtledger" / "audit"
PAGE = (ROOT / "docs" / "first-auditor.md").read_text()
ROWS = re.findall(r"^\| .*? \| (`\w+`(?:, `\w+`)*) \| (\d+) \|$", PAGE, re.MULTILINE)


def imported(module: str) -> Iterator[str]:
    """The modules of the folder that one of them imports."""
    for node in ast.walk(ast.parse((FOLDER / f"{module}.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            yield node.module


def reached() -> set[str]:
    """All that a verification needs of the folder."""
    found, waiting = set[str](), ["answer"]
    while waiting:
        module = waiting.pop()
        found.add(module)
        waiting += set(imported(module)) - found
    return found


def lines(module: str) -> int:
    return len((FOLDER / f"{module}.py").read_text().splitlines())


def test_the_page_names_every_module_that_a_verification_needs_and_no_other() -> None:
    assert sorted(re.findall(r"`(\w+)`", " ".join(names for names, _ in ROWS))) == sorted(reached())


def test_the_page_says_how_long_they_are() -> None:
    (total,) = re.findall(r"`dtledger/audit`, ([\d,]+) lines", PAGE)
    assert int(total.replace(",", "")) == sum(int(said) for _, said in ROWS)
    for names, said in ROWS:
        assert int(said) == pytest.approx(sum(map(lines, re.findall(r"`(\w+)`", names))), rel=0.05), names
    assert max(map(lines, reached())) < 300
