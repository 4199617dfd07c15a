"""A custodian that lies: it is named, and the read still works with the two others.

Two that lie end the read, with one of them named; nothing that is wrong is ever read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from dtledger.client import Readings
from dtledger.crypto import merkle, seal
from dtledger.custody import (
    RELEASE_CONTEXT,
    AccessReceipt,
    OwnerRequest,
    ReadRequest,
    Release,
    SealedShare,
    ShareHeader,
    TwinKey,
    encode_release,
)
from dtledger.errors import AccessDeniedError, DtledgerError, IntegrityError, UnreachableError
from dtledger.testing import Fault, MemoryKey, World, WorldCustodian
from dtledger.types import Digest, Period
from dtledger.vocabulary import Action, Purpose, Reason

from .forging import Scribe
from .forging import lie as forge

pytestmark = pytest.mark.slow  # each in a world of its own

Answer = Callable[[WorldCustodian, ReadRequest, Release, list[tuple[ShareHeader, bytes]]], Release]

OTHER = Digest(b"\7" * 32)


def read(world: World) -> Readings:
    return world.clinician.read(world.twin, "glucose", "TREAT")


def lie(monkeypatch: pytest.MonkeyPatch, custodian: WorldCustodian, answer: Answer) -> None:
    """From now on the custodian's true answer goes through `answer`."""
    true = custodian.open

    def open_(request: ReadRequest, shares: Sequence[SealedShare]) -> Release:
        return answer(custodian, request, true(request, shares), custodian._open_shares(request, shares))

    monkeypatch.setattr(custodian, "open", open_)


def shares(change: Callable[[list[tuple[ShareHeader, bytes]]], list[tuple[ShareHeader, bytes]]]) -> Answer:
    """Other shares than the true ones, under the true receipt."""

    def answer(
        custodian: WorldCustodian, request: ReadRequest, release: Release, opened: list[tuple[ShareHeader, bytes]]
    ) -> Release:
        return replace(release, sealed=seal.seal(request.key, encode_release(change(opened)), RELEASE_CONTEXT))

    return answer


def sealed(data: bytes) -> Answer:
    """Something else instead of shares."""
    return lambda custodian, request, release, opened: replace(
        release, sealed=seal.seal(request.key, data, RELEASE_CONTEXT)
    )


def told(change: Callable[[AccessReceipt, ReadRequest], AccessReceipt]) -> Answer:
    """Another receipt, signed by the custodian."""

    def answer(
        custodian: WorldCustodian, request: ReadRequest, release: Release, opened: list[tuple[ShareHeader, bytes]]
    ) -> Release:
        receipt = change(release.receipt, request)
        signature = custodian._key.sign_digest(receipt.to_sign(custodian.ledger.deployment))
        return replace(release, receipt=replace(receipt, signature=signature), refused=receipt.refused)

    return answer


def receipt(**fields: object) -> Answer:
    """A receipt with other fields, signed by the custodian."""
    return told(lambda receipt, request: replace(receipt, **fields))  # type: ignore[arg-type]


def changed(
    place: int, **fields: object
) -> Callable[[list[tuple[ShareHeader, bytes]]], list[tuple[ShareHeader, bytes]]]:
    """One share's header changed."""

    def change(opened: list[tuple[ShareHeader, bytes]]) -> list[tuple[ShareHeader, bytes]]:
        header, share = opened[place]
        return [*opened[:place], (replace(header, **fields), share), *opened[place + 1 :]]  # type: ignore[arg-type]

    return change


def of_another_bit(opened: list[tuple[ShareHeader, bytes]]) -> list[tuple[ShareHeader, bytes]]:
    (header, share), *rest = opened
    return [(replace(header, bit=header.bit ^ 1), share), *rest]  # bits are drawn: a fixed one may be the true one


def flipped(opened: list[tuple[ShareHeader, bytes]]) -> list[tuple[ShareHeader, bytes]]:
    header, share = opened[0]
    return [(header, bytes([share[0] ^ 1]) + share[1:]), *opened[1:]]


def exchanged(opened: list[tuple[ShareHeader, bytes]]) -> list[tuple[ShareHeader, bytes]]:
    (one, first), (other, second), *rest = opened
    return [(one, second), (other, first), *rest]


def another_s(custodian: WorldCustodian, request: ReadRequest, release: Release, opened: object) -> Release:
    """The receipt of another custodian, which is true and signed, but not this one's."""
    key = MemoryKey("another")
    theirs = replace(release.receipt, custodian=key.address)
    signature = key.sign_digest(theirs.to_sign(custodian.ledger.deployment))
    return replace(release, receipt=replace(theirs, signature=signature))


LIES: dict[str, Answer] = {
    "a share with one bit changed": shares(flipped),
    "two shares exchanged": shares(exchanged),
    "a share left out": shares(lambda opened: opened[1:]),
    "no share at all": shares(lambda opened: []),
    "a share twice": shares(lambda opened: [*opened, opened[0]]),
    "a share that was not asked for": shares(changed(0, digest=OTHER)),
    "a header of another bit": shares(of_another_bit),
    "a header of another period": shares(changed(0, period=Period(1, 2))),
    "a header of another share's number": shares(changed(0, number=9)),
    "a header of another writer": shares(changed(0, writer=MemoryKey("another").address)),
    "what is no answer": sealed(b"\xf6"),
    "what is no CBOR": sealed(b"\xff"),
    "a list of nothing known": sealed(b"\x81\x41\x00"),
    "an answer sealed to another key": lambda custodian, request, release, opened: replace(
        release, sealed=seal.seal(seal.SealKey.generate().public, b"\x80", RELEASE_CONTEXT)
    ),
    "an answer that is no seal": lambda custodian, request, release, opened: replace(release, sealed=b"short"),
    "a receipt that it did not sign": lambda custodian, request, release, opened: replace(
        release, receipt=replace(release.receipt, at=release.receipt.at + 1)
    ),
    "a receipt with a signature that is none": lambda custodian, request, release, opened: replace(
        release, receipt=replace(release.receipt, signature=b"")
    ),
    "another custodian's receipt": another_s,
    "a receipt for another request": receipt(request=OTHER),
    "a receipt for another twin": receipt(twin=2),
    "a receipt for another asker": receipt(requester=MemoryKey("another").address),
    "a receipt for another grantee": receipt(grantee=MemoryKey("another").address),
    "a receipt for another slot": receipt(slot=3),
    "a receipt for another action": receipt(action=Action.TRAIN),
    "a receipt for another purpose": receipt(purpose=Purpose.HRESCH),
    "a receipt for other snapshots": receipt(digests=merkle.root([OTHER])),
    "a receipt that counts fewer snapshots": receipt(count=1),
    "a receipt that calls an answered snapshot refused": told(
        lambda receipt, request: replace(receipt, refused=((request.digests[0], Reason.EXPIRED),))
    ),
    "a receipt that refuses what was not asked": receipt(refused=((OTHER, Reason.EXPIRED),)),
    "a refusal that its receipt does not tell of": lambda custodian, request, release, opened: replace(
        release, refused=((request.digests[0], Reason.EXPIRED),)
    ),
    "a refusal by a reason that permits": told(
        lambda receipt, request: replace(receipt, refused=((request.digests[0], Reason.PERMITTED),))
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_one_liar_is_named_and_the_others_are_enough(name: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read(world)
    liar = world.custodians[0]
    lie(monkeypatch, liar, LIES[name])
    readings = read(world)
    assert list(readings) == list(before)
    [(custodian, fault)] = readings.faults.items()
    assert custodian == liar.address
    assert isinstance(fault, IntegrityError)
    assert fault.party == liar.address
    assert (readings.asked, readings.answered) == (3, 2)


@pytest.mark.parametrize("name", LIES)
def test_two_liars_end_the_read_and_one_is_named(name: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for liar in world.custodians[:2]:
        lie(monkeypatch, liar, LIES[name])
    with pytest.raises(IntegrityError) as caught:
        read(world)
    assert caught.value.party in {liar.address for liar in world.custodians[:2]}
    monkeypatch.undo()
    assert len(read(world)) == 24


def test_receipts_that_lie_are_not_handed_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lie(monkeypatch, world.custodians[0], LIES["a receipt for another request"])
    assert {each.custodian for each in read(world).receipts} == {each.address for each in world.custodians[1:]}


# silence and refusal --------------------------------------------------------------------------------------------------


def test_one_custodian_that_refuses_what_consent_permits_stops_nothing(world: World) -> None:
    world.custodians[1].fault = Fault.DENYING
    assert len(read(world)) == 24


def test_two_custodians_that_refuse_end_the_read(world: World) -> None:
    for each in world.custodians[:2]:
        each.fault = Fault.DENYING
    with pytest.raises(AccessDeniedError):
        read(world)
    world.custodians[0].fault = None
    assert len(read(world)) == 24


def test_one_refusal_and_one_silence_are_too_few_answers_and_no_verdict_on_consent(world: World) -> None:
    world.custodians[0].fault = Fault.DENYING
    world.custodians[1].fault = Fault.DEAD
    with pytest.raises(UnreachableError, match="2 are needed"):
        read(world)
    world.custodians[1].fault = None
    assert len(read(world)) == 24


def refuse_all(
    custodian: WorldCustodian, request: ReadRequest, release: Release, opened: list[tuple[ShareHeader, bytes]]
) -> Release:
    """EXPIRED of everything, under a receipt that says so."""
    everything = tuple((digest, Reason.EXPIRED) for digest in request.digests)
    said = told(lambda receipt, request: replace(receipt, refused=everything))
    return shares(lambda opened: [])(custodian, request, said(custodian, request, release, opened), opened)


def test_one_custodian_alone_refusing_a_snapshot_by_name_stops_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie(monkeypatch, world.custodians[2], refuse_all)
    readings = read(world)
    assert len(readings) == 24
    assert not readings.refused


def test_one_refusal_by_name_and_one_silence_are_no_verdict_on_consent_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie(monkeypatch, world.custodians[2], refuse_all)
    world.custodians[1].fault = Fault.DEAD
    for partial in (False, True):
        with pytest.raises(UnreachableError, match="2 are needed"):
            world.clinician.read(world.twin, "glucose", "TREAT", partial=partial)
    world.custodians[1].fault = None
    assert len(read(world)) == 24


def test_so_many_refusals_by_name_that_the_others_are_too_few_are_a_verdict(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for custodian in world.custodians[1:]:
        lie(monkeypatch, custodian, refuse_all)
    with pytest.raises(AccessDeniedError) as caught:
        read(world)
    assert caught.value.reason is Reason.EXPIRED


def test_a_custodian_whose_disk_is_full_is_a_fault_among_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(request: ReadRequest, shares: Sequence[SealedShare]) -> Release:
        raise DtledgerError("The receipt log cannot be written (No space left on device), so no key is released.")

    monkeypatch.setattr(world.custodians[0], "open", full)
    readings = read(world)
    assert len(readings) == 24
    assert list(readings.faults) == [world.custodians[0].address]


# who is to blame ------------------------------------------------------------------------------------------------------


def test_a_share_sealed_wrong_is_the_writer_s_fault_if_the_custodian_complains_and_the_custodian_s_if_it_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    scribe = Scribe(world)
    spoilt = forge("sealed", lambda cells: [*cells[:11], bytes(32)], (0, 1))
    scribe.write(spoilt, scribe.groups(1))
    readings = read(world)
    [(custodian, fault)] = readings.faults.items()
    assert custodian == world.custodians[0].address
    assert isinstance(fault, IntegrityError)
    assert fault.party == scribe.address, "it complained"
    assert len(readings) == 26

    true = world.custodians[0].open
    unhashed = lambda request, shares: true(request, [replace(each, hash=None) for each in shares])  # noqa: E731
    monkeypatch.setattr(world.custodians[0], "open", unhashed)
    [(_, fault)] = read(world).faults.items()
    assert isinstance(fault, IntegrityError)
    assert fault.party == custodian, "it answered"


def test_a_writer_that_names_another_in_its_seals_is_blamed_itself(world: World) -> None:
    scribe = Scribe(world)
    scribe.write(forge("sealed", lambda cells: [*cells[:3], world.gateway.address, *cells[4:]]), scribe.groups(1))
    with pytest.raises(IntegrityError, match="another share than it signed for") as caught:
        world.patient.read(world.twin, "glucose", "PATRQT")
    assert caught.value.party == scribe.address


def test_a_custodian_s_key_that_nobody_can_seal_to_comes_into_no_roster(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the roster it would keep every writer from writing, and nobody would be named."""
    liar, deployment = world.custodians[0], world.ledger.deployment
    addresses = [each.address for each in world.custodians]

    def give(key: bytes) -> None:
        def twin_key(request: OwnerRequest) -> TwinKey:
            to_sign = TwinKey.to_sign(deployment, request.twin, request.owner, key)
            return TwinKey(liar.address, key, liar._key.sign_digest(to_sign))

        monkeypatch.setattr(liar, "twin_key", twin_key)

    for none in (b"short", bytes(1216)):
        give(none)
        with pytest.raises(IntegrityError, match="is none") as caught:
            world.patient.twins.set_up(world.twin, addresses, 2)
        assert caught.value.party == liar.address
    give(seal.SealKey.generate().public)
    world.patient.twins.set_up(world.twin, addresses, 2)
