"""A custodian whose list of receipts is whole, signed and untrue: it stands alone with what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtledger.client import Access
from dtledger.crypto import merkle
from dtledger.custody import AccessReceipt, OwnerRequest
from dtledger.testing import MemoryKey, World
from dtledger.types import Digest
from dtledger.vocabulary import Action, Purpose

INNOCENT = MemoryKey("innocent").address

LIES: dict[str, dict[str, Any]] = {
    "who asked": {"requester": INNOCENT},
    "under whose grant": {"grantee": INNOCENT},
    "in which slot": {"slot": 3},
    "to do what": {"action": Action.TRAIN},
    "what for": {"purpose": Purpose.HRESCH},
    "how many": {"count": 1},
    "of which": {"digests": merkle.root([Digest(bytes(32))])},
}


def accounts(world: World, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any]) -> Access:
    """What the owner is told of one read, if the first custodian says other things of it."""
    world.clinician.read(world.twin, "glucose", "TREAT")
    liar = world.custodians[0]
    true = liar.receipts

    def receipts(request: OwnerRequest) -> list[AccessReceipt]:
        [receipt] = true(request)
        told = replace(receipt, **said)
        return [replace(told, signature=liar._key.sign_digest(told.to_sign(liar.ledger.deployment)))]

    monkeypatch.setattr(liar, "receipts", receipts)
    return world.patient.twins.who_looked(world.twin).require_whole()


@pytest.mark.parametrize("name", LIES)
def test_what_one_custodian_says_changes_nothing_in_what_the_others_say(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = accounts(world, monkeypatch, LIES[name]).looks
    liar, *honest = (each.address for each in world.custodians)
    [alone] = [look for look in looks if look.custodians == (liar,)]
    [look] = [look for look in looks if look is not alone]
    assert look.custodians == tuple(honest)
    assert (look.requester, look.purpose, look.count) == (world.clinician.address, Purpose.TREAT, 2)


def test_custodians_that_say_the_same_are_of_one_look(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    [look] = accounts(world, monkeypatch, {}).looks
    assert len(look.custodians) == 3
