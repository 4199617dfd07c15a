"""Anchoring: a batch on its way into the store, the journal and the ledger, and how it is ended after a crash.

The order is what makes a crash harmless: blocks into the store, the batch into the journal, the anchor onto the
ledger, the journal again. Whoever comes back looks at the journal first and ends what was begun. Where journal and
chain differ (a lost file, a backup, a second machine with the same key) the chain is right.

A batch is at its end when the one right before it on the chain is the one that its index goes on from. If another
machine was faster, of two snapshots with one number the first anchored counts: those of ours that do not are written
again under the next numbers, after all that the chain has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .. import encoding
from .._backend.write_journal import Base, Pending, WriteJournal
from ..encoding import CID
from ..errors import IntegrityError, UnreachableError
from ..ledger import Batch, Receipt, calls
from ..ledger.rejections import AlreadyAnchoredError, InsufficientFundsError
from ..snapshots import index, lines
from ..snapshots.index import Stream
from ..snapshots.leaf import Leaf
from ..snapshots.staging import Staging
from ..snapshots.writer import Draft, StreamHead, Target, Written, seal_batch
from ..types import ZERO_DIGEST, Digest
from ..vocabulary import Reason
from .context import Context
from .write_rights import WriteRights


@dataclass(frozen=True, slots=True)
class Anchored:
    """One batch that is on the ledger: its snapshots that count, and how many others' numbers were anchored before."""

    receipt: Receipt
    written: tuple[Written, ...]
    doubled: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of drafts: the batches that it took, and why some do not count, by their places among the drafts."""

    batches: tuple[Anchored, ...]
    refused: Mapping[int, Reason]


@dataclass(frozen=True, slots=True)
class _End:
    """How a batch ended: the places in it of snapshots whose numbers were anchored before, and of those that were not
    permitted, with the reasons."""

    doubled: tuple[int, ...]
    refused: Mapping[int, Reason]


Stored = Callable[[Sequence[tuple[int, Written]]], None]
"""Is told what will be anchored, by the places of the drafts, once it is stored and before anything is anchored."""


class Anchoring:
    """One key's batches. Whoever uses it holds the journal."""

    def __init__(self, context: Context, journal: WriteJournal, rights: WriteRights) -> None:
        self._context = context
        self._journal = journal
        self._rights = rights

    def begin(self) -> tuple[int, int]:
        """End what a crash left, and follow the chain; returns how many snapshots that ended now count, and how many do
        not because their numbers were anchored before: whoever puts them again writes them.

        Raises:
            UnreachableError: ledger or store does not answer.
        """
        ended = self._resume()
        self._follow_chain()
        return ended

    def write(
        self,
        drafts: Sequence[tuple[Target, Draft]],
        marks: Sequence[Sequence[bytes]],
        stored: Stored = lambda written: None,
    ) -> Outcome:
        """Write and anchor drafts, of any twins and categories, in one batch unless another machine is faster; each
        draft's `marks` are kept if it counts.

        Raises:
            UnreachableError: ledger or store does not answer, or an earlier batch still waits for its block.
        """
        batches: list[Anchored] = []
        refused: dict[int, Reason] = {}
        places = list(range(len(drafts)))
        while places:
            some = places
            batch, end = self._write([drafts[each] for each in some], [marks[each] for each in some], some, stored)
            batches.append(batch)
            refused |= {some[place]: reason for place, reason in end.refused.items()}
            places = [some[place] for place in end.doubled if place not in end.refused]
        return Outcome(tuple(batches), refused)

    def _write(
        self,
        drafts: Sequence[tuple[Target, Draft]],
        marks: Sequence[Sequence[bytes]],
        places: Sequence[int],
        stored: Stored,
    ) -> tuple[Anchored, _End]:
        context = self._context
        base = self._journal.base()
        heads = self._heads(drafts, base.index_root)
        blocks = Staging(context.store)
        sealed = seal_batch(context.deployment, blocks, context.key, base.index_root, base.covers, heads, drafts)
        blocks.flush()
        stored(list(zip(places, sealed.written, strict=True)))
        snapshots = tuple(
            (target.twin, target.keys.bits.bit_of(draft.category), draft.period, each.stream)
            for (target, draft), each in zip(drafts, sealed.written, strict=True)
        )
        ends = {label: _pack(head) for label, head in sealed.heads.items()}
        pending = Pending(sealed.root, len(drafts), sealed.index, snapshots, ends)
        self._journal.prepare(pending, marks)
        receipt = self._anchor(pending)
        end = self._finish(pending, receipt.block, receipt.at)
        lost = {*end.doubled, *end.refused}
        written = tuple(each for place, each in enumerate(sealed.written) if place not in lost)
        return Anchored(receipt, written, len(end.doubled)), end

    def _anchor(self, pending: Pending) -> Receipt:
        """From the key's own account; by relays, if there are some, where that cannot pay."""
        context = self._context
        call = calls.anchor_batch(pending.root, pending.count, pending.index_root.digest)
        try:
            try:
                return context.ledger.send(call, context.key, self._journal)
            except InsufficientFundsError:
                if context.carry is None:
                    raise
                return context.carry(context, call)
        except AlreadyAnchoredError as error:  # sent by a run that broke off, and in no block that we see
            raise UnreachableError(
                "A batch of an earlier put still waits for its block.", hint="Try again when the chain has made one."
            ) from error

    def _finish(self, pending: Pending, block: int, at: int) -> _End:
        """The batch is in that block: note what of it counts there."""
        view = self._context.view()
        then = view.earlier(block)
        reasons = [self._rights.judge(then, twin, bit, period, at) for twin, bit, period, _ in pending.snapshots]
        refused = {place: reason for place, reason in enumerate(reasons) if not reason.permits}
        batches = view.batches(self._context.key.address)
        batch = view.batch(self._context.key.address, pending.root)
        if batch is None:
            raise UnreachableError(
                "The ledger does not show a batch that it took.", hint="Try again when its node has caught up."
            )
        if batch.before == self._journal.base().covers:
            doubled: tuple[int, ...] = ()
            self._journal.finish(Base(pending.index_root, batch.after), lost={*refused})
        else:
            doubled = self._doubled(pending, batches[: batch.place])
            self._journal.finish(self._chain_base(batches), lost={*refused, *doubled}, forked=True)
        return _End(doubled, refused)

    def _doubled(self, pending: Pending, before: Sequence[Batch]) -> tuple[int, ...]:
        """The places of a batch's snapshots that have numbers that were anchored before it."""
        doubled: list[int] = []
        for label, head in pending.heads.items():
            places = [place for place, (*_, stream) in enumerate(pending.snapshots) if stream == label]
            first = _unpack(head).count - len(places)
            counted = lines.count(lines.lines(self._context.store, before, label))
            doubled += places[: max(counted - first, 0)]
        return tuple(sorted(doubled))

    def _resume(self) -> tuple[int, int]:
        """End a batch that a crash left between journal and ledger; returns how many of its snapshots count, and how
        many do not because their numbers were anchored before."""
        pending = self._journal.pending()
        if pending is None:
            return 0, 0
        anchored = self._context.view().batch(self._context.key.address, pending.root)
        where = anchored or self._anchor(pending)
        end = self._finish(pending, where.block, where.at)
        return pending.count - len({*end.doubled, *end.refused}), len(end.doubled)

    # where streams stand -------------------------------------------------------------------------------------

    def _follow_chain(self) -> None:
        """Begin anew from what the chain has, if the journal goes on from anything else."""
        batches = self._context.view().batches(self._context.key.address)
        covers = batches[-1].after if batches else ZERO_DIGEST
        if self._journal.base().covers != covers:
            self._journal.follow(self._chain_base(batches))

    def _chain_base(self, batches: Sequence[Batch]) -> Base:
        """An index of all that counts on the chain: the newest one, unless it does not go on from all before it."""
        blocks = Staging(self._context.store)
        root = lines.merged(blocks, batches)
        blocks.flush()
        return Base(root, batches[-1].after if batches else ZERO_DIGEST)

    def _heads(self, drafts: Sequence[tuple[Target, Draft]], root: CID | None) -> dict[Digest, StreamHead]:
        """The ends of the streams that the drafts go on, by label."""
        me = self._context.key.address
        twins = {target.keys.label(draft.category, me): target.twin for target, draft in drafts}
        found = {label: self._head(twin, label, root) for label, twin in twins.items()}
        return {label: head for label, head in found.items() if head}

    def _head(self, twin: int, label: Digest, root: CID | None) -> StreamHead | None:
        """The end of a stream: from the journal, or from what this key anchored before the journal began."""
        packed = self._journal.head(label)
        if packed is not None:
            return _unpack(packed)
        stream = index.find(self._context.store, root, label) if root else None
        if root is None or stream is None:
            return None
        cid, first = list(index.pages(self._context.store, stream))[-1]
        page = index.read_page(cid, first, self._context.store.get(cid))
        row, sequence = page.rows[-1], first + len(page.rows) - 1
        if sequence + 1 != stream.count:
            raise IntegrityError("the last page of an index is not the last", block=str(cid))
        digest = row.manifest.digest
        leaf = Leaf(row.place, twin, self._context.key.address, label, sequence, digest, row.previous)
        head = StreamHead(stream.count, digest, leaf.hash, stream)
        self._journal.adopt(label, _pack(head))
        return head


def _pack(head: StreamHead) -> bytes:
    assert head.pages is not None, "a stream that was written has pages"
    return encoding.encode([head.count, head.manifest, head.leaf, head.pages.count, head.pages.top])


def _unpack(packed: bytes) -> StreamHead:
    count, manifest, leaf, pages, top = encoding.decode(packed)
    return StreamHead(count, manifest, leaf, Stream(pages, top))
