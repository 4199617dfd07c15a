"""The port: what is asked of a custodian, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from .. import encoding
from ..crypto import seal
from ..errors import IntegrityError
from ..ledger import Deployment, messages
from ..types import Address, Digest
from ..vocabulary import Action, Purpose, Reason
from .destruction import Destruction
from .letters import Letter
from .probe import Probe, ProbeReply
from .receipt_map import ReceiptProof
from .receipts import AccessReceipt
from .retiring import RetireOrder
from .shares import SealedShare


@dataclass(frozen=True, slots=True)
class OwnerRequest:
    """The owner asks a custodian for something of a twin: a key, its receipts, the end of its keys. Signed by the owner
    for just that, and for that custodian: nobody can take it to another."""

    twin: int
    owner: Address
    at: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class LettersRequest:
    """Somebody asks a custodian for the letters that they are a party to. Signed by the reader for that custodian."""

    reader: Address
    at: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class TwinKey:
    """A custodian's public key for one twin and owner, signed by the custodian."""

    custodian: Address
    key: bytes
    signature: bytes

    @staticmethod
    def to_sign(deployment: Deployment, twin: int, owner: Address, key: bytes) -> Digest:
        body = encoding.sha256(encoding.encode([twin, owner, key]))
        return messages.statement(deployment, "CustodianKey", body)

    def verify(self, deployment: Deployment, twin: int, owner: Address) -> TwinKey:
        """Itself, if the custodian signed it for this twin and owner, and one can seal to it.

        Raises:
            IntegrityError: it did not, or one cannot; `.party` is the custodian.
        """
        if messages.signer(self.to_sign(deployment, twin, owner, self.key), self.signature) != self.custodian:
            raise IntegrityError("a custodian's key for the twin is not signed by it", party=self.custodian)
        try:
            seal.check_public(self.key)
        except IntegrityError as error:
            raise IntegrityError(f"a custodian's key for the twin is none: {error}", party=self.custodian) from error
        return self


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """One signed request for any number of snapshots. `key` is a one-use HPKE public key; `at` unix seconds."""

    twin: int
    grantee: Address
    number: int
    action: Action
    purpose: Purpose
    digests: tuple[Digest, ...]
    key: bytes
    nonce: bytes
    at: int
    signature: bytes = b""

    def signed(self, signature: bytes) -> ReadRequest:
        return replace(self, signature=signature)

    def to_sign(self, deployment: Deployment) -> Digest:
        return messages.read_request(
            deployment,
            self.twin,
            self.grantee,
            self.number,
            self.action,
            self.purpose,
            self.digests,
            self.key,
            self.nonce,
            self.at,
        )

    def hash(self, deployment: Deployment) -> Digest:
        """What receipts call the request: signature included, so that a retry is the same bytes."""
        return encoding.keccak(self.to_sign(deployment) + self.signature)


@dataclass(frozen=True, slots=True)
class Release:
    """A custodian's answer: its receipt, and its shares sealed to the request's one-use key.

    `refused` lists each snapshot that stays shut with its reason. A stranger gets neither receipt nor reasons but
    an `AccessDeniedError`.
    """

    receipt: AccessReceipt
    sealed: bytes
    refused: tuple[tuple[Digest, Reason], ...]


class CustodianPort(Protocol):
    """One custodian, wherever it runs."""

    @property
    def address(self) -> Address: ...

    def twin_key(self, request: OwnerRequest) -> TwinKey:
        """The public half of this custodian's key pair for the twin, made at the first call.

        Raises:
            AccessDeniedError: the request is not the present owner's, or is stale.
        """
        ...

    def open(self, request: ReadRequest, shares: Sequence[SealedShare]) -> Release:
        """Open the caller's shares under consent; a receipt is written first.

        Raises:
            AccessDeniedError: a stranger, a malformed, stale or replayed request; nothing was told.
            IntegrityError: a share is not this custodian's, is not what was asked, or not what the custody block says
                (then `.party` is its writer); no share leaves.
            HeadTooOldError: the custodian cannot know the time.
        """
        ...

    def open_recovery(self, request: ReadRequest, share: SealedShare) -> Release:
        """Open a RECOVERY share for the twin's present owner, and for nobody else whatever was granted; a receipt is
        written first. The request is the owner's own, to READ for PATRQT, of the package's 32 bytes alone.

        Raises:
            AccessDeniedError: it is not the present owner's, is malformed, stale or replayed, or the rule does not name
                the requester the owner at the head and the final block.
            IntegrityError: the share is not this custodian's, not of the kind RECOVERY, not of that package, or not
                what the package says (then `.party` is the owner who made it); no share leaves.
            HeadTooOldError: the custodian cannot know the time.
        """
        ...

    def receipts(self, request: OwnerRequest) -> list[AccessReceipt]:
        """The receipts of a twin, oldest first, for its present owner (who signs `messages.receipts_request`).

        Raises:
            AccessDeniedError: the request is not the present owner's, or is stale.
        """
        ...

    def digests(self, request: OwnerRequest) -> list[tuple[Digest, ...]]:
        """What each of those receipts is for: the digests that were asked for, in the order that their root is of; for
        the twin's present owner (signed as for `receipts`).

        Raises:
            AccessDeniedError: the request is not the present owner's, or is stale.
        """
        ...

    def probe(self, probe: Probe) -> ProbeReply:
        """How it would answer now to whoever asked under a grant, signed; for the owner whose grant it is or was.

        Raises:
            AccessDeniedError: the probe is not the owner's, or is stale.
            HeadTooOldError: the custodian cannot know the time.
        """
        ...

    def destroy(self, request: OwnerRequest) -> Destruction:
        """Destroy every key pair for a twin whose retirement is final, for its present owner (who signs
        `messages.destroy_order`). The same order again says the same.

        Raises:
            AccessDeniedError: the request is not the present owner's, is stale, or the retirement is not final.
            HeadTooOldError: the custodian cannot know the time.
        """
        ...

    def receipt_proof(self, request: OwnerRequest) -> ReceiptProof | None:
        """What this custodian's newest anchored map says of a twin, for its present owner (signed as for `receipts`);
        None if it has anchored nothing.

        Raises:
            AccessDeniedError: the request is not the present owner's, or is stale.
            IntegrityError: its log is not what it anchored; `.party` is this custodian.
        """
        ...

    def retire(self, order: RetireOrder) -> Destruction:
        """Destroy key pairs that a twin's roster in force does not name, for its present owner; the statement names
        all that ever were. The same order again says the same.

        Raises:
            AccessDeniedError: the order is not the present owner's or is stale, the roster that it shows is not in
                force, or names one of them.
            IntegrityError: that roster is malformed.
            HeadTooOldError: the custodian cannot know the time.
        """
        ...

    def leave(self, letter: Letter) -> None:
        """Keep a letter for its parties, unread. The same letter again changes nothing; an answer takes the place of an
        earlier one to the same request.

        Raises:
            AccessDeniedError: its writer may not leave it (`.reason` says why, where the rule does), it is stale or
                malformed, or its writer has left as many as one may.
        """
        ...

    def letters(self, request: LettersRequest) -> list[Letter]:
        """What is kept for its reader: every letter on a twin that the reader owns, or that it is the member of.

        Raises:
            AccessDeniedError: the request is not the reader's, or is stale.
        """
        ...


def is_distant(port: CustodianPort) -> bool:
    """Whether it waits for a network more than it works here, so that several are best asked at once."""
    return bool(getattr(port, "distant", False))
