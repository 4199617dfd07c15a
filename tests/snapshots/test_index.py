"""The index: whatever is put in comes out, page by page, and nothing can be left out of a stream without its count."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtledger.encoding import CID, block_cid, encode, sha256
from dtledger.snapshots import index
from dtledger.snapshots.index import Row, Stream
from dtledger.store import links
from dtledger.testing import MemoryStore
from dtledger.types import Digest, Period

pytestmark = pytest.mark.slow


class Blocks(MemoryStore):
    def put_value(self, value: object) -> CID:
        return self.put(encode(value), "dag-cbor")


def row(number: int, minute: int) -> Row:
    cid = block_cid(number.to_bytes(4, "big"))
    return Row(Period(minute, minute + 59), cid, cid, number % 7, Digest(bytes(32)), ())


def rows_of(blocks: Blocks, stream: Stream, period: Period | None = None) -> list[Row]:
    return [each for link in index.links(blocks, stream, period) for each in link.read(blocks.get(link.cid)).rows]


@settings(max_examples=30, deadline=None)
@given(batches=st.lists(st.integers(1, 130), min_size=1, max_size=6), minutes=st.randoms(use_true_random=False))
def test_a_stream_gives_back_its_rows_in_order_however_they_were_added(batches: list[int], minutes: object) -> None:
    blocks = Blocks()
    rows = [row(number, minutes.randrange(10_000)) for number in range(sum(batches))]  # type: ignore[attr-defined]
    stream: Stream | None = None
    for end, size in zip(accumulate(batches), batches, strict=True):
        stream = index.append(blocks, stream, rows[end - size : end])
    assert stream is not None
    assert stream.count == len(rows)
    assert rows_of(blocks, stream) == rows
    assert index.newest_minute(blocks, stream) == max(each.period.end for each in rows)
    whole = index.append(blocks, None, rows)
    assert whole == stream, "one tree for one list"


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 300), start=st.integers(0, 12_000), length=st.integers(0, 500), seed=st.integers(0, 99))
def test_every_row_that_overlaps_a_period_lies_in_a_page_that_is_given(
    count: int, start: int, length: int, seed: int
) -> None:
    """Late data and corrections break the order of periods, so no search by halves would do."""
    blocks = Blocks()
    rows = [row(number, number * 37 * (seed + 1) % 12_000) for number in range(count)]
    stream = index.append(blocks, None, rows)
    period = Period(start, start + length)
    wanted = [each for each in rows if each.period.overlaps(period)]
    given_ = [each for each in rows_of(blocks, stream, period) if each.period.overlaps(period)]
    assert given_ == wanted


@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(1, 90), min_size=1, max_size=4))
def test_a_sender_s_index_finds_each_of_its_streams_and_no_other(sizes: list[int]) -> None:
    blocks, root, known = Blocks(), None, {}
    for size in sizes:
        fresh = {
            sha256(bytes([number, size])): index.append(blocks, None, [row(number, number)]) for number in range(size)
        }
        known |= fresh
        root = index.update(blocks, root, fresh, before := sha256(b"%d" % size))
        assert index.before(blocks, root) == before
    assert root is not None
    assert dict(index.streams(blocks, root)) == known
    assert all(index.find(blocks, root, label) == stream for label, stream in known.items())
    assert index.find(blocks, root, Digest(bytes(32))) is None


def test_a_leaf_page_links_to_its_snapshots_and_to_no_other_page() -> None:
    blocks = Blocks()
    stream = index.append(blocks, None, [row(number, number) for number in range(200)])
    pages = {link.cid for link in index.links(blocks, stream)}
    for page in pages:
        assert not pages & set(links(page, blocks.get(page)))
