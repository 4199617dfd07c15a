"""What a former owner left behind, out of carelessness or spite, and what it may not stop."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtledger.encoding import encode, sha256
from dtledger.errors import DtledgerError, IntegrityError, UnreachableError
from dtledger.ledger import calls
from dtledger.testing import World
from dtledger.types import Digest

from .looking import move


def name_roster(world: World, roster: Digest) -> None:
    """As the patient, a card with that roster."""
    patient, card = world.patient, world.ledger.view().card(world.twin)
    assert card is not None
    later = replace(card, roster=roster, roster_version=card.roster_version + 1)
    world.ledger.send(calls.set_card(world.twin, patient.twins.card_digest(world.twin), later), patient.context.key)


@pytest.mark.parametrize(("block", "kind"), [(None, UnreachableError), (encode({}), IntegrityError)])
def test_a_roster_that_is_not_to_be_had_does_not_hide_who_looked(
    block: bytes | None, kind: type[DtledgerError], world: World
) -> None:
    world.clinician.read(world.twin, "glucose", "TREAT")
    name_roster(world, world.store.put(block, "dag-cbor").digest if block else sha256(b"nowhere"))
    with pytest.raises(kind):
        world.patient.twins.who_looked(world.twin)
    heir = move(world)
    heir.twins.set_up(world.twin, [each.address for each in world.custodians], 2)
    found = heir.twins.who_looked(world.twin)
    assert [look.requester for look in found.looks] == [world.clinician.address]
    assert list(found.faults) == [world.patient.address]
    assert isinstance(found.faults[world.patient.address], kind)
    assert set(found.lists) == {each.address for each in world.custodians}
