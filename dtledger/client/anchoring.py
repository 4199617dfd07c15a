"""Anchoring: a batch on its way into the store, the journal and the ledger, and how it is ended after a crash.

The order is what makes a crash harmless: blocks into the store, the batch into the journal, the anchor onto the
ledger, the journal again. Whoever comes back looks at the journal first and ends what was begun. Where journal and
chain differ (a lost file, a backup, a second machine with the same key) the chain is right.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import encoding
from .._backend.write_journal import Pending, WriteJournal
from ..encoding import CID
from ..errors import IntegrityError, UnreachableError
from ..ledger import Receipt, calls
from ..ledger.rejections import AlreadyAnchoredError
from ..snapshots import index
from ..snapshots.index import Stream
from ..snapshots.leaf import Leaf
from ..snapshots.staging import Staging
from ..snapshots.writer import Draft, StreamHead, Target, Written, seal_batch
from ..types import Digest, Period
from ..vocabulary import Reason
from .context import Context
from .write_rights import WriteRights, refusal


class Anchoring:
    """One key's batches. Whoever uses it holds the journal."""

    def __init__(self, context: Context, journal: WriteJournal, rights: WriteRights) -> None:
        self._context = context
        self._journal = journal
        self._rights = rights

    def begin(self) -> int:
        """End what a crash left, and follow the chain; returns how many snapshots that ended now count.

        Raises:
            UnreachableError: ledger or store does not answer.
        """
        resumed = self._resume()
        self._follow_chain()
        return resumed

    def write(
        self, target: Target, drafts: Sequence[Draft], marks: Sequence[bytes]
    ) -> tuple[Receipt, tuple[Written, ...]]:
        """Write and anchor drafts of one category; `marks` are kept if the batch counts.

        Raises:
            AccessDeniedError: the right ended before the batch's block, so that it does not count.
            UnreachableError: ledger or store does not answer, or an earlier batch still waits for its block.
        """
        context, category = self._context, drafts[0].category
        label = target.keys.label(category, context.key.address)
        root = self._journal.index_root()
        head = self._head(target.twin, label, root)
        blocks = Staging(context.store)
        heads = {label: head} if head else {}
        sealed = seal_batch(context.deployment, blocks, context.key, root, heads, [(target, draft) for draft in drafts])
        blocks.flush()
        bit = target.keys.bits.bit_of(category)
        snapshots = tuple((target.twin, bit, draft.period) for draft in drafts)
        pending = Pending(sealed.root, len(drafts), sealed.index, snapshots)
        self._journal.prepare(pending, {label: _pack(head) for label, head in sealed.heads.items()}, marks)
        receipt = self._anchor(pending)
        refused = self._finish(pending, receipt.block, receipt.at)
        if refused:
            raise refusal(target.twin, category, refused[0][0], [period for _, period in refused])
        return receipt, sealed.written

    def _anchor(self, pending: Pending) -> Receipt:
        call = calls.anchor_batch(pending.root, pending.count, pending.index_root.digest)
        try:
            return self._context.ledger.send(call, self._context.key)
        except AlreadyAnchoredError as error:  # sent by a run that broke off, and in no block that we see
            raise UnreachableError(
                "A batch of an earlier put still waits for its block.", hint="Try again when the chain has made one."
            ) from error

    def _finish(self, pending: Pending, block: int, at: int) -> list[tuple[Reason, Period]]:
        """The batch is in that block: note whether it counts there. Returns what does not, with the reasons."""
        view = self._context.view().earlier(block)
        reasons = [(self._rights.judge(view, twin, bit, period, at), period) for twin, bit, period in pending.snapshots]
        refused = [(reason, period) for reason, period in reasons if not reason.permits]
        self._journal.finish(counts=not refused)
        return refused

    def _resume(self) -> int:
        """End a batch that a crash left between journal and ledger; returns how many of its snapshots count."""
        pending = self._journal.pending()
        if pending is None:
            return 0
        anchored = self._context.view().batch(self._context.key.address, pending.root)
        where = anchored or self._anchor(pending)
        return pending.count - len(self._finish(pending, where.block, where.at))

    # where streams stand -------------------------------------------------------------------------------------

    def _follow_chain(self) -> None:
        """Begin anew from the newest index on the chain if the journal knows none, or one that was anchored before."""
        roots = [CID(batch.index) for batch in self._context.view().batches(self._context.key.address)]
        known = self._journal.index_root()
        if roots and known != roots[-1] and (known is None or known in roots):
            self._journal.follow(roots[-1])

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
