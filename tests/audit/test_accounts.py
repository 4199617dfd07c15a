"""What a custodian says that it was asked for is what its receipt has the root of, or is held against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dtledger.audit import Claim, Given, Receipts, Verdict
from dtledger.audit.accounts import Accounts
from dtledger.audit.consents import BEHIND, Snapshot
from dtledger.custody import AccessReceipt
from dtledger.custody.receipt_list import require_digests
from dtledger.encoding import sha256
from dtledger.errors import AccessDeniedError, CannotCheckError, IntegrityError
from dtledger.testing import World
from dtledger.types import Digest
from dtledger.vocabulary import Reason
from tests.audit.test_consents import Timed

OTHER = sha256(b"another snapshot")
Lists = tuple[tuple[Digest, ...], ...]


def claims(
    world: World, change: Callable[[Lists], Any] = lambda lists: lists, more: Sequence[AccessReceipt] = ()
) -> dict[str, Claim]:
    """The claims of the first custodian, whose lists are changed, and who wrote more, by name; the last of each."""
    custodian = world.custodians[0].address
    _, receipts = world.patient.twins.told(world.twin, custodian)
    lists = tuple(world.patient.twins.digests(world.twin, custodian))
    chain: Any = Timed(world, receipts[0])
    chain.is_whole = True
    chain.head.at = world.clock.at
    gathered: Any = SimpleNamespace(
        deployment=world.ledger.deployment,
        twin=world.twin,
        view=world.ledger.view(),
        known=SimpleNamespace(unreached={}),
        gaps=(),
        unopened=None,
        block_at=chain.block_at,
    )
    proof = world.patient.twins.told(world.twin, custodian)[0]
    given = Given({custodian: Receipts((*receipts, *more), proof, change(lists))})
    listed = [each.found for group in world.patient.snapshots.list(world.twin) for each in group]
    snapshots = {each.digest: Snapshot(each.manifest.period) for each in listed}
    made = Accounts(chain, gathered, given, snapshots, str).of(custodian)
    return {each.name: each for each in made}


@pytest.fixture
def world(dtledger_world: World) -> World:
    dtledger_world.clinician.read(dtledger_world.twin, "glucose", "TREAT")
    return dtledger_world


def test_an_owner_is_told_what_each_receipt_is_for_and_nobody_else_is(world: World) -> None:
    custodian = world.custodians[0].address
    (digests,) = world.patient.twins.digests(world.twin, custodian)
    assert len(digests) == world.patient.twins.told(world.twin, custodian)[1][0].count
    with pytest.raises(AccessDeniedError):
        world.clinician.twins.digests(world.twin, custodian)


@pytest.mark.parametrize(
    "change",
    [
        lambda lists: ((OTHER, *lists[0][1:]),),
        lambda lists: (lists[0][1:],),
        lambda lists: ((*lists[0], lists[0][0]),),
        lambda lists: (lists[0][::-1],),
        lambda lists: ((),),
        lambda lists: (),
        lambda lists: (*lists, lists[0]),
        lambda lists: IntegrityError("it answers nonsense"),
    ],
    ids=["changed", "left out", "twice", "reversed", "empty", "no list", "a list more", "nonsense"],
)
def test_another_list_than_was_asked_for_fails_its_claim_and_no_other(world: World, change: Any) -> None:
    found = claims(world, change)
    assert {name: each.verdict for name, each in found.items()} == {
        "receipts": Verdict.PASS,
        "digests": Verdict.FAIL,
        "consent": Verdict.PASS,
    }
    assert {each.verdict for each in claims(world).values()} == {Verdict.PASS}


def test_what_is_not_to_be_had_is_not_checked_and_what_is_not_shown_makes_no_claim(world: World) -> None:
    found = claims(world, lambda lists: CannotCheckError("it does not answer"))
    assert (found["digests"].verdict, found["consent"].verdict) == (Verdict.CANNOT_CHECK, Verdict.PASS)
    assert "digests" not in claims(world, lambda lists: None)


def test_a_receipt_that_is_at_odds_with_its_own_list_is_of_no_request(world: World) -> None:
    (digests,) = world.patient.twins.digests(world.twin, world.custodians[0].address)
    receipt = world.patient.twins.told(world.twin, world.custodians[0].address)[1][0]
    denied = ((digests[0], Reason.CATEGORY), (digests[0], Reason.CATEGORY))
    for lie in ({"count": receipt.count + 1}, {"refused": denied}, {"refused": ((OTHER, Reason.CATEGORY),)}):
        with pytest.raises(IntegrityError, match="nobody can make") as refused:
            require_digests(replace(receipt, **cast(Any, lie)), digests)
        assert refused.value.party == receipt.custodian
    require_digests(replace(receipt, refused=denied[:1]), digests)


def after(world: World, **said: Any) -> AccessReceipt:
    """A receipt that the first custodian writes now, as it wrote its first, but for what is said otherwise."""
    custodian = world.custodians[0]
    first, *_, last = [each.receipt for each in (custodian.log.entries[0], *custodian.log.entries)]
    follows = {"number": last.number + 1, "previous": last.hash}
    follows |= {"twin_number": last.twin_number + 1, "twin_previous": last.hash}
    made = replace(first, **cast(Any, {**follows, **said}))
    return replace(made, signature=custodian._key.sign_digest(made.to_sign(world.ledger.deployment)))


@pytest.mark.parametrize("by", ["a receipt before it", "an anchor that does not count it"])
@pytest.mark.parametrize("ends", ["revoked", "expired"])
def test_a_receipt_that_is_dated_back_is_judged_by_when_it_was_written(world: World, by: str, ends: str) -> None:
    """Of a block and a time at which consent was there: what comes before it in the custodian's own list, or what it
    anchored, is of later."""
    granted = world.ledger.view().record(world.consent)
    assert granted is not None
    if ends == "revoked":
        world.patient.consents.revoke(world.consent)
        world.clock.advance(BEHIND + 60)
    else:
        world.clock.advance(granted.grant.expires_at - world.clock.at + BEHIND + 60)
    before = claims(world, lambda lists: None, [after(world)])
    assert before["consent"].verdict is Verdict.PASS, "so nobody can tell when it was written"
    if by == "a receipt before it":
        world.ledger.mine()  # so that no custodian sends a heartbeat, by which it anchors
        world.patient.read(world.twin, "glucose", "PATRQT")
    else:
        world.custodians[0].anchor()
    anchored = world.ledger.view().receipt_anchor(world.custodians[0].address)
    assert bool(anchored) is (by != "a receipt before it")
    found = claims(world, lambda lists: None, [after(world)])
    assert found["receipts"].verdict is Verdict.PASS, found
    assert found["consent"].verdict is Verdict.FAIL
    assert ends.upper() in found["consent"].evidence


def test_a_receipt_with_the_number_of_an_older_one_is_not_taken_for_as_old(world: World) -> None:
    """An anchor counts the log, and a number below its count says: I was there."""
    custodian = world.custodians[0]
    for each in (world.clinician, world.patient):
        each.read(world.twin, "glucose", "TREAT" if each is world.clinician else "PATRQT")
    custodian.anchor()
    for number in (0, 1, custodian.log.entries[-1].receipt.number):
        found = claims(world, lambda lists: None, [after(world, number=number)])
        assert found["receipts"].verdict is Verdict.FAIL
        assert "contradict" in found["receipts"].evidence
    assert claims(world, lambda lists: None, [after(world)])["receipts"].verdict is Verdict.PASS
