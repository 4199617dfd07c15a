"""Writing to a twin: readings become hourly snapshots, batches of them are stored, then anchored.

Readings that were written before are counted and left out; those of a batch that does not count, because the right to
write ended before its block, are as if they had not been written. New readings of an hour that was written before come
into a snapshot of their own; what was written wrong is corrected by one that names it and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from ..encoding import CID
from ..errors import AccessDeniedError, InputError
from ..ledger import Receipt
from ..readings import Group, Reading, encode_readings, hourly
from ..snapshots.package import Keys
from ..snapshots.unanchored import Unanchored, open_unanchored
from ..snapshots.writer import Draft, Target, Written
from ..types import Digest
from ..vocabulary import STATES, Reason
from .parts import PartWriter, digest_of, mark_of
from .snapshots import Listed
from .write_rights import refusal

CLOCK_AHEAD = 15 * 60
"""Seconds that a device's clock may be ahead of ours."""

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
    doubled: int = 0
    """Snapshots that do not count because another machine with this key was faster: it anchored theirs of these
    numbers first. What they held was written again, or, if a crash had left them, is as if it had not been written."""


def require_past(groups: Iterable[Group], now: int) -> None:
    """Pass if no reading is of a time to come: it is a wrong clock's, and would hide for as long that newer ones are
    missing. `now` is in unix seconds.

    Raises:
        InputError: one is over `CLOCK_AHEAD` ahead.
    """
    early = [each for group in groups for each in group.readings if each.seconds > now + CLOCK_AHEAD]
    if early:
        raise InputError(
            f"{len(early):,} readings are of a time to come, the first of {early[0].at.isoformat()}.",
            hint="Look at the clock that wrote them: another --tz, --utc-offset or --date-order may be meant.",
        )


class Writer(PartWriter):
    """Puts readings into twins that this key may write to."""

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
            InputError: a reading is of a time to come (over `CLOCK_AHEAD`), or the twin has no card yet; nothing was
                written.
            AccessDeniedError: no grant permits all of it, and nothing was written; or the grant ended meanwhile, and
                what was anchored since does not count. `.evidence["refused"]` lists the periods.
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
        if category in STATES:
            raise InputError(f"{category} holds no readings: a twin's gateway writes it.")
        result = self._begin()
        groups = hourly(readings)
        require_past(groups, self._context.now().latest)
        keys = self._rights.require(twin, category, [group.period for group in groups])
        fresh = [group for group in (self._fresh(keys, category, group, result) for group in groups) if group.readings]
        done = 0
        for some in _chunks(fresh, batch):
            target = self._target(twin, category, [group.period for group in some])
            drafts = [Draft(category, group.period, encode_readings(category, group.readings)) for group in some]
            self._write(target, drafts, [group.readings for group in some], result)
            done += len(some)
            if progress:
                progress(done, len(fresh))
        return result

    def unanchored(self, cid: str) -> Unanchored:
        """What a gateway could not anchor in time and sealed to this key.

        Raises:
            IntegrityError: it is no CID, not sealed to this key, or nobody's signed word.
        """
        context = self._context
        block = context.store.get(CID.decode(cid))
        return open_unanchored(context.deployment, block, context.key.address, context.key.secrets.seal_keys)

    def adopt(self, cid: str) -> PutResult:
        """As the owner, anchor what a gateway could not anchor in time; once, however often it is asked. Raises as
        `unanchored` and `put`."""
        found = self.unanchored(cid)
        return self.put(found.twin, found.category, found.readings)

    def amend(
        self, digest: Digest, readings: Iterable[Reading], reason: str, *, replaces: Iterable[int] | None = None
    ) -> PutResult:
        """Correct a snapshot by another one of the same twin, category and period, which names it and says why.

        What stood before stays readable (`Reader.read(..., originals=True)`). The same correction is written once: put
        again after a crash, it is found written. A correction is corrected as any snapshot is.

        Args:
            digest: of the manifest that is corrected; its writer may be somebody else.
            readings: what should stand; none withdraws what is replaced.
            replaces: the unix seconds whose values they take the place of. By default all of the snapshot's.

        Raises:
            AccessDeniedError: this key neither owns the twin nor holds WRITE for the category and the whole period.
            CannotCheckError: the snapshot is not anchored.
            InputError: it does not count, a reading or a second is of another time, or there is no good reason.
            UnreachableError: as `put`.
        """
        with self._journal.held():
            return self._amend(digest, tuple(readings), reason, None if replaces is None else tuple(replaces))

    def _amend(
        self, digest: Digest, readings: Sequence[Reading], reason: str, replaces: Sequence[int] | None
    ) -> PutResult:
        result = self._begin()
        twin, draft = self.draft_amendment(digest, readings, reason, replaces=replaces)
        target = self._target(twin, draft.category, [draft.period])
        mark = digest_of(target.keys, draft.category, ["amendment", digest, draft.plaintext])
        if self._journal.unwritten([mark]):
            self._write(target, [draft], [readings], result, mark)
        else:
            result.known = len(readings)
        return result

    def draft_amendment(
        self, digest: Digest, readings: Iterable[Reading], reason: str, *, replaces: Iterable[int] | None = None
    ) -> tuple[int, Draft]:
        """Its twin and what `amend` would write, without a trace. Raises as `amend`."""
        readings, replaces = tuple(readings), None if replaces is None else tuple(replaces)
        if not reason.strip():
            raise InputError("A correction needs a reason.")
        listed = self.amendable(digest)
        manifest = listed.found.manifest
        assert listed.category is not None
        times = [each.seconds for each in readings] + list(replaces or ())
        if not all(manifest.period.start <= each // 60 <= manifest.period.end for each in times):
            raise InputError(
                "A correction lies within the minutes of the snapshot that it corrects.",
                hint="Withdraw what stands at the wrong time, and put what belongs to another.",
            )
        try:
            plaintext = encode_readings(listed.category, readings, reason, replaces)
        except ValueError as error:
            raise InputError(f"This is no correction: {error}.") from error
        return manifest.twin, Draft(listed.category, manifest.period, plaintext, digest)

    def amendable(self, digest: Digest) -> Listed:
        """The snapshot of that manifest digest, with its category, if this key may correct it. Raises as `amend`."""
        listed = self._show(digest)
        manifest = listed.found.manifest
        if listed.category is None:
            raise AccessDeniedError(
                f"This key can name no category of the stream that the snapshot {digest.hex()} is of.",
                reason=Reason.CATEGORY,
                hint="Ask the twin's owner for a grant to WRITE that covers it.",
            )
        self._rights.require(manifest.twin, listed.category, [manifest.period])
        if not listed.found.counts:
            raise InputError(
                f"The snapshot {digest.hex()} does not count, so there is nothing to correct.",
                hint="Its writer had no right to write it: put what should stand.",
            )
        return listed

    def _write(
        self,
        target: Target,
        drafts: Sequence[Draft],
        readings: Sequence[Sequence[Reading]],
        result: PutResult,
        *marks: bytes,
    ) -> None:
        """One batch of one category. What each draft holds will be known from then on, and what `marks` stand for."""
        category = drafts[0].category
        known = [[*marks, *(mark_of(target.keys, category, each) for each in some)] for some in readings]
        outcome = self._anchoring.write([(target, draft) for draft in drafts], known)
        if outcome.refused:
            reason = next(iter(outcome.refused.values()))
            raise refusal(target.twin, category, reason, [drafts[place].period for place in outcome.refused])
        for batch in outcome.batches:
            result.anchors.append(batch.receipt)
            result.written += batch.written
            result.doubled += batch.doubled
        result.readings += sum(map(len, readings))

    def _begin(self) -> PutResult:
        resumed, doubled = self._anchoring.begin()
        return PutResult(resumed=resumed, doubled=doubled)

    # what is new? --------------------------------------------------------------------------------------------

    def _fresh(self, keys: Keys, category: str, group: Group, result: PutResult) -> Group:
        marks = [mark_of(keys, category, reading) for reading in group.readings]
        unwritten = self._journal.unwritten(marks)
        fresh = tuple(reading for reading, mark in zip(group.readings, marks, strict=True) if mark in unwritten)
        result.known += len(group.readings) - len(fresh)
        return hourly(fresh)[0] if fresh else Group(group.period, ())


def _chunks(groups: Sequence[Group], size: int) -> Iterator[list[Group]]:
    waiting = iter(groups)
    while some := list(islice(waiting, size)):
        yield some
