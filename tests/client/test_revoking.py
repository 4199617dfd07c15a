"""The receipt of a revocation: who refuses since, who cannot be counted on, and what had been fetched before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from dtledger.client import RevocationReceipt
from dtledger.client.revoking import Revoking
from dtledger.custody import Probe, ProbeReply
from dtledger.errors import AccessDeniedError, IntegrityError, UnreachableError
from dtledger.ledger import Receipt
from dtledger.testing import Fault, World
from dtledger.testing.custodians import WorldCustodian
from dtledger.vocabulary import Reason


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


def revoke(world: World) -> Receipt:
    return world.patient.consents.revoke(world.consent)


def account(world: World, receipt: Receipt) -> RevocationReceipt:
    return world.patient.revoking.account(world.twin, [world.consent], receipt, patience=0)[world.consent]


def read(world: World) -> None:
    world.clinician.read(world.twin, "glucose", "TREAT")


def test_every_custodian_signs_that_it_refuses_from_the_block_on(world: World) -> None:
    read(world)
    receipt = revoke(world)
    told = account(world, receipt)
    assert list(told.refusals) == [each.address for each in world.custodians]
    assert {(each.reason, each.block >= receipt.block) for each in told.refusals.values()} == {(Reason.REVOKED, True)}
    assert (told.in_force, told.faults) == (True, {})
    assert [(each.requester, each.opened) for each in told.fetched.looks] == [(world.clinician.address, 6)]
    deployment = world.ledger.deployment
    for custodian, reply in told.refusals.items():
        again = ProbeReply.decode(reply.encode())
        assert again.verify(deployment, custodian, world.consent) == reply


def test_a_custodian_that_has_not_seen_the_block_is_told_from_the_others(world: World) -> None:
    world.custodians[0].ledger.freeze()
    told = account(world, revoke(world))
    (lagging,) = told.faults
    assert lagging == world.custodians[0].address
    assert "before the revocation's" in str(told.faults[lagging])
    assert (len(told.refusals), told.in_force) == (2, True), "one alone opens nothing"
    world.custodians[0].ledger.thaw()
    assert account(world, revoke(world)).faults == {}


def test_a_custodian_whose_node_comes_a_block_later_is_waited_for(world: World) -> None:
    world.custodians[0].ledger.freeze()
    receipt = revoke(world)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        world.custodians[0].ledger.thaw()

    revoking = Revoking(world.patient.context, world.patient.twins, pause)
    told = revoking.account(world.twin, [world.consent], receipt)[world.consent]
    assert (len(told.refusals), len(pauses)) == (3, 1)


def test_with_as_many_silent_as_could_open_it_is_not_called_in_force(world: World) -> None:
    world.custodians[0].fault = Fault.DEAD
    assert account(world, revoke(world)).in_force
    world.custodians[1].fault = Fault.DEAD
    told = account(world, revoke(world))
    assert (told.in_force, len(told.refusals), told.asked) == (False, 1, 3)
    assert {type(each) for each in told.faults.values()} == {UnreachableError}


def test_a_former_roster_that_snapshots_stand_under_is_asked_too() -> None:
    """Until they are shared anew: its custodians open them, whoever the present ones are."""
    with World(custodians=5) as world:
        addresses = [each.address for each in world.custodians]
        world.patient.twins.set_up(world.twin, addresses[2:], 2)
        for lagging in world.custodians[:2]:
            lagging.ledger.freeze()
        told = account(world, revoke(world))
        assert [*told.faults] == addresses[:2]
        assert (len(told.refusals), told.threshold, told.in_force) == (3, 2, False)
        for each in world.custodians[:2]:
            each.ledger.thaw()
        world.patient.resharing.reshare(world.twin, addresses[1:4], 2)
        for lagging in (world.custodians[0], world.custodians[4]):
            lagging.ledger.freeze()
        told = account(world, revoke(world))
        assert (told.asked, told.in_force, told.faults) == (3, True, {})


def test_a_grant_that_stands_is_said_to_stand(world: World) -> None:
    head = world.ledger.head()
    told = account(world, Receipt("", head.number, head.at, 0, ()))
    assert told.refusals == {}
    assert not told.in_force
    (first, *_) = told.faults.values()
    assert isinstance(first, AccessDeniedError)
    assert first.evidence["reply"].verify(world.ledger.deployment, world.custodians[0].address, world.consent)


def _of_another_slot(custodian: WorldCustodian, reply: ProbeReply) -> ProbeReply:
    """What it would truly say of a slot that is empty."""
    told = replace(reply, slot=replace(reply.slot, number=1))
    return told.signed(custodian._key.sign_digest(told.to_sign(custodian.ledger.deployment)))


LIES: dict[str, Callable[[WorldCustodian, ProbeReply], ProbeReply]] = {
    "of another slot": _of_another_slot,
    "in another's name": lambda of, reply: replace(reply, custodian=reply.slot.owner),
    "of a later block": lambda of, reply: replace(reply, block=reply.block + 1),
    "of another reason": lambda of, reply: replace(reply, reason=Reason.EXPIRED),
    "no signature": lambda of, reply: replace(reply, signature=b""),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_reply_that_is_not_the_custodians_own_counts_for_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, lie: Callable[[WorldCustodian, ProbeReply], ProbeReply]
) -> None:
    liar = world.custodians[1]
    honest = WorldCustodian.probe
    monkeypatch.setattr(
        WorldCustodian,
        "probe",
        lambda self, probe: lie(self, honest(self, probe)) if self is liar else honest(self, probe),
    )
    told = account(world, revoke(world))
    (fault,) = told.faults.values()
    assert isinstance(fault, IntegrityError)
    assert fault.party == liar.address
    monkeypatch.undo()
    assert account(world, revoke(world)).faults == {}


def test_a_probe_is_answered_to_the_owner_alone_and_while_it_is_fresh(world: World) -> None:
    custodian = world.custodians[0]
    deployment = world.ledger.deployment

    def probe(signer: World | None = None, *, at: int = 0, to: WorldCustodian = custodian) -> ProbeReply:
        asked = Probe(world.consent, world.clock.at + at)
        key = (signer or world).patient.context.key if signer is None else signer.clinician.context.key
        return custodian.probe(asked.signed(key.sign_digest(asked.to_sign(deployment, to.address))))

    for refused in (lambda: probe(world), lambda: probe(at=-600), lambda: probe(to=world.custodians[1])):
        with pytest.raises(AccessDeniedError, match="NO_CONSENT"):
            refused()
    # it stands, and names no category of the twin, or of 32 bits by chance the one that is granted
    assert probe().reason in (Reason.CATEGORY, Reason.PERIOD)


def test_an_owner_whose_grant_was_never_given_hears_so(world: World) -> None:
    custodian = world.custodians[0]
    asked = Probe(replace(world.consent, number=5), world.clock.at)
    signature = world.patient.context.key.sign_digest(asked.to_sign(world.ledger.deployment, custodian.address))
    reply = custodian.probe(asked.signed(signature))
    assert (reply.reason, reply.refuses) == (Reason.NO_GRANT, True)
