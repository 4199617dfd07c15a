"""Opening a key file: what unlocks, what does not, and what other tools made of it."""

from __future__ import annotations

import json
import pickle
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from eth_account import Account
from eth_keys.backends import CoinCurveECCBackend
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtledger.crypto.seal import open_, seal
from dtledger.encoding import keccak
from dtledger.errors import DtledgerError, KeyFileError
from dtledger.home import Home
from dtledger.keys import STRONG, KeyFile, KeyStore, Scrypt, Secrets, TwinSecrets
from dtledger.ledger.messages import signer
from tests.keys.examples import CAST, CAST_ADDRESS, CAST_PASSWORD, PBKDF2, PBKDF2_KEY, PBKDF2_PASSWORD

pytestmark = pytest.mark.slow

D = "31337-00112233-abcdef01"
ANY = [HealthCheck.function_scoped_fixture]


def test_a_key_unlocks_with_its_password_and_signs_as_its_address(store: KeyStore) -> None:
    file = store.create("ann", "correct horse")
    key = file.unlock("correct horse")
    assert key.address == file.address
    digest = keccak(b"anything")
    signature = key.sign_digest(digest)
    assert len(signature) == 65
    assert signer(digest, signature) == key.address
    with pytest.raises(ValueError, match="32 bytes"):
        key.sign_digest(b"short")


def test_typed_data_is_signed_as_eip_712_says(store: KeyStore) -> None:
    private = keccak(b"cow")
    key = store.create("cow", "correct horse", private).unlock("correct horse")
    assert key.address == "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"
    person = [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}]
    message = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Person": person,
            "Mail": [
                {"name": "from", "type": "Person"},
                {"name": "to", "type": "Person"},
                {"name": "contents", "type": "string"},
            ],
        },
        "primaryType": "Mail",
        "domain": {
            "name": "Ether Mail",
            "version": "1",
            "chainId": 1,
            "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
        },
        "message": {
            "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
            "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
            "contents": "Hello, Bob!",
        },
    }
    # The example of EIP-712 itself.
    assert key.sign_typed(message).hex() == (
        "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
        "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562"
        "1c"
    )
    digest = bytes.fromhex("be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2")
    assert key.sign_digest(digest) == key.sign_typed(message)


def test_a_transaction_is_signed_by_the_keys_own_address(store: KeyStore) -> None:
    key = store.create("ann", "correct horse").unlock("correct horse", signing_only=True)
    fees = {"gas": 21_000, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
    raw = key.sign_transaction({"chainId": 31337, "nonce": 0, "to": key.address, "value": 0, "data": b"", **fees})
    assert Account.recover_transaction(raw) == key.address


def test_what_is_sealed_to_a_key_opens_after_every_later_unlocking(store: KeyStore) -> None:
    file = store.create("ann", "correct horse")
    sealed = seal(file.unlock("correct horse").seal_key.public, b"a share", b"test")
    assert open_(store.open("ann").unlock("correct horse").seal_key, sealed, b"test") == b"a share"


def test_a_wrong_password_and_a_damaged_keystore_are_told_in_the_same_words(store: KeyStore) -> None:
    file = store.create("ann", "correct horse")
    with pytest.raises(KeyFileError) as wrong:
        file.unlock("correct mule")
    document = json.loads(file.path.read_text())
    mac = document["crypto"]["mac"]
    document["crypto"]["mac"] = "00" * 32
    file.path.write_text(json.dumps(document))
    with pytest.raises(KeyFileError) as damaged:
        file.unlock("correct horse")
    assert str(wrong.value) == str(damaged.value)
    assert wrong.value.exit_code == 5
    assert wrong.value.__cause__ is None
    assert wrong.value.__suppress_context__
    document["crypto"]["mac"] = mac
    file.path.write_text(json.dumps(document))
    assert file.unlock("correct horse").address == file.address


@given(st.text(max_size=20), st.text(max_size=20))
@settings(suppress_health_check=ANY, deadline=None, max_examples=25)
def test_every_password_opens_its_own_file_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, one: str, other: str
) -> None:
    file = KeyStore(Home.locate(tmp_path_factory.mktemp("home")), Scrypt(n=2)).create("ann", one)
    assert file.unlock(one).address == file.address
    if other != one:
        with pytest.raises(KeyFileError):
            file.unlock(other)


@given(st.data())
@settings(suppress_health_check=ANY, deadline=None, max_examples=300)
def test_a_changed_byte_is_noticed_or_harmless(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    whole, secrets = _whole()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "ann.json"
    path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
    path.with_name(".ann.json.section").touch()  # as it lies beside a file that has a section
    with suppress(KeyFileError):
        key = KeyFile.read("ann", path, Scrypt(n=2)).unlock("correct horse")
        assert (key.secrets, key.address) == (secrets, "0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1")


@cache
def _whole() -> tuple[bytes, Secrets]:
    with tempfile.TemporaryDirectory() as folder:
        file = KeyStore(Home.locate(folder), Scrypt(n=2)).create("ann", "correct horse", b"\1" * 32)
        secrets = file.unlock("correct horse").update(lambda old: old.with_twin(D, 7, TwinSecrets.draw()))
        return file.path.read_bytes(), secrets


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b"\xff", b"not json", b'{"version": 1}', b'{"version": 3}', b"[" * 100_000],
    ids=lambda data: data[:14],
)
def test_what_is_no_keystore_is_named_as_damaged(store: KeyStore, data: bytes) -> None:
    file = store.create("ann", "correct horse")
    file.path.write_bytes(data)
    with pytest.raises(KeyFileError) as raised:
        store.open("ann")
    assert str(file.path) in str(raised.value)
    assert "backup" in raised.value.hint


@pytest.mark.parametrize(
    ("field", "value"),
    [("n", 2**30), ("n", 3), ("n", "8"), ("r", 2**20), ("p", 2**20), ("dklen", 16), ("dklen", 0), ("salt", "xy")],
)
def test_a_keystore_that_would_exhaust_or_confuse_its_reader_is_refused_before_any_work(
    store: KeyStore, field: str, value: object
) -> None:
    file = store.create("ann", "correct horse")
    document = json.loads(file.path.read_text())
    document["crypto"]["kdfparams"][field] = value
    file.path.write_text(json.dumps(document))
    with pytest.raises(KeyFileError, match="damaged"):
        store.open("ann")


@pytest.mark.parametrize("name", ["n", "r", "p"])
def test_a_section_that_asks_for_too_much_is_refused(store: KeyStore, name: str) -> None:
    file = store.create("ann", "correct horse")
    document = json.loads(file.path.read_text())
    document["dtledger"]["kdfparams"][name] = 2**30
    file.path.write_text(json.dumps(document))
    with pytest.raises(KeyFileError, match="section `dtledger`"):
        file.unlock("correct horse")


def test_a_keystore_made_by_cast_is_accepted_and_gets_a_section_at_the_first_unlocking(tmp_path: Path) -> None:
    path = tmp_path / "alice"
    path.write_text(CAST)
    file = KeyFile.read("alice", path, Scrypt(n=2))
    assert file.address is None
    key = file.unlock(CAST_PASSWORD)
    assert key.address == CAST_ADDRESS
    again = KeyFile.read("alice", path, Scrypt(n=2))
    assert again.address == CAST_ADDRESS
    assert again.unlock(CAST_PASSWORD).seal_key == key.seal_key
    assert path.stat().st_mode & 0o777 == 0o600
    assert Account.decrypt(path.read_text(), CAST_PASSWORD) == key.account.key, "other tools still read it"


def test_signing_only_leaves_another_tools_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "alice"
    path.write_text(CAST)
    key = KeyFile.read("alice", path, Scrypt(n=2)).unlock(CAST_PASSWORD, signing_only=True)
    assert signer(keccak(b"x"), key.sign_digest(keccak(b"x"))) == CAST_ADDRESS
    assert path.read_text() == CAST
    assert [each.name for each in tmp_path.iterdir()] == ["alice"]
    for attempt in (lambda: key.seal_key, lambda: key.secrets, lambda: key.update(lambda old: old), key.reload):
        with pytest.raises(KeyFileError, match="signing only"):
            attempt()


def test_the_vector_of_the_definition_opens(tmp_path: Path) -> None:
    path = tmp_path / "wiki.json"
    path.write_text(PBKDF2)
    key = KeyFile.read("wiki", path, Scrypt(n=2)).unlock(PBKDF2_PASSWORD)
    assert bytes(key.account.key) == PBKDF2_KEY
    kdf = json.loads(path.read_text())["crypto"]["kdf"]
    assert kdf == "scrypt", "a weaker derivation is made anew, for it would be the door to the section too"


def test_a_weak_keystore_is_made_as_costly_to_guess_as_the_section(tmp_path: Path) -> None:
    path = tmp_path / "alice"
    path.write_text(CAST)
    KeyFile.read("alice", path, Scrypt(n=2**14)).unlock(CAST_PASSWORD)
    document = json.loads(path.read_text())
    assert document["crypto"]["kdfparams"]["n"] == document["dtledger"]["kdfparams"]["n"] == 2**14


def test_what_nobody_says_otherwise_costs_a_hundred_megabytes_a_guess() -> None:
    assert (STRONG.n, STRONG.r, STRONG.p) == (2**17, 8, 1)
    assert KeyStore(Home.locate("/nowhere")).kdf is STRONG


def test_a_section_that_another_tool_dropped_is_missed_not_begun_anew(store: KeyStore) -> None:
    file = store.create("ann", "correct horse")
    whole = file.path.read_bytes()
    document = json.loads(whole)
    del document["dtledger"]
    file.path.write_text(json.dumps(document))
    with pytest.raises(KeyFileError, match="is gone: another tool rewrote the file"):
        file.unlock("correct horse")
    assert file.unlock("correct horse", signing_only=True).address == file.address
    file.path.write_bytes(whole)
    assert file.unlock("correct horse").address == file.address


def test_a_section_of_another_keys_file_does_not_open(store: KeyStore) -> None:
    ann, eve = store.create("ann", "same password"), store.create("eve", "same password")
    document = json.loads(ann.path.read_text())
    own = document["dtledger"]
    document["dtledger"] = json.loads(eve.path.read_text())["dtledger"]
    ann.path.write_text(json.dumps(document))
    with pytest.raises(KeyFileError, match="section `dtledger`"):
        ann.unlock("same password")
    document["dtledger"] = own
    ann.path.write_text(json.dumps(document))
    assert ann.unlock("same password").address == ann.address


def test_an_address_that_is_not_the_keys_own_is_found_out(store: KeyStore) -> None:
    file = store.create("ann", "correct horse")
    document = json.loads(file.path.read_text())
    right, document["address"] = document["address"], CAST_ADDRESS[2:]
    file.path.write_text(json.dumps(document))
    with pytest.raises(KeyFileError, match="another address"):
        store.open("ann").unlock("correct horse")
    document["address"] = "0x" + right
    file.path.write_text(json.dumps(document))
    assert store.open("ann").unlock("correct horse").address == file.address


def test_a_changed_password_opens_and_the_old_one_does_not(store: KeyStore) -> None:
    file = store.create("ann", "correct horse")
    open_elsewhere = file.unlock("correct horse")
    open_elsewhere.update(lambda old: old.with_twin(D, 7, TwinSecrets.draw()))
    with pytest.raises(KeyFileError, match="does not unlock"):
        file.change_password("wrong horse", "battery staple")
    file.change_password("correct horse", "battery staple")
    with pytest.raises(KeyFileError, match="does not unlock"):
        file.unlock("correct horse")
    assert file.unlock("battery staple").secrets == open_elsewhere.secrets
    with pytest.raises(KeyFileError, match="another password meanwhile"):
        open_elsewhere.update(lambda old: old)


def test_a_key_file_that_others_can_change_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "alice"
    path.write_text(CAST)
    path.chmod(0o666)
    with pytest.raises(KeyFileError) as raised:
        KeyFile.read("alice", path)
    assert raised.value.hint == f"Run: chmod 600 {path}"
    path.chmod(0o644)
    assert KeyFile.read("alice", path).name == "alice"


def test_nothing_that_can_be_printed_shows_a_secret(store: KeyStore) -> None:
    file = store.create("ann", "correct horse", b"\x5a" * 32)
    key = file.unlock("correct horse")
    twin = TwinSecrets.draw()
    secrets = key.update(lambda old: old.with_twin(D, 7, twin).with_extra("keyring", b"\x5b" * 32))
    hidden = [b"\x5a" * 32, b"\x5b" * 32, secrets.seal_key.seed[:32], *twin.generations.values(), *twin.tag_keys]
    shown = f"{file!r} {file} {key!r} {key} {secrets!r} {secrets} {twin!r} {twin} {key.account!r} {key.seal_key!r}"
    shown += repr(key._section_key)
    for each in hidden:
        assert each.hex() not in shown
        assert repr(each)[2:-1] not in shown
    assert "correct horse" not in shown
    assert not hasattr(key, "__dict__")
    with pytest.raises(TypeError, match="not written down"):
        pickle.dumps(key)


def test_a_section_of_a_newer_version_asks_for_an_update(store: KeyStore) -> None:
    file = store.create("ann", "correct horse")
    document = json.loads(file.path.read_text())
    document["dtledger"]["version"] = 2
    file.path.write_text(json.dumps(document))
    with pytest.raises(KeyFileError, match="newer dtledger"):
        file.unlock("correct horse")


def test_the_fast_curve_is_in_use() -> None:
    assert isinstance(Account._keys.backend, CoinCurveECCBackend)


def test_a_section_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "alice"
    path.write_text(CAST)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        with pytest.raises(DtledgerError, match="free some space"):
            KeyFile.read("alice", path, Scrypt(n=2)).unlock(CAST_PASSWORD)
    assert path.read_text() == CAST
    assert KeyFile.read("alice", path, Scrypt(n=2)).unlock(CAST_PASSWORD).address == CAST_ADDRESS
