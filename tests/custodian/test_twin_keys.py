"""A custodian's key pairs: one for each twin and owner, drawn, encrypted where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtledger.custodian import FileTwinKeys, MemoryTwinKeys, TwinKeys, twin_keys
from dtledger.encoding import address, encode, sha256
from dtledger.errors import InputError, KeyFileError

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


def test_destroyed_pairs_are_gone_named_and_those_of_other_twins_stay(keys: TwinKeys) -> None:
    gone = {sha256(keys.obtain(7, owner).public) for owner in (ANN, BEA)}
    other = keys.obtain(70, ANN)
    assert set(keys.destroy(7)) == gone == set(keys.destroy(7))
    assert keys.all_of(7) == []
    assert keys.all_of(70) == [other]
    assert keys.destroy(8) == ()


def test_one_owner_s_pair_can_go_alone_and_the_next_is_another(keys: TwinKeys) -> None:
    ann, bea = keys.obtain(7, ANN), keys.obtain(7, BEA)
    assert keys.destroy(7, ANN) == (sha256(ann.public),)
    assert keys.all_of(7) == [bea]
    assert keys.obtain(7, ANN).seed != ann.seed
    assert len(keys.destroy(7)) == 3


def test_a_copy_that_comes_back_is_destroyed_before_it_serves(tmp_path: Path) -> None:
    keys = FileTwinKeys(tmp_path, bytes(32))
    seed = keys.obtain(7, ANN).seed
    (file,) = tmp_path.glob("*.key")
    copy = file.read_bytes()
    keys.destroy(7)
    assert not file.exists()
    for again in (keys, FileTwinKeys(tmp_path, bytes(32))):
        file.write_bytes(copy)
        assert again.all_of(7) == []
        assert not file.exists()
        file.write_bytes(copy)
        assert again.obtain(7, ANN).seed != seed
        assert file.read_bytes() != copy


def test_what_another_process_destroyed_is_not_served_from_memory(tmp_path: Path) -> None:
    one, other = FileTwinKeys(tmp_path, bytes(32)), FileTwinKeys(tmp_path, bytes(32))
    assert one.obtain(7, ANN) == other.obtain(7, ANN)
    assert len(one.all_of(7)) == 1
    other.destroy(7)
    assert one.all_of(7) == []


def test_a_damaged_pair_goes_too_without_a_name(tmp_path: Path) -> None:
    keys = FileTwinKeys(tmp_path, bytes(32))
    keys.obtain(7, ANN)
    (file,) = tmp_path.glob("*.key")
    file.write_bytes(b"short")
    assert keys.destroy(7) == ()
    assert not file.exists()


def test_a_damaged_list_of_what_was_destroyed_opens_nothing(tmp_path: Path) -> None:
    keys = FileTwinKeys(tmp_path, bytes(32))
    keys.obtain(7, ANN)
    (tmp_path / "7.destroyed").write_bytes(encode(["no name"]))
    for call in (lambda: keys.all_of(7), lambda: keys.obtain(7, ANN), lambda: keys.destroy(7)):
        with pytest.raises(KeyFileError, match="damaged"):
            call()
    (tmp_path / "7.destroyed").unlink()
    assert len(keys.all_of(7)) == 1


def test_a_retired_pair_is_gone_and_another_owner_s_never(keys: TwinKeys) -> None:
    ann, bea = keys.obtain(7, ANN), keys.obtain(7, BEA)
    names = [sha256(each.public) for each in (ann, bea)]
    elsewhere = sha256(b"a pair that was lost")
    assert set(keys.retire(7, ANN, [*names, elsewhere])) == {names[0], elsewhere}
    assert keys.all_of(7) == [bea]
    assert keys.obtain(7, ANN).seed != ann.seed


def test_an_owner_cannot_fill_a_disk_with_names(keys: TwinKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin_keys, "MOST_NAMES", 3)
    pair = keys.obtain(7, ANN)
    names = [sha256(bytes([each])) for each in range(3)]
    keys.retire(7, ANN, names)
    with pytest.raises(InputError, match="key pairs"):
        keys.retire(7, ANN, [sha256(pair.public)])
    assert keys.all_of(7) == [pair]
    assert set(keys.retire(7, ANN, names)) == set(names)


def test_a_pair_that_was_lost_and_retired_is_destroyed_when_it_comes_back(tmp_path: Path) -> None:
    """Out of an old copy of the pairs: what was retired is named beside the receipts."""
    pairs, names = tmp_path / "pairs", tmp_path / "beside"
    pairs.mkdir()
    names.mkdir()
    lost = FileTwinKeys(pairs, bytes(32), names).obtain(7, ANN)
    (file,) = pairs.glob("*.key")
    copy = file.read_bytes()
    file.unlink()
    keys = FileTwinKeys(pairs, bytes(32), names)
    present = keys.obtain(7, ANN)
    keys.retire(7, ANN, [sha256(lost.public)])
    assert keys.all_of(7) == [present]
    file.write_bytes(copy)
    assert keys.all_of(7) == []
    assert not file.exists()


def test_a_damaged_pair_does_not_stop_another_from_being_retired(tmp_path: Path) -> None:
    keys = FileTwinKeys(tmp_path, bytes(32))
    ann = keys.obtain(7, ANN)
    keys.obtain(7, BEA)
    (tmp_path / f"7-{BEA}.key").write_bytes(b"short")
    assert keys.retire(7, ANN, [sha256(ann.public)]) == (sha256(ann.public),)
    assert not (tmp_path / f"7-{ANN}.key").exists()


def test_a_pair_that_another_thread_destroys_meanwhile_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = FileTwinKeys(tmp_path, bytes(32))
    keys.obtain(7, ANN)
    bea = keys.obtain(7, BEA)
    listed = keys._paths(7)
    keys.destroy(7, ANN)
    monkeypatch.setattr(keys, "_paths", lambda *_: listed)
    assert keys.all_of(7) == [bea]
