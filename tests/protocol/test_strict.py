"""Of one block every reader has one reading: true is no number, and nothing stands in a block besides what is named.

Python takes true for 1, and a map with a key more for the map without it; another reader would not, and a writer could
show each of them something else under one digest."""

from __future__ import annotations

from typing import Any

import pytest

from dtledger import encoding
from dtledger.encoding import block_cid, decode, encode
from dtledger.errors import IntegrityError
from dtledger.snapshots import index
from dtledger.snapshots.custody_block import CustodyBlock
from dtledger.snapshots.manifest import Manifest
from dtledger.snapshots.pages import PageLink
from dtledger.snapshots.signed import sign_block
from dtledger.testing import MemoryStore
from dtledger.types import ZERO_DIGEST
from tests.protocol.reading import DEPLOYMENT, KEYS, PROTOCOL, plain
from tests.protocol.test_vectors import Blocks, row_of

MANIFEST = plain(PROTOCOL["snapshots"]["manifests"][0]["body"])
CUSTODY = plain(PROTOCOL["snapshots"]["custody"]["body"])


@pytest.mark.parametrize("field", [name for name, value in MANIFEST.items() if type(value) is int])
def test_true_is_no_number_of_a_manifest(field: str) -> None:
    for value, refused in ((1, False), (True, True)):
        block = sign_block(DEPLOYMENT, "Manifest", MANIFEST | {"from": 0} | {field: value}, KEYS["writer"])
        if refused:
            with pytest.raises(IntegrityError):
                Manifest.read(DEPLOYMENT, block)
        else:
            Manifest.read(DEPLOYMENT, block)


def test_true_is_no_number_of_a_custody_block() -> None:
    for value in (1, True):
        block = sign_block(DEPLOYMENT, "Custody", CUSTODY | {"threshold": value}, KEYS["writer"])
        if value is True:
            with pytest.raises(IntegrityError):
                CustodyBlock.read(DEPLOYMENT, block)
        else:
            CustodyBlock.read(DEPLOYMENT, block)


def test_true_is_told_from_1_where_there_is_truth() -> None:
    assert decode(encode([True])) == [True]
    assert decode(encode([1]), truth=False) == [1]
    for value in ([True], {"a": [{"b": False}]}):
        with pytest.raises(IntegrityError):
            decode(encode(value), truth=False)


def changed(block: bytes, **more: Any) -> bytes:
    return encode(encoding.decode(block) | more)


def test_a_page_holds_rows_and_nothing_else() -> None:
    blocks = Blocks()
    link = PageLink(index.append(blocks, None, [row_of(0)]).top, 0, 1, None)
    block = blocks.get(link.cid)
    assert len(link.read(block).rows) == 1
    for more in ({"more": 1}, {"children": []}):
        with pytest.raises(IntegrityError):
            link.read(changed(block, **more))


def test_an_index_has_streams_or_children() -> None:
    blocks = Blocks()
    stream = index.append(blocks, None, [row_of(0)])
    root = index.update(blocks, None, {ZERO_DIGEST: stream}, ZERO_DIGEST)
    assert index.find(blocks, root, ZERO_DIGEST) == stream
    both = changed(blocks.get(root), children=[None] * 16)
    with MemoryStore() as store:
        cid = store.put(both, "dag-cbor")
        assert cid == block_cid(both)
        with pytest.raises(IntegrityError):
            index.find(store, cid, ZERO_DIGEST)
