"""What the library seals opens for the naive implementation, under the contexts and forms that docs/protocol.md gives.

Seals are random, so there are no vectors of them: here each kind is made and opened once."""

from __future__ import annotations

from typing import Any

import dag_cbor
import pytest
from Crypto.Cipher import AES

from dtledger.client.guardian_shares import GuardianShare
from dtledger.client.handover import Handover
from dtledger.client.keyrings import publish_keyring
from dtledger.crypto import keytree
from dtledger.crypto.bits import BitMap
from dtledger.crypto.seal import SealKey
from dtledger.custody import Letter, ShareHeader, TwinKey
from dtledger.custody.shares import encode_release
from dtledger.encoding import CID
from dtledger.keys import TwinSecrets
from dtledger.ledger import Slot
from dtledger.models.opening import Opening
from dtledger.models.update import Notes, Trained
from dtledger.readings import Content, Reading
from dtledger.snapshots.custody_block import seal_custody
from dtledger.snapshots.package import Keys, narrow, seal_package
from dtledger.snapshots.recovery import seal_recovery
from dtledger.snapshots.research import Research
from dtledger.snapshots.roster import Roster
from dtledger.snapshots.sealed_text import seal_text
from dtledger.snapshots.unanchored import seal_unanchored
from dtledger.testing import World
from dtledger.types import ZERO_DIGEST, Digest, Period
from dtledger.vocabulary import category
from tests.crypto import naive
from tests.crypto.vectors import some_bytes
from tests.protocol.naive import cbor, sha256, share_hash, statement
from tests.protocol.reading import DEPLOYMENT, KEYS

WRITER, OWNER, CUSTODIAN, READER = (KEYS[who] for who in ("writer", "owner", "custodian", "reader"))
TWIN = 7
SEED = some_bytes("a seed", 96)
PUBLIC = SealKey(SEED).public
ID = DEPLOYMENT.id
PERIOD = Period(29_892_900, 29_892_959)


def opened(sealed: bytes, context: bytes, seed: bytes = SEED) -> bytes:
    return naive.hpke_open(seed, sealed, context)


def unpadded(data: bytes, block: int) -> bytes:
    assert len(data) % block == 0
    length = int.from_bytes(data[-8:], "big")
    assert not data[length:-8].strip(b"\0")
    return data[:length]


def roster(*custodians: str) -> Roster:
    keys = []
    for who in custodians:
        signed = CUSTODIAN.sign_digest(TwinKey.to_sign(DEPLOYMENT, TWIN, OWNER.address, PUBLIC))
        keys.append(TwinKey(KEYS[who].address, PUBLIC, signed))
    return Roster(TWIN, OWNER.address, 3, 1, tuple(keys))


def test_a_share_lies_with_its_header_in_the_seal() -> None:
    secret = some_bytes("custody secret")
    made = seal_custody(
        DEPLOYMENT, roster("custodian"), secret, twin=TWIN, writer=WRITER.address, bit=13, period=PERIOD,
        digest=Digest(some_bytes("digest")), generation=1,
    )  # fmt: skip
    *header, share = dag_cbor.decode(opened(made.shares[0].sealed, b"dtledger/share/1"))
    assert header == ["SNAPSHOT", ID, TWIN, WRITER.address, 13, PERIOD.start, PERIOD.end, some_bytes("digest"), 1, 3, 1]
    assert share == secret, "one of one is the secret"
    assert share_hash(header, share) == made.shares[0].hash


def test_a_release_is_what_stood_in_the_seals() -> None:
    header = ShareHeader(ID, TWIN, WRITER.address, 13, PERIOD, Digest(some_bytes("digest")), 1, 3, 1)
    (inside,) = dag_cbor.decode(encode_release([(header, some_bytes("share"))]))
    assert dag_cbor.decode(inside)[-1] == some_bytes("share")


SLOT = Slot(OWNER.address, TWIN, READER.address, 0)
WHERE = [OWNER.address, TWIN, READER.address, 0]


def package() -> tuple[Keys, BitMap]:
    secrets = TwinSecrets(
        {0: some_bytes("generation 0"), 2: some_bytes("generation 2")}, BitMap.draw(), (bytes(32),) * 32
    )
    number = category("glucose").number
    covers = {
        generation: {number: (keytree.root(secret, generation, number),)}
        for generation, secret in secrets.generations.items()
    }
    whole = Keys(covers, {number: some_bytes("tag key")}, secrets.bits)
    return narrow(whole, ["glucose"], Period(10, 12), some_bytes("link")), secrets.bits


def test_a_package_hands_out_covers_tag_keys_bits_and_the_link_key() -> None:
    keys, bits = package()
    block = dag_cbor.decode(seal_package(DEPLOYMENT, SLOT, keys, PUBLIC))
    assert block.keys() == {"package"}
    inside = dag_cbor.decode(unpadded(opened(block["package"], cbor(["dtledger/package/1", ID, *WHERE])), 4096))
    bit = bits.bit_of("glucose")
    covers = []
    for generation in (0, 2):
        root = naive.tree_root(some_bytes(f"generation {generation}"), generation, 0)
        nodes = [[depth, place, naive.tree_node(root, depth, place)] for depth, place in naive.tree_cover(10, 12)]
        covers.append([generation, 0, nodes])
    assert inside == {
        "covers": covers,
        "tags": [[0, some_bytes("tag key")]],
        "bits": {"leaves": list(bits.leaves), "known": [[bit, 0, bits.openings[bit][1]]]},  # type: ignore[index]
        "link": some_bytes("link"),
    }


def test_research_terms_are_in_the_package_and_beside_it() -> None:
    keys, _ = package()
    research = Research(("HMB", "NPUNCU"), some_bytes("salt"))
    told = Keys(keys.covers, keys.tags, keys.bits, keys.link, research)
    block = dag_cbor.decode(seal_package(DEPLOYMENT, SLOT, told, PUBLIC, own=PUBLIC))
    cells = [some_bytes("salt"), ["HMB", "NPUNCU"]]
    own = unpadded(opened(block["own"], cbor(["dtledger/research-of-owner/1", ID, *WHERE])), 1024)
    assert dag_cbor.decode(own) == cells
    assert block["research"] == sha256(cbor(["dtledger/research/1", ID, *WHERE, *cells]))
    inside = unpadded(opened(block["package"], cbor(["dtledger/package/1", ID, *WHERE])), 4096)
    assert dag_cbor.decode(inside)["research"] == cells


def test_a_recovery_package_needs_both_secrets() -> None:
    secrets = TwinSecrets.draw()
    block = dag_cbor.decode(
        seal_recovery(DEPLOYMENT, roster("custodian"), [PUBLIC, PUBLIC], 2, secrets, version=4).encode()
    )
    names = (
        "deployment", "twin", "owner", "version", "generation", "roster", "package", "guardians_needed",
        "custodians_needed",
    )  # fmt: skip
    head = cbor({name: block[name] for name in names})
    context = b"dtledger/guardian-share/1" + head
    where = [ID, TWIN, OWNER.address, block["package"]]
    shares = {}
    for number, (hashed, sealed) in enumerate(block["guardians"], start=1):
        *header, share = dag_cbor.decode(opened(sealed, context))
        assert header == ["GUARDIAN", *where, number]
        assert hashed == sha256(b"dtledger/recovery-share-hash/1" + cbor([*header, share]))
        shares[number] = share
    ((custodian, _, sealed),) = block["custodians"]
    *header, theirs = dag_cbor.decode(opened(sealed, b"dtledger/share/1"))
    assert (custodian, header) == (CUSTODIAN.address, ["RECOVERY", *where, 1])
    both = naive.hkdf(naive.shamir_combine(shares) + theirs, b"dtledger/v1/recovery\0" + context, 64)
    assert both[32:] == block["commitment"]
    padded = decrypted(both[:32], block["content"], context)
    assert TwinSecrets.from_dict(dag_cbor.decode(padded[: int.from_bytes(padded[-8:], "big")])) == secrets


def decrypted(key: bytes, chunk: bytes, context: bytes) -> bytes:
    """The padded plaintext of a content of one chunk."""
    cipher = AES.new(key, AES.MODE_GCM, nonce=bytes(11) + b"\1")
    cipher.update(context)
    return cipher.decrypt_and_verify(chunk[:-16], chunk[-16:])


def test_a_letter_is_sealed_to_both_parties() -> None:
    letter = Letter("ConsentRequest", TWIN, OWNER.address, READER.address, ZERO_DIGEST, 1_793_574_000)
    sealed = letter.sealed(DEPLOYMENT, ["anything"], PUBLIC, PUBLIC)
    about = ["ConsentRequest", TWIN, OWNER.address, READER.address, bytes(32), 1_793_574_000]
    for reader, data in ((OWNER.address, sealed.for_owner), (READER.address, sealed.for_member)):
        content = opened(data, cbor(["dtledger/letter/1", ID, *about, reader]))
        assert dag_cbor.decode(unpadded(content, 4096)) == ["anything"]


def test_a_sites_notes_and_its_opening() -> None:
    trained = Trained(TWIN, READER.address, 0)
    notes = Notes(some_bytes("salt"), (trained,)).sealed(DEPLOYMENT, 2, 1, PUBLIC)
    inside = dag_cbor.decode(opened(notes, cbor(["dtledger/round-notes/1", ID, 2, 1])))
    assert inside == [some_bytes("salt"), [[READER.address, [[TWIN, 0]]]]]
    opening = Opening(2, 1, READER.address, some_bytes("salt"), ())
    block = dag_cbor.decode(opening.sealed(DEPLOYMENT, READER, OWNER.address, PUBLIC))
    signed = dag_cbor.decode(unpadded(opened(block["opening"], cbor(["dtledger/opening/1", ID, OWNER.address])), 4096))
    body = {"model": 2, "round": 1, "auditor": OWNER.address, "salt": some_bytes("salt"), "shown": []}
    assert signed == {"body": body, "signature": READER.sign_digest(statement("ModelOpening", body))}


def test_what_a_gateway_could_not_anchor() -> None:
    content = Content("glucose", (Reading(1_793_574_000, 5.4, "mmol/L", 60),))
    block = dag_cbor.decode(seal_unanchored(DEPLOYMENT, TWIN, content, 9, WRITER, OWNER.address, PUBLIC))
    signed = dag_cbor.decode(
        unpadded(opened(block["unanchored"], cbor(["dtledger/unanchored/1", ID, OWNER.address])), 4096)
    )
    columns: dict[str, Any] = {
        "schema": "dtledger/readings/1",
        "category": "glucose",
        "at": [1_793_574_000],
        "value": bytes.fromhex("401599999999999a"),
        "unit": "mmol/L",
        "offset": 60,
        "quality": "",
    }
    body = {"twin": TWIN, "owner": OWNER.address, "at": 9, "content": cbor(columns)}
    assert signed == {"body": body, "signature": WRITER.sign_digest(statement("Unanchored", body))}


def test_secrets_and_shares_that_go_from_hand_to_hand() -> None:
    secrets = TwinSecrets.draw()
    handover = Handover.of(DEPLOYMENT, TWIN, OWNER.address, READER.address, PUBLIC, secrets)
    context = cbor(["dtledger/handover/1", ID, TWIN, OWNER.address, READER.address])
    assert TwinSecrets.from_dict(dag_cbor.decode(unpadded(opened(handover.sealed, context), 4096))) == secrets
    parties = (Digest(some_bytes("package")), READER.address, OWNER.address)
    given = GuardianShare(TWIN, *parties, 1, b"").of(DEPLOYMENT, PUBLIC, some_bytes("share"))
    context = cbor(["dtledger/guardian-gives/1", ID, TWIN, *parties])
    assert unpadded(opened(given.sealed, context), 64) == some_bytes("share")


def test_words_for_a_few_readers() -> None:
    context = cbor(["dtledger/emergency-review/1", 3])
    ((reader, sealed),) = dag_cbor.decode(seal_text("unconscious", {READER.address: PUBLIC}, context))
    assert (reader, unpadded(opened(sealed, context), 512)) == (READER.address, b"unconscious")


@pytest.mark.slow
def test_an_organisations_keyring() -> None:
    with World(hours=1) as world:
        hospital, member = world.hospital, world.clinician.context.key
        publish_keyring(hospital.context, [member.address])
        digest = world.ledger.view().keyring(hospital.address)
        assert digest is not None
        ((name, sealed),) = dag_cbor.decode(world.store.get(CID(digest)))["members"]
        context = cbor(["dtledger/keyring/1", world.ledger.deployment.id, hospital.address])
        seeds = opened(sealed, context, member.seal_key.seed)
        assert (name, seeds) == (member.address, hospital.context.key.seal_key.seed)
