"""docs/faults.md leaves out no process, fault or phase, and each test that it names is there and runs unasked."""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from tests.groups import BEHIND

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "faults.md"
SHOWN = re.compile(r"\[(test_\w+|Test\w+::test_\w+)\]\(\.\./(tests/[\w/]+\.py)\)")

PROCESSES = ("gateway", "custodian", "node", "kubo", "client")
PHASES = (
    "before a request", "after an answer", "between receipt and answer", "between store and anchor",
    "between anchor and read-back", "during a re-share", "during destruction", "during an emergency opening",
    "during recovery",
)  # fmt: skip
FAULTS = ("killed", "stopped", "restarted")
OTHERS = {
    *product(("gateway", "custodian", "kubo", "client"), ["full disk"]),
    *product(("gateway", "custodian", "client"), ["clock ten minutes or a day off"]),
    ("custodian", "old copy"),
    ("gateway", "two for one twin"),
}


def rows(heading: str) -> list[list[str]]:
    section = PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def shown(cell: str) -> list[tuple[str, str]]:
    """File and test of each that a cell names."""
    return [(path, name) for name, path in SHOWN.findall(cell)]


@cache
def found_in(path: str) -> dict[str, set[str]]:
    """The tests of a file, methods as Class::name, with the marks that are on them, their class or their module."""
    tree = ast.parse((ROOT / path).read_text())
    of_module = {
        mark
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        for mark in marks(node.value)
    }
    found = {}
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        for each in inside:
            if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
                name = f"{node.name}::{each.name}" if isinstance(node, ast.ClassDef) else each.name
                decorators = {mark for one in (node, each) for d in one.decorator_list for mark in marks(d)}  # type: ignore[attr-defined]
                found[name] = of_module | decorators
    return found


def marks(node: ast.AST) -> set[str]:
    return set(re.findall(r"pytest\.mark\.(\w+)", ast.unparse(node)))


def test_no_phase_of_a_process_is_left_out() -> None:
    told = {(process, phase) for process, phase, *_ in rows("Processes")}
    assert told == {*product(PROCESSES, PHASES)}


def test_no_fault_of_a_process_is_left_out() -> None:
    told = {(process, fault) for process, _, faults, *_ in rows("Processes") for fault in faults.split(", ")}
    assert told >= {*product(PROCESSES, FAULTS)}


def test_no_other_fault_is_left_out() -> None:
    assert {(what, fault) for what, fault, *_ in rows("Disks, clocks, copies")} >= OTHERS


@pytest.mark.parametrize("heading", ["Processes", "Disks, clocks, copies"])
def test_each_row_says_what_is_promised_and_names_tests_that_are_there(heading: str) -> None:
    for *_, promised, cell in rows(heading):
        assert promised.endswith("."), promised
        assert re.sub(SHOWN, "", cell).strip(", ") == "", cell
        assert shown(cell), promised
        for path, name in shown(cell):
            bare = {each.rpartition("::")[2]: each for each in found_in(path)}
            assert name in found_in(path) or name in bare, f"{path} has no {name}"


def test_each_test_that_it_names_runs_without_being_asked_for() -> None:
    never = {*BEHIND, "skip", "xfail", "real_data"}
    for heading in ("Processes", "Disks, clocks, copies"):
        for *_, cell in rows(heading):
            for path, name in shown(cell):
                bare = {each.rpartition("::")[2]: found for each, found in found_in(path).items()}
                assert not never & bare[name.rpartition("::")[2]], f"{path} {name}"


def test_a_mark_that_is_looked_for_is_found() -> None:
    of_module, *_ = found_in("tests/broken/python/test_broken_copies.py").values()
    assert "mutation" in of_module
    assert "kubo" in found_in("tests/faults/test_kubo_process.py")["test_stopped_it_is_waited_for"]


def test_its_lines_are_not_wider_than_others() -> None:
    outside = [line for line in PAGE.read_text().splitlines() if not line.startswith("|")]
    assert max(map(len, outside)) <= 120
