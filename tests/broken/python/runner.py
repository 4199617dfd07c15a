"""Broken copies of the Python code: each has one mistake, and the tests that it names must fail on it.

The mistakes stand in the `*.toml` files beside this one. `python -m tests.broken.python.runner` runs them all, or those
of one file (`custodian`), or those whose description holds the word that is given. No file is touched: a mistake is
made while its module is imported, in a process of its own, which begins as a copy of one that has everything loaded but
dtledger.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Protocol, TypeVar

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(__file__).parent
PROCESSES = 2
DIED = "the process died"
T = TypeVar("T")
PYTEST = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake in `dtledger/FILE`. `witnesses` are the tests that must notice it, as pytest names them."""

    says: str
    group: str
    file: str
    before: str
    after: str
    witnesses: tuple[str, ...]

    def __str__(self) -> str:
        return self.says

    @property
    def module(self) -> str:
        return "dtledger." + self.file.removesuffix(".py").replace("/", ".")

    def source(self) -> str:
        """The module's source with the mistake in it.

        Raises:
            ValueError: what it replaces is not there exactly once.
        """
        text = (ROOT / "dtledger" / self.file).read_text()
        if text.count(self.before) != 1:
            raise ValueError(f"{self}: {self.file} does not hold what is replaced exactly once: {self.before}")
        return text.replace(self.before, self.after)


def mutants() -> list[Mutant]:
    """All mistakes, in the order of their files."""
    return [
        Mutant(row["says"], path.stem, row["file"], row["before"], row["after"], tuple(row["witnesses"]))
        for path in sorted(FOLDER.glob("*.toml"))
        for row in tomllib.loads(path.read_text())["mutant"]
    ]


class Changed(Protocol):
    """One module of dtledger, written otherwise."""

    @property
    def file(self) -> str: ...
    @property
    def module(self) -> str: ...
    def source(self) -> str: ...


class _Loader(SourceFileLoader):
    """Loads one module from other source than its file's, whatever was compiled of it before."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self._source.encode(), self.path)
        return code


class _Finder(MetaPathFinder):
    def __init__(self, mutant: Changed) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        file = str(ROOT / "dtledger" / self._mutant.file)
        return spec_from_file_location(fullname, file, loader=_Loader(fullname, file, self._mutant.source()))


class _Outcomes:
    """A pytest plugin: how each test ended."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self.errors: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.of[report.nodeid] = report.outcome
        elif report.failed:
            self.errors.append(report.longreprtext)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(report.longreprtext)


def put_in_place(mutant: Changed) -> None:
    """Have whoever imports the module get the changed one."""
    sys.meta_path.insert(0, _Finder(mutant))
    importlib.import_module(mutant.module)  # before pytest puts a finder of its own in front


def silence() -> None:
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)


def verdict(mutant: Mutant | None, witnesses: Sequence[str]) -> str:
    """In a process of its own: "" if every witness fails (or, without a mutant, passes), else what went otherwise."""
    if mutant is not None:
        put_in_place(mutant)
    outcomes = _Outcomes()
    silence()
    pytest.main([*PYTEST, *(f"tests/{witness}" for witness in witnesses)], plugins=[outcomes])
    if outcomes.errors:
        return f"the tests did not get to run: {outcomes.errors[0][-600:]}"
    if len(outcomes.of) != len(set(witnesses)):
        return f"{len(witnesses)} tests are named and {len(outcomes.of)} ran"
    wanted = "passed" if mutant is None else "failed"
    allowed = {wanted, "skipped"} if wanted in outcomes.of.values() else {wanted}  # not every disk can be made full
    return "; ".join(f"{test} {outcome}" for test, outcome in outcomes.of.items() if outcome not in allowed)


def run(chosen: Sequence[Mutant]) -> Iterator[tuple[Mutant, str]]:
    """Each mistake with its verdict, as they come in."""
    _preload()
    return judged(chosen, lambda mutant: verdict(mutant, mutant.witnesses))


def judged(chosen: Sequence[T], judge: Callable[[T], str]) -> Iterator[tuple[T, str]]:
    """Each with what `judge` said of it in a process of its own, as they come in."""
    waiting, running = list(chosen), {}
    while waiting or running:
        while waiting and len(running) < PROCESSES:
            one = waiting.pop(0)
            ours, theirs = os.pipe()
            child = os.fork()
            if not child:
                _answer(theirs, judge, one)
            os.close(theirs)
            running[child] = one, ours
        ended, _ = os.waitpid(-1, 0)
        one, pipe = running.pop(ended)
        with os.fdopen(pipe) as answer:
            yield one, json.loads(answer.read() or f'"{DIED}"')


def _answer(pipe: int, judge: Callable[[T], str], one: T) -> None:
    """The child's whole life."""
    try:
        said = judge(one)
    except BaseException as error:  # noqa: BLE001  (whatever it is, the parent shall hear of it)
        said = repr(error)
    os.write(pipe, json.dumps(said[:4000]).encode())
    os._exit(0)


def _preload() -> None:
    """Import everything that dtledger and its tests need, and forget dtledger and its tests again."""
    os.chdir(ROOT)
    for name in ("dtledger.testing.world", "hypothesis", "hypothesis.strategies"):
        importlib.import_module(name)
    for name in list(sys.modules):
        if name.partition(".")[0] == "dtledger" or (name.startswith("tests") and name != __name__):
            del sys.modules[name]


def main(arguments: list[str]) -> int:
    """Runs all mistakes, those of the file that is named, or those whose description holds the first argument; 1 if a
    witness missed one."""
    word = arguments[0] if arguments else ""
    chosen = [each for each in mutants() if each.group == word] or [each for each in mutants() if word in each.says]
    missed = 0
    for mutant, said in run(chosen):
        missed += bool(said)
        print(f"{f'MISSED ({said})' if said else 'noticed'}  {mutant}", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} mistakes were noticed by every test that must")
    return 1 if missed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
