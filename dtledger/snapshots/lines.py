"""Lines: what a stream holds where two machines wrote with one key, or a writer broke its stream.

Each index names the batches that it goes on from. The newest one nearly always goes on from all before it; then it
alone says what there is. One that does not is a line of its own beside the batch before: the lines are followed back to
an index that goes on from all before it, and of two rows with one number the first anchored counts. So what counts
after a batch is what counted before it, and of its own index the numbers that come after those.

The later ones are *doubled*: they are told, and hold nothing up. A writer that comes upon it goes on from all of them
(`merged`) and writes anew what did not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..crypto import merkle
from ..encoding import CID
from ..ledger import Batch, View
from ..types import Address, Digest
from . import index
from .index import Row, Stream
from .leaf import Leaf
from .pages import Reader, ReaderWriter


@dataclass(frozen=True, slots=True)
class Line:
    """A stream as the index of `batch` has it. Its numbers from `first` on count: those below were anchored before."""

    batch: Batch
    stream: Stream
    first: int = 0


@dataclass(frozen=True, slots=True)
class Doubled:
    """Two anchored snapshots of a stream with one number: digest and batch of the one that counts, and of the later."""

    writer: Address
    label: Digest
    number: int
    counted: Digest
    counted_in: Batch
    digest: Digest
    batch: Batch


def lines(blocks: Reader, batches: Sequence[Batch], label: Digest) -> tuple[Line, ...]:
    """The lines of a stream that make up what counts after the last of these batches, oldest first; none if it has no
    snapshot yet. `batches` are a sender's first ones.

    Raises:
        IntegrityError: a block of an index is malformed; `.block` is its CID.
    """
    found: list[tuple[Batch, Stream]] = []
    for batch in reversed(batches):
        before, stream = index.look(blocks, CID(batch.index), label)
        if stream is not None:
            found.append((batch, stream))
        if before == batch.before:
            break
    made: list[Line] = []
    for batch, stream in reversed(found):
        made.append(Line(batch, stream, count(made)))
    return tuple(made)


def count(lines: Sequence[Line]) -> int:
    """How many snapshots count."""
    return max((line.stream.count for line in lines), default=0)


def merged(blocks: ReaderWriter, batches: Sequence[Batch]) -> CID | None:
    """The root of an index of all that counts after these batches, a sender's first ones; None if there are none.

    Raises: as `lines`.
    """
    later: list[Batch] = []
    for batch in reversed(batches):
        later.append(batch)
        if index.before(blocks, CID(batch.index)) == batch.before:
            break
    if not later:
        return None
    root = CID(later.pop().index)
    for batch in reversed(later):
        known = dict(index.streams(blocks, root))
        changed: dict[Digest, Stream] = {}
        for label, stream in index.streams(blocks, CID(batch.index)):
            present = known.get(label)
            fresh = [row for _, row in rows_from(blocks, stream, present.count if present else 0)]
            if fresh:
                changed[label] = index.append(blocks, present, fresh)
        root = index.update(blocks, root, changed, batch.after)
    return root


def rows_from(blocks: Reader, stream: Stream, first: int) -> Iterator[tuple[int, Row]]:
    """The rows of a stream from a number on, with their numbers. Raises as `lines`."""
    for link in index.links(blocks, stream):
        if link.first + link.size > first:
            for number, row in enumerate(link.read(blocks.get(link.cid)).rows, start=link.first):
                if number >= first:
                    yield number, row


class Forks:
    """Tells which rows of one twin's streams are doubled. `found` are those that it came upon."""

    def __init__(self, view: View, blocks: Reader, twin: int) -> None:
        self._view = view
        self._blocks = blocks
        self._twin = twin
        self.found: dict[Digest, Doubled] = {}

    def see(self, writer: Address, label: Digest, lines: Sequence[Line]) -> None:
        """Note the rows that the later lines have of their own under numbers that counted before. Raises as `lines`."""
        for place, line in enumerate(lines):
            until = min(line.first, line.stream.count)
            for number, row in self._backwards(line.stream, until) if place else ():
                batch = self._batch(self._leaf(writer, label, number, row), row)
                if batch != line.batch:
                    break
                counted = next(each for each in lines if number < each.stream.count)
                _, first = next(self._backwards(counted.stream, number + 1))
                self._note(writer, label, number, first, row)

    def follows_doubled(self, leaf: Leaf, row: Row, previous: Digest, counted: Row) -> bool:
        """Whether a snapshot follows one that is doubled: which the index of its own batch has, and which was anchored
        after the one that counts under that number. `previous` is the digest that its manifest names."""
        batch = self._batch(leaf, row)
        stream = index.find(self._blocks, CID(batch.index), leaf.stream) if batch else None
        number = leaf.sequence - 1
        if stream is None or stream.count <= number:
            return False
        _, other = next(self._backwards(stream, number + 1))
        named = self._leaf(leaf.writer, leaf.stream, number, other)
        if (named.hash, named.manifest) != (leaf.previous, previous):
            return False
        return self._note(leaf.writer, leaf.stream, number, counted, other)

    def _note(self, writer: Address, label: Digest, number: int, counted: Row, other: Row) -> bool:
        """Note two rows of one number if both are anchored in this order."""
        leaves = [self._leaf(writer, label, number, row) for row in (counted, other)]
        first, second = (self._batch(leaf, row) for leaf, row in zip(leaves, (counted, other), strict=True))
        if first is None or second is None or (first.place, counted.place) >= (second.place, other.place):
            return False
        digest = other.manifest.digest
        self.found[digest] = Doubled(writer, label, number, counted.manifest.digest, first, digest, second)
        return True

    def _leaf(self, writer: Address, label: Digest, number: int, row: Row) -> Leaf:
        return Leaf(row.place, self._twin, writer, label, number, row.manifest.digest, row.previous)

    def _batch(self, leaf: Leaf, row: Row) -> Batch | None:
        return self._view.batch(leaf.writer, merkle.root_of(leaf.hash, row.proof))

    def _backwards(self, stream: Stream, until: int) -> Iterator[tuple[int, Row]]:
        """The rows below a number, the last first."""
        for link in reversed(list(index.links(self._blocks, stream))):
            if link.first < until:
                page = link.read(self._blocks.get(link.cid)).rows[: until - link.first]
                yield from ((link.first + place, page[place]) for place in reversed(range(len(page))))


__all__ = ["Doubled", "Forks", "Line", "count", "lines", "merged", "rows_from"]
