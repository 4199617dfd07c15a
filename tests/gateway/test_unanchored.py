"""What a gateway seals to an owner is that owner's alone; and a gateway that lies about a block is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtledger._backend.http_store import HttpStore
from dtledger.encoding import decode, encode
from dtledger.errors import IntegrityError
from dtledger.readings import Content, Reading
from dtledger.snapshots.unanchored import open_unanchored, seal_unanchored
from dtledger.testing.memory_chain import new_deployment
from dtledger.testing.memory_key import MemoryKey
from tests.gateway.conftest import Served

DEPLOYMENT = new_deployment()
GATEWAY, ANN, BOB = (MemoryKey(name) for name in ("gateway", "ann", "bob"))
CONTENT = Content("glucose", (Reading(1_800_000_000, 5.5, "mmol/L"),))


def sealed(owner: MemoryKey, to: MemoryKey) -> bytes:
    """A block for `owner` by name, under the key of `to`."""
    return seal_unanchored(DEPLOYMENT, 7, CONTENT, 1_800_000_100, GATEWAY, owner.address, to.seal_key.public)


def test_it_is_opened_by_its_owner_with_the_present_key_and_those_before() -> None:
    found = open_unanchored(DEPLOYMENT, sealed(ANN, ANN), ANN.address, [BOB.seal_key, ANN.seal_key])
    assert (found.twin, found.category, found.readings, found.gateway) == (
        7,
        "glucose",
        CONTENT.readings,
        GATEWAY.address,
    )


def test_a_block_for_one_owner_is_none_for_another() -> None:
    """Not even if it was sealed to that other's key: the owner stands in the context."""
    block = sealed(ANN, BOB)
    with pytest.raises(IntegrityError, match="does not open"):
        open_unanchored(DEPLOYMENT, block, BOB.address, [BOB.seal_key])


def test_a_gateway_s_word_to_one_owner_is_none_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ann seals to Bob what the gateway signed for her."""
    from dtledger.snapshots import unanchored

    with monkeypatch.context() as forging:
        forging.setattr(unanchored, "_context", lambda deployment, _: encode(["x", deployment.id]))
        block = sealed(ANN, BOB)
        with pytest.raises(IntegrityError, match="malformed"):
            open_unanchored(DEPLOYMENT, block, BOB.address, [BOB.seal_key])


@pytest.mark.parametrize("deployment", ["another"])
def test_a_block_of_another_deployment_is_none(deployment: str) -> None:
    other = replace(new_deployment())
    with pytest.raises(IntegrityError):
        open_unanchored(other, sealed(ANN, ANN), ANN.address, [ANN.seal_key])


def test_any_changed_byte_is_found() -> None:
    block = sealed(ANN, ANN)
    for place in range(0, len(block), 97):
        changed = bytearray(block)
        changed[place] ^= 1
        with pytest.raises(IntegrityError):
            open_unanchored(DEPLOYMENT, bytes(changed), ANN.address, [ANN.seal_key])
    assert set(decode(block)) == {"unanchored"}


def test_a_gateway_that_gives_other_bytes_is_found(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpStore(
        served.url, served.world.ledger.deployment, served.world.patient.context.key, served.world.clock
    ) as store:
        cid = store.put(b"the truth", "raw")
        monkeypatch.setattr(served.gateway.blocks, "get", lambda _: b"a lie")
        with pytest.raises(IntegrityError):
            store.get(cid)
        monkeypatch.undo()
        assert store.get(cid) == b"the truth"
