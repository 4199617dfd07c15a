"""Lies about snapshots: by the store that gives them, and by the writer that anchors them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dtledger.encoding import CID
from dtledger.store import BlockMissingError
from dtledger.testing import MemoryStore
from tests.attacks.forging import Scribe, honest, lie, put
from tests.audit.attacks import OTHER, Evidence, attack


def _second_manifest(evidence: Evidence) -> CID:
    world = evidence.world
    return next(iter(world.patient.snapshots.list(world.twin, unnamed=True)))[1].found.row.manifest


def _copy(store: MemoryStore) -> MemoryStore:
    copy = MemoryStore()
    copy._blocks.update(store._blocks)
    return copy


@attack("the store gives a snapshot edited", "stream", "writer category")
def _(evidence: Evidence, told: bool) -> Evidence:
    store = _copy(evidence.world.store)
    if told:
        store.damage(_second_manifest(evidence))
    return replace(evidence, store=store)


class _Lacking(MemoryStore):
    def __init__(self, store: MemoryStore, cid: CID) -> None:
        super().__init__()
        self._blocks.update(store._blocks)
        self._cid = cid

    def get(self, cid: CID) -> bytes:
        if cid == self._cid:
            raise BlockMissingError(cid, self.describe())
        return super().get(cid)


@attack("a snapshot is gone from the store", "", "stream writer category")
def _(evidence: Evidence, told: bool) -> Evidence:
    return replace(evidence, store=_Lacking(evidence.world.store, _second_manifest(evidence))) if told else evidence


def _written(evidence: Evidence, told: bool, change: Any, more: Any = None) -> Evidence:
    """A gateway writes, then once more with the lie; the audit is of what the ledger is then."""
    world = evidence.world
    scribe = Scribe(world)
    scribe.write()
    if more is not None:
        more(scribe, told)
    else:
        scribe.write(change if told else honest, groups=scribe.groups(1))
    named = evidence.asked.given.named
    given = replace(world.given(), named=named)
    return replace(evidence, source=world.source(), asked=replace(evidence.asked, given=given))


for how, claim, cannot, change in (
    ("cut short", "stream", "writer category", lie("rows", lambda rows: rows[:1])),
    ("without a stream that it had", "index", "", lie("index", put(streams=[]))),
    (
        "with two snapshots exchanged",
        "stream",
        "writer category",
        lie("rows", lambda rows: [rows[1], rows[0], *rows[2:]]),
    ),
    ("with one snapshot twice", "stream", "writer category", lie("rows", lambda rows: [rows[0], rows[0], *rows[2:]])),
    (
        "with a snapshot that it never anchored",
        "stream",
        "writer category",
        lie("leaf", lambda leaf: replace(leaf, manifest=OTHER)),
    ),
    ("with a snapshot of another twin", "stream", "writer category", lie("manifest", put(twin=99))),
):
    attack(f"a writer anchors an index {how}", claim, cannot)(
        lambda evidence, told, change=change: _written(evidence, told, change)
    )


@attack("a writer goes on after its grant was revoked", "writer category")
def _(evidence: Evidence, told: bool) -> Evidence:
    def more(scribe: Scribe, told: bool) -> None:
        # an index counts if its writer might write when it anchored it: so it writes what an older grant covers
        world = scribe.world
        if told:
            world.patient.consents.revoke(scribe.slot)
            scribe.write(groups=scribe.groups(1))
            terms = world.ledger.view().earlier(world.ledger.head().number - 2).record(scribe.slot)
            assert terms is not None
            from dtledger.client import writing_terms

            first = world.readings[0].minute
            writing = writing_terms(["glucose"], world.clock(), 30 * 86_400, back_to=first)
            world.patient.consents.grant(world.twin, scribe.address, writing)
        scribe.write(groups=scribe.groups(1))

    return _written(evidence, told, honest, more)
