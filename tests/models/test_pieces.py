"""What is too long for a block is laid in several, and is whole or refused."""

from __future__ import annotations

import pytest

from dtledger.crypto.bits import BitMap
from dtledger.encoding import CID, encode
from dtledger.errors import InputError, IntegrityError
from dtledger.models.opening import Opening, Shown
from dtledger.models.pieces import MOST_PIECES, PIECE, lay, whole
from dtledger.models.update import Trained
from dtledger.store import BlockMissingError
from dtledger.testing import MemoryKey, MemoryStore
from dtledger.testing.memory_chain import new_deployment

pytestmark = pytest.mark.slow

HERE, SITE, AUDITOR = new_deployment(), MemoryKey("site"), MemoryKey("auditor")


def block(length: int) -> bytes:
    """A dag-cbor block of about that length."""
    return encode({"opening": bytes(range(256)) * (length // 256)})


@pytest.mark.parametrize("length", [256, PIECE - 256, PIECE, 3 * PIECE + 256])
def test_a_block_of_any_length_is_whole_again(length: int) -> None:
    with MemoryStore() as store:
        cid = lay(store, block(length))
        assert (len(store.get(cid)) > 300) == (len(block(length)) <= PIECE and length > 256)
        assert whole(store, store.get(cid)) == block(length)


def test_what_is_longer_than_all_pieces_is_refused() -> None:
    with MemoryStore() as store:
        with pytest.raises(InputError, match="64 blocks"):
            lay(store, bytes(MOST_PIECES * PIECE + 1))
        assert lay(store, block(2 * PIECE))


def test_a_piece_that_is_missing_is_told() -> None:
    with MemoryStore() as store:
        root = store.get(lay(store, block(2 * PIECE)))
        piece = next(cid for cid, _ in store.export([lay(store, block(2 * PIECE))]) if cid.codec == "raw")
        data = store.get(piece)
        store.remove([piece])
        with pytest.raises(BlockMissingError):
            whole(store, root)
        store.put(data, "raw")
        assert whole(store, root) == block(2 * PIECE)


@pytest.mark.parametrize(
    "pieces",
    [[], [1], [CID(HERE.genesis)], [CID(HERE.genesis, "raw")] * (MOST_PIECES + 1)],
    ids=["none", "no link", "a link to no piece", "too many"],
)
def test_links_to_what_are_no_pieces_are_refused(pieces: list[object]) -> None:
    with MemoryStore() as store, pytest.raises(IntegrityError, match="malformed"):
        whole(store, encode({"pieces": pieces}))


def test_an_opening_of_more_twins_than_a_block_holds_is_read_by_its_auditor() -> None:
    """Of a model of five categories: 840 twins were the most."""
    bits = BitMap.draw()
    proofs = tuple(bits.prove(bit) for bit in range(5))
    shown = tuple(Shown(Trained(twin, SITE.address, 0), bytes(32), proofs) for twin in range(1500))
    opening = Opening(1, 2, SITE.address, bytes(32), shown)
    with MemoryStore() as store:
        cid = lay(store, opening.sealed(HERE, SITE, AUDITOR.address, AUDITOR.seal_key.public))
        assert len(store.get(cid)) < 300
        sealed = whole(store, store.get(cid))
        assert Opening.open(HERE, sealed, AUDITOR.address, AUDITOR.seal_key) == opening
        other = lay(store, opening.sealed(HERE, SITE, AUDITOR.address, AUDITOR.seal_key.public))
        first, second = (list(store.export([each])) for each in (cid, other))
        mixed = b"".join(data for _, data in [first[1], *second[2:]])
        with pytest.raises(IntegrityError):
            Opening.open(HERE, mixed, AUDITOR.address, AUDITOR.seal_key)
