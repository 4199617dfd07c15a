"""An owner who calls a stream what it is not accuses nobody of having written without right."""

from __future__ import annotations

from typing import Any, cast

import pytest

from dtledger.audit import Given, Named, Question, Verdict
from dtledger.audit.twin import TwinAudit
from dtledger.client.keyrings import owner_keys
from dtledger.snapshots.finder import Finder
from dtledger.snapshots.package import NO_KEYS
from dtledger.testing import World
from dtledger.vocabulary import category
from tests.audit.told import Told


@pytest.mark.parametrize(("said", "verdict"), [("glucose", Verdict.PASS), ("sleep", Verdict.FAIL)])
def test_what_its_owner_says_of_a_stream_tells_nothing_of_the_right_to_write_at_all(
    dtledger_world: World, said: str, verdict: Verdict
) -> None:
    """The tag key is glucose's; the bit is of what the owner says."""
    world, context = dtledger_world, dtledger_world.patient.context
    keys, view = owner_keys(context.key.secrets.twin(context.deployment.id, world.twin)), world.ledger.view()
    named = Named(keys.tags[category("glucose").number], keys.bits.prove(keys.bits.bit_of(said)))
    question, given = Question(twin=world.twin), Given(named=(named,))
    audit = TwinAudit(cast(Any, Told(world)), context.deployment, world.store, question, given)
    gathered = audit._gathered
    gathered.view, gathered.finder = view, Finder(context.deployment, view, world.store, world.twin, NO_KEYS)
    (stream,) = audit.finder.located.streams_of(world.gateway.address)
    found = {each.name: each for each in audit.of_a_stream(stream)}
    assert (found["writer"].verdict, found["category"].verdict) == (Verdict.PASS, verdict)
    assert "its owner says" in found["category"].evidence
