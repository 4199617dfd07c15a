"""Locating: which streams a twin has, as their writers' anchored indexes have them.

A writer's newest index says what it has; the ones before are asked only about what the newest may have lost, or if it
does not go on from all of them (`dtledger.snapshots.lines`). An index counts if its writer might write to the twin when
it anchored it: whoever lost the right cannot put an index in the way of readers any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from ..encoding import CID
from ..ledger import Batch, Deployment, View
from ..store import BlockMissingError
from ..types import Address, Digest
from . import index
from .blame import Blocks, blaming
from .index import Stream
from .lines import Line, count, lines
from .manifest import Manifest
from .package import Keys
from .standing import might_write


@dataclass(frozen=True, slots=True)
class Located:
    """One stream of the twin, as of `batch`: one line, its index's, unless that does not go on from all before it.
    `bit` is None where no key at hand names its category."""

    writer: Address
    label: Digest
    bit: int | None
    batch: Batch
    lines: tuple[Line, ...]

    @property
    def count(self) -> int:
        """How many snapshots it has."""
        return count(self.lines)


class Locator:
    """Locates the streams of one twin as of one view of the ledger. A stranger's `keys` are `package.NO_KEYS`."""

    def __init__(self, deployment: Deployment, view: View, blocks: Blocks, twin: int, keys: Keys) -> None:
        self._deployment = deployment
        self._view = view
        self._blocks = blocks
        self._twin = twin
        self._keys = keys
        self._located: dict[tuple[Batch, str], Located | None] = {}

    def writers(self) -> list[Address]:
        """Who may have streams of the twin."""
        return list(self._view.writers(self._twin))

    def label(self, writer: Address, category: str) -> Digest:
        """The label of the writer's stream of the category. Raises as `locate`."""
        return self._keys.label(category, writer)

    def indexes(self, writer: Address, category: str | None) -> Iterator[Batch]:
        """The batches whose indexes count, newest first."""
        bit = None if category is None else self._keys.bits.bit_of(category)
        for batch in reversed(self._view.batches(writer)):
            if might_write(self._view, self._twin, writer, batch, bit, None):
                yield batch

    def locate(self, batch: Batch, category: str) -> Located | None:
        """The stream of that category in the index of the batch, if it has one.

        Raises:
            AccessDeniedError: the keys do not cover the category.
            IntegrityError: a block of the index is wrong; `.block` and `.party` name it.
            UnreachableError: the store does not answer or lacks a block.
        """
        if (batch, category) not in self._located:
            writer, label = batch.sender, self.label(batch.sender, category)
            located = self._lines(batch, label)
            bit = self._keys.bits.bit_of(category)
            self._located[batch, category] = Located(writer, label, bit, batch, located) if located else None
        return self._located[batch, category]

    def newest(self, writer: Address, category: str) -> Located | None:
        """The writer's stream of the category in its newest index. Raises as `locate`."""
        batch = next(self.indexes(writer, category), None)
        return None if batch is None else self.locate(batch, category)

    def last(self, writer: Address, category: str) -> Located | None:
        """The same in the newest index that has the stream at all. Raises as `locate`."""
        for batch in self.indexes(writer, category):
            located = self.locate(batch, category)
            if located is not None:
                return located
        return None

    def every_stream(self) -> Iterator[Located]:
        """The streams of the twin by their labels alone, in the newest indexes, without a category. Raises as
        `locate`."""
        for writer in self.writers():
            yield from self.streams_of(writer)

    def streams_of(self, writer: Address) -> Iterator[Located]:
        """Those of one writer. Raises as `locate`."""
        newest = next(self.indexes(writer, None), None)
        if newest is None:
            return
        with blaming(writer):
            labels = [label for label, stream in self._streams(newest) if self._is_of_twin(stream)]
        yield from (Located(writer, label, None, newest, self._lines(newest, label)) for label in labels)

    def lost(self, writer: Address) -> list[Digest]:
        """The labels of the twin's streams that an earlier index of the writer had and the newest has no more. Raises
        as `locate`."""
        newest = next(self.indexes(writer, None), None)
        if newest is None:
            return []
        with blaming(writer):
            seen = {label for label, _ in self._streams(newest)}
            lost: list[Digest] = []
            for batch in self._upto(newest)[:-1]:
                for label, stream in index.streams(self._blocks, CID(batch.index)):
                    if label not in seen and self._is_of_twin(stream):
                        lost.append(label)
                    seen.add(label)
        return lost

    def _upto(self, batch: Batch) -> list[Batch]:
        return self._view.batches(batch.sender)[: batch.place + 1]

    def _lines(self, batch: Batch, label: Digest) -> tuple[Line, ...]:
        with blaming(batch.sender):
            return lines(self._blocks, self._upto(batch), label)

    def _streams(self, newest: Batch) -> Iterator[tuple[Digest, Stream]]:
        """Every stream of the sender, once, with a line of it."""
        seen: set[Digest] = set()
        for batch in reversed(self._upto(newest)):
            root = CID(batch.index)
            for label, stream in index.streams(self._blocks, root):
                if label not in seen:
                    seen.add(label)
                    yield label, stream
            if index.before(self._blocks, root) == batch.before:
                return

    def _is_of_twin(self, stream: Stream) -> bool:
        """A sender's index holds streams of all twins that it writes to: a manifest tells which. Where there is none at
        either end of the first page any more, the twin was erased, and whose it was is not to be known."""
        link = next(index.links(self._blocks, stream))
        rows = link.read(self._blocks.get(link.cid)).rows
        for row in (rows[0], rows[-1]):
            with suppress(BlockMissingError):
                return Manifest.read(self._deployment, self._blocks.get(row.manifest))[0].twin == self._twin
        return False
