"""Whoever bears on a twin is known whole, and who merely stands beside them is no part of it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from dtledger.audit.consents import require_review
from dtledger.audit.known import Known
from dtledger.client import publish_keyring
from dtledger.errors import IntegrityError
from dtledger.ledger import Opening, View
from dtledger.testing import World
from dtledger.vocabulary import Cause, Finding, Kind
from tests.audit.told import Told


def known(world: World) -> View:
    """What an audit of the world's twin knows."""
    found = Known(cast(Any, Told(world)))
    found.twin(world.twin)
    return found.history().at(world.ledger.head().number)


def second_opening(world: World) -> Opening:
    """An emergency whose number is not the twin's."""
    ambulance = world.join("ambulance", [Kind.EMERGENCY])
    medics = [world.join(f"medic-{number}", [Kind.EMERGENCY], ambulance) for number in (1, 2)]
    publish_keyring(ambulance.context, [each.address for each in medics])
    slot, _ = world.patient.emergencies.let(world.twin, ambulance.address)
    for medic in medics:
        medic.emergencies.open(slot, Cause.OVRINCOMP, "found unconscious")
    opening = world.ledger.view().openings()[1]
    assert opening.number != world.twin
    return opening


def test_who_reviewed_an_emergency_is_known_though_they_had_nothing_else_to_do_with_the_twin(
    dtledger_world: World,
) -> None:
    world = dtledger_world
    opening, auditor = second_opening(world), world.join("auditor", [Kind.AUDITOR])
    world.clock.advance(opening.review_by - world.clock())
    with pytest.raises(IntegrityError, match="nobody reviewed it"):
        require_review(known(world), opening, world.clock(), str)
    auditor.emergencies.review(opening.number, Finding.JUSTIFIED)
    assert f"reviewed by {auditor.address}" in require_review(known(world), opening, world.clock(), str)


def test_somebody_who_joins_an_organisation_later_does_not_end_the_audit_of_its_members_twins(
    dtledger_world: World,
) -> None:
    world = dtledger_world
    before = known(world)
    alone = world.join("alone", [Kind.CLINICIAN])
    card = alone.members.card("alone", world.hospital.address, "hospital")
    alone.members.update(card, world.hospital.members.agree(card))
    after = known(world)
    assert after.member(world.clinician.address) == before.member(world.clinician.address) is not None
    assert after.member(alone.address) is None, "nothing of the twin's is theirs"
    world.patient.consents.block(world.twin, alone.address)
    assert known(world).member(alone.address) == world.ledger.view().member(alone.address)
