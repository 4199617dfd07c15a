"""What the owner is told of who looked: every list that was tampered with is found, and its custodian named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dtledger.client import Access, Client
from dtledger.custodian import Custodian
from dtledger.custodian.core import FRESHNESS
from dtledger.custodian.receipts import Entry
from dtledger.custody import OwnerRequest
from dtledger.errors import AccessDeniedError, IntegrityError
from dtledger.ledger import messages
from dtledger.testing import World
from dtledger.types import Digest

from .asking import NO_CONSENT, heard


def looked(world: World, times: int = 3) -> Client:
    for _ in range(times):
        world.clinician.read(world.twin, "glucose", "TREAT")
    return world.patient


def test_only_the_present_owner_hears_who_looked(world: World) -> None:
    patient = looked(world, 1)
    custodian = world.custodians[0]

    def ask(whose: Client, signer: Client, at: int = 0, said_to: Custodian = custodian) -> int:
        at += world.clock()
        digest = messages.receipts_request(world.ledger.deployment, world.twin, whose.address, said_to.address, at)
        signature = signer.context.key.sign_digest(digest)
        return len(custodian.receipts(OwnerRequest(world.twin, whose.address, at, signature)))

    assert ask(patient, patient) == 1
    for whose, signer in ((world.clinician, world.clinician), (patient, world.clinician), (world.operator, patient)):
        with pytest.raises(AccessDeniedError) as caught:
            ask(whose, signer)
        assert heard(caught.value) == NO_CONSENT
    for off in (FRESHNESS + 1, -FRESHNESS - 1):
        with pytest.raises(AccessDeniedError):
            ask(patient, patient, off)
    with pytest.raises(AccessDeniedError):
        ask(patient, patient, said_to=world.custodians[1])  # what one custodian heard is worth nothing at another


LIST_TAMPERINGS: dict[str, Callable[[list[Entry]], list[Entry]]] = {
    "the first removed": lambda list_: list_[1:],
    "one in the middle removed": lambda list_: list_[:1] + list_[2:],
    "two exchanged": lambda list_: [list_[1], list_[0], *list_[2:]],
    "one twice": lambda list_: [list_[0], *list_],
    "a requester edited": lambda list_: [edited(list_[0], slot=5), *list_[1:]],
    "the last edited": lambda list_: [*list_[:-1], edited(list_[-1], at=5)],
    "a refusal taken out": lambda list_: [*list_[:-1], edited(list_[-1], refused=())],
}


def edited(entry: Entry, **fields: Any) -> Entry:
    return replace(entry, receipt=replace(entry.receipt, **({"count": 9} | fields)))


@pytest.mark.parametrize("name", LIST_TAMPERINGS)
def test_the_owner_finds_a_list_that_was_tampered_with_and_its_custodian_is_named(name: str, world: World) -> None:
    patient = looked(world)
    patient.twins.who_looked(world.twin).require_whole()
    liar = world.custodians[1]
    liar.log._by_twin[world.twin] = LIST_TAMPERINGS[name](liar.log._by_twin[world.twin])
    access = patient.twins.who_looked(world.twin)
    with pytest.raises(IntegrityError) as caught:
        access.require_whole()
    assert caught.value.party == liar.address
    assert list(access.faults) == [liar.address]
    assert len(access.looks) == 3, "the others' lists are whole"


def test_a_custodian_cannot_sign_itself_another_past(world: World) -> None:
    """It may sign anything, but two receipts with one number are evidence; a list that skips one is found."""
    patient = looked(world)
    liar = world.custodians[0]
    first, second, third = liar.log._by_twin[world.twin]
    moved = replace(third.receipt, twin_number=1, twin_previous=first.receipt.hash)
    signature = liar._key.sign_digest(moved.to_sign(world.ledger.deployment))
    liar.log._by_twin[world.twin] = [first, replace(third, receipt=replace(moved, signature=signature))]
    access = patient.twins.who_looked(world.twin)
    assert missing(access, world) == {liar.address: {second.receipt.request}}


def test_a_list_cut_short_at_its_end_shows_in_what_the_other_custodians_tell(world: World) -> None:
    """No chain shows what is missing after its last number; the request that the others have does."""
    patient = looked(world)
    liar = world.custodians[2]
    last = liar.log._by_twin[world.twin].pop()
    access = patient.twins.who_looked(world.twin).require_whole()
    assert missing(access, world) == {liar.address: {last.receipt.request}}


def missing(access: Access, world: World) -> dict[str, set[Digest]]:
    """Custodian → requests that others tell of and it does not."""
    gaps: dict[str, set[Digest]] = {}
    for look in access.looks:
        for custodian in world.custodians:
            if custodian.address not in look.custodians:
                gaps.setdefault(custodian.address, set()).add(look.request)
    return gaps
