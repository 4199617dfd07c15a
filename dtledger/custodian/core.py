"""The order of work of one custodian. Nothing leaves before the receipt is on the disk.

For each request: signature; enrolled, or the twin's present owner; freshness; replay; pace; a head young enough to
decide by → opens the shares in memory and checks that each is what was asked → the rule, at its own node's head by
then, and for one snapshot the contract's own word; the day's limit → a signed receipt, written and synced, of permits
and denials → shares sealed to the request's one-use key. Whatever fails means no share.

A stranger (refused before the opening, or by the rule with NO_GRANT or earlier) hears NO_CONSENT whatever the cause.
Nonces are kept apart by requester, so that nobody can spend another's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from ..crypto import seal
from ..custody import (
    RELEASE_CONTEXT,
    AccessReceipt,
    CustodianIdentity,
    Letter,
    LettersRequest,
    OwnerRequest,
    Probe,
    ProbeReply,
    ReadRequest,
    ReceiptProof,
    Release,
    SealedShare,
    ShareHeader,
    TwinKey,
    encode_release,
)
from ..errors import AccessDeniedError, HeadTooOldError, IntegrityError, LimitPassedError
from ..ledger import Ledger, Now, Receipt, Tip, View, messages
from ..types import Address, Digest, Period
from ..vocabulary import Reason
from .accounting import Judged, grant_of
from .anchoring import Anchoring
from .destruction import OwnerMessage
from .form import require_form
from .judging import contract_refuses, is_stranger, judge
from .letters import Letters, MemoryLetters
from .limits import DailyLimit, LimitAtOnce, MinuteLimit
from .mailroom import Mailroom
from .now import AT_ONCE, FRESHNESS, Identity, Patience, Timekeeper
from .probing import is_known, is_owners, reply_to
from .receipts import Entry, Receipts
from .recovery import Recovering
from .twin_keys import TwinKeys, open_with_any

log = logging.getLogger(__name__)

MAX_SNAPSHOTS = 10_000
"""Most snapshots in one request."""

Opened = list[tuple[ShareHeader, bytes]]


class Custodian(Recovering):
    """Holds key pairs for twins and opens shares under consent.

    Args:
        key: signs receipts and heartbeats.
        ledger: this custodian's own node.
        twin_keys: the key pairs, one for each twin and owner, drawn at random.
        receipts: the append-only log.
        clock: unix seconds.
        max_head_age: seconds after which the head is too old to decide by.
        letters: between owners and those who ask them for consent; by default in memory.
        daily, minutely, at_once: how much it gives; by default as much as consent permits.
        patience: how long it waits for another custodian's heartbeat before its own; by default not at all.
        ticks: seconds that go on whatever the clock is set to.
    """

    def __init__(
        self,
        key: Identity,
        ledger: Ledger,
        twin_keys: TwinKeys,
        receipts: Receipts,
        clock: Callable[[], int],
        max_head_age: int = 60,
        letters: Letters | None = None,
        daily: DailyLimit | None = None,
        minutely: MinuteLimit | None = None,
        patience: Patience = AT_ONCE,
        ticks: Callable[[], float] = time.monotonic,
        at_once: LimitAtOnce | None = None,
    ) -> None:
        self._key = key
        self._ledger = ledger
        self._twin_keys = twin_keys
        self._receipts = receipts
        self._clock = clock
        self._anchoring = Anchoring(key, ledger, receipts)
        self._time = Timekeeper(ledger, key, clock, max_head_age, self.anchor, patience, ticks)
        letters = letters or MemoryLetters()
        self._mailroom = Mailroom(key.address, ledger, twin_keys, letters, clock, self._require_pace)
        self._daily, self._minutely, self._at_once = daily, minutely, at_once
        self._newest = b""
        self._lock = threading.Lock()
        self.turned_away: Counter[str] = Counter()
        """Requests that ended before their shares were opened, by cause; they leave no receipt."""
        self.decided: Counter[Reason] = Counter()
        """Snapshots by what was decided on them."""
        self.limits_passed: Counter[str] = Counter()
        self.disagreements = 0
        """How often the contract refused what the index of the same block permits."""

    @property
    def address(self) -> Address:
        return self._key.address

    def identify(self, nonce: bytes) -> CustodianIdentity:
        """Who it is, and its node's head, signed for whoever drew `nonce`.

        Raises:
            UnreachableError: its node does not answer.
        """
        deployment = self._ledger.deployment
        identity = CustodianIdentity(self.address, deployment.id, self._ledger.head())
        return identity.signed(self._key.sign_digest(identity.to_sign(deployment, nonce)))

    # what owners ask -----------------------------------------------------------------------------------------

    def twin_key(self, request: OwnerRequest) -> TwinKey:
        self._require_owner(request, messages.key_request)
        self._require_log(self._ledger.view())
        public = self._twin_keys.obtain(request.twin, request.owner).public
        to_sign = TwinKey.to_sign(self._ledger.deployment, request.twin, request.owner, public)
        return TwinKey(self.address, public, self._key.sign_digest(to_sign))

    def receipts(self, request: OwnerRequest, first: int = 0, most: int | None = None) -> list[AccessReceipt]:
        """Of the twin's own list, from number `first` on, at most so many."""
        self._require_owner(request, messages.receipts_request)
        log.info("receipts of twin %d pulled by its owner", request.twin)
        return [entry.receipt for entry in self._receipts.of_twin(request.twin, first, most)]

    def digests(self, request: OwnerRequest, first: int = 0, most: int | None = None) -> list[tuple[Digest, ...]]:
        """Beside the twin's receipts from number `first` on, of at most so many."""
        self._require_owner(request, messages.receipts_request)
        log.info("digests of twin %d pulled by its owner", request.twin)
        return [entry.digests for entry in self._receipts.of_twin(request.twin, first, most)]

    def probe(self, probe: Probe) -> ProbeReply:
        known = is_known(self._ledger.view(), probe.slot.owner)  # an answer may cost a heartbeat
        if not known or not is_owners(probe, self._ledger.deployment, self.address):
            raise self._turn_away("not the owner")
        if abs(self._clock() - probe.at) > FRESHNESS:
            raise self._turn_away("stale")
        reply = reply_to(probe, self.address, self._time.now())
        return reply.signed(self._key.sign_digest(reply.to_sign(self._ledger.deployment)))

    def receipt_proof(self, request: OwnerRequest) -> ReceiptProof | None:
        self._require_owner(request, messages.receipts_request)
        return self._anchoring.proof(request.twin)

    def anchor(self) -> Receipt | None:
        """Anchor the receipt log, if it has grown; see `Anchoring.anchor`. Services call it now and then."""
        return self._anchoring.anchor()

    def require_log(self) -> None:
        """Pass if the log has all that was anchored of it; raises as `Anchoring.require_whole`."""
        self._anchoring.require_whole(self._ledger.view())

    def _require_log(self, view: View) -> None:
        try:
            self._anchoring.require_whole(view)
        except IntegrityError:
            self._count("behind")
            raise

    def _require_owner(self, request: OwnerRequest, message: OwnerMessage) -> None:
        try:
            digest = message(self._ledger.deployment, request.twin, request.owner, self.address, request.at)
            signer = messages.signer(digest, request.signature)
        except (IntegrityError, ValueError, OverflowError):
            raise self._turn_away("malformed") from None
        tip = self._ledger.tip()
        if signer != request.owner or tip.view.owner(request.twin) != signer:
            raise self._turn_away("not the owner", tip)
        if abs(self._clock() - request.at) > FRESHNESS:
            raise self._turn_away("stale")

    # letters -------------------------------------------------------------------------------------------------

    def leave(self, letter: Letter) -> None:
        self._mailroom.leave(letter)

    def letters(self, request: LettersRequest) -> list[Letter]:
        return self._mailroom.letters(request)

    # what readers ask ----------------------------------------------------------------------------------------

    def open(self, request: ReadRequest, shares: Sequence[SealedShare]) -> Release:
        requester = self._admit(request, shares)
        with self._place(requester, len(shares)):
            return self._open(request, shares, requester)

    def _open(self, request: ReadRequest, shares: Sequence[SealedShare], requester: Address) -> Release:
        try:
            opened = self._open_shares(request, shares)
        except IntegrityError:
            self._refuse_stranger(request, requester)
            raise
        now = self._time.now()
        reasons = [(header.digest, judge(request, requester, header.bit, header.period, now)) for header, _ in opened]
        reasons = self._confirmed(request, requester, opened, reasons, now)
        receipt = self._write_receipt(request, requester, reasons, now)
        refused = dict(receipt.refused)
        self.decided.update(refused.get(digest, reason) for digest, reason in reasons)
        if len(refused) == len(reasons) and all(map(is_stranger, refused.values())):
            raise _no_consent(now.tip)
        if Reason.LIMIT in refused.values():
            raise self._over_the_limit(request, now)
        released = [(header, share) for header, share in opened if header.digest not in refused]
        sealed = seal.seal_once(request.key, encode_release(released), RELEASE_CONTEXT)
        return Release(receipt, sealed, receipt.refused)

    def _confirmed(self, request: ReadRequest, requester: Address, opened: Opened, reasons: Judged, now: Now) -> Judged:
        """The reasons, if the contract permits too what they permit; else it refuses all of that as it says."""
        permitted = [header for (header, _), (_, reason) in zip(opened, reasons, strict=True) if reason.permits]
        said = contract_refuses(self._ledger, request, requester, permitted, now)
        if said is None:
            return reasons
        if self._ledger.head() == now.tip.head:
            self.disagreements += 1
            log.error("the contract refuses (%s) what the index permits at the same block: nothing is given", said.name)
        return [(digest, said if reason.permits else reason) for digest, reason in reasons]

    def _admit(self, request: ReadRequest, shares: Sequence[SealedShare]) -> Address:
        """Form and signature, standing, freshness, replay, and whether it is known what time it is; the requester."""
        try:
            require_form(request, shares, MAX_SNAPSHOTS)
            requester = messages.signer(request.to_sign(self._ledger.deployment), request.signature)
            seal.check_public(request.key)
        except (IntegrityError, ValueError):
            raise self._turn_away("malformed") from None
        tip = self._ledger.tip()
        if tip.view.member(requester) is None and tip.view.owner(request.twin) != requester:
            raise self._turn_away("stranger", tip)
        if abs(self._clock() - request.at) > FRESHNESS:
            raise self._turn_away("stale")
        self._earlier(request, requester)
        self._require_pace(requester, len(shares))
        self._require_log(tip.view)
        self._require_time(tip)
        return requester

    def _require_pace(self, requester: Address, snapshots: int = 0) -> None:
        if self._minutely is not None:
            try:
                self._minutely.count(requester, self._clock(), snapshots)
            except LimitPassedError as error:
                self._count_limit(error)
                raise

    @contextmanager
    def _place(self, requester: Address, snapshots: int) -> Iterator[None]:
        """Among those whose requests are worked on. Raises as `LimitAtOnce.place`."""
        with ExitStack() as stack:
            if self._at_once is not None:
                try:
                    stack.enter_context(self._at_once.place(requester, snapshots))
                except LimitPassedError as error:
                    self._count_limit(error)
                    raise
            yield

    def _require_time(self, tip: Tip) -> None:
        """Nothing is opened that could not be decided: from the opening on every outcome leaves a receipt."""
        try:
            self._time.renew(tip)
        except HeadTooOldError:
            self._count("frozen")
            raise

    def _earlier(self, request: ReadRequest, requester: Address) -> Entry | None:
        """What the log has of the same bytes, if they were here before."""
        earlier = self._receipts.by_nonce(requester, request.nonce)
        if earlier is not None and earlier.receipt.request != request.hash(self._ledger.deployment):
            raise self._turn_away("replay")
        return earlier

    def _open_shares(self, request: ReadRequest, shares: Sequence[SealedShare]) -> Opened:
        """Open every share in memory; each must be one of those asked for and say so inside its seal."""
        deployment = self._ledger.deployment
        pairs = self._twin_keys.all_of(request.twin)
        opened: Opened = []
        for sealed in shares:
            block = sealed.digest.hex()
            header, share = ShareHeader.decode(open_with_any(pairs, sealed))
            if (header.deployment, header.twin, header.digest) != (deployment.origin, request.twin, sealed.digest):
                raise IntegrityError("a share is not what was asked for", block=block)
            if sealed.hash is not None and header.hash(share) != sealed.hash:
                raise IntegrityError(
                    "a writer sealed another share than it signed for", block=block, party=header.writer
                )
            opened.append((header, share))
        return opened

    def _refuse_stranger(self, request: ReadRequest, requester: Address) -> None:
        """Whom the rule would not know, whatever stood in the seals, hears no more of them than anybody else."""
        now = self._time.now()
        if is_stranger(judge(request, requester, 0, Period(0, 0), now)):
            raise self._turn_away("stranger", now.tip) from None
        self._count("shares")

    # refusals ------------------------------------------------------------------------------------------------

    def _turn_away(self, cause: str, tip: Tip | None = None) -> AccessDeniedError:
        self._count(cause)
        return _no_consent(tip)

    def _over_the_limit(self, request: ReadRequest, now: Now) -> LimitPassedError:
        assert self._daily is not None
        error = self._daily.error(grant_of(request, now))
        self._count_limit(error)
        return error

    def _count_limit(self, error: LimitPassedError) -> None:
        with self._lock:
            self.limits_passed[error.limit] += 1
        log.warning("a limit was passed: %s", error.limit)

    def _count(self, cause: str) -> None:
        with self._lock:
            self.turned_away[cause] += 1
        log.info("request turned away: %s", cause)


def _no_consent(tip: Tip | None) -> AccessDeniedError:
    """`tip`: by which it was found, if it is the ledger that knows of none."""
    return AccessDeniedError(
        "NO_CONSENT: the custodian found no consent for this request.",
        reason=Reason.NO_GRANT,
        hint="Ask the patient for a grant, or run `dtledger consent explain`; if that permits it, set this "
        "machine's clock.",
        as_of=tip.head.number if tip else None,
    )


__all__ = ["FRESHNESS", "MAX_SNAPSHOTS", "Custodian"]
