"""Every mutant that Cosmic Ray makes of the rule in Python, before the tests that say what the rule is.

`scripts/mutate policy` runs it. Each mutant lives in a process of its own, with fifteen seconds of processor time and
4 GB: what needs more, as a shift that became a power does, is noticed by that. The sound rule needs three.
"""

from __future__ import annotations

import ast
import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

import pytest
from hypothesis import Phase, settings

from tests.broken.automatic.mutants import ROOT, Mutant, Tally
from tests.broken.python import runner
from tests.contracts import rule_cases

PATH = "dtledger/policy.py"
TESTS = (
    "tests/test_policy_word.py::TestAWord",
    "tests/test_policy.py::TestMalformed",
    "tests/test_policy.py",
    "tests/test_policy_properties.py",
    "tests/test_policy_word.py",
)
PHASES = (Phase.explicit, Phase.generate)
SECONDS, BYTES = 15, 4 << 30
CASES = sorted(rule_cases.committed(), key=hash)
"""Those that forge puts to the contract, mixed: the first of them tell most mutants."""
FEW = 2000
SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The module with a mutant in its place."""

    mutant: Mutant
    file: str = "policy.py"
    module: str = "dtledger.policy"

    def source(self) -> str:
        return self.mutant.text


class _WithoutAnnotations(ast.NodeTransformer):
    """Nothing evaluates them (`from __future__ import annotations`)."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant("")
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)


def meaning(source: str) -> str:
    return ast.dump(_WithoutAnnotations().visit(ast.parse(source)))


def mutants(tool: str) -> list[Mutant]:
    """All of them but those that change an annotation alone. `tool` is a Python that has Cosmic Ray."""
    command = [tool, ROOT / "scripts" / "mutants_python.py", ROOT / PATH]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [json.loads(line) for line in told.splitlines()]
    sound = meaning((ROOT / PATH).read_text())
    return [Mutant(PATH, row["by"], row["source"]) for row in rows if meaning(row["source"]) != sound]


def survives(rewritten: Rewritten) -> str:
    """In a process of its own: SURVIVED, or whatever else if a test noticed."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    runner.silence()
    for name in list(sys.modules):  # the rest of dtledger stays: it takes a second to load, and is not asked
        if name == rewritten.module or (name.startswith("tests.") and not name.startswith("tests.broken.")):
            del sys.modules[name]
    runner.put_in_place(rewritten)
    judge = import_module("tests.contracts.rule_cases").judge
    if any(judge(case) != case.verdict for case in CASES[:FEW]):
        return ""
    settings.register_profile("mutants", derandomize=True, database=None, deadline=None, max_examples=20, phases=PHASES)
    told = pytest.main([*runner.PYTEST, "-x", "--hypothesis-profile", "mutants", *TESTS])
    if told != pytest.ExitCode.OK or any(judge(case) != case.verdict for case in CASES[FEW:]):
        return ""
    return SURVIVED


def judged(chosen: Sequence[Mutant]) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant, and whether it survives.

    Raises:
        ValueError: the tests do not pass on the rule as it is.
    """
    for name in ("hypothesis.strategies", "tests.conftest"):
        import_module(name)  # once for all
    sound = Mutant(PATH, "nothing", (ROOT / PATH).read_text())
    for mutant, said in runner.judged([Rewritten(sound)], survives):
        if said != SURVIVED:
            raise ValueError(f"a test fails on {mutant.file} as it is: {said}")
    for rewritten, said in runner.judged([Rewritten(each) for each in chosen], survives):
        yield rewritten.mutant, said == SURVIVED


def main(arguments: list[str]) -> int:
    """`TOOL [WORD]`: all mutants, or those whose line holds the word."""
    tool, word = arguments[0], arguments[1] if len(arguments) > 1 else ""
    chosen = [each for each in mutants(tool) if word in "".join(each.change)]
    tally = Tally([PATH], len(chosen))
    for mutant, survived in judged(chosen):
        tally.count(mutant, survived)
    return tally.close(whole=not word)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
