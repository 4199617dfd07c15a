"""Every test of the contracts that guards a promise fails on a contract that breaks it, and passes on a sound one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.broken import run_contracts
from tests.broken.run_contracts import Mutant

MUTANTS = run_contracts.mutants()

pytestmark = [pytest.mark.slow, pytest.mark.mutation]


@pytest.fixture(scope="module", autouse=True)
def compiler() -> Iterator[None]:
    with run_contracts.warm():
        yield


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sound copy, built once, however many processes run the tests."""
    session = tmp_path_factory.getbasetemp()
    shared = (session.parent if "PYTEST_XDIST_WORKER" in os.environ else session) / "sound-contracts"
    with FileLock(shared.with_suffix(".lock")):
        if not (shared / "built").exists():
            run_contracts.copy(shared)
            (shared / "built").touch()
    return shared


def test_every_witness_passes_on_a_sound_copy(sound: Path, tmp_path: Path) -> None:
    witnesses = {witness for mutant in MUTANTS for witness in mutant.witnesses}
    copy = run_contracts.duplicate(sound, tmp_path / "copy")
    assert run_contracts.failures(copy, witnesses, invariant_runs=2) == set()


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_every_witness_notices(mutant: Mutant, sound: Path) -> None:
    assert run_contracts.run(mutant, sound)


def test_a_mistake_that_cannot_be_made_is_an_error(sound: Path) -> None:
    nowhere = Mutant("nowhere", "libraries/Rule.sol", "no such text", "", ("RuleTest.test_x",))
    with pytest.raises(ValueError, match="exactly once"):
        run_contracts.run(nowhere, sound)


def test_a_mistake_that_is_not_solidity_is_an_error(sound: Path) -> None:
    gibberish = Mutant("gibberish", "libraries/Bits.sol", "(mask >> number)", "gibberish", ("GrantTest.test_x",))
    with pytest.raises(ValueError, match="did not get to the tests"):
        run_contracts.run(gibberish, sound)


def test_a_witness_that_is_not_there_is_an_error(sound: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no test"):
        run_contracts.failures(
            run_contracts.duplicate(sound, tmp_path / "copy"),
            {"GrantTest.test_nothing", "GrantTest.test_the_word_is_laid_out_from_the_most_significant_bit"},
        )
