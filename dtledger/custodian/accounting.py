"""How a custodian accounts for what it decided: the receipt of an outcome, chained to the one before it and signed.

The day's limit is asked here, where nobody else can write: of requests at one time each counts what the others opened.
"""

from __future__ import annotations

from dataclasses import replace

from ..crypto.merkle import MerkleTree
from ..custody import NOTHING_BEFORE, AccessReceipt, ReadRequest
from ..errors import IntegrityError
from ..ledger import Ledger, Now
from ..policy import EMPTY, Grant
from ..types import Address, Digest
from ..vocabulary import Reason
from .limits import DAY_SECONDS, DailyLimit, MinuteLimit
from .now import Identity
from .receipts import Entry, Receipts

Judged = list[tuple[Digest, Reason]]
"""Snapshots and what the rule says of each."""


class Accounting:
    """The part of a `Custodian` that writes receipts."""

    _key: Identity
    _ledger: Ledger
    _receipts: Receipts
    _daily: DailyLimit | None
    _minutely: MinuteLimit | None
    _newest: bytes
    """Signature of the newest receipt that this object made."""

    def _earlier(self, request: ReadRequest, requester: Address) -> Entry | None:
        raise NotImplementedError

    def _write_receipt(self, request: ReadRequest, requester: Address, reasons: Judged, now: Now) -> AccessReceipt:
        """The receipt of this outcome: the first one again if a retry has the same outcome, else a new one."""

        def make(last: Entry | None, last_of_twin: Entry | None) -> Entry:
            earlier = self._earlier(request, requester)  # asked again, now that nobody else can write
            refused = self._refused(request, reasons, earlier, now)
            if earlier is not None and earlier.receipt.refused == refused:
                return earlier
            self._require_own(last)
            receipt = AccessReceipt(
                custodian=self._key.address,
                number=last.receipt.number + 1 if last else 0,
                previous=last.receipt.hash if last else NOTHING_BEFORE,
                twin=request.twin,
                twin_number=last_of_twin.receipt.twin_number + 1 if last_of_twin else 0,
                twin_previous=last_of_twin.receipt.hash if last_of_twin else NOTHING_BEFORE,
                requester=requester,
                grantee=request.grantee,
                slot=request.number,
                action=request.action,
                purpose=request.purpose,
                digests=MerkleTree(request.digests).root,
                count=len(request.digests),
                refused=refused,
                request=request.hash(self._ledger.deployment),
                at=now.latest,
                block=now.tip.head.number,
                block_hash=now.tip.head.hash,
            )
            if refused and self._minutely is not None:
                self._minutely.note_refused(requester, now.latest, len(refused))
            self._newest = self._key.sign_digest(receipt.to_sign(self._ledger.deployment))
            return Entry(replace(receipt, signature=self._newest), request.nonce, request.digests)

        return self._receipts.append(request.twin, make).receipt

    def _refused(
        self, request: ReadRequest, reasons: Judged, earlier: Entry | None, now: Now
    ) -> tuple[tuple[Digest, Reason], ...]:
        """What is refused, and all of it if the grant's day is over; asked while nobody else can write."""
        refused = tuple((digest, reason) for digest, reason in reasons if not reason.permits)
        if self._daily is None or all(reason is not Reason.PERMITTED for _, reason in reasons):
            return refused
        since = now.latest - DAY_SECONDS
        before = self._receipts.released_since(request.twin, request.grantee, request.number, since)
        again = earlier.receipt.permitted if earlier else 0
        if before - again + len(reasons) - len(refused) <= self._daily.most(grant_of(request, now)):
            return refused
        return tuple((digest, Reason.LIMIT if reason.permits else reason) for digest, reason in reasons)

    def _require_own(self, last: Entry | None) -> None:
        """Nothing is chained to a receipt that this custodian did not sign: the newest one answers for all before."""
        if last is not None and last.receipt.signature != self._newest:
            if last.receipt.custodian != self._key.address:
                raise IntegrityError("the receipt log is another custodian's", party=last.receipt.custodian)
            last.receipt.verify(self._ledger.deployment)


def grant_of(request: ReadRequest, now: Now) -> Grant:
    """The grant that permits, as it stands."""
    owner = now.view.owner(request.twin)
    return now.view.grant(owner, request.twin, request.grantee, request.number) if owner else EMPTY
