"""The keys of a home: made, taken in, chosen, saved; never overwritten."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dtledger.errors import DtledgerError, InputError, KeyFileError
from dtledger.home import Home
from dtledger.keys import KeyStore
from tests.keys.examples import CAST, CAST_ADDRESS, CAST_PASSWORD


def test_a_new_key_is_listed_with_its_address_and_no_password(store: KeyStore, home: Home) -> None:
    assert store.list() == ()
    bob, ann = store.create("bob", "correct horse"), store.create("ann", "correct horse")
    assert store.list() == (ann, bob)
    assert store.open("ann") == ann
    assert stat.S_IMODE(ann.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.keys.stat().st_mode) == 0o700
    assert ann.path == home.keys / "ann.json"


def test_a_key_is_never_overwritten(store: KeyStore, tmp_path: Path) -> None:
    file = store.create("ann", "correct horse")
    before = file.path.read_bytes()
    (tmp_path / "alice").write_text(CAST)
    for attempt in (lambda: store.create("ann", "another"), lambda: store.adopt("ann", tmp_path / "alice")):
        with pytest.raises(KeyFileError, match="never overwritten"):
            attempt()
    assert file.path.read_bytes() == before
    assert store.create("ann-2", "another").name == "ann-2"


def test_a_private_key_is_taken_in(store: KeyStore) -> None:
    file = store.create("one", "correct horse", b"\1" * 32)
    assert file.address == "0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1"
    assert bytes(file.unlock("correct horse").account.key) == b"\1" * 32


def test_another_tools_keystore_is_taken_in_and_left_where_it_was(store: KeyStore, tmp_path: Path) -> None:
    source = tmp_path / "alice"
    source.write_text(CAST)
    assert store.adopt("alice", source).unlock(CAST_PASSWORD).address == CAST_ADDRESS
    assert source.read_text() == CAST
    assert store.open("alice").address == CAST_ADDRESS


def test_a_keystore_is_opened_by_path_too(store: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alice").write_text(CAST)
    monkeypatch.chdir(tmp_path)
    assert store.open("./alice").path == store.open(str(tmp_path / "alice")).path == tmp_path / "alice"
    with pytest.raises(KeyFileError, match="is a folder"):
        store.open(str(tmp_path))
    with pytest.raises(KeyFileError, match="There is no key file"):
        store.open("./bob")


def test_the_first_key_is_used_until_another_is_chosen(store: KeyStore) -> None:
    assert store.default() is None
    store.create("ann", "correct horse")
    store.create("bob", "correct horse")
    assert store.default() == "ann"
    store.use("bob")
    assert store.default() == "bob"
    with pytest.raises(KeyFileError, match="no key 'eve'"):
        store.use("eve")
    assert store.default() == "bob"


def test_an_unknown_key_names_the_nearest_and_all(store: KeyStore) -> None:
    with pytest.raises(KeyFileError, match="dtledger key new cardiology"):
        store.open("cardiology")
    store.create("cardiology", "correct horse")
    store.create("ann", "correct horse")
    with pytest.raises(KeyFileError) as raised:
        store.open("cardiolgy")
    assert raised.value.hint == "Did you mean cardiology? There are: ann, cardiology."
    assert store.open("cardiology").name == "cardiology"


@pytest.mark.parametrize("name", ["", "Ann", "a b", "-a", "a" * 33])
def test_a_name_that_cannot_be_one_is_refused_before_any_file(store: KeyStore, home: Home, name: str) -> None:
    with pytest.raises(InputError):
        store.create(name, "correct horse")
    assert not home.root.exists()


def test_a_folder_that_others_can_reach_is_refused_until_it_is_mended(store: KeyStore, home: Home) -> None:
    store.create("ann", "correct horse")
    home.keys.chmod(0o755)
    for attempt in (store.list, lambda: store.open("ann"), lambda: store.create("bob", "correct horse")):
        with pytest.raises(KeyFileError) as raised:
            attempt()
        assert raised.value.hint == f"Run: chmod 700 {home.keys}"
    home.keys.chmod(0o700)
    assert store.open("ann").name == "ann"


def test_a_damaged_key_is_named_and_does_not_hide_that_the_others_open(store: KeyStore, home: Home) -> None:
    store.create("ann", "correct horse")
    (home.keys / "bad.json").write_text("{")
    with pytest.raises(KeyFileError, match=r"bad\.json is damaged"):
        store.list()
    assert store.names() == ("ann", "bad")
    assert store.open("ann").unlock("correct horse").name == "ann"


def test_a_key_that_cannot_be_written_leaves_nothing(
    store: KeyStore, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", read_only)
        with pytest.raises(DtledgerError, match="writable for your account"):
            store.create("ann", "correct horse")
    assert store.names() == ()
    assert store.create("ann", "correct horse").name == "ann"
