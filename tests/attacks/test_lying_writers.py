"""A gateway that signs and anchors nonsense: the reader refuses it and names the block and the gateway.

Every lie stands beside an honest write by the same steps (`forging.Scribe`), which is read before the lie is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dtledger import encoding
from dtledger.errors import AccessDeniedError, IntegrityError
from dtledger.readings import encode_readings
from dtledger.testing import World
from dtledger.types import Digest
from dtledger.vocabulary import Reason

from .forging import HONEST, Change, Forged, Scribe, all_of, at, flip, lie, put
from .looking import assert_refused, forged, read, second_twin

pytestmark = pytest.mark.slow  # each in a world of its own

OTHER = Digest(b"\7" * 32)


def swapped(place: int) -> Callable[[list[Any]], list[Any]]:
    """The same cell of two rows, exchanged."""

    def swap(rows: list[Any]) -> list[Any]:
        one, other = rows
        return [at(place, other[place])(one), at(place, one[place])(other)]

    return swap


@dataclass(frozen=True)
class Lie:
    """What is changed, which block of which snapshot is named (none: a page of the index), and what is said."""

    change: Change
    block: str
    says: str
    place: int = 0
    other: dict[str, Any] = field(default_factory=dict)


MANIFEST, CUSTODY = "manifest", "custody"

LIES = {
    # the manifest does not agree with where it was found
    "the manifest names another twin": Lie(lie("fields", put(twin=99), 0), MANIFEST, "not what its row says"),
    "the manifest names another stream": Lie(lie("manifest", put(stream=OTHER), 0), MANIFEST, "not what its row says"),
    "the manifest has another number": Lie(lie("manifest", put(sequence=5), 0), MANIFEST, "not what its row says"),
    "the manifest has a number twice": Lie(lie("fields", put(sequence=0), 1), MANIFEST, "not what its row says", 1),
    "the manifest begins earlier": Lie(lie("manifest", put(**{"from": 0}), 0), MANIFEST, "not what its row says"),
    "the row begins earlier": Lie(lie("row", at(0, 0), 0), MANIFEST, "not what its row says"),
    "the row ends in the future": Lie(lie("row", at(1, 2**29), 0), MANIFEST, "not what its row says"),
    # streams run on without a break
    "the first manifest follows another": Lie(lie("fields", put(previous=OTHER), 0), "", "does not follow"),
    "the second manifest follows none": Lie(lie("fields", put(previous=bytes(32)), 1), "", "does not follow"),
    "the second leaf follows none": Lie(lie("fields", put(leaf=bytes(32)), 1), "", "does not follow"),
    # what is anchored is what is listed
    "the leaf names another place": Lie(lie("leaf", lambda leaf: replace(leaf, place=9), 0), MANIFEST, "in no batch", 0,
        {"row": at(4, 0)}),
    "the leaf names another manifest": Lie(lie("leaf", lambda leaf: replace(leaf, manifest=OTHER), 0), MANIFEST,
        "in no batch"),
    "the leaf has another number": Lie(lie("leaf", lambda leaf: replace(leaf, sequence=3), 0), MANIFEST, "in no batch"),
    "the row has another place": Lie(lie("row", at(4, 1), 0), MANIFEST, "in no batch"),
    "the row has no proof": Lie(lie("row", at(6, []), 0), MANIFEST, "in no batch"),
    "the rows stand the other way round": Lie(lie("rows", lambda rows: rows[::-1]), MANIFEST,
        "not what its row says", 1),
    "a row is left out": Lie(lie("rows", lambda rows: rows[1:]), MANIFEST, "not what its row says", 1),
    "a row stands twice": Lie(lie("rows", lambda rows: [rows[0], rows[0]]), MANIFEST, "not what its row says"),
    "two manifests are exchanged": Lie(lie("rows", swapped(2)), MANIFEST, "not what its row says", 1),
    # the index says how many there are
    "the index counts one more": Lie(lie("stream", lambda stream: [stream[0] + 1, stream[1]]), "", "does not hold"),
    "the index counts one less": Lie(lie("stream", lambda stream: [stream[0] - 1, stream[1]]), "", "does not hold"),
    "the index counts a page more": Lie(lie("stream", lambda stream: [65, stream[1]]), "", "malformed"),
    # custody
    "two custody blocks are exchanged": Lie(lie("rows", swapped(3)), CUSTODY, "not its snapshot's", 1),
    "the custody block is for another manifest": Lie(lie("custody", put(manifest=OTHER), 0), CUSTODY,
        "not its snapshot's"),
    "the custody block needs fewer shares": Lie(lie("custody", put(threshold=1), 0), CUSTODY, "under no roster"),
    "the custody block names a later roster": Lie(lie("custody", put(roster=2), 0), CUSTODY, "under no roster"),
    "the custody block leaves out a custodian": Lie(
        lie("custody", lambda body: body | {"shares": body["shares"][:2]}, 0), CUSTODY, "under no roster"),
    # what is sealed is what is signed
    "the header names another writer": Lie(lie("header", at(3, "0x" + "11" * 20)), MANIFEST,
        "sealed a share as another"),
    "the header begins later": Lie(lie("header", lambda cells: at(5, cells[6])(cells)), MANIFEST, "sealed a share as"),
    "the header names another generation": Lie(lie("header", at(8, 4)), MANIFEST, "sealed a share as another"),
    "the header names another roster": Lie(lie("header", at(9, 2)), MANIFEST, "sealed a share as another"),
    "the header has another share's number": Lie(lie("header", at(10, 7)), MANIFEST, "sealed a share as another"),
    "another share is sealed than signed": Lie(lie("sealed", lambda cells: at(11, flip(cells[11]))(cells)), MANIFEST,
        "sealed another share"),
    "another header is sealed than signed": Lie(
        lie("sealed", lambda cells: at(4, (cells[4] + 1) % 32)(cells)), MANIFEST, "sealed another share"),
    # content
    "the commitment is to another key": Lie(lie("manifest", put(commitment=OTHER), 0), MANIFEST, "commits to"),
    "the ciphertext is another": Lie(
        lie("manifest", lambda body: body | {"content": flip(body["content"])}, 0), MANIFEST, "does not open"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_refused_and_its_block_and_writer_are_named(name: str, world: World) -> None:
    told = LIES[name]
    true = Scribe(world, "honest")
    true.write()
    assert forged(read(world)) == HONEST, "the honest sibling is read"
    scribe = Scribe(world)
    written = scribe.write(all_of(told.change, *(lie(kind, how, 0) for kind, how in told.other.items())))
    with pytest.raises(IntegrityError, match=told.says) as caught:
        read(world)
    assert caught.value.party == scribe.address
    assert caught.value.exit_code == 4
    assert caught.value.block
    if told.block:
        assert caught.value.block in named(written[told.place], told.block)


def named(written: Forged, block: str) -> set[str]:
    cid = {MANIFEST: written.manifest, CUSTODY: written.custody}[block]
    return {str(cid), cid.digest.hex()}


# what is signed by somebody else -----------------------------------------------------------------------------------


def test_a_manifest_signed_by_another_member_is_refused(world: World) -> None:
    scribe = Scribe(world)
    written = scribe.write(signer=world.gateway.context.key)
    assert_refused(world, scribe, "not what its row says", written[0].manifest)


@pytest.mark.parametrize("signature", [b"", bytes(65), bytes(64) + b"\x1b", b"\xff" * 64 + b"\x1c"])
def test_a_manifest_with_a_signature_that_is_none_is_refused(signature: bytes, world: World) -> None:
    scribe = Scribe(world)

    class Forger:
        address = scribe.address

        def sign_digest(self, digest: Digest) -> bytes:
            return signature

    written = scribe.write(signer=Forger())
    assert_refused(world, scribe, "signature is malformed", written[0].manifest)


def test_a_signature_s_mirror_image_is_refused(world: World) -> None:
    """(r, n - s) with the other parity verifies for the same key: one block would have two names."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    scribe = Scribe(world)

    class Mirror:
        address = scribe.address

        def sign_digest(self, digest: Digest) -> bytes:
            true = scribe.client.context.key.sign_digest(digest)
            s = order - int.from_bytes(true[32:64], "big")
            return true[:32] + s.to_bytes(32, "big") + bytes([55 - true[64]])

    written = scribe.write(signer=Mirror())
    assert_refused(world, scribe, "signature is malformed", written[0].manifest)


def test_a_custody_block_signed_by_another_member_is_refused(world: World) -> None:
    scribe = Scribe(world)
    written = scribe.write(custody_signer=world.gateway.context.key)
    assert_refused(world, scribe, "not its snapshot's", written[0].custody)


def test_a_custody_block_signed_by_the_owner_counts(world: World) -> None:
    """The mended sibling: the owner may share custody anew."""
    Scribe(world).write(custody_signer=world.patient.context.key)
    assert forged(read(world)) == HONEST


def test_a_custody_block_of_another_twin_is_refused_where_it_is_replayed(world: World) -> None:
    other = second_twin(world)
    neighbour = Scribe(world, "neighbour", twin=other)
    replayed = neighbour.write()[0].custody
    scribe = Scribe(world)
    scribe.write(lie("row", at(3, replayed), 0))
    assert_refused(world, scribe, "not its snapshot's", replayed)
    assert forged(world.patient.read(other, "glucose", "PATRQT")) == HONEST


def test_a_manifest_of_another_twin_is_refused_where_it_is_replayed(world: World) -> None:
    other = second_twin(world)
    neighbour = Scribe(world, "neighbour", twin=other)
    replayed = neighbour.write()[0].manifest
    scribe = Scribe(world)
    scribe.write(lie("row", at(2, replayed), 0))
    assert_refused(world, scribe, "not what its row says", replayed)


# categories --------------------------------------------------------------------------------------------------------


def test_a_snapshot_of_another_category_under_this_one_s_label_is_refused(world: World) -> None:
    """Sealed, encrypted and written as heart-rate, but filed as glucose."""
    scribe = Scribe(world, categories=("glucose", "heart-rate"))
    written = scribe.write(category="heart-rate", label=scribe.keys.label("glucose", scribe.address))
    assert_refused(world, scribe, "another category's", written[0].manifest)
    Scribe(world, "honest", categories=("glucose", "heart-rate")).write(category="heart-rate")
    assert forged(world.patient.read(world.twin, "heart-rate", "PATRQT")) == HONEST


def test_content_of_another_category_inside_a_true_snapshot_is_refused(world: World) -> None:
    scribe = Scribe(world)
    plaintexts = [encode_readings("heart-rate", group.readings) for group in scribe.groups()]
    written = scribe.write(plaintexts=plaintexts)
    assert_refused(world, scribe, "under another category", written[0].manifest)


def test_content_that_is_not_readings_is_refused(world: World) -> None:
    scribe = Scribe(world)
    scribe.write(plaintexts=[b"\xa0", encoding.encode({"schema": "another"})])
    with pytest.raises(IntegrityError):
        read(world)


def test_content_of_another_time_inside_a_true_snapshot_is_refused(world: World) -> None:
    """Who may write today could else write yesterday, and a grant for today would show it."""
    scribe = Scribe(world)
    first, second = scribe.groups()
    plaintexts = [encode_readings("glucose", first.readings)]
    written = scribe.write(groups=[second], plaintexts=plaintexts)
    assert_refused(world, scribe, "another time", written[0].manifest)


def test_a_wrong_category_bit_in_the_seal_opens_nothing_for_whom_that_bit_is_shut(world: World) -> None:
    """The custodians judge by what they find inside: who has no grant for that bit is refused."""
    bits = world.patient.context.key.secrets.twin(world.ledger.deployment.id, world.twin).bits
    Scribe(world).write(lie("header", at(4, bits.bit_of("heart-rate"))))
    with pytest.raises(AccessDeniedError) as caught:
        world.clinician.read(world.twin, "glucose", "TREAT")
    assert caught.value.reason is Reason.CATEGORY


def test_a_header_s_period_that_is_not_granted_opens_nothing(world: World) -> None:
    Scribe(world).write(lie("header", at(5, 0)))
    with pytest.raises(AccessDeniedError) as caught:
        world.clinician.read(world.twin, "glucose", "TREAT")
    assert caught.value.reason is Reason.PERIOD


def test_a_generation_that_never_was_opens_nothing(world: World) -> None:
    scribe = Scribe(world)
    scribe.write(lie("fields", put(generation=7)))
    with pytest.raises(AccessDeniedError, match="generation 7"):
        world.clinician.read(world.twin, "glucose", "TREAT")
    with pytest.raises(IntegrityError, match="never had") as caught:
        read(world)
    assert caught.value.party == scribe.address
