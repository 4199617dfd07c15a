"""Writing to a twin: readings become hourly snapshots, batches of them are stored, then anchored.

The order is what makes a crash harmless: blocks into the store, the batch into the journal, the anchor onto the
ledger, the journal again. Whoever comes back looks at the journal first and ends what was begun. Readings that were
written before are counted and left out; those of a batch that does not count, because the right to write ended before
its block, are as if they had not been written. Where journal and chain differ (a lost file, a backup, a second machine
with the same key) the chain is right.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from .. import encoding
from .._backend.write_journal import Pending, WriteJournal
from ..encoding import CID
from ..errors import AccessDeniedError, IntegrityError, UnreachableError
from ..ledger import GrantRecord, Receipt, View, calls
from ..ledger.rejections import AlreadyAnchoredError
from ..policy import Request, check
from ..readings import Group, Reading, encode_readings, hourly
from ..snapshots import index
from ..snapshots.index import Stream
from ..snapshots.leaf import Leaf
from ..snapshots.package import Keys
from ..snapshots.roster import Roster
from ..snapshots.staging import Staging
from ..snapshots.writer import Draft, StreamHead, Target, Written, seal_batch
from ..types import ZERO_DIGEST, Digest, Period
from ..vocabulary import Action, Reason
from .context import Context
from .deciding import grantees_of
from .keyrings import granted_keys, owner_keys

SNAPSHOTS_IN_A_BATCH = 96
"""Four days of hourly snapshots: an anchor costs the same for one as for many."""


@dataclass(slots=True)
class PutResult:
    """What a put did: snapshots written, readings in them, readings known before, and the anchors' receipts."""

    written: list[Written] = field(default_factory=list)
    readings: int = 0
    known: int = 0
    anchors: list[Receipt] = field(default_factory=list)
    resumed: int = 0
    """Snapshots of an earlier put that a crash had left unanchored and that are anchored now."""


class Writer:
    """Puts readings into twins that this key may write to."""

    def __init__(self, context: Context, journal: WriteJournal, roster: Callable[[int], Roster]) -> None:
        self._context = context
        self._journal = journal
        self._roster = roster

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def put(
        self,
        twin: int,
        category: str,
        readings: Iterable[Reading],
        *,
        batch: int = SNAPSHOTS_IN_A_BATCH,
        progress: Callable[[int, int], None] | None = None,
    ) -> PutResult:
        """Write readings of one category; `progress` is told snapshots anchored and snapshots in all.

        Raises:
            AccessDeniedError: no grant permits all of it, and nothing was written; or the grant ended meanwhile, and
                what was anchored since does not count. `.evidence["refused"]` lists the periods.
            InputError: the twin has no card yet.
            UnreachableError: ledger or store does not answer; put again, and it goes on where it stopped.
        """
        with self._journal.held():
            return self._put(twin, category, readings, batch, progress)

    def _put(
        self,
        twin: int,
        category: str,
        readings: Iterable[Reading],
        batch: int,
        progress: Callable[[int, int], None] | None,
    ) -> PutResult:
        result = PutResult(resumed=self._resume())
        self._follow_chain()
        keys, groups = self._permitted(twin, category, hourly(readings))
        fresh = [group for group in (self._fresh(keys, category, group, result) for group in groups) if group.readings]
        done = 0
        for some in _chunks(fresh, batch):
            keys, _ = self._permitted(twin, category, some)  # a newer grant, card or denial counts from this batch on
            self._write(Target(twin, keys, self._roster(twin)), category, some, result)
            done += len(some)
            if progress:
                progress(done, len(fresh))
        return result

    # may it be written? --------------------------------------------------------------------------------------

    def _permitted(self, twin: int, category: str, groups: list[Group]) -> tuple[Keys, list[Group]]:
        """The keys to write with, if one grant (or ownership) permits every group."""
        context = self._context
        view = context.view()
        owner = view.owner(twin)
        if owner == context.key.address:
            return owner_keys(context.key.secrets.twin(context.deployment.id, twin)), groups
        if owner is None:
            raise AccessDeniedError(f"There is no twin {twin}.", reason=Reason.TWIN_UNKNOWN)
        furthest: tuple[Reason, list[Period]] = (Reason.NO_GRANT, [])
        for record in self._writing_grants(view, twin):
            keys = granted_keys(context, record)
            refused = self._refused(record, keys, category, groups)
            if not refused:
                return keys, groups
            worst = min(reason for reason, _ in refused)
            if worst >= furthest[0]:
                furthest = worst, [period for _, period in refused]
        raise _refusal(twin, category, *furthest)

    def _writing_grants(self, view: View, twin: int) -> Iterator[GrantRecord]:
        owner = view.owner(twin)
        for grantee in grantees_of(view, self._context.key.address) if owner else []:
            for record in view.slots_of(owner, twin, grantee):  # type: ignore[arg-type]
                if record.grant.actions & Action.WRITE.mask and record.package != ZERO_DIGEST:
                    yield record

    def _refused(
        self, record: GrantRecord, keys: Keys, category: str, groups: list[Group]
    ) -> list[tuple[Reason, Period]]:
        context = self._context
        now = context.now()
        try:
            bit = keys.bits.bit_of(category)
        except AccessDeniedError:
            return [(Reason.CATEGORY, group.period) for group in groups]
        reasons = [(self._ask(now.view, record, bit, group.period, now.latest), group.period) for group in groups]
        return [(reason, period) for reason, period in reasons if not reason.permits]

    def _ask(self, view: View, record: GrantRecord, bit: int, period: Period, at: int) -> Reason:
        """The rule's answer to writing under one grant."""
        slot, me = record.slot, self._context.key.address
        return check(view, Request(slot.twin, me, slot.grantee, slot.number, Action.WRITE, None, bit, period), at, at)

    def _judge(self, view: View, twin: int, bit: int, period: Period, at: int) -> Reason:
        """The answer of the grant that gets furthest, or of ownership."""
        if view.owner(twin) == self._context.key.address and view.card(twin) is not None:
            return Reason.OWNER
        reasons = [self._ask(view, record, bit, period, at) for record in self._writing_grants(view, twin)]
        return max(reasons, key=lambda reason: (reason.permits, reason), default=Reason.NO_GRANT)

    # what is new? --------------------------------------------------------------------------------------------

    def _fresh(self, keys: Keys, category: str, group: Group, result: PutResult) -> Group:
        marks = [_mark(keys, category, reading) for reading in group.readings]
        unwritten = self._journal.unwritten(marks)
        fresh = tuple(reading for reading, mark in zip(group.readings, marks, strict=True) if mark in unwritten)
        result.known += len(group.readings) - len(fresh)
        return hourly(fresh)[0] if fresh else Group(group.period, ())

    # writing -------------------------------------------------------------------------------------------------

    def _write(self, target: Target, category: str, groups: Sequence[Group], result: PutResult) -> None:
        context = self._context
        label = target.keys.label(category, context.key.address)
        root = self._journal.index_root()
        head = self._head(target.twin, label, root)
        blocks = Staging(context.store)
        drafts = [
            (target, Draft(category, group.period, encode_readings(category, group.readings))) for group in groups
        ]
        sealed = seal_batch(context.deployment, blocks, context.key, root, {label: head} if head else {}, drafts)
        blocks.flush()
        marks = [_mark(target.keys, category, reading) for group in groups for reading in group.readings]
        bit = target.keys.bits.bit_of(category)
        snapshots = tuple((target.twin, bit, group.period) for group in groups)
        pending = Pending(sealed.root, len(drafts), sealed.index, snapshots)
        self._journal.prepare(pending, {label: _pack(head) for label, head in sealed.heads.items()}, marks)
        receipt = self._anchor(pending)
        result.anchors.append(receipt)
        refused = self._finish(pending, receipt.block, receipt.at)
        if refused:
            raise _refusal(target.twin, category, refused[0][0], [period for _, period in refused])
        result.written += sealed.written
        result.readings += sum(len(group.readings) for group in groups)

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
        reasons = [(self._judge(view, twin, bit, period, at), period) for twin, bit, period in pending.snapshots]
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


def _refusal(twin: int, category: str, reason: Reason, refused: list[Period]) -> AccessDeniedError:
    return AccessDeniedError(
        f"Writing {category} to twin {twin} is refused: {reason.text} ({reason.name}).",
        reason=reason,
        hint="Ask the twin's owner for a grant that covers it.",
        refused=refused,
    )


def _mark(keys: Keys, category: str, reading: Reading) -> bytes:
    what = encoding.encode([category, reading.seconds, reading.value, reading.unit, reading.quality])
    return hmac.new(keys.label(category, _MARKER), what, hashlib.sha256).digest()[:16]


_MARKER = encoding.address("0x" + "00" * 19 + "01")
"""No writer: the label of nobody's stream is the key of the marks."""


def _pack(head: StreamHead) -> bytes:
    assert head.pages is not None, "a stream that was written has pages"
    return encoding.encode([head.count, head.manifest, head.leaf, head.pages.count, head.pages.top])


def _unpack(packed: bytes) -> StreamHead:
    count, manifest, leaf, pages, top = encoding.decode(packed)
    return StreamHead(count, manifest, leaf, Stream(pages, top))


def _chunks(groups: Sequence[Group], size: int) -> Iterator[list[Group]]:
    waiting = iter(groups)
    while some := list(islice(waiting, size)):
        yield some
