"""The index: how a reader finds a stream's snapshots from one anchored digest.

`indexDigest` names the root of a radix tree that maps every stream of a sender to (number of snapshots, top page),
so that a batch rewrites only what changed. A stream's top page is the root of a tree of fan-out 64 by sequence.
A leaf page's rows link to manifest and custody block alone, never to another page: exporting a leaf page by its
links gives its snapshots and nothing else. An inner node has for each child its CID, least `from` and greatest
`until`, since late data and corrections break the order of periods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .. import encoding
from ..encoding import CID
from ..errors import IntegrityError
from ..types import Digest, Period

FAN_OUT = 64


class Reader(Protocol):
    def get(self, cid: CID) -> bytes: ...


class ReaderWriter(Reader, Protocol):
    def put_value(self, value: object) -> CID: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One snapshot in a leaf page. `place` and `proof` tie it to an anchored batch, `previous` to the leaf before."""

    period: Period
    manifest: CID
    custody: CID
    place: int
    previous: Digest
    proof: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A leaf page: its rows have the sequences `first`, `first` + 1, …"""

    cid: CID
    first: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Stream:
    """Where a stream stands in an index: how many snapshots it has, and its top page."""

    count: int
    top: CID


def _cells(value: Any, kind: str) -> list[Any]:
    parsed = encoding.decode(value)
    if not isinstance(parsed, dict) or not isinstance(parsed.get(kind), list):
        raise IntegrityError(f"an index block has no {kind}")
    return list(parsed[kind])


def _row_cells(row: Row) -> list[Any]:
    return [row.period.start, row.period.end, row.manifest, row.custody, row.place, row.previous, list(row.proof)]


def _row(cells: Sequence[Any]) -> Row:
    start, end, manifest, custody, place, previous, proof = cells
    if not (isinstance(manifest, CID) and isinstance(custody, CID)):
        raise TypeError("a row's links")
    return Row(Period(start, end), manifest, custody, place, previous, tuple(proof))


# the pages of one stream -----------------------------------------------------------------------------------------


def append(blocks: ReaderWriter, stream: Stream | None, rows: Sequence[Row]) -> Stream:
    """The stream with `rows` at its end. Only the pages on the right edge are written anew."""
    spine, count = _right_edge(blocks, stream)
    for row in rows:
        _make_room(blocks, spine, 0)
        spine[0].append(_row_cells(row))
        count += 1
    level, top = 0, _write_node(blocks, 0, spine[0])
    while (level := level + 1) < len(spine):
        _make_room(blocks, spine, level)
        top = _write_node(blocks, level, [*spine[level], top])
    return Stream(count, top[0])


def _right_edge(blocks: Reader, stream: Stream | None) -> tuple[list[list[Any]], int]:
    if stream is None:
        return [[]], 0
    levels: list[list[Any]] = []
    node = encoding.decode(blocks.get(stream.top))
    while "children" in node:
        *done, last = node["children"]
        levels.append(done)
        node = encoding.decode(blocks.get(last[0]))
    levels.append(list(node["rows"]))
    return levels[::-1], stream.count


def _make_room(blocks: ReaderWriter, spine: list[list[Any]], level: int) -> None:
    if len(spine[level]) < FAN_OUT:
        return
    if level + 1 == len(spine):
        spine.append([])
    _make_room(blocks, spine, level + 1)
    spine[level + 1].append(_write_node(blocks, level, spine[level]))
    spine[level] = []


def _write_node(blocks: ReaderWriter, level: int, entries: list[Any]) -> list[Any]:
    """Write one node; its entry in the parent is [CID, least from, greatest until]."""
    if level == 0:
        cid = blocks.put_value({"rows": entries})
        return [cid, min(row[0] for row in entries), max(row[1] for row in entries)]
    cid = blocks.put_value({"children": entries})
    return [cid, min(child[1] for child in entries), max(child[2] for child in entries)]


def pages(blocks: Reader, stream: Stream, period: Period | None = None) -> Iterator[tuple[CID, int]]:
    """CID and first sequence of each leaf page that may overlap `period` (all, if none), in order of sequence.

    Raises:
        IntegrityError: an inner node is malformed.
    """
    depth, size = 0, FAN_OUT
    while size < stream.count:
        depth, size = depth + 1, size * FAN_OUT
    yield from _descend(blocks, stream.top, depth, 0, period)


def _descend(blocks: Reader, cid: CID, depth: int, first: int, period: Period | None) -> Iterator[tuple[CID, int]]:
    if depth == 0:
        yield cid, first
        return
    for place, child in enumerate(_cells(blocks.get(cid), "children")):
        try:
            link, start, end = child
            overlaps = period is None or Period(start, end).overlaps(period)
        except (TypeError, ValueError) as error:
            raise IntegrityError("an index node is malformed", block=str(cid)) from error
        if overlaps:
            yield from _descend(blocks, link, depth - 1, first + place * FAN_OUT**depth, period)


def newest_minute(blocks: Reader, stream: Stream) -> int:
    """The last minute that any snapshot of the stream covers: the top page says it."""
    node = encoding.decode(blocks.get(stream.top))
    try:
        place, entries = (2, node["children"]) if "children" in node else (1, node["rows"])
        return int(max(entry[place] for entry in entries))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise IntegrityError("an index page is malformed", block=str(stream.top)) from error


def read_page(cid: CID, first: int, block: bytes) -> Page:
    """A leaf page from its block.

    Raises:
        IntegrityError: it is malformed; `.block` is its CID.
    """
    try:
        return Page(cid, first, tuple(_row(cells) for cells in _cells(block, "rows")))
    except (TypeError, ValueError) as error:
        raise IntegrityError("an index page is malformed", block=str(cid)) from error


# the streams of one sender -----------------------------------------------------------------------------------------

_NO_CHILDREN: list[CID | None] = [None] * 16


def update(blocks: ReaderWriter, root: CID | None, streams: Mapping[Digest, Stream]) -> CID:
    """The root of the sender's index with these streams put in or replaced."""
    return _update(blocks, root, dict(streams), 0)


def _update(blocks: ReaderWriter, root: CID | None, streams: dict[Digest, Stream], depth: int) -> CID:
    node = {"streams": []} if root is None else encoding.decode(blocks.get(root))
    if "streams" in node:
        merged = {label: Stream(count, top) for label, count, top in node["streams"]} | streams
        if len(merged) <= FAN_OUT:
            rows = [[label, merged[label].count, merged[label].top] for label in sorted(merged)]
            return blocks.put_value({"streams": rows})
        children, streams = list(_NO_CHILDREN), merged
    else:
        children = list(node["children"])
    by_nibble: dict[int, dict[Digest, Stream]] = {}
    for label, stream in streams.items():
        by_nibble.setdefault(_nibble(label, depth), {})[label] = stream
    for nibble, share in by_nibble.items():
        children[nibble] = _update(blocks, children[nibble], share, depth + 1)
    return blocks.put_value({"children": children})


def find(blocks: Reader, root: CID, label: Digest) -> Stream | None:
    """Where the index has that stream, or None: it has no snapshot up to that batch.

    Raises:
        IntegrityError: a block of the index is malformed.
    """
    depth = 0
    try:
        while True:
            node = encoding.decode(blocks.get(root))
            if "streams" in node:
                return next((Stream(count, top) for each, count, top in node["streams"] if each == label), None)
            child = node["children"][_nibble(label, depth)]
            if child is None:
                return None
            root, depth = child, depth + 1
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise IntegrityError("an index block is malformed", block=str(root)) from error


def streams(blocks: Reader, root: CID) -> Iterator[tuple[Digest, Stream]]:
    """Every stream of an index, by label.

    Raises:
        IntegrityError: a block of the index is malformed.
    """
    try:
        node = encoding.decode(blocks.get(root))
        if "streams" in node:
            yield from [(label, Stream(count, top)) for label, count, top in node["streams"]]
            return
        children = [child for child in node["children"] if child is not None]
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError("an index block is malformed", block=str(root)) from error
    for child in children:
        yield from streams(blocks, child)


def _nibble(label: bytes, depth: int) -> int:
    byte = label[depth // 2]
    return byte >> 4 if depth % 2 == 0 else byte & 15
