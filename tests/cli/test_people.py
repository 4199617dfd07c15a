"""How somebody is named in the sentence that is read before signing."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from dtledger._cli.people import People
from dtledger.contacts import Contact
from dtledger.testing import World


@pytest.mark.parametrize(("agreed", "said"), [(True, "ann (hospital)"), (False, "ann (hospital, by its own word)")])
def test_an_organisation_that_never_agreed_is_said_to_be_a_claim(agreed: bool, said: str) -> None:
    """Anybody's own card may name any organisation; only the ledger says that it agreed."""
    with World(hours=1) as world:
        member = world.clinician if agreed else world.join("stranger")
        card = member.members.card("Ann", world.hospital.address, "hospital")
        app: Any = Mock(client=world.patient)
        app.contacts.by_address.return_value = {member.address: Contact(member.address, "ann", card)}
        assert People(app).described(member.address) == said
