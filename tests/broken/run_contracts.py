"""Broken copies of the contracts: each has one mistake, and the tests that it names must fail on it.

The mistakes stand in `contracts/*.toml`. `python -m tests.broken.run_contracts` runs them all, or those whose
description holds the word that is given; `run` takes one. A copy is a folder of its own, so that many may run at once;
while `warm` lasts, one compiler serves all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dtledger._backend import foundry

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent / "contracts"

# Tests are linked to the contracts when they run, so that a mistake makes the compiler read the contracts alone.
SETTINGS = {
    "FOUNDRY_DYNAMIC_TEST_LINKING": "true",
    "FOUNDRY_OPTIMIZER": "false",
    "FOUNDRY_FUZZ_RUNS": "64",
    "FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT": "0",
    "FORGE_SNAPSHOT_CHECK": "false",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake. `witnesses` are the tests that must notice it, as contract.test."""

    says: str
    file: str
    before: str
    after: str
    witnesses: tuple[str, ...]

    def __str__(self) -> str:
        return self.says


def mutants() -> list[Mutant]:
    """All mistakes, in the order of their files."""
    return [
        Mutant(row["says"], row["file"], row["before"], row["after"], tuple(row["witnesses"]))
        for path in sorted(FOLDER.glob("*.toml"))
        for row in tomllib.loads(path.read_text())["mutant"]
    ]


@contextmanager
def warm() -> Iterator[None]:
    """Keep a compiler: forge asks it twice for a copy, and would load it each time."""
    with tempfile.TemporaryDirectory() as folder:
        socket = str(Path(folder) / "solc")  # a socket's path has room for a hundred bytes
        command = [ROOT / "scripts" / "solc", "--serve", socket]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as compiler:
            assert compiler.stdout is not None
            if compiler.stdout.readline() != b"ready\n":
                raise ValueError("scripts/solc does not serve")
            SETTINGS["DTLEDGER_SOLC"] = socket
            try:
                yield
            finally:
                del SETTINGS["DTLEDGER_SOLC"]
                compiler.communicate()


def copy(place: Path, without: Iterable[str] = ()) -> Path:
    """A sound copy of the contracts and of their tests, but those `without`: built, and its tests pass."""
    place.mkdir(parents=True, exist_ok=True)
    ignored = shutil.ignore_patterns("*.py", "__pycache__", *without)
    shutil.copytree(ROOT / "contracts", place / "contracts")
    shutil.copytree(ROOT / "tests" / "contracts", place / "tests" / "contracts", ignore=ignored)
    shutil.copytree(ROOT / "tests" / "vectors", place / "tests" / "vectors")
    shutil.copy(ROOT / "foundry.toml", place)
    (place / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "solc", place / "scripts")
    (place / "scripts" / "node_modules").symlink_to(ROOT / "scripts" / "node_modules")
    _forge(place, "build")
    return place


def duplicate(sound: Path, place: Path) -> Path:
    """A copy of a copy, with what was built."""
    return Path(shutil.copytree(sound, place, symlinks=True))


def run(mutant: Mutant, sound: Path | None = None) -> bool:
    """True if every witness fails on a copy with that mistake.

    Args:
        mutant: the mistake.
        sound: a copy that `copy` made, which stays as it is; without it one is made.

    Raises:
        ValueError: the mistake cannot be made (what it replaces is not there once), or what it makes is not Solidity,
            or a witness is not there.
    """
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "copy"
        if sound is None:
            copy(place)
        else:
            duplicate(sound, place)
        path = place / "contracts" / mutant.file
        text = path.read_text()
        if text.count(mutant.before) != 1:
            raise ValueError(f"{mutant}: {mutant.file} does not hold what is replaced exactly once: {mutant.before}")
        path.write_text(text.replace(mutant.before, mutant.after))
        _rebuild_heirs(place, path.stem)
        return failures(place, mutant.witnesses) == set(mutant.witnesses)


def _rebuild_heirs(place: Path, contract: str) -> None:
    """Touches what the tests derive from a contract: linking when they run does not reach it."""
    for path in (place / "tests" / "contracts" / "support").glob("*.sol"):
        text = path.read_text()
        if f" is {contract} " in text:
            path.write_text(text + "// rebuilt\n")


def failures(place: Path, witnesses: Iterable[str], invariant_runs: int = 48) -> set[str]:
    """Those of these tests that fail in a copy. An invariant gets so many runs to fail in.

    Raises:
        ValueError: the copy does not compile, or one of the tests is not there.
    """
    named = {(contract, test) for contract, _, test in (witness.partition(".") for witness in witnesses)}
    contracts, tests = (sorted(set(part)) for part in zip(*named, strict=True))
    told = _forge(
        place,
        "test",
        "--json",
        "--match-contract",
        f"^({'|'.join(contracts)})$",
        "--match-test",
        f"^({'|'.join(tests)})(\\(|$)",
        FOUNDRY_INVARIANT_RUNS=str(invariant_runs),
    )
    results = {
        (suite.rpartition(":")[2], test.partition("(")[0]): result["status"]
        for suite, found in _results(told).items()
        for test, result in found["test_results"].items()
    }
    if missing := named - results.keys():
        raise ValueError(f"there is no test {'.'.join(min(missing))}")
    return {".".join(test) for test in named if results[test] == "Failure"}


def passes(place: Path, *chosen: str) -> bool:
    """Whether every test passes that a copy has, or that forge's options choose.

    Raises:
        ValueError: the copy does not compile.
    """
    suites = _results(_forge(place, "test", "--json", "--fail-fast", *chosen))
    return all(result["status"] == "Success" for suite in suites.values() for result in suite["test_results"].values())


def _results(told: str) -> dict[str, Any]:
    try:
        results: dict[str, Any] = json.loads(told)
    except ValueError:
        raise ValueError(f"forge test did not get to the tests:\n{told[-2000:]}") from None
    return results


def _forge(place: Path, *arguments: str, **settings: str) -> str:
    """Forge's output; its complaints, if there is none.

    Raises:
        ValueError: a build failed.
    """
    done = subprocess.run(
        [foundry.require("forge"), *arguments],
        cwd=place,
        env=os.environ | SETTINGS | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    if arguments[0] == "build" and done.returncode:
        raise ValueError(f"the contracts do not compile:\n{done.stderr[-2000:]}")
    return done.stdout.strip() or done.stderr


def main(arguments: list[str]) -> int:
    """Runs the mistakes whose description holds the first argument; 1 if a witness missed one, 2 if there is none."""
    chosen = [mutant for mutant in mutants() if not arguments or arguments[0] in mutant.says]
    if not chosen:
        print("no mistake is called that")
        return 2
    missed = 0
    with warm(), tempfile.TemporaryDirectory() as name:
        sound = copy(Path(name) / "sound")
        for mutant in chosen:
            noticed = run(mutant, sound)
            missed += not noticed
            print(f"{'noticed' if noticed else 'MISSED '}  {mutant}", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} mistakes were noticed by every test that must")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
