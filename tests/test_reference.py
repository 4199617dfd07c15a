"""The API reference is made from the docstrings: every public name has one."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import dtledger

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = [
    each.name
    for each in pkgutil.walk_packages(dtledger.__path__, "dtledger.")
    if not any(part.startswith("_") for part in each.name.split(".")[1:])
]

SAY_THEMSELVES = {
    "dtledger.custody.wire": "one function in and one out for each thing that is asked",
    "dtledger.ledger.calls": "one function a call; what it does stands in the contract's interface",
    "dtledger.ledger.events": "one class an event of the contracts' interfaces",
    "dtledger.ledger.guardian_calls": "as calls",
    "dtledger.ledger.guardians": "as messages",
    "dtledger.ledger.messages": "one function a message; its type string stands above",
    "dtledger.ledger.rejections": "one class an error of the contracts' interfaces; its text is what it says",
    "dtledger.ledger.rejections.emergencies": "as the others",
    "dtledger.ledger.rejections.guardians": "as the others",
    "dtledger.ledger.rejections.models": "as the others",
    "dtledger.ledger.rejections.succession": "as the others",
}
"""Modules whose names need no sentence each, and why."""

PORTS = ("dtledger.ledger.port", "dtledger.store", "dtledger.custody.port")
"""What a class does as one of these says, is said there."""

SDK = ("dtledger.client", "dtledger.testing")
"""Where also the methods of what is exported have docstrings."""


def tree(module: str) -> ast.Module:
    spec = find_spec(module)
    assert spec is not None
    return ast.parse(Path(spec.origin or "").read_text())


def public(nodes: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node


def is_property(node: ast.FunctionDef | ast.ClassDef) -> bool:
    names = {getattr(each, "id", getattr(each, "attr", "")) for each in node.decorator_list}
    return bool(names & {"property", "cached_property"})


@pytest.mark.parametrize("module", ["dtledger", *PUBLIC])
def test_every_public_name_has_a_docstring(module: str) -> None:
    parsed = tree(module)
    assert ast.get_docstring(parsed), module
    if module not in SAY_THEMSELVES:
        assert [node.name for node in public(parsed.body) if not ast.get_docstring(node)] == []


def test_every_method_of_the_sdk_has_one() -> None:
    said = {
        method.name
        for port in PORTS
        for kind in public(tree(port).body)
        for method in public(kind.body)
        if ast.get_docstring(method)
    }
    lacking = []
    for package in SDK:
        exported = set(vars(__import__(package, fromlist=["*"])))
        for module in (each for each in PUBLIC if each.startswith(package)):
            for kind in public(tree(module).body):
                if isinstance(kind, ast.ClassDef) and kind.name in exported:
                    lacking += [
                        f"{module}.{kind.name}.{method.name}"
                        for method in public(kind.body)
                        if not ast.get_docstring(method) and not is_property(method) and method.name not in said
                    ]
    assert lacking == []


@pytest.mark.slow
def test_a_page_says_what_a_docstring_says(tmp_path: Path) -> None:
    some = ["dtledger", "dtledger.client.reading", "dtledger.errors"]
    command = [sys.executable, ROOT / "scripts" / "reference_pages.py", tmp_path, *some]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "dtledger" / "client" / "reading.html").read_text()
    assert "Decrypted, verified readings of a category" in page
    assert "<h6" in page
    assert "Raises" in page
    assert (tmp_path / "index.html").exists()
