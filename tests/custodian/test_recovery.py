"""A custodian's share of a recovery package: to whom it goes, under what receipt, and what passes for none."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dtledger.client import Client, Guardian, GuardianKeys
from dtledger.crypto import seal
from dtledger.crypto.merkle import MerkleTree
from dtledger.custody import RELEASE_CONTEXT, SHARE_CONTEXT, ReadRequest, RecoveryHeader, Release, SealedShare
from dtledger.encoding import CID, sha256
from dtledger.errors import AccessDeniedError, HeadTooOldError, IntegrityError
from dtledger.ledger import calls
from dtledger.snapshots.recovery import RecoveryPackage
from dtledger.testing import MemoryKey, World
from dtledger.types import Digest
from dtledger.vocabulary import Action, Purpose, Reason
from tests.attacks.looking import move

from .asking import Desk, heard, kept_keys


class Counter:
    """The twin's present recovery package, and who asks the first custodian for its share of it."""

    def __init__(self, world: World) -> None:
        guardians = [MemoryKey(f"guardian-{number}") for number in range(3)]
        people = tuple(Guardian(each.address, each.seal_key.public) for each in guardians)
        world.patient.twins.set_recovery(world.twin, GuardianKeys(2, people))
        card = world.ledger.view().card(world.twin)
        assert card is not None
        self.world = world
        self.package = RecoveryPackage.decode(world.ledger.deployment, world.store.get(CID(card.recovery)))
        self.custodian = world.custodians[0]
        self.key = seal.SealKey.generate()

    def share(self, **changes: Any) -> SealedShare:
        part = self.package.custodians[0]
        return replace(SealedShare(self.package.package, part.sealed, part.hash), **changes)

    def request(self, who: Client | None = None, **fields: Any) -> ReadRequest:
        client = who or self.world.patient
        unsigned = ReadRequest(
            self.world.twin,
            client.address,
            0,
            Action.READ,
            Purpose.PATRQT,
            (self.package.package,),
            self.key.public,
            secrets.token_bytes(32),
            self.world.clock(),
        )
        request = replace(unsigned, **fields)
        return request.signed(client.context.key.sign_digest(request.to_sign(self.world.ledger.deployment)))

    def ask(self, request: ReadRequest | None = None, share: SealedShare | None = None) -> Release:
        return self.custodian.open_recovery(request or self.request(), share or self.share())

    def opened(self, release: Release) -> tuple[RecoveryHeader, bytes]:
        return RecoveryHeader.decode(seal.open_(self.key, release.sealed, RELEASE_CONTEXT), "RECOVERY")

    @property
    def receipts(self) -> int:
        return len(self.custodian.log.of_twin(self.world.twin))


@pytest.fixture
def counter(world: World) -> Counter:
    return Counter(world)


def test_the_present_owner_gets_the_share_under_a_receipt(counter: Counter) -> None:
    before = counter.receipts
    release = counter.ask()
    header, share = counter.opened(release)
    assert counter.package.check("RECOVERY", header.number, share)
    assert counter.receipts == before + 1
    told = release.receipt.verify(counter.world.ledger.deployment)
    assert (told.requester, told.count, told.permitted) == (counter.world.patient.address, 1, 1)
    assert told.digests == MerkleTree((counter.package.package,)).root


def test_what_is_made_of_a_one_use_key_is_not_kept(counter: Counter) -> None:
    before = kept_keys()
    for _ in range(3):
        counter.key = seal.SealKey.generate()
        assert counter.opened(counter.ask())
    assert kept_keys() == before


def test_whoever_owns_the_twin_now_gets_it_and_the_owner_before_does_not(counter: Counter) -> None:
    world = counter.world
    heir = move(world)
    with pytest.raises(AccessDeniedError) as caught:
        counter.ask()
    assert heard(caught.value)[1] is Reason.NO_GRANT
    assert counter.opened(counter.ask(counter.request(heir)))[0].owner == world.patient.address


def test_no_grant_opens_it(counter: Counter) -> None:
    world = counter.world
    before = counter.receipts
    for who in (world.clinician, world.gateway, world.hospital, world.operator):
        for purpose in (Purpose.TREAT, Purpose.PATRQT):
            with pytest.raises(AccessDeniedError):
                counter.ask(counter.request(who, purpose=purpose))
    with pytest.raises(AccessDeniedError):
        counter.ask(counter.request(world.clinician, grantee=world.patient.address))
    desk = Desk(world)
    request = desk.request(digests=(counter.package.package,))
    with pytest.raises(IntegrityError):
        desk.custodian.open(request, [counter.share(hash=None)])
    assert counter.receipts == before
    assert counter.ask().receipt


def test_a_read_s_door_gives_no_recovery_share_to_the_owner_either(counter: Counter) -> None:
    with pytest.raises(IntegrityError):
        counter.custodian.open(counter.request(), [counter.share(hash=None)])
    assert counter.ask()


def test_the_recovery_s_door_gives_no_share_of_a_snapshot(counter: Counter) -> None:
    desk = Desk(counter.world, counter.world.patient)
    share = desk.shares()[0]
    with pytest.raises(IntegrityError, match="RECOVERY"):
        counter.ask(counter.request(digests=(share.digest,)), share)
    assert counter.ask()


@pytest.mark.parametrize("purpose", [Purpose.TREAT, Purpose.ETREAT, Purpose.HRESCH])
def test_for_another_purpose_the_owner_gets_none_and_a_receipt_says_so(purpose: Purpose, counter: Counter) -> None:
    before = counter.receipts
    with pytest.raises(AccessDeniedError):
        counter.ask(counter.request(purpose=purpose))
    assert counter.receipts == before + 1
    assert counter.custodian.log.of_twin(counter.world.twin)[-1].receipt.permitted == 0
    assert counter.ask()


def test_of_a_twin_that_is_being_retired_nothing_is_recovered(counter: Counter) -> None:
    world = counter.world
    world.ledger.send(calls.announce_retirement(world.twin), world.patient.context.key)
    with pytest.raises(AccessDeniedError) as caught:
        counter.ask()
    assert caught.value.reason is Reason.RETIRED
    world.ledger.send(calls.cancel_retirement(world.twin), world.patient.context.key)
    assert counter.ask()


def test_a_stale_a_replayed_and_an_unsigned_request_open_nothing(counter: Counter) -> None:
    world = counter.world
    nonce = secrets.token_bytes(32)
    assert counter.ask(counter.request(nonce=nonce))
    replayed = counter.request(nonce=nonce, at=world.clock() + 1)
    unsigned = replace(counter.request(), nonce=secrets.token_bytes(32))
    stale = counter.request()
    for request in (replayed, unsigned):
        with pytest.raises(AccessDeniedError):
            counter.ask(request)
    world.clock.advance(121)
    with pytest.raises(AccessDeniedError):
        counter.ask(stale)
    assert counter.ask()


def test_a_custodian_whose_node_stands_still_releases_nothing(counter: Counter) -> None:
    counter.custodian.ledger.freeze()
    counter.world.clock.advance(600)
    with pytest.raises(HeadTooOldError):
        counter.ask()


def forged(counter: Counter, **fields: Any) -> SealedShare:
    """A share that somebody made, sealed to this custodian."""
    header = replace(counter.package.header("RECOVERY", 1), **fields)
    pair = counter.custodian._twin_keys.all_of(counter.world.twin)[0]
    return SealedShare(counter.package.package, seal.seal(pair.public, header.encode(bytes(32)), SHARE_CONTEXT))


Forged = Callable[[Counter], SealedShare]

FORGED: dict[str, Forged] = {
    "of another twin": lambda counter: forged(counter, twin=counter.world.twin + 1),
    "of another deployment": lambda counter: forged(counter, deployment="1-00-00"),
    "of another package": lambda counter: forged(counter, package=Digest(sha256(b"another"))),
    "of another kind": lambda counter: forged(counter, kind="GUARDIAN"),
    "sealed to nobody here": lambda counter: counter.share(sealed=counter.package.custodians[1].sealed),
    "not what the package says": lambda counter: counter.share(hash=counter.package.custodians[1].hash),
}


@pytest.mark.parametrize("which", FORGED)
def test_a_share_that_is_not_what_was_asked_for_is_not_opened(which: str, counter: Counter) -> None:
    before = counter.receipts
    with pytest.raises(IntegrityError):
        counter.ask(share=FORGED[which](counter))
    assert counter.receipts == before
    assert counter.ask()


def test_a_move_that_is_not_final_releases_nothing(counter: Counter) -> None:
    world = counter.world
    counter.custodian.ledger.final_after = 2
    heir = move(world)
    with pytest.raises(AccessDeniedError):
        counter.ask(counter.request(heir))
    assert counter.custodian.log.of_twin(world.twin)[-1].receipt.permitted == 0
    for _ in range(2):
        world.ledger.heartbeat(world.operator.context.key)
    assert counter.ask(counter.request(heir))


def test_what_the_contract_refuses_is_not_released_whatever_the_index_says(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(counter.custodian.ledger, "check", lambda *_: Reason.FROZEN)
        with pytest.raises(AccessDeniedError) as caught:
            counter.ask()
        assert caught.value.reason is Reason.FROZEN
    assert counter.ask()
