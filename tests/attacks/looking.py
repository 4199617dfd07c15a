"""How it is seen what a scribe did: by reading, by checking streams, and after a move."""

from __future__ import annotations

import pytest

from dtledger.client import Client, Readings
from dtledger.encoding import CID
from dtledger.errors import IntegrityError
from dtledger.ledger import calls, messages
from dtledger.testing import MemoryKey, World

from .forging import Scribe


def read(world: World) -> Readings:
    """As the owner, to whom the rule refuses nothing: what is found wrong is found by looking."""
    return world.patient.read(world.twin, "glucose", "PATRQT")


def forged(readings: Readings) -> list[float]:
    """The values that came from scribes."""
    return [each.value for each in readings if each.quality == "forged"]


def errors(world: World) -> list[IntegrityError]:
    """What the check of every stream says."""
    return [each.error for each in world.patient.snapshots.verify(world.twin) if each.error]


def assert_refused(world: World, scribe: Scribe, says: str, block: CID | None = None) -> None:
    """A read names this scribe, and this block or some."""
    with pytest.raises(IntegrityError, match=says) as caught:
        read(world)
    assert caught.value.party == scribe.address
    assert caught.value.block
    if block is not None:
        assert caught.value.block in {str(block), block.digest.hex()}


def move(world: World) -> Client:
    """The twin in another owner's hands, who has its secrets but has set no card yet."""
    key, patient, deployment = MemoryKey("heir"), world.patient.context.key, world.ledger.deployment
    secrets = patient.secrets.twin(deployment.id, world.twin)
    key.update(lambda held: held.with_twin(deployment.id, world.twin, secrets))
    counter, deadline = world.ledger.view().counter(world.twin), world.clock() + 3600
    message = messages.move(deployment, world.twin, key.address, counter, deadline)
    call = calls.move(world.twin, key.address, counter, deadline, b"", key.sign_digest(message))
    world.ledger.send(call, patient)
    return world.client(key)


def second_twin(world: World) -> int:
    """Another twin of the same patient."""
    twin, _ = world.operator.twins.mint(world.patient.twins.request_mint())
    world.patient.twins.set_up(twin, [each.address for each in world.custodians], 2)
    return twin
