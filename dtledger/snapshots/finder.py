"""Finding: from what is anchored to the snapshots of one category, each checked before anything is asked for.

For every writer the newest anchored index is taken and descended wherever the period overlaps; of two snapshots with
one number the first anchored counts (`dtledger.snapshots.lines`), and `doubled` tells both. Each row must lead to
a batch that the writer anchored, each manifest must be signed by the writer and agree with its row, each stream must
run on without a break, and each custody block must stand under a roster that the owner had in force. A snapshot
counts if its writer held WRITE when it was anchored, or if the owner anchored it.

An index that is malformed, leaves out rows or lies about what lies below is its writer's fault, and says so. What the
newest index no longer has, only a comparison with the ones before can show: `client.Snapshots.verify`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from ..crypto import merkle
from ..encoding import CID, STORE
from ..errors import DtledgerError, IntegrityError
from ..ledger import Deployment, View
from ..store import BlockMissingError, BlockStore
from ..types import ZERO_DIGEST, Address, Digest, Period
from . import index
from .blame import Blocks, blaming
from .custodies import Custodies
from .found import Found
from .index import Page, PageLink, Row
from .leaf import Leaf
from .lines import Doubled, Forks, Line, rows_from
from .locating import Located, Locator
from .manifest import Manifest
from .package import Keys
from .standing import might_write

PAGES_AT_ONCE = 16
"""Leaf pages fetched and opened in one go: 1,024 snapshots, so a year needs nine requests and little memory."""

T = TypeVar("T")

_Before = tuple[Leaf, Row] | None
"""The snapshot before, where the walk has come past it."""


class Finder:
    """Finds snapshots of one twin as of one view of the ledger. A stranger's `keys` are `package.NO_KEYS`.

    A writer whose index or snapshots are at fault, or lie nowhere, ends a search. If it `tolerates` faults, it goes on
    instead with what the same writer's earlier indexes have, and with the other writers; `faults` says of each what was
    wrong first.
    """

    def __init__(
        self,
        deployment: Deployment,
        view: View,
        store: BlockStore,
        twin: int,
        keys: Keys,
        *,
        tolerates: bool = False,
    ) -> None:
        self._deployment = deployment
        self._view = view
        self._blocks = Blocks(store)
        self._twin = twin
        self._tolerates = tolerates
        self._forks = Forks(view, self._blocks, twin)
        self._custodies = Custodies(deployment, view, self._blocks, twin)
        self.located = Locator(deployment, view, self._blocks, twin, keys)
        self.faults: dict[Address, DtledgerError] = {}

    def find(self, category: str, period: Period | None = None) -> Iterator[list[Found]]:
        """Snapshots of that category whose data overlap `period`, some pages at a time, each writer's in its order.

        Raises:
            AccessDeniedError: the keys do not cover the category.
            IntegrityError: a block, a row or a signature is wrong; `.block` and `.party` name it.
            UnreachableError: the store does not answer or lacks a block.
        """

        def numbered(located: Located) -> Iterator[list[tuple[int, Found]]]:
            for group in self.walk(located, period):
                yield [(found.manifest.sequence, found) for found in group]

        return self._each_stream(category, numbered)

    def periods(self, category: str, period: Period | None = None) -> Iterator[Period]:
        """The data periods of the snapshots that `find` would give, from the index alone."""

        def numbered(located: Located) -> Iterator[list[tuple[int, Period]]]:
            with blaming(located.writer):
                for line in located.lines:
                    for link in _counting(index.links(self._blocks, line.stream, period), line):
                        rows = enumerate(link.read(self._blocks.get(link.cid)).rows, start=link.first)
                        yield [
                            (number, row.period)
                            for number, row in rows
                            if number >= line.first and (period is None or row.period.overlaps(period))
                        ]

        return chain.from_iterable(self._each_stream(category, numbered))

    def rows_after(self, category: str, counts: Mapping[Address, int]) -> Iterator[tuple[Address, int, Row]]:
        """Writer, number and row of the snapshots that came since its writer had so many of the category (none, if it
        is not in `counts`), from the index alone. Raises as `find`."""

        def numbered(located: Located) -> Iterator[list[tuple[int, tuple[Address, int, Row]]]]:
            with blaming(located.writer):
                for line in located.lines:
                    first = max(line.first, counts.get(located.writer, 0))
                    rows = rows_from(self._blocks, line.stream, first) if first < line.stream.count else ()
                    yield [(number, (located.writer, number, row)) for number, row in rows]

        return chain.from_iterable(self._each_stream(category, numbered))

    def newest_minute(self, category: str) -> int | None:
        """The last minute that the newest anchored snapshot covers, by any writer, and at most that of its anchor: a
        writer that claims a time to come would hide how old the twin is."""

        def numbered(located: Located) -> Iterator[list[tuple[int, int]]]:
            with blaming(located.writer):
                newest = max(self._newest_minutes(located))
                yield [(0, min(newest, located.batch.at // 60))]  # nothing was measured after it was anchored

        return max(chain.from_iterable(self._each_stream(category, numbered)), default=None)

    def whose(self, category: str, digest: Digest, period: Period) -> Address | None:
        """The writer one of whose indexes has a snapshot of that digest and period, newest or not; an index that is at
        fault has none. Raises as `find` if the store does not answer."""
        for writer in self.located.writers():
            for batch in self.located.indexes(writer, category):
                with suppress(IntegrityError, BlockMissingError):
                    located = self.located.locate(batch, category)
                    for line in located.lines if located else ():
                        for link in index.links(self._blocks, line.stream, period):
                            rows = link.read(self._blocks.get(link.cid)).rows
                            if any(row.manifest.digest == digest and row.period == period for row in rows):
                                return writer
        return None

    @property
    def doubled(self) -> list[Doubled]:
        """The snapshots that a search came upon, or that one which it gave follows, whose number was anchored before:
        they do not count."""
        return list(self._forks.found.values())

    def _newest_minutes(self, located: Located) -> Iterator[int]:
        for line in located.lines:
            if not line.first:
                yield index.newest_minute(self._blocks, line.stream)
            else:
                yield from (row.period.end for _, row in rows_from(self._blocks, line.stream, line.first))

    def _each_stream(
        self, category: str, walk: Callable[[Located], Iterator[list[tuple[int, T]]]]
    ) -> Iterator[list[T]]:
        """What `walk` gives of each writer's stream, in the order of the numbers that it gives beside."""
        for writer in self.located.writers():
            done = -1
            for batch in self.located.indexes(writer, category):
                try:
                    located = self.located.locate(batch, category)
                    for group in walk(located) if located else ():
                        yield [each for number, each in group if number > done]
                        done = max([done, *(number for number, _ in group)])
                    break
                except (IntegrityError, BlockMissingError) as fault:
                    if not self._tolerates:
                        raise
                    self.faults.setdefault(writer, fault)

    def walk(self, located: Located, period: Period | None = None) -> Iterator[list[Found]]:
        """The snapshots of one stream, as `find` gives them. Raises as `find`."""
        with blaming(located.writer):
            self._forks.see(located.writer, located.label, located.lines)
        for line in located.lines:
            with blaming(located.writer):
                waiting = list(_counting(index.links(self._blocks, line.stream, period), line))
            before: _Before = None
            for start in range(0, len(waiting), PAGES_AT_ONCE):
                pages = waiting[start : start + PAGES_AT_ONCE]
                found, before = self._read_pages(located, line.first, pages, period, before)
                if found:
                    yield found

    def _read_pages(
        self, located: Located, first: int, links: list[PageLink], period: Period | None, before: _Before
    ) -> tuple[list[Found], _Before]:
        """Those of the snapshots from the number `first` on that overlap, and the last that the walk came past."""
        blocks = self._blocks.export([link.cid for link in links])
        anew = self._custodies.rows(located.label, links)
        found: list[Found] = []
        for link in links:
            with blaming(located.writer):
                page = link.read(_block(blocks, link.cid))
            for sequence, row in enumerate(page.rows, start=page.first):
                digest = row.manifest.digest
                leaf = Leaf(row.place, self._twin, located.writer, located.label, sequence, digest, row.previous)
                manifest = self._manifest(leaf, row, blocks)
                self._refuse_break(page, leaf, row, manifest, before)
                before = (leaf, row)
                if sequence >= first and (period is None or row.period.overlaps(period)):
                    found.append(self._verify(leaf, row, manifest, blocks, located.bit, anew.get(sequence)))
        return found, before

    def _refuse_break(self, page: Page, leaf: Leaf, row: Row, manifest: Manifest, before: _Before) -> None:
        """Each leaf and manifest names the one before it, or one of the same number that is doubled; the first of a
        stream names none. Where the walk skipped the page before, the anchored leaf alone says it."""
        if leaf.sequence == 0:
            expected: tuple[Digest, Digest] | None = (ZERO_DIGEST, ZERO_DIGEST)
        elif before is not None and before[0].sequence == leaf.sequence - 1:
            expected = before[0].hash, before[0].manifest
        else:
            return
        if (leaf.previous, manifest.previous) == expected:
            return
        with blaming(leaf.writer):
            if before is None or not self._forks.follows_doubled(leaf, row, manifest.previous, before[1]):
                raise IntegrityError(
                    f"snapshot {leaf.sequence} of a stream does not follow the one before it", block=str(page.cid)
                )

    def _manifest(self, leaf: Leaf, row: Row, blocks: dict[CID, bytes]) -> Manifest:
        with blaming(leaf.writer, row.manifest):
            manifest, signed_by = Manifest.read(self._deployment, _block(blocks, row.manifest))
            agrees = (
                signed_by == leaf.writer
                and manifest.twin == leaf.twin
                and manifest.stream == leaf.stream
                and manifest.sequence == leaf.sequence
                and manifest.period == row.period
            )
            if not agrees:
                raise IntegrityError("a manifest is not what its row says")
        return manifest

    def _verify(
        self, leaf: Leaf, row: Row, manifest: Manifest, blocks: dict[CID, bytes], bit: int | None, anew: Row | None
    ) -> Found:
        writer = leaf.writer
        batch = self._view.batch(writer, merkle.root_of(leaf.hash, row.proof))
        if batch is None:
            raise IntegrityError("a snapshot is in no batch of its writer", block=str(row.manifest), party=writer)
        reshared = anew is not None and anew.custody != row.custody
        if anew is not None and reshared:
            row = replace(row, custody=anew.custody)
            custody, signed_by, roster = self._custodies.reshared(leaf, anew)
        else:
            custody, signed_by, roster = self._custodies.read(leaf, row, _block(blocks, row.custody), batch)
        counts: bool | None = might_write(self._view, self._twin, writer, batch, bit, row.period)
        if counts and bit is None and self._view.earlier(batch.block).owner(self._twin) != writer:
            counts = None
        return Found(manifest, leaf.manifest, writer, custody, batch, counts, blocks, row, signed_by, roster, reshared)


def _block(blocks: dict[CID, bytes], cid: CID) -> bytes:
    try:
        return blocks[cid]
    except KeyError:
        raise IntegrityError("the store left out a block of an index page", block=str(cid), party=STORE) from None


def _counting(links: Iterator[PageLink], line: Line) -> Iterator[PageLink]:
    """The pages that hold numbers which count in that line."""
    return (link for link in links if link.first + link.size > line.first)


__all__ = ["Finder", "Found"]
