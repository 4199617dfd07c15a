"""Finding: from what is anchored to the snapshots of one category, each checked before anything is asked for.

For every writer the newest anchored index is taken and descended wherever the period overlaps. Each row must lead to
a batch that the writer anchored, each manifest must be signed by the writer and agree with its row, each stream must
run on without a break, and each custody block must stand under a roster that the owner had in force. A snapshot
counts if its writer held WRITE when it was anchored, or if the owner anchored it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ..crypto import merkle
from ..encoding import CID, cid_digest, digest_cid
from ..errors import IntegrityError
from ..ledger import Batch, Deployment, View
from ..policy import Request, check
from ..store import BlockStore
from ..types import ZERO_DIGEST, Address, Digest, Period
from ..vocabulary import Action
from . import index
from .custody_block import CustodyBlock
from .index import Page, Row, Stream
from .leaf import Leaf
from .manifest import Manifest
from .package import Keys
from .roster import Roster

DAY = 86_400
PAGES_AT_ONCE = 16
"""Leaf pages fetched and opened in one go: 1,024 snapshots, so a year needs nine requests and little memory."""


@dataclass(frozen=True, slots=True)
class Found:
    """One snapshot that is anchored and whose blocks agree; `counts` is False if its writer had no right to write."""

    manifest: Manifest
    digest: Digest
    writer: Address
    custody: CustodyBlock
    batch: Batch
    counts: bool
    blocks: dict[CID, bytes]

    @property
    def late(self) -> bool:
        """Anchored over a day after its data ended."""
        return self.batch.at > (self.manifest.period.end + 1) * 60 + DAY

    def chunks(self) -> list[bytes]:
        """The content's ciphertext.

        Raises:
            IntegrityError: a chunk is missing.
        """
        content = self.manifest.content
        if isinstance(content, bytes):
            return [content]
        missing = [link for link in content if link not in self.blocks]
        if missing:
            raise IntegrityError("a chunk of a snapshot is missing", block=str(missing[0]), party=self.writer)
        return [self.blocks[link] for link in content]


class Finder:
    """Finds snapshots of one twin as of one view of the ledger."""

    def __init__(self, deployment: Deployment, view: View, store: BlockStore, twin: int, keys: Keys) -> None:
        self._deployment = deployment
        self._view = view
        self._store = store
        self._twin = twin
        self._keys = keys
        self._rosters: dict[Digest, Roster] = {}
        self._found_streams: dict[str, list[tuple[Address, Stream]]] = {}

    def find(self, category: str, period: Period | None = None) -> Iterator[list[Found]]:
        """Snapshots of that category whose data overlap `period`, some pages at a time, each writer's in its order.

        Raises:
            AccessDeniedError: the keys do not cover the category.
            IntegrityError: a block, a row or a signature is wrong; `.block` and `.party` name it.
            UnreachableError: the store does not answer or lacks a block.
        """
        bit = self._keys.bits.bit_of(category)
        for writer, stream in self._streams(category):
            waiting = list(index.pages(self._store, stream, period))
            for start in range(0, len(waiting), PAGES_AT_ONCE):
                some = waiting[start : start + PAGES_AT_ONCE]
                found = self._read_pages(category, writer, bit, some, period)
                if found:
                    yield found

    def periods(self, category: str, period: Period | None = None) -> Iterator[Period]:
        """The data periods of the snapshots that `find` would give, from the index alone."""
        for _, stream in self._streams(category):
            for cid, first in index.pages(self._store, stream, period):
                for row in index.read_page(cid, first, self._store.get(cid)).rows:
                    if period is None or row.period.overlaps(period):
                        yield row.period

    def newest_minute(self, category: str) -> int | None:
        """The last minute that the newest anchored snapshot covers, by any writer."""
        ends = [index.newest_minute(self._store, stream) for _, stream in self._streams(category)]
        return max(ends, default=None)

    def _streams(self, category: str) -> list[tuple[Address, Stream]]:
        """Each writer's stream of the category in its newest index that counts."""
        if category not in self._found_streams:
            bit = self._keys.bits.bit_of(category)
            streams = []
            for writer in self._view.writers(self._twin):
                newest = self._newest_batch(writer, bit)
                label = self._keys.label(category, writer)
                stream = index.find(self._store, digest_cid(newest.index), label) if newest else None
                if stream is not None:
                    streams.append((writer, stream))
            self._found_streams[category] = streams
        return self._found_streams[category]

    def _newest_batch(self, writer: Address, bit: int) -> Batch | None:
        """The newest batch of the writer from a time when it might write: whoever lost the right cannot put an
        index in the way of readers any more."""
        batches = reversed(self._view.batches(writer))
        return next((batch for batch in batches if self._might_write(writer, batch, bit, None)), None)

    def _read_pages(
        self, category: str, writer: Address, bit: int, pages: list[tuple[CID, int]], period: Period | None
    ) -> list[Found]:
        blocks = dict(self._store.export([cid for cid, _ in pages]))
        found: list[Found] = []
        before: tuple[int, Digest, Digest] | None = None
        for cid, first in pages:
            page = index.read_page(cid, first, _block(blocks, cid))
            for sequence, row in enumerate(page.rows, start=page.first):
                leaf = self._leaf(category, writer, sequence, row)
                self._refuse_break(page, leaf, row, before, blocks, writer)
                before = (sequence, leaf.hash, leaf.manifest)
                if period is None or row.period.overlaps(period):
                    found.append(self._verify(leaf, row, blocks, bit))
        return found

    def _leaf(self, category: str, writer: Address, sequence: int, row: Row) -> Leaf:
        label = self._keys.label(category, writer)
        return Leaf(row.place, self._twin, writer, label, sequence, cid_digest(row.manifest), row.previous)

    def _refuse_break(
        self,
        page: Page,
        leaf: Leaf,
        row: Row,
        before: tuple[int, Digest, Digest] | None,
        blocks: dict[CID, bytes],
        writer: Address,
    ) -> None:
        """Each leaf and manifest names the one before it; the first of a stream names none."""
        if leaf.sequence == 0:
            expected: tuple[Digest, Digest] | None = (ZERO_DIGEST, ZERO_DIGEST)
        elif before is not None and before[0] == leaf.sequence - 1:
            expected = before[1:]
        else:
            return
        manifest, _ = Manifest.read(self._deployment, _block(blocks, row.manifest))
        if (leaf.previous, manifest.previous) != expected:
            raise IntegrityError(
                f"snapshot {leaf.sequence} of a stream does not follow the one before it",
                block=str(page.cid),
                party=writer,
            )

    def _verify(self, leaf: Leaf, row: Row, blocks: dict[CID, bytes], bit: int) -> Found:
        writer = leaf.writer
        batch = self._view.batch(writer, merkle.root_of(leaf.hash, row.proof))
        if batch is None:
            raise IntegrityError("a snapshot is in no batch of its writer", block=str(row.manifest), party=writer)
        manifest, signed_by = Manifest.read(self._deployment, _block(blocks, row.manifest))
        agrees = (
            signed_by == writer
            and manifest.twin == leaf.twin
            and manifest.stream == leaf.stream
            and manifest.sequence == leaf.sequence
            and manifest.period == row.period
        )
        if not agrees:
            raise IntegrityError("a manifest is not what its row says", block=str(row.manifest), party=writer)
        custody = self._custody(leaf, row, blocks, batch)
        return Found(manifest, leaf.manifest, writer, custody, batch, self._might_write(writer, batch, bit, row.period), blocks)

    def _custody(self, leaf: Leaf, row: Row, blocks: dict[CID, bytes], batch: Batch) -> CustodyBlock:
        custody, signed_by = CustodyBlock.read(self._deployment, _block(blocks, row.custody))
        owner = self._view.owner(self._twin)
        if signed_by not in (leaf.writer, owner) or custody.digest != leaf.manifest:
            raise IntegrityError(
                "a custody block is not its snapshot's", block=str(row.custody), party=signed_by
            )
        roster = self._roster(custody.roster, batch, by_owner=signed_by == owner)
        named = tuple(share.custodian for share in custody.shares)
        if roster is None or named != roster.custodians or custody.threshold != roster.threshold:
            raise IntegrityError(
                "a custody block stands under no roster that was in force", block=str(row.custody), party=signed_by
            )
        return custody

    def _roster(self, version: int, batch: Batch, *, by_owner: bool) -> Roster | None:
        """The roster of that version, if it stood when the batch was anchored, was replaced less than a day before,
        or stands today and the owner signed."""
        cards = self._view.cards(self._twin)
        standing = [record for record in cards if record.block <= batch.block]
        recent = [before for before, after in pairwise(standing) if batch.at - after.at < DAY]
        allowed = standing[-1:] + recent + (cards[-1:] if by_owner else [])
        for card in (record.card for record in allowed):
            if card.roster_version == version:
                if card.roster not in self._rosters:
                    block = self._store.get(digest_cid(card.roster))
                    self._rosters[card.roster] = Roster.decode(self._deployment, block)
                return self._rosters[card.roster]
        return None

    def _might_write(self, writer: Address, batch: Batch, bit: int, period: Period | None) -> bool:
        """Was the writer the owner when it anchored, or held WRITE for this category and period (for any, if None)?
        While the owner had no card, nobody might."""
        then = self._view.earlier(batch.block)
        owner = then.owner(self._twin)
        if owner is None or then.card(self._twin) is None:
            return False
        if owner == writer:
            return True
        member = then.member(writer)
        grantees = [writer] + ([member.organisation] if member and member.organisation else [])
        for grantee in grantees:
            for record in then.slots_of(owner, self._twin, grantee):
                data = period or record.grant.data
                number = record.slot.number
                request = Request(self._twin, writer, grantee, number, Action.WRITE, None, bit, data)
                if check(then, request, batch.at, batch.at).permits:
                    return True
        return False


def _block(blocks: dict[CID, bytes], cid: CID) -> bytes:
    try:
        return blocks[cid]
    except KeyError:
        raise IntegrityError("the store left out a block of an index page", block=str(cid)) from None
