"""What the contracts say happened. These events rebuild every state; nothing else is ever read for a decision.

Each class carries the fields of the Solidity event of the same name, in Python's spelling.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..policy import Grant
from ..types import Address, Digest


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an event stands in the chain; places order as events happened."""

    block: int
    index: int


@dataclass(frozen=True, slots=True)
class Card:
    """The twin card: digests of the owner's blocks, each with its version. What they are of, `dtledger.snapshots` (the
    roster, the custody index, the recovery package) and `dtledger.crypto.bits` say."""

    key: Digest
    roster: Digest
    bits: Digest
    custody_index: Digest
    recovery: Digest
    key_version: int
    roster_version: int
    custody_index_version: int
    recovery_version: int


@dataclass(frozen=True, slots=True)
class Enrolled:
    member: Address
    organisation: Address
    kinds: int
    key: Digest


@dataclass(frozen=True, slots=True)
class CardUpdated:
    member: Address
    organisation: Address
    key: Digest
    version: int


@dataclass(frozen=True, slots=True)
class KindsSet:
    member: Address
    kinds: int


@dataclass(frozen=True, slots=True)
class Suspended:
    member: Address


@dataclass(frozen=True, slots=True)
class Reinstated:
    member: Address


@dataclass(frozen=True, slots=True)
class Agreed:
    organisation: Address
    member: Address
    version: int


@dataclass(frozen=True, slots=True)
class Dismissed:
    organisation: Address
    member: Address


@dataclass(frozen=True, slots=True)
class KeyringSet:
    organisation: Address
    digest: Digest


@dataclass(frozen=True, slots=True)
class Transfer:
    """ERC-721: a mint (`sender` is the zero address) or a move."""

    sender: Address
    to: Address
    twin: int


@dataclass(frozen=True, slots=True)
class CardSet:
    twin: int
    owner: Address
    previous: Digest
    card: Card


@dataclass(frozen=True, slots=True)
class RetirementAnnounced:
    twin: int
    retire_at: int
    counter: int


@dataclass(frozen=True, slots=True)
class RetirementCancelled:
    twin: int
    counter: int


@dataclass(frozen=True, slots=True)
class Moved:
    twin: int
    sender: Address
    to: Address
    counter: int


@dataclass(frozen=True, slots=True)
class Departed:
    """The twin is retired here for ever, and lives in the deployment whose ConsentRegistry `successor` is."""

    twin: int
    successor: Address
    counter: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A twin came from the deployment before, under its number. What it was there until then is its past here."""

    twin: int
    owner: Address
    guardians: Digest
    recovery_delay: int
    frozen_at: int
    counter: int


@dataclass(frozen=True, slots=True)
class GuardiansSet:
    """`recovery_delay` in seconds. A move that the former guardians announced ends."""

    twin: int
    owner: Address
    guardians: Digest
    recovery_delay: int
    counter: int


@dataclass(frozen=True, slots=True)
class Frozen:
    """`retire_at` is when an announced retirement becomes final: not before the freeze ends; 0 without one."""

    twin: int
    frozen_until: int
    retire_at: int
    counter: int


@dataclass(frozen=True, slots=True)
class Unfrozen:
    twin: int
    counter: int


@dataclass(frozen=True, slots=True)
class MoveAnnounced:
    """By guardians. A binding move is not vetoed while the twin is frozen, and puts off the end of that."""

    twin: int
    to: Address
    ready_at: int
    binding: bool
    frozen_until: int
    counter: int


@dataclass(frozen=True, slots=True)
class MoveVetoed:
    twin: int
    counter: int


@dataclass(frozen=True, slots=True)
class Granted:
    owner: Address
    twin: int
    grantee: Address
    number: int
    grant: Grant
    package: Digest


@dataclass(frozen=True, slots=True)
class Revoked:
    owner: Address
    twin: int
    grantee: Address
    number: int
    grant: Grant


@dataclass(frozen=True, slots=True)
class AllRevoked:
    owner: Address
    twin: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Carried:
    """The consents of a twin that arrived come after this; `epoch` is its owner's, as it stood before."""

    owner: Address
    twin: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Blocked:
    twin: int
    grantee: Address
    count: int


@dataclass(frozen=True, slots=True)
class Unblocked:
    twin: int
    grantee: Address
    count: int


@dataclass(frozen=True, slots=True)
class Emergency:
    """What an opening was made on and says: the slot and its revision, a number of `Cause`, the digest of its sealed
    words (zeros for none), when it ends and when its review is overdue (unix seconds)."""

    owner: Address
    grantee: Address
    number: int
    revision: int
    cause: int
    text: Digest
    closes_at: int
    review_by: int


@dataclass(frozen=True, slots=True)
class EmergencyOpened:
    opening: int
    twin: int
    opener: Address
    emergency: Emergency


@dataclass(frozen=True, slots=True)
class EmergencyReviewed:
    """`finding` is a number of `Finding`."""

    opening: int
    reviewer: Address
    finding: int
    text: Digest


@dataclass(frozen=True, slots=True)
class BatchAnchored:
    sender: Address
    root: Digest
    count: int
    index: Digest


@dataclass(frozen=True, slots=True)
class ReceiptsAnchored:
    """`root` is of the log's map (`dtledger.custody.receipt_map`), `last` the hash of the log's last receipt."""

    custodian: Address
    root: Digest
    count: int
    last: Digest


@dataclass(frozen=True, slots=True)
class ModelRegistered:
    """`purpose` is a number of `Purpose`, `categories` a mask of the vocabulary's, `budget` ε in thousandths."""

    model: int
    coordinator: Address
    purpose: int
    categories: int
    minimum_cohort: int
    budget: int
    card: Digest


@dataclass(frozen=True, slots=True)
class RoundOpened:
    model: int
    round: int
    parent: Digest


@dataclass(frozen=True, slots=True)
class UpdateCommitted:
    """`epsilon` is ε in thousandths."""

    model: int
    round: int
    site: Address
    update: Digest
    parent: Digest
    consents: Digest
    record: Digest
    cohort: int
    epsilon: int


@dataclass(frozen=True, slots=True)
class AggregateFinalised:
    """`updates` is how many updates the round has."""

    model: int
    round: int
    aggregate: Digest
    record: Digest
    updates: int


@dataclass(frozen=True, slots=True)
class Remediated:
    """What became of rounds `first` to `last`: their aggregates are built upon no more, or stay in use."""

    model: int
    first: int
    last: int
    retrained: bool
    record: Digest


@dataclass(frozen=True, slots=True)
class Remembered:
    """The hash of the block `number` is kept on the chain."""

    number: int
    block_hash: Digest


Event = (
    Enrolled
    | CardUpdated
    | KindsSet
    | Suspended
    | Reinstated
    | Agreed
    | Dismissed
    | KeyringSet
    | Transfer
    | CardSet
    | RetirementAnnounced
    | RetirementCancelled
    | Moved
    | Departed
    | Arrived
    | GuardiansSet
    | Frozen
    | Unfrozen
    | MoveAnnounced
    | MoveVetoed
    | Granted
    | Revoked
    | AllRevoked
    | Carried
    | Blocked
    | Unblocked
    | EmergencyOpened
    | EmergencyReviewed
    | BatchAnchored
    | ReceiptsAnchored
    | ModelRegistered
    | RoundOpened
    | UpdateCommitted
    | AggregateFinalised
    | Remediated
    | Remembered
)


@dataclass(frozen=True, slots=True)
class Logged:
    """An event, where it stands and the timestamp of its block (unix seconds)."""

    place: Place
    at: int
    event: Event
