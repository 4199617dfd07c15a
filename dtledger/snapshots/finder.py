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

_Before = tuple[int, Digest, Digest] | None
"""Sequence, leaf hash and manifest digest of the snapshot before, where the walk has come past it."""


@dataclass(frozen=True, slots=True)
class Found:
    """One snapshot that is anchored and whose blocks agree; `counts` is False if its writer had no right to write,
    and None if no key at hand tells the category that the right would be for."""

    manifest: Manifest
    digest: Digest
    writer: Address
    custody: CustodyBlock
    batch: Batch
    counts: bool | None
    blocks: dict[CID, bytes]

    @property
    def late(self) -> bool:
        """Anchored over a day after its data ended."""
        return self.batch.at > (self.manifest.period.end + 1) * 60 + DAY

    @property
    def size(self) -> int:
        """Bytes of ciphertext, padding and tags included, as the manifest's content has them.

        Raises:
            IntegrityError: a chunk is missing.
        """
        return sum(map(len, self.chunks()))

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


@dataclass(frozen=True, slots=True)
class Located:
    """One stream of the twin, as the index of `batch` has it: its writer's newest that counts. `bit` is None where no
    key at hand names its category."""

    writer: Address
    label: Digest
    bit: int | None
    stream: Stream
    batch: Batch


class Finder:
    """Finds snapshots of one twin as of one view of the ledger. A stranger's `keys` are `package.NO_KEYS`."""

    def __init__(self, deployment: Deployment, view: View, store: BlockStore, twin: int, keys: Keys) -> None:
        self._deployment = deployment
        self._view = view
        self._store = store
        self._twin = twin
        self._keys = keys
        self._rosters: dict[Digest, Roster] = {}
        self._located: dict[str, list[Located]] = {}

    def find(self, category: str, period: Period | None = None) -> Iterator[list[Found]]:
        """Snapshots of that category whose data overlap `period`, some pages at a time, each writer's in its order.

        Raises:
            AccessDeniedError: the keys do not cover the category.
            IntegrityError: a block, a row or a signature is wrong; `.block` and `.party` name it.
            UnreachableError: the store does not answer or lacks a block.
        """
        for located in self.streams(category):
            yield from self.walk(located, period)

    def walk(self, located: Located, period: Period | None = None) -> Iterator[list[Found]]:
        """The snapshots of one stream, as `find` gives them. Raises as `find`."""
        waiting = list(index.pages(self._store, located.stream, period))
        before: _Before = None
        for start in range(0, len(waiting), PAGES_AT_ONCE):
            found, before = self._read_pages(located, waiting[start : start + PAGES_AT_ONCE], period, before)
            if found:
                yield found

    def periods(self, category: str, period: Period | None = None) -> Iterator[Period]:
        """The data periods of the snapshots that `find` would give, from the index alone."""
        for located in self.streams(category):
            for cid, first in index.pages(self._store, located.stream, period):
                for row in index.read_page(cid, first, self._store.get(cid)).rows:
                    if period is None or row.period.overlaps(period):
                        yield row.period

    def newest_minute(self, category: str) -> int | None:
        """The last minute that the newest anchored snapshot covers, by any writer."""
        ends = [index.newest_minute(self._store, located.stream) for located in self.streams(category)]
        return max(ends, default=None)

    def streams(self, category: str) -> list[Located]:
        """Each writer's stream of the category. Raises as `find`."""
        if category not in self._located:
            bit = self._keys.bits.bit_of(category)
            located = []
            for writer in self._view.writers(self._twin):
                newest = self._newest_batch(writer, bit)
                label = self._keys.label(category, writer)
                stream = index.find(self._store, digest_cid(newest.index), label) if newest else None
                if newest is not None and stream is not None:
                    located.append(Located(writer, label, bit, stream, newest))
            self._located[category] = located
        return self._located[category]

    def every_stream(self) -> Iterator[Located]:
        """The streams of the twin by their labels alone, without a category. Raises as `find`."""
        for writer in self._view.writers(self._twin):
            newest = self._newest_batch(writer, None)
            if newest is None:
                continue
            for label, stream in index.streams(self._store, digest_cid(newest.index)):
                if self._is_of_twin(stream):
                    yield Located(writer, label, None, stream, newest)

    def _is_of_twin(self, stream: Stream) -> bool:
        """A sender's index holds streams of all twins that it writes to: the first manifest tells which."""
        cid, first = next(index.pages(self._store, stream))
        rows = index.read_page(cid, first, self._store.get(cid)).rows
        return any(
            Manifest.read(self._deployment, self._store.get(row.manifest))[0].twin == self._twin for row in rows[:1]
        )

    def _newest_batch(self, writer: Address, bit: int | None) -> Batch | None:
        """The newest batch of the writer from a time when it might write: whoever lost the right cannot put an
        index in the way of readers any more."""
        batches = reversed(self._view.batches(writer))
        return next((batch for batch in batches if self._might_write(writer, batch, bit, None)), None)

    def _read_pages(
        self, located: Located, pages: list[tuple[CID, int]], period: Period | None, before: _Before
    ) -> tuple[list[Found], _Before]:
        blocks = dict(self._store.export([cid for cid, _ in pages]))
        found: list[Found] = []
        for cid, first in pages:
            page = index.read_page(cid, first, _block(blocks, cid))
            for sequence, row in enumerate(page.rows, start=page.first):
                digest = cid_digest(row.manifest)
                leaf = Leaf(row.place, self._twin, located.writer, located.label, sequence, digest, row.previous)
                self._refuse_break(page, leaf, row, before, blocks, located.writer)
                before = (sequence, leaf.hash, leaf.manifest)
                if period is None or row.period.overlaps(period):
                    found.append(self._verify(leaf, row, blocks, located.bit))
        return found, before

    def _refuse_break(
        self,
        page: Page,
        leaf: Leaf,
        row: Row,
        before: _Before,
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

    def _verify(self, leaf: Leaf, row: Row, blocks: dict[CID, bytes], bit: int | None) -> Found:
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
        counts: bool | None = self._might_write(writer, batch, bit, row.period)
        if counts and bit is None and self._view.earlier(batch.block).owner(self._twin) != writer:
            counts = None
        return Found(manifest, leaf.manifest, writer, custody, batch, counts, blocks)

    def _custody(self, leaf: Leaf, row: Row, blocks: dict[CID, bytes], batch: Batch) -> CustodyBlock:
        custody, signed_by = CustodyBlock.read(self._deployment, _block(blocks, row.custody))
        owner = self._view.owner(self._twin)
        if signed_by not in (leaf.writer, owner) or custody.digest != leaf.manifest:
            raise IntegrityError("a custody block is not its snapshot's", block=str(row.custody), party=signed_by)
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

    def _might_write(self, writer: Address, batch: Batch, bit: int | None, period: Period | None) -> bool:
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
                asked = max(record.grant.categories.bit_length() - 1, 0) if bit is None else bit
                request = Request(self._twin, writer, grantee, record.slot.number, Action.WRITE, None, asked, data)
                if check(then, request, batch.at, batch.at).permits:
                    return True
        return False


def _block(blocks: dict[CID, bytes], cid: CID) -> bytes:
    try:
        return blocks[cid]
    except KeyError:
        raise IntegrityError("the store left out a block of an index page", block=str(cid)) from None
