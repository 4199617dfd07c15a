"""The index: how a reader finds a stream's snapshots from one anchored digest.

`indexDigest` names the root of a radix tree that maps every stream of a sender to (number of snapshots, top page),
so that a batch rewrites only what changed. What lies below a top page is in `dtledger.snapshots.pages`. The root names
also which batches it goes on from: `Batch.before` of its own batch, unless two machines wrote with one key
(`dtledger.snapshots.lines`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .. import encoding
from ..encoding import CID
from ..errors import IntegrityError
from ..types import Digest
from .blame import decode
from .pages import (
    FAN_OUT,
    Page,
    PageLink,
    Reader,
    ReaderWriter,
    Row,
    Stream,
    append,
    links,
    newest_minute,
    pages,
    read_page,
)

_NO_CHILDREN: list[CID | None] = [None] * 16


def update(blocks: ReaderWriter, root: CID | None, streams: Mapping[Digest, Stream], before: Digest) -> CID:
    """The root of the sender's index with these streams put in or replaced, which goes on from the batches of which
    `before` is the running digest."""
    return blocks.put_value({"before": before} | _update(blocks, root, dict(streams), 0))


def _update(blocks: ReaderWriter, root: CID | None, streams: dict[Digest, Stream], depth: int) -> dict[str, Any]:
    node = {"streams": []} if root is None else encoding.decode(blocks.get(root))
    if "streams" in node:
        merged = {label: Stream(count, top) for label, count, top in node["streams"]} | streams
        if len(merged) <= FAN_OUT:
            rows = [[label, merged[label].count, merged[label].top] for label in sorted(merged)]
            return {"streams": rows}
        children, streams = list(_NO_CHILDREN), merged
    else:
        children = list(node["children"])
    by_nibble: dict[int, dict[Digest, Stream]] = {}
    for label, stream in streams.items():
        by_nibble.setdefault(_nibble(label, depth), {})[label] = stream
    for nibble, share in by_nibble.items():
        children[nibble] = blocks.put_value(_update(blocks, children[nibble], share, depth + 1))
    return {"children": children}


def find(blocks: Reader, root: CID, label: Digest) -> Stream | None:
    """Where the index has that stream, or None: it has no snapshot up to that batch. Raises as `look`."""
    return look(blocks, root, label)[1]


def look(blocks: Reader, root: CID, label: Digest) -> tuple[Digest, Stream | None]:
    """The running digest of the batches that the index goes on from, and that stream as `find` gives it.

    Raises:
        IntegrityError: a block of the index is malformed; `.block` is its CID.
    """
    value = decode(root, blocks.get(root))
    before = _before(root, value)
    for depth in range(2 * len(label)):
        node = _node(root, value)
        if isinstance(node, dict):
            return before, node.get(label)
        child = node[_nibble(label, depth)]
        if child is None:
            return before, None
        root, value = child, decode(child, blocks.get(child))
    raise IntegrityError("an index is deeper than a label is long", block=str(root))


def before(blocks: Reader, root: CID) -> Digest:
    """The running digest of the batches that the index goes on from. Raises as `look`."""
    return _before(root, decode(root, blocks.get(root)))


def streams(blocks: Reader, root: CID) -> Iterator[tuple[Digest, Stream]]:
    """Every stream of an index, by label.

    Raises:
        IntegrityError: a block of the index is malformed, or stands in it twice; `.block` is its CID.
    """
    seen: set[CID] = set()
    waiting = [root]
    while waiting:
        cid = waiting.pop()
        if cid in seen:
            raise IntegrityError("an index has one block in two places", block=str(cid))
        seen.add(cid)
        node = _node(cid, decode(cid, blocks.get(cid)))
        if isinstance(node, dict):
            yield from node.items()
        else:
            waiting += [child for child in reversed(node) if child is not None]


def _before(root: CID, value: Any) -> Digest:
    match value:
        case {"before": bytes(before)} if len(before) == 32:
            return Digest(before)
    raise IntegrityError("an index does not say which batches it goes on from", block=str(root))


def _node(cid: CID, value: Any) -> dict[Digest, Stream] | list[CID | None]:
    """A block of the index: streams by label, or sixteen children."""
    match value:
        case {"children": [*children], **rest} if len(children) == len(_NO_CHILDREN) and all(
            child is None or isinstance(child, CID) for child in children
        ):
            if rest.keys() <= {"before"}:
                return children
        case {"streams": [*rows], **rest} if rest.keys() <= {"before"}:
            found = {}
            for row in rows:
                match row:
                    case [bytes(label), int(count), CID() as top] if len(label) == 32 and count > 0:
                        found[Digest(label)] = Stream(count, top)
            if len(found) == len(rows):
                return found
    raise IntegrityError("an index block is malformed", block=str(cid))


def _nibble(label: bytes, depth: int) -> int:
    byte = label[depth // 2]
    return byte >> 4 if depth % 2 == 0 else byte & 15


__all__ = [
    "FAN_OUT",
    "Page",
    "PageLink",
    "Row",
    "Stream",
    "append",
    "before",
    "find",
    "links",
    "look",
    "newest_minute",
    "pages",
    "read_page",
    "streams",
    "update",
]
