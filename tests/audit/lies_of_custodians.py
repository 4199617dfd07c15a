"""Lies that a custodian can tell of its receipts, and what it may open against consent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dtledger.audit import Given, Receipts
from dtledger.audit.proofs import Header
from dtledger.client import Terms
from dtledger.custody import AccessReceipt, ReceiptMap
from dtledger.custody.receipts import NOTHING_BEFORE
from dtledger.errors import CannotCheckError
from dtledger.types import Address, Period
from dtledger.vocabulary import Action, Purpose
from tests.audit.attacks import OTHER, Evidence, attack
from tests.audit.chain_world import DAY, ChainWorld


def _lists(evidence: Evidence, told: bool, change: Callable[[Receipts], Receipts]) -> Evidence:
    given: Given = evidence.asked.given
    custodian = next(iter(given.lists))
    lists: Mapping[Address, Any] = {**given.lists, custodian: change(given.lists[custodian])}  # type: ignore[arg-type]
    return replace(evidence, asked=replace(evidence.asked, given=replace(given, lists=lists))) if told else evidence


for how, several in {
    "edited": lambda first, *rest: (replace(first, count=first.count + 1), *rest),
    "removed from the beginning": lambda first, *rest: rest,
    "removed from the end": lambda *every: every[:-1],
    "exchanged": lambda first, second, *rest: (second, first, *rest),
    "duplicated": lambda first, *rest: (first, first, *rest),
}.items():
    attack(f"a custodian gives receipts {how}", "receipts")(
        lambda evidence, told, several=several: _lists(
            evidence, told, lambda said: replace(said, receipts=several(*said.receipts))
        )
    )

for how, every in {
    "with a digest changed": lambda first, *rest: ((OTHER, *first[1:]), *rest),
    "with a digest left out": lambda first, *rest: (first[1:], *rest),
    "with a digest twice": lambda first, *rest: ((first[0], *first), *rest),
    "with a digest more": lambda first, *rest: ((*first, OTHER), *rest),
    "beside no receipt": lambda *lists: (*lists, lists[0]),
}.items():
    attack(f"a custodian gives a list of what was asked for {how}", "digests")(
        lambda evidence, told, every=every: _lists(evidence, told, lambda said: replace(said, asked=every(*said.asked)))
    )


@attack("a custodian keeps to itself what was asked for", "", "digests")
def _(evidence: Evidence, told: bool) -> Evidence:
    return _lists(evidence, told, lambda said: replace(said, asked=CannotCheckError("It is not to be had.")))


@attack("a custodian shows no proof of its anchored map", "receipts")
def _(evidence: Evidence, told: bool) -> Evidence:
    return _lists(evidence, told, lambda said: replace(said, proof=None))


@attack("a custodian proves the list of another twin", "receipts")
def _(evidence: Evidence, told: bool) -> Evidence:
    def other(said: Receipts) -> Receipts:
        made = ReceiptMap.of([(9, 0, NOTHING_BEFORE)])
        return replace(said, proof=made.proof(9))

    return _lists(evidence, told, other)


def _invented(evidence: Evidence, told: bool, **lies: Any) -> Evidence:
    """The first custodian adds a receipt of its own; honest is one that it had cause for."""
    world = evidence.world
    custodian = world.custodians[0]
    given = evidence.asked.given
    said = given.lists[custodian.address]
    assert isinstance(said, Receipts)
    last = said.receipts[-1]
    after: dict[str, Any] = {
        "number": last.number + 1,
        "previous": last.hash,
        "twin_number": last.twin_number + 1,
        "twin_previous": last.hash,
    }
    made: AccessReceipt = replace(said.receipts[0], **after, **(lies if told else {}))
    signature = custodian._key.sign_digest(made.to_sign(world.deployment))
    assert isinstance(said.asked, tuple)
    more = replace(
        said, receipts=(*said.receipts, replace(made, signature=signature)), asked=(*said.asked, said.asked[0])
    )
    lists = {**given.lists, custodian.address: more}
    return replace(evidence, asked=replace(evidence.asked, given=replace(given, lists=lists)))


@attack("a custodian opened what was revoked", "consent")
def _(evidence: Evidence, told: bool) -> Evidence:
    head = Header.read(evidence.source.head())
    return _invented(evidence, told, block=head.number, block_hash=head.hash, at=head.at)


@attack("a custodian opened to somebody who had no grant", "consent")
def _(evidence: Evidence, told: bool) -> Evidence:
    return _invented(evidence, told, requester=evidence.world.gateway.address)


def _opened_under(evidence: Evidence, told: bool, **lies: Any) -> Evidence:
    """A grant is given, and the first custodian opens under it what it opened before."""
    world = evidence.world
    terms = Terms(**{**_terms_of_what_was_read(world), **(lies if told else {})})
    slot, _ = world.patient.consents.grant(world.twin, world.clinician.address, terms, 1)
    source = world.source()
    head = Header.read(source.head())
    made = _invented(evidence, True, slot=slot.number, block=head.number, block_hash=head.hash, at=head.at)
    return replace(made, source=source)


def _terms_of_what_was_read(world: ChainWorld) -> dict[str, Any]:
    now, first = world.clock(), world.readings[0].minute
    return {
        "categories": ("glucose",),
        "purposes": (Purpose.TREAT,),
        "actions": (Action.READ,),
        "not_before_at": now - 3600,
        "expires_at": now + DAY,
        "data": Period(first, now // 60),
    }


@attack("a custodian opened what the grant is not for: another category", "consent")
def _(evidence: Evidence, told: bool) -> Evidence:
    return _opened_under(evidence, told, categories=("meals", "sleep"))


@attack("a custodian opened what the grant is not for: an older period", "consent")
def _(evidence: Evidence, told: bool) -> Evidence:
    now = evidence.world.clock() // 60
    return _opened_under(evidence, told, data=Period(now, now + 60))


@attack("a custodian decided on a block of another chain", "consent")
def _(evidence: Evidence, told: bool) -> Evidence:
    return _invented(evidence, told, block_hash=OTHER)
