"""What a custodian is to a client: it gives a key for a twin to the twin's owner, and opens shares under consent.

Two speak it: `dtledger.custodian.Custodian` in the process, and (with its own issue) one over HTTP. Clients bring
each custodian its own sealed shares; custodians fetch nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

from . import encoding
from .errors import IntegrityError
from .ledger import Deployment, messages
from .types import Address, Digest, Period
from .vocabulary import Action, Purpose, Reason

SHARE_CONTEXT = b"dtledger/share/1"
RELEASE_CONTEXT = b"dtledger/release/1"
SNAPSHOT = "SNAPSHOT"


@dataclass(frozen=True, slots=True)
class SealedShare:
    """One snapshot's share as it stands in a custody block, sealed to one custodian."""

    digest: Digest
    sealed: bytes


@dataclass(frozen=True, slots=True)
class ShareHeader:
    """What stands inside a seal beside the share: nobody else tells a custodian what it opens."""

    deployment: str
    twin: int
    writer: Address
    bit: int
    period: Period
    digest: Digest
    generation: int
    roster: int
    number: int

    def encode(self, share: bytes) -> bytes:
        return encoding.encode(
            [
                SNAPSHOT,
                self.deployment,
                self.twin,
                self.writer,
                self.bit,
                self.period.start,
                self.period.end,
                self.digest,
                self.generation,
                self.roster,
                self.number,
                share,
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> tuple[ShareHeader, bytes]:
        """Header and share of an opened seal.

        Raises:
            IntegrityError: it is not a SNAPSHOT share.
        """
        try:
            kind, deployment, twin, writer, bit, start, end, digest, generation, roster, number, share = (
                encoding.decode(data)
            )
            if kind != SNAPSHOT or len(digest) != 32 or len(share) != 32:
                raise ValueError(kind)
            header = cls(deployment, twin, writer, bit, Period(start, end), Digest(digest), generation, roster, number)
        except (TypeError, ValueError) as error:
            raise IntegrityError("a seal does not hold a share of a snapshot") from error
        return header, share


@dataclass(frozen=True, slots=True)
class OwnerRequest:
    """The owner asks a custodian for something of a twin (a key, its receipts). Signed by the owner for that."""

    twin: int
    owner: Address
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
        """Itself, if the custodian signed it for this twin and owner.

        Raises:
            IntegrityError: it did not; `.party` is the custodian.
        """
        if messages.signer(self.to_sign(deployment, twin, owner, self.key), self.signature) != self.custodian:
            raise IntegrityError("a custodian's key for the twin is not signed by it", party=self.custodian)
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


@dataclass(frozen=True, slots=True)
class AccessReceipt:
    """A custodian's signed account of one request, permits and denials. It is written before any key leaves.

    Number and previous hash stand twice: in the custodian's log and in the twin's. `digests` is the Merkle root of
    the digests asked for; the custodian keeps the list beside it. `refused` has (digest, reason).
    """

    custodian: Address
    number: int
    previous: Digest
    twin: int
    twin_number: int
    twin_previous: Digest
    requester: Address
    grantee: Address
    slot: int
    action: Action
    purpose: Purpose
    digests: Digest
    count: int
    refused: tuple[tuple[Digest, Reason], ...]
    request: Digest
    at: int
    block: int
    block_hash: Digest
    signature: bytes = b""

    @property
    def permitted(self) -> int:
        return self.count - len(self.refused)

    def body(self) -> list[Any]:
        return [
            self.custodian,
            self.number,
            self.previous,
            self.twin,
            self.twin_number,
            self.twin_previous,
            self.requester,
            self.grantee,
            self.slot,
            int(self.action),
            int(self.purpose),
            self.digests,
            self.count,
            [[digest, int(reason)] for digest, reason in self.refused],
            self.request,
            self.at,
            self.block,
            self.block_hash,
        ]

    @property
    def hash(self) -> Digest:
        """What the next receipt names as previous."""
        return encoding.sha256(encoding.encode(self.body()))

    def to_sign(self, deployment: Deployment) -> Digest:
        return messages.statement(deployment, "AccessReceipt", self.hash)

    def verify(self, deployment: Deployment) -> AccessReceipt:
        """Itself, if its custodian signed it.

        Raises:
            IntegrityError: it did not; `.party` is the custodian.
        """
        if messages.signer(self.to_sign(deployment), self.signature) != self.custodian:
            raise IntegrityError("a receipt is not signed by its custodian", party=self.custodian)
        return self

    def encode(self) -> bytes:
        return encoding.encode([self.body(), self.signature])

    @classmethod
    def decode(cls, data: bytes) -> AccessReceipt:
        try:
            body, signature = encoding.decode(data)
            names = [field.name for field in fields(cls) if field.name != "signature"]
            values = dict(zip(names, body, strict=True))
            values["action"], values["purpose"] = Action(values["action"]), Purpose(values["purpose"])
            values["refused"] = tuple((Digest(digest), Reason(reason)) for digest, reason in values["refused"])
            return cls(**values, signature=signature)
        except (TypeError, ValueError, IndexError) as error:
            raise IntegrityError("a receipt cannot be read") from error


@dataclass(frozen=True, slots=True)
class Release:
    """A custodian's answer: its receipt, and its shares sealed to the request's one-use key.

    `refused` lists each snapshot that stays shut with its reason. A stranger gets neither receipt nor reasons but
    an `AccessDeniedError`.
    """

    receipt: AccessReceipt
    sealed: bytes
    refused: tuple[tuple[Digest, Reason], ...]


def encode_release(opened: Sequence[tuple[ShareHeader, bytes]]) -> bytes:
    """The plaintext of `Release.sealed`: the opened seals, one after another."""
    return encoding.encode([header.encode(share) for header, share in opened])


def decode_release(data: bytes) -> list[tuple[ShareHeader, bytes]]:
    return [ShareHeader.decode(each) for each in encoding.decode(data)]


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
            AccessDeniedError: a stranger, a stale or replayed request; nothing was opened or told.
            IntegrityError: a share is not this custodian's, or is not what was asked; no share leaves.
            HeadTooOldError: the custodian cannot know the time.
        """
        ...

    def receipts(self, request: OwnerRequest) -> list[AccessReceipt]:
        """The receipts of a twin, oldest first, for its present owner (who signs `messages.receipts_request`).

        Raises:
            AccessDeniedError: the request is not the present owner's, or is stale.
        """
        ...
