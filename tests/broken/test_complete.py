"""A refusal, an attack or an invariant that fails on no broken copy may be none: each is named by a mistake.

What counts is read from the tests themselves: all of `tests/attacks`; those of `tests/custodian` and `tests/faults`
that expect an error or a reason; those of forge that expect a revert or a reason, and its invariants.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.broken import run_contracts
from tests.broken.python import runner

TESTS = Path(__file__).resolve().parents[1]

_TABLE = "attacks/test_compromise_table.py"
EXCEPTIONS: dict[str, str] = {
    f"{_TABLE}::test_what_the_page_points_to_is_there": "it looks at a page, and nothing refuses",
    f"{_TABLE}::test_the_same_attacker_with_what_it_lacks_opens_more": "it is the witness of the rows that open none",
    f"{_TABLE}::test_a_row_that_opens_something_opens_the_same_for_each_of_its_attackers": "it expects that they open",
    f"{_TABLE}::test_what_is_decrypted_is_what_was_written": "it looks at the attacker's own work",
    f"{_TABLE}::test_a_secret_that_lies_about_is_found": "it is the witness of the search for secrets",
}
"""Test → why no mistake in what is tested can fail it."""

PERMITS = ("PERMITTED", "OWNER")
REFUSES = re.compile(rf"expectRevert|\bReason\.(?!{'|'.join(PERMITS)})")
FUNCTION = re.compile(r"    function (\w+)\(.*?\n    }\n", re.DOTALL)


def refusals() -> Iterator[str]:
    """The Python tests that must fail somewhere, as the mistakes name them."""
    for folder in ("attacks", "custodian", "faults"):
        for path in sorted((TESTS / folder).glob("test_*.py")):
            for name, test in _functions(ast.parse(path.read_text())):
                if folder == "attacks" or _refuses(test):
                    yield f"{folder}/{path.name}::{name}"


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name.startswith("test_"):
                    yield f"{node.name}::{method.name}", method


def _refuses(test: ast.FunctionDef) -> bool:
    """Whether it expects an error, a command's failure or a reason that does not permit."""
    for node in ast.walk(test):
        match node:
            case ast.Call(func=ast.Attribute(attr="raises")) | ast.Call(func=ast.Name(id="refusal")):
                return True
            case ast.Attribute(value=ast.Name(id="Reason"), attr=reason) if reason not in PERMITS:
                return True
    return False


def forge_refusals() -> Iterator[str]:
    """The same of forge, as contract.test."""
    sources = {path: path.read_text() for path in sorted((TESTS / "contracts").rglob("*.sol"))}
    bodies = [(match[1], match[0]) for text in sources.values() for match in FUNCTION.finditer(text)]
    expecting = {name for name, body in bodies if name.startswith("_") and "expectRevert" in body}
    called = re.compile(rf"\b(?:{'|'.join(sorted(expecting))})\(")
    for path, text in sources.items():
        if path.name.endswith(".t.sol"):
            contract = re.findall(r"^contract (\w+)", text, re.MULTILINE)[-1]
            for match in FUNCTION.finditer(text):
                name, body = match[1], match[0]
                if name.startswith("invariant") or (
                    name.startswith("test") and (REFUSES.search(body) or called.search(body))
                ):
                    yield f"{contract}.{name}"


def test_every_attack_and_refusal_is_noticed_by_a_broken_copy() -> None:
    named = {witness.partition("[")[0] for mutant in runner.mutants() for witness in mutant.witnesses}
    assert [each for each in refusals() if each not in named | EXCEPTIONS.keys()] == []


def test_every_revert_reason_and_invariant_of_forge_is_noticed_by_a_broken_copy() -> None:
    named = {witness for mutant in run_contracts.mutants() for witness in mutant.witnesses}
    assert [each for each in forge_refusals() if each not in named | EXCEPTIONS.keys()] == []


def test_what_is_excepted_is_there_and_needs_it() -> None:
    named = {witness.partition("[")[0] for mutant in runner.mutants() for witness in mutant.witnesses}
    named |= {witness for mutant in run_contracts.mutants() for witness in mutant.witnesses}
    assert EXCEPTIONS.keys() <= {*refusals(), *forge_refusals()} - named


def test_every_mistake_can_be_made_and_every_test_that_it_names_is_there() -> None:
    """Told here in a second, and not after all copies have run: code and tests move."""
    for mutant in runner.mutants():
        mutant.source()
    for mistake in run_contracts.mutants():
        source = (run_contracts.ROOT / "contracts" / mistake.file).read_text()
        assert source.count(mistake.before) == 1, mistake
    named = {witness.partition("[")[0] for mutant in runner.mutants() for witness in mutant.witnesses}
    there = {
        f"{file}::{name}"
        for file in {each.partition("::")[0] for each in named}
        for name, _ in _functions(ast.parse((TESTS / file).read_text()))
    }
    assert named - there == set()
