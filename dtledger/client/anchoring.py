"""Anchoring: a batch on its way into the store, the journal and the ledger, and how it is ended after a crash.

The order is what makes a crash harmless: blocks into the store, the batch into the journal, the anchor onto the
ledger, the journal again. Whoever comes back looks at the journal first and ends what was begun. Where journal and
chain differ (a lost file, a backup, a second machine with the same key) the chain is right.

A batch is at its end when the one right before it on the chain is the one that its index goes on from. If another
machine was faster, of two snapshots with one number the first anchored counts: those of ours that do not are written
again under the next numbers, after all that the chain has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import encoding
from .._backend.write_journal import Base, Pending, WriteJournal
from ..encoding import CID
from ..errors import IntegrityError, UnreachableError
from ..ledger import Batch, Receipt, calls
from ..ledger.rejections import AlreadyAnchoredError
from ..snapshots import index, lines
from ..snapshots.index import Stream
from ..snapshots.leaf import Leaf
from ..snapshots.staging import Staging
from ..snapshots.writer import Draft, StreamHead, Target, Written, seal_batch
from ..types import ZERO_DIGEST, Digest, Period
from ..vocabulary import Reason
from .context import Context
from .write_rights import WriteRights, refusal


@dataclass(frozen=True, slots=True)
class Anchored:
    """A batch that is on the ledger: its snapshots that count, and how many others' numbers were anchored before."""

    receipt: Receipt
    written: tuple[Written, ...]
    doubled: int


@dataclass(frozen=True, slots=True)
class _End:
    """How a batch ended: `counted` of its snapshots count, the first `doubled` have numbers that were anchored before,
    and these periods were not permitted."""

    counted: int
    doubled: int
    refused: tuple[tuple[Reason, Period], ...]


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

    def write(self, target: Target, drafts: Sequence[Draft], marks: Sequence[Sequence[bytes]]) -> list[Anchored]:
        """Write and anchor drafts of one category, in one batch unless another machine is faster; each draft's `marks`
        are kept if it counts.

        Raises:
            AccessDeniedError: the right ended before the batch's block, so that it does not count.
            UnreachableError: ledger or store does not answer, or an earlier batch still waits for its block.
        """
        batches: list[Anchored] = []
        while drafts:
            batches.append(self._write(target, drafts, marks))
            drafts, marks = drafts[: batches[-1].doubled], marks[: batches[-1].doubled]
        return batches

    def _write(self, target: Target, drafts: Sequence[Draft], marks: Sequence[Sequence[bytes]]) -> Anchored:
        context, category = self._context, drafts[0].category
        label = target.keys.label(category, context.key.address)
        base = self._journal.base()
        head = self._head(target.twin, label, base.index_root)
        blocks = Staging(context.store)
        heads = {label: head} if head else {}
        aimed = [(target, draft) for draft in drafts]
        sealed = seal_batch(context.deployment, blocks, context.key, base.index_root, base.covers, heads, aimed)
        blocks.flush()
        bit = target.keys.bits.bit_of(category)
        snapshots = tuple((target.twin, bit, draft.period) for draft in drafts)
        ends = {label: _pack(head) for label, head in sealed.heads.items()}
        pending = Pending(sealed.root, len(drafts), sealed.index, snapshots, ends)
        self._journal.prepare(pending, marks)
        receipt = self._anchor(pending)
        end = self._finish(pending, receipt.block, receipt.at)
        if end.refused:
            raise refusal(target.twin, category, end.refused[0][0], [period for _, period in end.refused])
        return Anchored(receipt, sealed.written[end.doubled :], end.doubled)

    def _anchor(self, pending: Pending) -> Receipt:
        call = calls.anchor_batch(pending.root, pending.count, pending.index_root.digest)
        try:
            return self._context.ledger.send(call, self._context.key)
        except AlreadyAnchoredError as error:  # sent by a run that broke off, and in no block that we see
            raise UnreachableError(
                "A batch of an earlier put still waits for its block.", hint="Try again when the chain has made one."
            ) from error

    def _finish(self, pending: Pending, block: int, at: int) -> _End:
        """The batch is in that block: note what of it counts there."""
        view = self._context.view()
        then = view.earlier(block)
        reasons = [(self._rights.judge(then, twin, bit, period, at), period) for twin, bit, period in pending.snapshots]
        refused = tuple((reason, period) for reason, period in reasons if not reason.permits)
        batches = view.batches(self._context.key.address)
        batch = view.batch(self._context.key.address, pending.root)
        if batch is None:
            raise UnreachableError(
                "The ledger does not show a batch that it took.", hint="Try again when its node has caught up."
            )
        if batch.before == self._journal.base().covers:
            doubled = 0
            self._journal.finish(Base(pending.index_root, batch.after), lost=pending.count if refused else 0)
        else:
            doubled = self._doubled(pending, batches[: batch.place])
            base = self._chain_base(batches)
            self._journal.finish(base, lost=pending.count if refused else doubled, forked=True)
        return _End(sum(reason.permits for reason, _ in reasons[doubled:]), doubled, refused)

    def _doubled(self, pending: Pending, before: Sequence[Batch]) -> int:
        """How many of a batch's snapshots, which are of one stream, have numbers that were anchored before it."""
        ((label, head),) = pending.heads.items()
        first = _unpack(head).count - pending.count
        counted = lines.count(lines.lines(self._context.store, before, label))
        return min(max(counted - first, 0), pending.count)

    def _resume(self) -> tuple[int, int]:
        """End a batch that a crash left between journal and ledger; returns how many of its snapshots count, and how
        many do not because their numbers were anchored before."""
        pending = self._journal.pending()
        if pending is None:
            return 0, 0
        anchored = self._context.view().batch(self._context.key.address, pending.root)
        where = anchored or self._anchor(pending)
        end = self._finish(pending, where.block, where.at)
        return end.counted, end.doubled

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
