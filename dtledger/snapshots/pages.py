"""The pages of one stream in an index: a tree of fan-out 64 by sequence.

A leaf page's rows link to manifest and custody block alone, never to another page: exporting a leaf page by its links
gives its snapshots and nothing else. An inner node has for each child its CID, least `from` and greatest `until`,
since late data and corrections break the order of periods. How many snapshots a stream has says how many pages there
are and how many rows each has, so nothing can be left out of a tree without its count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from .. import encoding
from ..encoding import CID
from ..errors import IntegrityError
from ..types import MAX_MINUTE, Digest, Period
from .blame import decode

FAN_OUT = 64


class Reader(Protocol):
    """Where blocks are read."""

    def get(self, cid: CID) -> bytes: ...


class ReaderWriter(Reader, Protocol):
    """Where values are written as blocks, too."""

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
class PageLink:
    """Where a leaf page lies, and what the nodes above say of it: its first sequence, its number of rows, least `from`
    and greatest `until` (None where there is no node above)."""

    cid: CID
    first: int
    size: int
    span: Period | None

    def read(self, block: bytes) -> Page:
        """The page.

        Raises:
            IntegrityError: it is malformed, or not what the nodes above say; `.block` is its CID.
        """
        page = read_page(self.cid, self.first, block)
        span = _span([row.period for row in page.rows]) if page.rows else None
        if len(page.rows) != self.size or (self.span is not None and span != self.span):
            raise IntegrityError("an index page does not hold what the nodes above it say", block=str(self.cid))
        return page


@dataclass(frozen=True, slots=True)
class Stream:
    """Where a stream stands in an index: how many snapshots it has, and its top page."""

    count: int
    top: CID


def _row_cells(row: Row) -> list[Any]:
    return [row.period.start, row.period.end, row.manifest, row.custody, row.place, row.previous, list(row.proof)]


def _row(cells: Any) -> Row:
    match cells:
        case [int(start), int(end), CID() as manifest, CID() as custody, int(place), bytes(previous), [*proof]] if (
            place >= 0 and all(isinstance(each, bytes) and len(each) == 32 for each in (previous, *proof))
        ):
            return Row(Period(start, end), manifest, custody, place, Digest(previous), tuple(proof))
    raise ValueError("a row is malformed")


def _span(periods: Sequence[Period]) -> Period:
    return Period(min(each.start for each in periods), max(each.end for each in periods))


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
    """CID and first sequence of each leaf page that `links` would give."""
    return ((link.cid, link.first) for link in links(blocks, stream, period))


def links(blocks: Reader, stream: Stream, period: Period | None = None) -> Iterator[PageLink]:
    """Each leaf page that may overlap `period` (all, if none), in order of sequence.

    The number of snapshots says how many pages there are; a node with fewer or more, or one that stands twice, is
    refused, so a short answer never passes for a whole one.

    Raises:
        IntegrityError: a node is malformed, or not what the one above it says; `.block` is its CID.
    """
    depth, size = 0, FAN_OUT
    while size < stream.count:
        depth, size = depth + 1, size * FAN_OUT
    yield from _descend(blocks, PageLink(stream.top, 0, stream.count, None), depth, period, set())


def _descend(blocks: Reader, node: PageLink, depth: int, period: Period | None, seen: set[CID]) -> Iterator[PageLink]:
    """The leaf pages below a node that holds `node.size` snapshots and is `depth` levels above them."""
    if node.cid in seen:
        raise IntegrityError("an index has one page in two places", block=str(node.cid))
    seen.add(node.cid)
    if depth == 0:
        yield node
        return
    children = _children(node.cid, blocks.get(node.cid))
    below = FAN_OUT**depth
    spans = [span for _, span in children]
    if len(children) != -(-node.size // below) or (node.span is not None and _span(spans) != node.span):
        raise IntegrityError("an index node does not hold what the one above it says", block=str(node.cid))
    for place, (cid, span) in enumerate(children):
        if period is None or span.overlaps(period):
            before = place * below
            child = PageLink(cid, node.first + before, min(below, node.size - before), span)
            yield from _descend(blocks, child, depth - 1, period, seen)


def _children(cid: CID, block: bytes) -> list[tuple[CID, Period]]:
    children = []
    match decode(cid, block):
        case {"children": [*cells], **rest} if not rest:
            for cell in cells:
                match cell:
                    case [CID() as child, int(start), int(end)] if 0 <= start <= end <= MAX_MINUTE:
                        children.append((child, Period(start, end)))
                    case _:
                        break
            else:
                return children
    raise IntegrityError("an index node is malformed", block=str(cid))


def newest_minute(blocks: Reader, stream: Stream) -> int:
    """The last minute that any snapshot of the stream covers: the top page says it.

    Raises:
        IntegrityError: the top page is malformed; `.block` is its CID.
    """
    block = blocks.get(stream.top)
    if stream.count > FAN_OUT:
        return max(span.end for _, span in _children(stream.top, block))
    return max(row.period.end for row in PageLink(stream.top, 0, stream.count, None).read(block).rows)


def read_page(cid: CID, first: int, block: bytes) -> Page:
    """A leaf page from its block.

    Raises:
        IntegrityError: it is malformed; `.block` is its CID.
    """
    match decode(cid, block):
        case {"rows": [*rows], **rest} if not rest:
            with suppress(ValueError):
                return Page(cid, first, tuple(_row(cells) for cells in rows))
    raise IntegrityError("an index page is malformed", block=str(cid))
