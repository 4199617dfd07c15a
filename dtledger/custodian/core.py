"""The order of work of one custodian. Nothing leaves before the receipt is on the disk.

For each request: signature; enrolled, or the twin's present owner; freshness; replay → opens the shares in memory
and checks that each is what was asked → the rule, at its own node's head → a signed receipt, written and synced, of
permits and denials → shares sealed to the request's one-use key. Whatever fails means no share.

A stranger (refused before the opening, or by the rule with NO_GRANT or earlier) hears NO_CONSENT whatever the cause.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..crypto import seal
from ..crypto.merkle import MerkleTree
from ..custody import (
    RELEASE_CONTEXT,
    SHARE_CONTEXT,
    AccessReceipt,
    OwnerRequest,
    ReadRequest,
    Release,
    SealedShare,
    ShareHeader,
    TwinKey,
    encode_release,
)
from ..encoding import keccak
from ..errors import AccessDeniedError, HeadTooOldError, IntegrityError, LedgerRejection, UnreachableError
from ..ledger import Ledger, Sender, View, messages
from ..policy import MalformedRequestError, Request, check
from ..snapshots.signed import Signer
from ..types import Address, Digest, Head
from ..vocabulary import Reason
from .receipts import NOTHING_BEFORE, Entry, Receipts
from .twin_keys import TwinKeys

log = logging.getLogger(__name__)

FRESHNESS = 120
"""How far a request's time may lie from this custodian's clock, in seconds."""

MAX_SNAPSHOTS = 10_000
"""Most snapshots in one request."""

Opened = list[tuple[ShareHeader, bytes]]


class _Identity(Signer, Sender, Protocol):
    """A custodian's key signs receipts and, for heartbeats, transactions."""


@dataclass(frozen=True, slots=True)
class _Now:
    """One decision's place in time: the head, and the earlier and the later of its time and the clock's."""

    head: Head
    earliest: int
    latest: int


class Custodian:
    """Holds key pairs for twins and opens shares under consent.

    Args:
        key: signs receipts and heartbeats.
        ledger: this custodian's own node.
        twin_keys: the key pairs, one for each twin and owner, drawn at random.
        receipts: the append-only log.
        clock: unix seconds.
        max_head_age: seconds after which the head is too old to decide by.
    """

    def __init__(
        self,
        key: _Identity,
        ledger: Ledger,
        twin_keys: TwinKeys,
        receipts: Receipts,
        clock: Callable[[], int],
        max_head_age: int = 60,
    ) -> None:
        self._key = key
        self._ledger = ledger
        self._twin_keys = twin_keys
        self._receipts = receipts
        self._clock = clock
        self._max_head_age = max_head_age
        self._lock = threading.Lock()
        self.turned_away: Counter[str] = Counter()
        """Requests that ended before any share was opened, by cause; they leave no receipt."""

    @property
    def address(self) -> Address:
        return self._key.address

    # what owners ask -----------------------------------------------------------------------------------------

    def twin_key(self, request: OwnerRequest) -> TwinKey:
        digest = messages.key_request(self._ledger.deployment, request.twin, request.owner, request.at)
        self._require_owner(request, digest)
        public = self._twin_keys.obtain(request.twin, request.owner).public
        to_sign = TwinKey.to_sign(self._ledger.deployment, request.twin, request.owner, public)
        return TwinKey(self.address, public, self._key.sign_digest(to_sign))

    def receipts(self, request: OwnerRequest) -> list[AccessReceipt]:
        digest = messages.receipts_request(self._ledger.deployment, request.twin, request.owner, request.at)
        self._require_owner(request, digest)
        return [entry.receipt for entry in self._receipts.of_twin(request.twin)]

    def _require_owner(self, request: OwnerRequest, digest: Digest) -> None:
        owner = self._ledger.view().owner(request.twin)
        if messages.signer(digest, request.signature) != request.owner or owner != request.owner:
            raise self._turn_away("not the owner")
        if abs(self._clock() - request.at) > FRESHNESS:
            raise self._turn_away("stale")

    # what readers ask ----------------------------------------------------------------------------------------

    def open(self, request: ReadRequest, shares: Sequence[SealedShare]) -> Release:
        requester, request_hash = self._admit(request)
        earlier = self._receipts.by_nonce(request.nonce)
        if earlier is not None and earlier.receipt.request != request_hash:
            raise self._turn_away("replay")
        opened = self._open_shares(request, shares)
        now = self._now()
        reasons = self._decide(request, requester, opened, now)
        refused = tuple((digest, reason) for digest, reason in reasons if not reason.permits)
        receipt = self._write_receipt(request, requester, request_hash, refused, now)
        permitted = {digest for digest, reason in reasons if reason.permits}
        if not permitted and all(reason <= Reason.NO_GRANT for _, reason in refused):
            raise self._no_consent()
        released = [(header, share) for header, share in opened if header.digest in permitted]
        sealed = seal.seal(request.key, encode_release(released), RELEASE_CONTEXT)
        return Release(receipt, sealed, refused)

    def _admit(self, request: ReadRequest) -> tuple[Address, Digest]:
        """Signature, standing, freshness. Returns the requester and the hash of the signed request."""
        to_sign = request.to_sign(self._ledger.deployment)
        try:
            requester = messages.signer(to_sign, request.signature)
            seal.check_public(request.key)
        except (IntegrityError, ValueError):
            raise self._turn_away("malformed") from None
        view = self._ledger.view()
        if view.member(requester) is None and view.owner(request.twin) != requester:
            raise self._turn_away("stranger")
        if abs(self._clock() - request.at) > FRESHNESS:
            raise self._turn_away("stale")
        digests = request.digests
        if not 0 < len(digests) <= MAX_SNAPSHOTS or len(set(digests)) != len(digests) or len(request.nonce) != 32:
            raise self._turn_away("malformed")
        return requester, keccak(to_sign + request.signature)

    def _open_shares(self, request: ReadRequest, shares: Sequence[SealedShare]) -> Opened:
        """Open every share in memory; each must be one of those asked for and say so inside its seal."""
        if tuple(share.digest for share in shares) != request.digests:
            raise IntegrityError("the shares are not those that the request names")
        deployment = self._ledger.deployment
        pairs = self._twin_keys.all_of(request.twin)
        opened: Opened = []
        for sealed in shares:
            header, share = ShareHeader.decode(_open_with_any(pairs, sealed))
            if (header.deployment, header.twin, header.digest) != (deployment.id, request.twin, sealed.digest):
                raise IntegrityError("a share is not what was asked for", block=sealed.digest.hex())
            opened.append((header, share))
        return opened

    def _decide(
        self, request: ReadRequest, requester: Address, opened: Opened, now: _Now
    ) -> list[tuple[Digest, Reason]]:
        view = self._ledger.view(now.head.number)
        return [(header.digest, self._judge(view, request, requester, header, now)) for header, _ in opened]

    def _judge(self, view: View, request: ReadRequest, requester: Address, header: ShareHeader, now: _Now) -> Reason:
        question = Request(
            twin=request.twin,
            requester=requester,
            grantee=request.grantee,
            number=request.number,
            action=request.action,
            purpose=request.purpose,
            bit=header.bit,
            period=header.period,
        )
        try:
            return check(view, question, now.earliest, now.latest)
        except MalformedRequestError:
            raise self._turn_away("malformed") from None

    # time ----------------------------------------------------------------------------------------------------

    def _now(self) -> _Now:
        """The head to decide by; an old one is renewed by one heartbeat.

        Raises:
            HeadTooOldError: no new block came.
        """
        head = self._ledger.head()
        if self._clock() - head.at > self._max_head_age:
            head = self._beat(head)
        clock = self._clock()
        return _Now(head, min(clock, head.at), max(clock, head.at))

    def _beat(self, old: Head) -> Head:
        try:
            self._ledger.heartbeat(self._key)
            head = self._ledger.head()
        except (UnreachableError, LedgerRejection) as error:
            raise self._frozen(old) from error
        if self._clock() - head.at > self._max_head_age:
            raise self._frozen(head)
        return head

    def _frozen(self, head: Head) -> HeadTooOldError:
        return HeadTooOldError(
            f"Block {head.number} is {self._clock() - head.at} s old and no newer one came, so nothing is permitted.",
            hint="Check that the chain makes blocks and that this custodian's account can pay for a heartbeat.",
        )

    # receipts ------------------------------------------------------------------------------------------------

    def _write_receipt(
        self,
        request: ReadRequest,
        requester: Address,
        request_hash: Digest,
        refused: tuple[tuple[Digest, Reason], ...],
        now: _Now,
    ) -> AccessReceipt:
        """The receipt of this outcome: the first one again if a retry has the same outcome, else a new one."""

        def make(last: Entry | None, last_of_twin: Entry | None) -> Entry:
            receipt = AccessReceipt(
                custodian=self.address,
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
                request=request_hash,
                at=now.latest,
                block=now.head.number,
                block_hash=now.head.hash,
            )
            signature = self._key.sign_digest(receipt.to_sign(self._ledger.deployment))
            return Entry(replace(receipt, signature=signature), request.nonce, request.digests)

        with self._lock:
            earlier = self._receipts.by_nonce(request.nonce)
            if earlier is not None:
                if earlier.receipt.request != request_hash:
                    raise self._turn_away("replay")
                if earlier.receipt.refused == refused:
                    return earlier.receipt
        return self._receipts.append(request.twin, make).receipt

    # refusals ------------------------------------------------------------------------------------------------

    def _turn_away(self, cause: str) -> AccessDeniedError:
        self.turned_away[cause] += 1
        log.info("request turned away: %s", cause)
        return self._no_consent()

    def _no_consent(self) -> AccessDeniedError:
        return AccessDeniedError(
            "NO_CONSENT: the custodian found no consent for this request.",
            reason=Reason.NO_GRANT,
            hint="Ask the patient for a grant, or run `dtledger consent explain`.",
        )


def _open_with_any(pairs: Sequence[seal.SealKey], sealed: SealedShare) -> bytes:
    """Open with the key pair of the present owner, or of an earlier one."""
    for pair in pairs:
        try:
            return seal.open_(pair, sealed.sealed, SHARE_CONTEXT)
        except IntegrityError:
            continue
    raise IntegrityError("a share is not sealed to this custodian", block=sealed.digest.hex())


__all__ = ["FRESHNESS", "MAX_SNAPSHOTS", "Custodian"]
