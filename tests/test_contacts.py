"""Who is who: cards that are signed, words to compare, names that never become somebody else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_keys import keys as eth_keys
from hypothesis import given, settings
from hypothesis import strategies as st

from dtledger.contacts import CardCheck, Contact, Contacts, MemberCardFile, fingerprint, names_digest
from dtledger.crypto.seal import PUBLIC_BYTES, SealKey
from dtledger.encoding import address, keccak, sha256
from dtledger.errors import CannotCheckError, InputError, IntegrityError
from dtledger.home import Home
from dtledger.ledger import CONTRACTS, Deployment, messages
from dtledger.ledger.calls import MemberCard
from dtledger.types import ZERO_ADDRESS, Address, Digest

DEPLOYMENT = Deployment(31337, Digest(bytes(32)), {name: Address("0x" + "11" * 20) for name in CONTRACTS})
CLINIC = address("0x" + "c1" * 20)
NOW = 1_800_000_000


class Signer:
    """A member with a ledger key and a key to seal to."""

    def __init__(self, seed: int) -> None:
        self._key = eth_keys.PrivateKey(bytes([seed]) * 32)
        self.address = Address(self._key.public_key.to_checksum_address())
        self.public = SealKey.generate().public

    def sign(self, digest: bytes) -> bytes:
        raw = self._key.sign_msg_hash(digest).to_bytes()
        return raw[:64] + bytes([raw[64] + 27])

    def card(
        self,
        name: str = "Dr Ann",
        version: int = 1,
        public: bytes | None = None,
        clinic: Address = CLINIC,
        named: bool = True,
    ) -> MemberCardFile:
        public = public or self.public
        organisation_name = "Heart Clinic" if clinic != ZERO_ADDRESS else ""
        signed = MemberCard(self.address, sha256(public), clinic, version)
        names = names_digest(name, organisation_name, self.address, clinic, version)
        return MemberCardFile(
            name=name,
            organisation_name=organisation_name,
            address=self.address,
            organisation=clinic,
            public_key=public,
            version=version,
            signature=self.sign(messages.member_card(DEPLOYMENT, signed)),
            name_signature=self.sign(names) if named else b"",
        )


CHECK = CardCheck(
    card=lambda card, signature: messages.signer(messages.member_card(DEPLOYMENT, card), signature),
    names=messages.signer,
)
ANN, BOB = Signer(1), Signer(2)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.locate(tmp_path / "home")


@pytest.fixture
def contacts(home: Home) -> Contacts:
    return Contacts(home, CHECK)


# fingerprints ----------------------------------------------------------------------------------------------------


def test_a_fingerprint_is_the_first_66_bits_of_the_digest_in_six_words() -> None:
    words = fingerprint(ANN.address, b"key").split()
    assert len(words) == 6
    assert words == fingerprint(ANN.address, b"key").split()
    assert fingerprint(ZERO_ADDRESS) == "marriage muffin hill adult ceiling enable"


@given(
    st.binary(min_size=20, max_size=20),
    st.binary(max_size=64),
    st.binary(min_size=20, max_size=20),
    st.binary(max_size=64),
)
@settings(deadline=None)
def test_another_address_or_key_has_another_fingerprint(a: bytes, key: bytes, b: bytes, other: bytes) -> None:
    one, two = address("0x" + a.hex()), address("0x" + b.hex())
    assert (fingerprint(one, key) == fingerprint(two, other)) == ((a, key) == (b, other))


def test_each_of_the_2048_words_is_told_by_its_first_four_letters() -> None:
    seen = {word for each in range(600) for word in fingerprint(ANN.address, each.to_bytes(2, "big")).split()}
    assert len(seen) > 1500
    assert len({word[:4] for word in seen}) == len(seen)


# card files ------------------------------------------------------------------------------------------------------


@given(
    st.text(min_size=1, max_size=100).filter(lambda text: text.isprintable() and text == text.strip()),
    st.integers(1, 2**32 - 1),
    st.sampled_from([CLINIC, ZERO_ADDRESS]),
    st.booleans(),
)
@settings(deadline=None, max_examples=40)
def test_a_card_file_is_read_as_it_was_written(name: str, version: int, clinic: Address, named: bool) -> None:
    card = ANN.card(name, version, clinic=clinic, named=named)
    assert MemberCardFile.parse(card.serialise(), "card").verify(CHECK) == card


@pytest.mark.parametrize(
    "changed",
    [
        {"address": BOB.address},
        {"public_key": BOB.public},
        {"organisation": address("0x" + "c2" * 20)},
        {"version": 2},
        {"name": "Dr Eve"},
        {"organisation_name": "Lung Clinic"},
        {"signature": BOB.card().signature},
        {"signature": bytes(65)},
        {"name_signature": BOB.card().name_signature},
    ],
    ids="-".join,
)
def test_a_card_with_anything_changed_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        replace(ANN.card(), **changed).verify(CHECK)
    assert ANN.card().verify(CHECK) == ANN.card()


def test_a_card_without_a_signature_of_its_names_is_a_card_whose_names_anybody_may_change() -> None:
    unnamed = ANN.card(named=False)
    assert replace(unnamed, name="Dr Eve").verify(CHECK).name == "Dr Eve"
    with pytest.raises(IntegrityError, match="names on the card"):
        replace(ANN.card(), name="Dr Eve").verify(CHECK)


def test_a_card_whose_key_nobody_can_seal_to_is_refused() -> None:
    broken = ANN.card(public=b"\xff" * PUBLIC_BYTES)
    with pytest.raises(IntegrityError, match="malformed"):
        broken.verify(CHECK)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", "dtledger/member-card/2"),
        ("name", ""),
        ("name", " Ann"),
        ("name", "Ann\n"),
        ("name", "Ann\u202e"),
        ("name", "\ud800"),
        ("name", "a" * 101),
        ("name", 7),
        ("organisation_name", ""),
        ("organisation", "0x" + "00" * 20),
        ("address", ANN.address.swapcase().replace("0X", "0x")),
        ("address", "0x12"),
        ("address", CLINIC),
        ("address", ZERO_ADDRESS),
        ("public_key", "AAAA"),
        ("public_key", "not base64!"),
        ("public_key", None),
        ("version", -1),
        ("version", 2**32),
        ("version", "1"),
        ("version", True),
        ("signature", "0x12"),
        ("signature", "12"),
        ("name_signature", "0x12"),
        ("unknown", 1),
    ],
)
def test_a_card_file_of_a_wrong_form_is_refused_and_named(field: str, value: object) -> None:
    good = ANN.card().to_dict()
    with pytest.raises(InputError, match="card.json is no member card"):
        MemberCardFile.from_dict({**good, field: value}, "card.json")
    assert MemberCardFile.from_dict(good, "card.json") == ANN.card()


@pytest.mark.parametrize("field", ["name", "address", "organisation", "public_key", "version", "signature"])
def test_a_card_file_that_lacks_a_field_is_refused(field: str) -> None:
    rest = {name: value for name, value in ANN.card().to_dict().items() if name != field}
    with pytest.raises(InputError, match=f"lacks {field}"):
        MemberCardFile.from_dict(rest, "card.json")


@pytest.mark.parametrize("data", [b"", b"[]", b"7", b"\xff", b"[" * 60_000, b" " * 70_000], ids=lambda data: data[:3])
def test_what_is_no_card_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        MemberCardFile.parse(data, "card.json")


# contacts --------------------------------------------------------------------------------------------------------


def test_a_contact_is_found_by_name_and_by_address(contacts: Contacts, home: Home) -> None:
    added = contacts.add("ann", ANN.card(), at=NOW)
    assert contacts.resolve("ann") == contacts.resolve(ANN.address) == contacts.resolve(ANN.address.lower()) == added
    assert (added.name, added.organisation, added.added_at) == ("ann", "Heart Clinic", NOW)
    assert added.fingerprint == fingerprint(ANN.address, ANN.public)
    assert contacts.list() == (added,)
    assert (home.contacts / "ann.json").stat().st_mode & 0o777 == 0o600


def test_an_address_that_nobody_keeps_is_itself_and_has_no_name(contacts: Contacts) -> None:
    assert contacts.resolve(BOB.address) == Contact(BOB.address)
    assert contacts.list() == ()


def test_a_card_file_is_checked_and_not_kept(contacts: Contacts, tmp_path: Path) -> None:
    file = tmp_path / "bob.json"
    file.write_bytes(BOB.card().serialise())
    assert contacts.resolve(str(file)) == Contact(BOB.address, card=BOB.card())
    assert contacts.list() == ()
    contacts.add("bob", str(file), at=NOW)
    assert contacts.resolve(str(file)).name == "bob"
    file.write_bytes(replace(BOB.card(), public_key=ANN.public).serialise())
    with pytest.raises(IntegrityError, match="not signed by that address"):
        contacts.resolve(str(file))


def test_a_card_is_never_taken_unchecked(home: Home) -> None:
    with pytest.raises(CannotCheckError):
        Contacts(home).add("ann", ANN.card(), at=NOW)
    assert Contacts(home).add("ann", ANN.address, at=NOW).card is None
    assert Contacts(home, CHECK).add("bob", BOB.card(), at=NOW).card is not None


@pytest.mark.parametrize("text", ["cardiolgy", "Cardiology", "cardio", "cardiology "])
def test_an_unknown_name_is_an_error_with_the_nearest_and_never_somebody(contacts: Contacts, text: str) -> None:
    contacts.add("cardiology", ANN.card(), at=NOW)
    with pytest.raises(InputError) as raised:
        contacts.resolve(text)
    assert "Did you mean cardiology?" in raised.value.hint
    assert contacts.resolve("cardiology").address == ANN.address


@pytest.mark.parametrize("text", ["", "nobody", "../ann", "ann.json", "0x12", "0X" + "11" * 20, "0x" + "zz" * 20])
def test_what_means_nobody_is_refused(contacts: Contacts, text: str) -> None:
    contacts.add("ann", ANN.card(), at=NOW)
    with pytest.raises(InputError):
        contacts.resolve(text)


def test_a_mistyped_letter_in_an_address_is_noticed(contacts: Contacts) -> None:
    place = next(place for place in range(2, 42) if ANN.address[place].isalpha())
    mistyped = ANN.address[:place] + ANN.address[place].swapcase() + ANN.address[place + 1 :]
    with pytest.raises(InputError, match="checksum"):
        contacts.resolve(mistyped)
    assert contacts.resolve(ANN.address).address == ANN.address


def test_a_name_stays_whose_it_is(contacts: Contacts) -> None:
    contacts.add("ann", ANN.card(), at=NOW)
    for target in (ANN.card(), BOB.card(), BOB.address):
        with pytest.raises(InputError, match="There is a contact ann already"):
            contacts.add("ann", target, at=NOW)
    with pytest.raises(InputError, match="There is a contact ann already"):
        contacts.add("ann", BOB.card(), at=NOW, replace=True)
    with pytest.raises(InputError, match="is the contact ann already"):
        contacts.add("ann-2", ANN.card(), at=NOW)
    assert contacts.resolve("ann").address == ANN.address
    contacts.remove("ann")
    assert contacts.add("ann", BOB.card(), at=NOW).address == BOB.address


def test_a_later_card_of_the_same_address_replaces_and_an_earlier_never_does(
    contacts: Contacts, tmp_path: Path
) -> None:
    contacts.add("ann", ANN.address, at=NOW)
    contacts.add("ann", ANN.card(version=2), at=NOW, replace=True)
    other = SealKey.generate().public
    file = tmp_path / "old.json"
    for older in (ANN.card(version=1), ANN.card(version=2, public=other)):
        file.write_bytes(older.serialise())
        for attempt in (
            lambda older=older: contacts.add("ann", older, at=NOW, replace=True),
            lambda: contacts.resolve(str(file)),
        ):
            with pytest.raises(InputError, match="not a later one"):
                attempt()
    later = ANN.card(version=3, public=other)
    assert contacts.add("ann", later, at=NOW + 1, replace=True).card == later


def test_an_address_alone_keeps_the_card_that_is_known(contacts: Contacts) -> None:
    contacts.add("ann", ANN.card(), at=NOW)
    assert contacts.add("ann", ANN.address, at=NOW + 1, replace=True).card == ANN.card()


def test_a_removed_contact_is_unknown(contacts: Contacts) -> None:
    contacts.add("ann", ANN.address, at=NOW)
    contacts.remove("ann")
    for attempt in (contacts.resolve, contacts.remove):
        with pytest.raises(InputError, match="no contact 'ann'"):
            attempt("ann")


@pytest.mark.parametrize(
    "change",
    [
        lambda value: {**value, "address": BOB.address},
        lambda value: {**value, "fingerprint": "abandon " * 6},
        lambda value: {**value, "card": BOB.card().to_dict()},
    ],
    ids=["address", "fingerprint", "card"],
)
def test_a_contact_changed_by_hand_is_found_out(
    contacts: Contacts, home: Home, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    contacts.add("ann", ANN.card(), at=NOW)
    file = home.contacts / "ann.json"
    good = json.loads(file.read_text())
    file.write_text(json.dumps(change(good)))
    with pytest.raises(IntegrityError, match="changed by hand"):
        contacts.resolve("ann")
    file.write_text(json.dumps(good))
    assert contacts.resolve("ann").address == ANN.address


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"schema": "dtledger/contact/1", "name": "eve"}'])
def test_a_damaged_contact_is_named_and_can_be_removed(contacts: Contacts, home: Home, data: bytes) -> None:
    contacts.add("ann", ANN.card(), at=NOW)
    (home.contacts / "ann.json").write_bytes(data)
    with pytest.raises(InputError, match=r"ann\.json"):
        contacts.list()
    contacts.remove("ann")
    assert contacts.list() == ()


def test_a_damaged_contact_keeps_nobody_from_finding_another_by_address(
    contacts: Contacts, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """Or it would keep a patient from revoking."""
    other = address("0x" + "d2" * 20)
    contacts.add("clinic", CLINIC, at=NOW)
    contacts.add("other", other, at=NOW)
    (home.contacts / "other.json").write_bytes(b"")
    assert contacts.resolve(CLINIC).name == "clinic"
    assert contacts.resolve(other).name is None
    assert list(contacts.by_address()) == [CLINIC]
    assert "the contact other is left out" in caplog.text
    with pytest.raises(InputError):
        contacts.add("another", other, at=NOW)


def test_a_contacts_name_cannot_be_a_path_or_an_address(contacts: Contacts, home: Home) -> None:
    for name in ("../eve", "0x" + "11" * 20, "Ann", "ann.json", ""):
        with pytest.raises(InputError, match="cannot be the name of a contact"):
            contacts.add(name, ANN.card(), at=NOW)
    assert not home.root.exists()


def test_two_names_for_one_address_added_at_once_become_one(contacts: Contacts) -> None:
    together = threading.Barrier(4)
    refused: list[InputError] = []

    def add(number: int) -> None:
        together.wait()
        try:
            contacts.add(f"ann-{number}", ANN.address, at=NOW)
        except InputError as error:
            refused.append(error)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(contacts.list()) == 1
    assert len(refused) == 3


def test_the_names_of_a_card_are_bound_to_its_version() -> None:
    first = ANN.card()
    assert first.names_digest != replace(first, version=2).names_digest
    assert keccak(first.public_key) != first.card.key == sha256(first.public_key)
