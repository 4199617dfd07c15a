"""Whoever makes a custodian pay, or work, for nothing: a stranger has no key to lose and no name to be known by."""

from __future__ import annotations

import pytest

from dtledger.client import Client
from dtledger.custody import Probe, RetireOrder
from dtledger.errors import AccessDeniedError
from dtledger.ledger import Slot
from dtledger.testing import MemoryKey, World
from tests.custodian.letters import kept


def probe(world: World, who: Client) -> None:
    custodian = world.custodians[0]
    asked = Probe(Slot(who.address, world.twin, world.clinician.address, 0), world.clock())
    to_sign = asked.to_sign(world.ledger.deployment, custodian.address)
    custodian.probe(asked.signed(who.context.key.sign_digest(to_sign)))


def order(world: World, who: Client) -> None:
    """Of a pair that nobody has."""
    custodian, roster = world.custodians[0], world.patient.twins.roster(world.twin).encode()
    made = RetireOrder(world.twin, who.address, custodian.address, (b"\7" * 32,), roster, world.clock())
    to_sign = made.to_sign(world.ledger.deployment)
    custodian.retire(made.signed(who.context.key.sign_digest(to_sign)))


@pytest.mark.parametrize("ask", [probe, order], ids=["a probe", "an order"])
def test_a_stranger_has_no_heartbeat_paid_for(world: World, ask: object) -> None:
    """On an idle chain each costs a custodian a transaction a minute, for ever."""
    assert callable(ask)
    stranger = world.client(MemoryKey("stranger"))
    world.clock.advance(3600)
    before = world.ledger.head().number
    with pytest.raises(AccessDeniedError):
        ask(world, stranger)
    assert world.ledger.head().number == before
    ask(world, world.patient)
    assert world.ledger.head().number == before + 1


def test_a_stranger_has_no_letters_gone_through(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each letter of every twin is read from the disk to find those that a member wrote."""
    custodian = world.custodians[0]
    gone: list[str] = []
    everybodys = custodian.mail.all
    monkeypatch.setattr(custodian.mail, "all", lambda: gone.append("through") or everybodys())
    assert kept(world, custodian, world.client(MemoryKey("stranger"))) == []
    assert gone == []
    assert kept(world, custodian, world.clinician) == []
    assert gone == ["through"]
