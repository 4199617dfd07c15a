"""A custodian's key pairs: one for each twin and owner, drawn, encrypted where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtledger.custodian import FileTwinKeys, MemoryTwinKeys, TwinKeys
from dtledger.encoding import address
from dtledger.errors import KeyFileError

ANN, BEA = address("0x" + "11" * 20), address("0x" + "22" * 20)


@pytest.fixture(params=["memory", "files"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> TwinKeys:
    return MemoryTwinKeys() if request.param == "memory" else FileTwinKeys(tmp_path, bytes(32))


def test_a_pair_is_drawn_once_for_a_twin_and_owner(keys: TwinKeys) -> None:
    assert keys.obtain(7, ANN).seed == keys.obtain(7, ANN).seed
    assert len({keys.obtain(7, ANN).seed, keys.obtain(7, BEA).seed, keys.obtain(8, ANN).seed}) == 3


def test_no_pair_is_derived_from_what_it_is_for(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    made = [FileTwinKeys(tmp_path, bytes(32)), FileTwinKeys(tmp_path / "other", bytes(32)), MemoryTwinKeys()]
    assert len({each.obtain(7, ANN).seed for each in made}) == 3


def test_all_pairs_of_a_twin_are_its_owners_and_no_other_twin_s(keys: TwinKeys) -> None:
    mine = {keys.obtain(7, ANN).seed, keys.obtain(7, BEA).seed}
    for other in (70, 77, 17):
        keys.obtain(other, ANN)
    assert {pair.seed for pair in keys.all_of(7)} == mine


def test_files_say_nothing_without_the_wrapping_key_and_cannot_be_exchanged(tmp_path: Path) -> None:
    keys = FileTwinKeys(tmp_path, bytes(32))
    seed = keys.obtain(7, ANN).seed
    keys.obtain(8, ANN)
    one, other = sorted(tmp_path.glob("*.key"))
    assert seed[:16] not in one.read_bytes()
    assert one.stat().st_mode & 0o77 == 0
    assert FileTwinKeys(tmp_path, bytes(32)).obtain(7, ANN).seed == seed
    with pytest.raises(KeyFileError):
        FileTwinKeys(tmp_path, b"\1" * 32).obtain(7, ANN)
    one.write_bytes(other.read_bytes())
    with pytest.raises(KeyFileError):
        FileTwinKeys(tmp_path, bytes(32)).obtain(7, ANN)
