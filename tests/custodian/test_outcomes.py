"""What the rule says of a request whose shares are open: permits, refusals, and the time that they are judged at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dtledger.client import Terms, publish_keyring
from dtledger.custodian import core
from dtledger.errors import AccessDeniedError, HeadTooOldError
from dtledger.ledger import calls
from dtledger.testing import World
from dtledger.types import Period
from dtledger.vocabulary import Action, Purpose, Reason

from .asking import NO_CONSENT, Desk, heard

DAY = 86_400

# outcomes ------------------------------------------------------------------------------------------------------------

OUTCOMES: dict[str, tuple[Reason, Callable[[Desk], object], dict[str, Any]]] = {
    "revoked": (Reason.REVOKED, lambda desk: desk.world.patient.consents.revoke(desk.slot), {}),
    "everything revoked": (Reason.REVOKED, lambda desk: desk.world.patient.consents.revoke_all(desk.world.twin), {}),
    "ended": (Reason.EXPIRED, lambda desk: desk.world.clock.advance(30 * DAY), {}),
    "to train": (Reason.ACTION, lambda desk: None, {"action": Action.TRAIN}),
    "for research": (Reason.PURPOSE, lambda desk: None, {"purpose": Purpose.HRESCH}),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_whose_consent_falls_short_hears_why_and_gets_no_share(name: str, desk: Desk) -> None:
    assert desk.opened(desk.ask()) == 2
    reason, prepare, fields = OUTCOMES[name]
    prepare(desk)
    release = desk.ask(desk.request(**fields))
    assert release.refused == release.receipt.refused == tuple((each.digest, reason) for each in desk.found)
    assert desk.opened(release) == 0
    assert desk.custodian.log.entries[-1].receipt == release.receipt


def test_a_request_is_permitted_in_part_and_its_receipt_names_the_refused(world: World, desk: Desk) -> None:
    now = world.clock()
    first, second = desk.found
    all_but_a_minute = Period(first.manifest.period.start + 1, second.manifest.period.end)
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + DAY, all_but_a_minute)
    world.patient.consents.grant(world.twin, world.clinician.address, terms, desk.slot.number)
    release = desk.ask()
    assert release.refused == ((first.digest, Reason.PERIOD),)
    assert desk.opened(release) == 1
    assert (release.receipt.count, release.receipt.permitted) == (2, 1)


def test_a_member_uses_its_organisation_s_grant_until_it_leaves(world: World, desk: Desk) -> None:
    publish_keyring(world.hospital.context, [world.clinician.address])
    now = world.clock()
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + DAY, Period(0, 2**30 - 1))
    desk.slot, _ = world.patient.consents.grant(world.twin, world.hospital.address, terms)
    release = desk.ask()
    assert desk.opened(release) == 2
    assert (release.receipt.requester, release.receipt.grantee) == (world.clinician.address, world.hospital.address)
    world.ledger.send(calls.dismiss(world.clinician.address), world.hospital.context.key)
    with pytest.raises(AccessDeniedError) as caught:
        desk.ask()
    assert heard(caught.value) == NO_CONSENT


# time ----------------------------------------------------------------------------------------------------------------


def test_an_old_head_is_renewed_by_one_heartbeat_and_judged_by_its_block(desk: Desk) -> None:
    before = desk.world.ledger.head().number
    desk.world.clock.advance(3600)
    release = desk.ask()
    assert release.receipt.block == desk.world.ledger.head().number == before + 1
    assert release.receipt.at == desk.world.clock()


def test_a_head_that_stands_still_permits_nothing_and_nothing_is_opened(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.custodian.ledger.freeze()
    desk.world.clock.advance(61)
    with monkeypatch.context() as while_frozen:
        while_frozen.setattr(core.seal, "open_", lambda *_: pytest.fail("a share was opened"))
        with pytest.raises(HeadTooOldError):
            desk.ask()
    assert desk.custodian.turned_away["frozen"] == 1
    assert desk.custodian.log.entries == []
    desk.custodian.ledger.thaw()
    assert desk.opened(desk.ask()) == 2


def test_a_grant_counts_when_it_is_final_and_a_revocation_at_once(world: World, desk: Desk) -> None:
    node = desk.custodian.ledger
    node.final_after = 2
    node.mine(2)
    assert desk.opened(desk.ask()) == 2
    now = world.clock()
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + DAY, Period(0, 2**30 - 1))
    desk.slot, _ = world.patient.consents.grant(world.twin, world.clinician.address, terms)
    with pytest.raises(AccessDeniedError) as caught:
        desk.ask()
    assert heard(caught.value) == NO_CONSENT
    node.mine(2)
    assert desk.opened(desk.ask()) == 2
    world.patient.consents.revoke(desk.slot)
    assert [reason for _, reason in desk.ask().refused] == [Reason.REVOKED] * 2
    assert desk.custodian.disagreements == 0, "its own rule says so, not the contract alone"


def test_a_node_that_goes_back_behind_a_revocation_permits_nothing(
    world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind one address are two nodes, say, of which one lags by a block: what was refused stays refused."""
    before, node = desk.custodian.ledger.tip(), desk.custodian.ledger
    world.patient.consents.revoke(desk.slot)
    assert desk.opened(desk.ask()) == 0
    with monkeypatch.context() as lagging:
        lagging.setattr(node, "tip", lambda: before)
        lagging.setattr(node, "check", lambda *_: Reason.PERMITTED)
        with pytest.raises(HeadTooOldError, match="goes back"):
            desk.ask()
    assert desk.custodian.turned_away == {"frozen": 1}, "before the opening, so without a receipt"
    assert [each.receipt.permitted for each in desk.custodian.log.entries] == [0]
    slot, _ = world.patient.consents.grant(world.twin, world.clinician.address, reading(world), desk.slot.number)
    assert (slot, desk.opened(desk.ask())) == (desk.slot, 2)


def test_a_chain_that_went_back_for_good_is_believed_when_it_has_come_as_far_again(
    world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was restored from a copy, say. Where nothing else happens, the heartbeats of those who ask bring it there."""
    node = desk.custodian.ledger
    true = node.tip
    assert desk.opened(desk.ask()) == 2
    monkeypatch.setattr(node, "tip", lambda: replace(true(), head=replace(true().head, number=true().head.number - 5)))
    with pytest.raises(HeadTooOldError, match="goes back"):
        desk.ask()
    world.clock.advance(61)
    for _ in range(5):
        with pytest.raises(HeadTooOldError, match="no newer one came"):
            desk.ask()
    assert desk.opened(desk.ask()) == 2


def reading(world: World) -> Terms:
    now = world.clock()
    return Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + DAY, Period(0, 2**30 - 1))


def test_a_reader_is_told_that_a_grant_is_not_final_before_it_asks_a_custodian(world: World) -> None:
    world.ledger.final_after = 2
    world.patient.consents.revoke(world.consent)
    now = world.clock()
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), now, now + DAY, Period(0, 2**30 - 1))
    world.patient.consents.grant(world.twin, world.clinician.address, terms, 1)
    assert not world.clinician.explain(world.twin, "glucose", "TREAT").permits
    world.ledger.mine(2)
    assert world.clinician.explain(world.twin, "glucose", "TREAT").permits


def test_a_head_sixty_seconds_old_is_young_enough(desk: Desk) -> None:
    desk.custodian.ledger.freeze()
    desk.world.clock.advance(60)
    assert desk.opened(desk.ask()) == 2


def test_a_grant_that_ends_between_head_and_clock_has_ended(desk: Desk) -> None:
    record = desk.world.ledger.view().record(desk.slot)
    assert record is not None
    desk.world.clock.advance(record.grant.expires_at - desk.world.clock() - 30)
    desk.world.ledger.mine()
    assert desk.opened(desk.ask()) == 2
    desk.world.clock.advance(30)
    release = desk.ask()
    assert [reason for _, reason in release.refused] == [Reason.EXPIRED] * 2


def test_a_grant_that_begins_between_head_and_clock_has_not_begun(world: World, desk: Desk) -> None:
    begins = world.clock() + 30
    terms = Terms(("glucose",), (Purpose.TREAT,), (Action.READ,), begins, begins + DAY, Period(0, 2**30 - 1))
    world.patient.consents.grant(world.twin, world.clinician.address, terms, desk.slot.number)
    world.clock.advance(30)
    assert [reason for _, reason in desk.ask().refused] == [Reason.NOT_YET] * 2
    world.ledger.mine()
    assert desk.opened(desk.ask()) == 2
