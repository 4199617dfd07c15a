"""Whoever has an owner erase their own twin, and another's blocks with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtledger.client import Client, Erasure
from dtledger.encoding import CID
from dtledger.ledger import calls
from dtledger.snapshots import index
from dtledger.snapshots.staging import Staging
from dtledger.testing import MemoryKey, World
from dtledger.testing.world import glucose
from dtledger.types import ZERO_DIGEST, Digest

from .forging import Scribe, lie
from .looking import second_twin

WEEK = 7 * 86_400


def victim(world: World) -> tuple[Client, int, list[Any]]:
    """Another twin with a snapshot of its own, and its rows."""
    twin = second_twin(world)
    world.patient.writer.put(twin, "glucose", glucose(world.clock.at - 3600, 6))
    return world.patient, twin, [each.found.row for group in world.patient.snapshots.list(twin) for each in group]


def erase(world: World) -> Erasure:
    world.patient.erasing.announce(world.twin)
    world.clock.advance(WEEK)
    return world.patient.erasing.finish(world.twin)


@pytest.mark.parametrize("cells", [(2, 3), (2,), (3,)], ids=["snapshot", "manifest", "custody block"])
def test_a_writer_that_lists_what_is_another_s_has_none_of_it_removed(world: World, cells: tuple[int, ...]) -> None:
    owner, twin, rows = victim(world)
    stolen = [rows[0].period.start, rows[0].period.end, rows[0].manifest, rows[0].custody]
    scribe = Scribe(world)

    def steal(row: list[Any]) -> list[Any]:
        return [stolen[place] if place in cells else cell for place, cell in enumerate(row)]

    first, _ = scribe.write(lie("row", steal, 1))
    done = erase(world)
    assert len(owner.read(twin, "glucose", "PATRQT")) == 6
    assert [fault.party for fault in done.blocks.faults.values()] == [scribe.address]  # type: ignore[attr-defined]
    assert not world.store.has(first.manifest), "what is the twin's goes all the same"
    assert not world.store.has(first.custody)


def test_the_same_stream_without_what_is_another_s_is_removed(world: World) -> None:
    written = Scribe(world).write()
    done = erase(world)
    assert done.blocks.faults == {}
    assert not any(world.store.has(cid) for each in written for cid in (each.manifest, each.custody))


def test_a_stranger_s_grant_has_no_block_removed(world: World) -> None:
    """Anybody may write a grant of their own on any twin; it counts for nothing, and its package is any digest."""
    owner, twin, rows = victim(world)
    stranger = world.client(MemoryKey("stranger"))
    own = world.ledger.view().records(world.patient.address, world.twin)
    terms = own[0].grant.terms
    for digest in (rows[0].manifest.digest, rows[0].custody.digest):
        call = calls.grant(world.twin, stranger.address, 0, terms, Digest(digest))
        world.ledger.send(call, stranger.context.key)
    done = erase(world)
    assert len(owner.read(twin, "glucose", "PATRQT")) == 6
    assert stranger.address not in done.grantees
    assert not any(world.store.has(CID(each.package)) for each in own), "the owner's own packages go"


def test_an_index_of_custody_that_names_another_s_has_none_of_it_removed(world: World) -> None:
    """A former owner's index is followed too: whoever once had a twin could have its next owner remove anything."""
    other = world.client(MemoryKey("another patient"))
    twin, _ = world.operator.twins.mint(other.twins.request_mint())
    other.twins.set_up(twin, [each.address for each in world.custodians], 2)
    other.writer.put(twin, "glucose", glucose(world.clock.at - 3600, 6))
    [stolen] = [each.found.row for group in other.snapshots.list(twin) for each in group]
    own = world.patient.resharing.reshare(world.twin, threshold=3)
    assert own.snapshots
    reshared = [each.found.row.custody for group in world.patient.snapshots.list(world.twin) for each in group]
    blocks = Staging(world.store)
    stream = index.append(blocks, None, [stolen])
    root = index.update(blocks, None, {Digest(b"\7" * 32): stream}, ZERO_DIGEST)
    blocks.flush()
    card = world.ledger.view().card(world.twin)
    assert card is not None
    lying = replace(card, custody_index=root.digest, custody_index_version=card.custody_index_version + 1)
    world.patient.context.send(calls.set_card(world.twin, world.patient.twins.card_digest(world.twin), lying))
    erase(world)
    assert len(other.read(twin, "glucose", "PATRQT")) == 6
    assert not any(world.store.has(cid) for cid in reshared), "the owner's own goes"
