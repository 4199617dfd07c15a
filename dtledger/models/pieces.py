"""Pieces: what is longer than a block may be, laid in several blocks under one CID.

What fits in a block stays as it is. A longer one becomes raw blocks of a MiB and a block that links to them in order.
Nothing is sealed or signed here: whoever seals, seals the whole, so that no piece can be left out or changed.

>>> from dtledger.testing.memory_store import MemoryStore
>>> from dtledger.encoding import encode
>>> long = encode({"opening": bytes(3 * PIECE)})
>>> with MemoryStore() as store:
...     cid = lay(store, long)
...     len(store.get(cid)) < 300, whole(store, store.get(cid)) == long
(True, True)
"""

from __future__ import annotations

from .. import encoding
from ..encoding import CID
from ..errors import InputError, IntegrityError
from ..store import BlockStore

PIECE = 2**20
"""Most bytes of a piece, and of what is laid in one block."""
MOST_PIECES = 64
_BEGINNING = b"\xa1" + encoding.encode("pieces")


def lay(store: BlockStore, block: bytes) -> CID:
    """Put a dag-cbor block of any length; its CID, or that of the block that links to its pieces.

    Raises:
        InputError: it is longer than `MOST_PIECES`.
    """
    if len(block) <= PIECE:
        return store.put(block, "dag-cbor")
    pieces = [block[place : place + PIECE] for place in range(0, len(block), PIECE)]
    if len(pieces) > MOST_PIECES:
        raise InputError(f"{len(block):,} bytes are more than {MOST_PIECES} blocks hold.")
    cids = store.put_many([(piece, "raw") for piece in pieces])
    return store.put(encoding.encode({"pieces": cids}), "dag-cbor")


def whole(store: BlockStore, block: bytes) -> bytes:
    """What was laid: `block` itself, or what the pieces are that it links to.

    Raises:
        IntegrityError: it links to too many, or to what are no pieces.
        UnreachableError: one is not to be had.
    """
    if not block.startswith(_BEGINNING):
        return block
    match encoding.decode(block):
        case {"pieces": [_, *_] as cids, **rest} if not rest and len(cids) <= MOST_PIECES:
            if all(isinstance(cid, CID) and cid.codec == "raw" for cid in cids):
                return b"".join(store.get(cid) for cid in cids)
    raise IntegrityError("what should link to pieces is malformed")
