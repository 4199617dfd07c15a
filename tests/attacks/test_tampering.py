"""Every byte of every block of a small twin, changed: by a store that answers with other bytes (the CID says so), and
by one whose lie nobody checks (the signatures, proofs and seals above it say so).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from dtledger.client import publish_keyring
from dtledger.client.keyrings import owner_keys
from dtledger.crypto import content
from dtledger.encoding import CID, STORE
from dtledger.errors import IntegrityError
from dtledger.readings import Reading
from dtledger.snapshots import index
from dtledger.snapshots.finder import Finder, Found
from dtledger.snapshots.package import Keys, open_package
from dtledger.store import BlockMissingError, walk
from dtledger.testing import MemoryStore, World

pytestmark = pytest.mark.slow  # each in a world of its own

STEP = 5
"""Of a seal's bytes, which all mean the same to a reader, every fifth is enough."""


class LyingStore(MemoryStore):
    """Answers with other bytes for some blocks, and claims that they are right."""

    def __init__(self, true: MemoryStore) -> None:
        self._blocks = true._blocks
        self.lies: dict[CID, bytes] = {}

    def get(self, cid: CID) -> bytes:
        return self.lies.get(cid) or super().get(cid)

    def export(self, cids: list[CID]) -> Iterator[tuple[CID, bytes]]:  # type: ignore[override]
        return walk(cids, self.get)


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


@dataclass(frozen=True)
class Scene:
    """A world with one snapshot of one hour, and its blocks by what they are."""

    world: World
    blocks: dict[str, CID]
    keys: Keys

    def walk(self, store: MemoryStore) -> list[Found]:
        world = self.world
        view = world.ledger.view()
        finder = Finder(world.ledger.deployment, view, store, world.twin, self.keys)
        return [found for group in finder.find("glucose") for found in group]


def look_at(world: World) -> Scene:
    view, store = world.ledger.view(), world.store
    card = view.card(world.twin)
    batch = view.newest_batch(world.gateway.address)
    record = view.record(world.consent)
    assert card is not None
    assert batch is not None
    assert record is not None
    keys = owner_keys(world.patient.context.key.secrets.twin(world.ledger.deployment.id, world.twin))
    finder = Finder(world.ledger.deployment, view, store, world.twin, keys)
    located = finder.located.newest(world.gateway.address, "glucose")
    assert located is not None
    [found] = next(finder.find("glucose"))
    manifest, page = CID(found.digest), located.lines[-1].stream.top
    [custody] = [cid for cid, _ in store.export([page]) if cid not in (page, manifest)]
    blocks = {
        "manifest": manifest,
        "custody block": custody,
        "index page": page,
        "index root": CID(batch.index),
        "package": CID(record.package),
        "roster": CID(card.roster),
    }
    return Scene(world, blocks, keys)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with World(hours=1) as world:
        yield look_at(world)


NAMES = ("manifest", "custody block", "index page", "index root", "package", "roster")


# a store that answers with other bytes -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_no_byte_of_a_block_can_be_changed_in_the_store(name: str, scene: Scene) -> None:
    cid, store = scene.blocks[name], MemoryStore()
    true = scene.world.store.get(cid)
    for place in range(len(true)):
        store._blocks[cid] = flipped(true, place)
        with pytest.raises(IntegrityError) as caught:
            store.get(cid)
        assert caught.value.block == str(cid)
    store._blocks[cid] = true
    assert store.get(cid) == true


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", ["first byte", "last byte", "cut short", "made longer", "emptied", "exchanged"])
def test_a_read_names_the_block_that_the_store_changed_and_blames_the_store(name: str, change: str) -> None:
    with World(hours=1) as world:
        scene = look_at(world)
        cid = scene.blocks[name]
        true = world.store.get(cid)
        other = world.store.get(scene.blocks["roster" if name != "roster" else "manifest"])
        lies = {
            "first byte": flipped(true, 0),
            "last byte": flipped(true, len(true) - 1),
            "cut short": true[:-1],
            "made longer": true + b"\0",
            "emptied": b"",
            "exchanged": other,
        }
        world.store._blocks[cid] = lies[change]
        with pytest.raises(IntegrityError) as caught:
            world.clinician.read(world.twin, "glucose", "TREAT")
        assert caught.value.block == str(cid)
        assert caught.value.exit_code == 4
        assert caught.value.party == STORE
        world.store._blocks[cid] = true
        assert len(world.clinician.read(world.twin, "glucose", "TREAT")) == 12


# the blocks that a twin of one small snapshot has not


def _chunk(world: World) -> tuple[CID, Callable[[], object]]:
    """The owner writes over 64 KiB into one hour, so that its content lies in a block of its own."""
    hour = world.clock() // 3600 * 3600 - 7200
    world.patient.writer.put(
        world.twin, "weight", [Reading(hour + place % 3600, place / 7, "kg") for place in range(9000)]
    )
    [[listed]] = world.patient.snapshots.list(world.twin, "weight")
    [cid] = listed.found.manifest.content
    return CID(cid.digest, "raw"), lambda: world.patient.read(world.twin, "weight", "PATRQT")


def _node(world: World) -> tuple[CID, Callable[[], object]]:
    """Over 64 snapshots have an inner node above the pages of their index."""
    keys = owner_keys(world.patient.context.key.secrets.twin(world.ledger.deployment.id, world.twin))
    finder = Finder(world.ledger.deployment, world.ledger.view(), world.store, world.twin, keys)
    located = finder.located.newest(world.gateway.address, "glucose")
    assert located is not None
    assert located.count > 64
    return located.lines[-1].stream.top, lambda: world.clinician.read(world.twin, "glucose", "TREAT")


def _keyring(world: World) -> tuple[CID, Callable[[], object]]:
    """The clinician reads by what its hospital was granted."""
    record = world.ledger.view().record(world.consent)
    assert record is not None
    terms = world.patient.consents.terms_of(record)
    publish_keyring(world.hospital.context, [world.clinician.address])
    world.patient.consents.revoke(world.consent)
    world.patient.consents.grant(world.twin, world.hospital.address, terms)
    digest = world.ledger.view().keyring(world.hospital.address)
    assert digest is not None
    return CID(digest), lambda: world.clinician.read(world.twin, "glucose", "TREAT")


def _public_key(world: World) -> tuple[CID, Callable[[], object]]:
    """What a package would be sealed to."""
    digest = world.ledger.view().key_digest(world.clinician.address)
    assert digest is not None
    return CID(digest, "raw"), lambda: world.patient.consents.reseal(world.consent)


@pytest.mark.parametrize(
    ("hours", "block"),
    [(1, _chunk), (70, _node), (1, _keyring), (1, _public_key)],
    ids=["chunk", "node", "keyring", "key"],
)
def test_no_byte_of_any_other_block_can_be_changed_either(
    hours: int, block: Callable[[World], tuple[CID, Callable[[], object]]]
) -> None:
    with World(hours=hours) as world:
        cid, use = block(world)
        true = world.store.get(cid)
        use()
        for place in range(len(true)):
            world.store._blocks[cid] = flipped(true, place)
            with pytest.raises(IntegrityError) as caught:
                world.store.get(cid)
            assert (caught.value.block, caught.value.party) == (str(cid), STORE)
        with pytest.raises(IntegrityError) as caught:
            use()
        assert (caught.value.block, caught.value.party) == (str(cid), STORE)
        world.store._blocks[cid] = true
        use()


def test_the_check_of_a_twin_does_not_blame_a_writer_for_what_the_store_changed() -> None:
    """Also in an index that the writer has replaced since."""
    with World(hours=2) as world:
        old = CID(world.ledger.view().newest_batch(world.gateway.address).index)  # type: ignore[union-attr]
        later = Reading(world.clock() - 60, 6.5, "mmol/L")
        world.gateway.writer.put(world.twin, "glucose", [later])
        true = world.store.get(old)
        world.store._blocks[old] = flipped(true, 0)
        [report] = world.patient.snapshots.verify(world.twin, "glucose")
        assert report.error is not None
        assert (report.error.block, report.error.party) == (str(old), STORE)
        world.store._blocks[old] = true
        [sound] = world.patient.snapshots.verify(world.twin, "glucose")
        assert sound.error is None


# a store whose lie nobody checks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "step"), [("manifest", 1), ("custody block", STEP), ("index page", 1)])
def test_past_the_store_every_changed_byte_is_still_refused(name: str, step: int, scene: Scene) -> None:
    cid, store = scene.blocks[name], LyingStore(scene.world.store)
    true = store.get(cid)
    for place in range(0, len(true), step):
        store.lies = {cid: flipped(true, place)}
        with pytest.raises((IntegrityError, BlockMissingError)):
            scene.walk(store)
    store.lies = {}
    assert len(scene.walk(store)) == 1


def test_past_the_store_an_index_root_can_only_hide_what_it_names(scene: Scene) -> None:
    """Nothing but the anchored digest guards a label; no other snapshot can be put in the place of the hidden one.
    To say that it goes on from other batches hides nothing."""
    cid, store = scene.blocks["index root"], LyingStore(scene.world.store)
    true = store.get(cid)
    before = true.index(index.before(store, cid))
    for place in range(len(true)):
        store.lies = {cid: flipped(true, place)}
        kept = [scene.blocks["manifest"].digest] if before <= place < before + 32 else []
        try:
            assert [each.digest for each in scene.walk(store)] == kept
        except (IntegrityError, BlockMissingError):
            continue


def test_past_the_store_a_roster_with_any_changed_byte_is_refused(scene: Scene) -> None:
    cid, store = scene.blocks["roster"], LyingStore(scene.world.store)
    true = store.get(cid)
    for place in range(0, len(true), STEP):
        store.lies = {cid: flipped(true, place)}
        with pytest.raises(IntegrityError):
            scene.walk(store)


def test_past_the_store_a_package_with_any_changed_byte_does_not_open(scene: Scene) -> None:
    world = scene.world
    true = world.store.get(scene.blocks["package"])
    key = world.clinician.context.key.seal_key
    for place in range(0, len(true), STEP):
        with pytest.raises(IntegrityError):
            open_package(world.ledger.deployment, world.consent, flipped(true, place), key)
    assert open_package(world.ledger.deployment, world.consent, true, key).tags


def test_past_the_store_a_chunk_with_any_changed_byte_does_not_open() -> None:
    """Content of over 64 KiB lies in blocks of its own; only its key guards it."""
    key = content.derive_key(bytes(32), bytes(32), bytes(32), b"context")
    chunks = content.encrypt(key, random.Random(7).randbytes(content.MAX_BLOCK + 70_000), b"context")
    assert len(chunks) == 2
    last = chunks[1]
    for place in [*range(64), *range(64, len(last) - 64, 997), *range(len(last) - 64, len(last))]:
        with pytest.raises(IntegrityError):
            content.decrypt(key, [chunks[0], flipped(last, place)], b"context")
    assert content.decrypt(key, chunks, b"context")


@pytest.mark.parametrize(
    "change",
    {
        "first cut off": lambda chunks: chunks[1:],
        "last cut off": lambda chunks: chunks[:-1],
        "exchanged": lambda chunks: chunks[::-1],
        "repeated": lambda chunks: chunks + chunks[-1:],
        "none": lambda chunks: [],
        "made one": lambda chunks: [b"".join(chunks)],
    }.items(),
    ids=lambda each: each[0],
)
def test_chunks_cannot_be_left_out_repeated_or_put_in_another_order(
    change: tuple[str, Callable[[list[bytes]], list[bytes]]],
) -> None:
    key = content.derive_key(bytes(32), bytes(32), bytes(32), b"context")
    chunks = content.encrypt(key, bytes(content.MAX_BLOCK + 70_000), b"context")
    with pytest.raises(IntegrityError):
        content.decrypt(key, change[1](chunks), b"context")
    assert content.decrypt(key, chunks, b"context")
