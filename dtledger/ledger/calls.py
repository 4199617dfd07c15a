"""The calls of the contracts, by name and with Python's types. Nothing here is sent; `Ledger.send` does that.

A call whose name ends in `_signed` carries a message that another key signed (see `dtledger.ledger.messages`) and may
be sent by anyone.

>>> revoke(owner="0x…", twin=7, grantee="0x…", number=0).function
'revoke'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from ..policy import Grant
from ..types import Address, Digest
from .events import Card
from .port import Call
from .signed import (
    SignedCarrying,
    SignedGrant,
    SignedGrantMany,
    SignedRevoke,
    SignedRevokeAll,
    SignedRevokeMany,
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One of several grantees that get the same terms."""

    grantee: Address
    number: int
    package: Digest


@dataclass(frozen=True, slots=True)
class Regrant:
    """A slot to be granted again, if it still stands at `revision`; else it is revoked with the rest."""

    grantee: Address
    number: int
    revision: int
    terms: Grant
    package: Digest


@dataclass(frozen=True, slots=True)
class MemberCard:
    """What a member says of itself: its key's digest, its organisation, its present card version."""

    member: Address
    key: Digest
    organisation: Address
    version: int


def _call(contract: str, function: str, *arguments: object) -> Call:
    return Call(contract, function, arguments)


# members ---------------------------------------------------------------------------------------------------------


def enrol(card: MemberCard, signature: bytes, agreement: bytes, kinds: int) -> Call:
    return _call("MemberRegistry", "enrol", astuple(card), signature, agreement, kinds)


def update_card(card: MemberCard, signature: bytes = b"", agreement: bytes = b"") -> Call:
    return _call("MemberRegistry", "updateCard", astuple(card), signature, agreement)


def set_kinds(member: Address, kinds: int) -> Call:
    return _call("MemberRegistry", "setKinds", member, kinds)


def add_guarded_kinds(member: Address, kinds: int) -> Call:
    return _call("MemberRegistry", "addGuardedKinds", member, kinds)


def suspend(member: Address) -> Call:
    return _call("MemberRegistry", "suspend", member)


def reinstate(member: Address) -> Call:
    return _call("MemberRegistry", "reinstate", member)


def agree(member: Address, version: int) -> Call:
    return _call("MemberRegistry", "agree", member, version)


def dismiss(member: Address) -> Call:
    return _call("MemberRegistry", "dismiss", member)


def set_keyring(digest: Digest, previous: Digest) -> Call:
    return _call("MemberRegistry", "setKeyring", digest, previous)


def set_keyring_signed(
    organisation: Address, digest: Digest, previous: Digest, deadline: int, signature: bytes
) -> Call:
    return _call("MemberRegistry", "setKeyringSigned", organisation, digest, previous, deadline, signature)


# governance: what waits a delay is announced first ----------------------------------------------------------------


def schedule(call: Call, when: int = 0) -> Call:
    """Announce a call that waits a delay, for the time `when` (unix seconds), at the earliest when the delay is over.

    Then the same sender makes the call itself, within a week.
    """
    return _call("AccessManager", "schedule", call, when)


def cancel(caller: Address, call: Call) -> Call:
    """Take back what `caller` announced."""
    return _call("AccessManager", "cancel", caller, call)


# twins -----------------------------------------------------------------------------------------------------------


def mint(patient: Address, count: int, deadline: int, signature: bytes) -> Call:
    return _call("TwinRegistry", "mint", patient, count, deadline, signature)


def set_card(twin: int, previous: Digest, card: Card) -> Call:
    return _call("TwinRegistry", "setCard", twin, previous, astuple(card))


def set_card_signed(twin: int, previous: Digest, card: Card, deadline: int, signature: bytes) -> Call:
    return _call("TwinRegistry", "setCardSigned", twin, previous, astuple(card), deadline, signature)


def move(twin: int, to: Address, counter: int, deadline: int, owner: bytes, recipient: bytes) -> Call:
    return _call("TwinRegistry", "move", twin, to, counter, deadline, owner, recipient)


def announce_retirement(twin: int) -> Call:
    return _call("TwinRegistry", "announceRetirement", twin)


def announce_retirement_signed(twin: int, counter: int, deadline: int, signature: bytes) -> Call:
    return _call("TwinRegistry", "announceRetirementSigned", twin, counter, deadline, signature)


def cancel_retirement(twin: int) -> Call:
    return _call("TwinRegistry", "cancelRetirement", twin)


def cancel_retirement_signed(twin: int, counter: int, deadline: int, signature: bytes) -> Call:
    return _call("TwinRegistry", "cancelRetirementSigned", twin, counter, deadline, signature)


# succession ------------------------------------------------------------------------------------------------------


def carry(message: SignedCarrying, blocked: Sequence[Address], signature: bytes) -> Call:
    """Bring a twin over from the deployment before; `blocked` are all who are blocked on it there."""
    grants = [(each.grantee, each.number, each.grant.pack(), each.package) for each in message.grants]
    fields = (message.twin, grants, message.counter, message.deadline)
    return _call("ConsentRegistry", "carry", fields, list(blocked), signature)


def depart(twin: int, grants: Digest, counter: int, deadline: int, signature: bytes) -> Call:
    """Let a twin go to the deployment of which the sender is the ConsentRegistry: for that contract alone."""
    return _call("TwinRegistry", "depart", twin, grants, counter, deadline, signature)


def arrive(twin: int) -> Call:
    """Bring a twin here without its consents: for the contract alone that it left for."""
    return _call("TwinRegistry", "arrive", twin)


# consents --------------------------------------------------------------------------------------------------------


def grant(twin: int, grantee: Address, number: int, terms: Grant, package: Digest) -> Call:
    return _call("ConsentRegistry", "grant", twin, grantee, number, terms.pack(), package)


def grant_many(twin: int, terms: Grant, recipients: Sequence[Recipient]) -> Call:
    return _call("ConsentRegistry", "grantMany", twin, terms.pack(), [astuple(each) for each in recipients])


def revoke(owner: Address, twin: int, grantee: Address, number: int) -> Call:
    return _call("ConsentRegistry", "revoke", owner, twin, grantee, number)


def revoke_many(twin: int, slots: Sequence[tuple[Address, int]]) -> Call:
    return _call("ConsentRegistry", "revokeMany", twin, list(slots))


def revoke_all(twin: int, keep: Sequence[Regrant] = ()) -> Call:
    return _call("ConsentRegistry", "revokeAll", twin, [_regrant(each) for each in keep])


def _regrant(each: Regrant) -> tuple[object, ...]:
    return (each.grantee, each.number, each.revision, each.terms.pack(), each.package)


def block_grantee(twin: int, grantee: Address) -> Call:
    return _call("ConsentRegistry", "blockGrantee", twin, grantee)


def unblock_grantee(twin: int, grantee: Address) -> Call:
    return _call("ConsentRegistry", "unblockGrantee", twin, grantee)


def grant_signed(message: SignedGrant, signature: bytes) -> Call:
    fields = (
        message.owner,
        message.twin,
        message.grantee,
        message.number,
        message.terms.pack(),
        message.package,
        message.revision,
        message.epoch,
        message.deadline,
    )
    return _call("ConsentRegistry", "grantSigned", fields, signature)


def grant_many_signed(message: SignedGrantMany, signature: bytes) -> Call:
    recipients = [astuple(each) for each in message.recipients]
    fields = (message.owner, message.twin, message.terms.pack(), recipients, message.epoch, message.deadline)
    return _call("ConsentRegistry", "grantManySigned", fields, signature)


def revoke_signed(message: SignedRevoke, signer: Address, signature: bytes) -> Call:
    """`signer` is the owner or the grantee."""
    return _call("ConsentRegistry", "revokeSigned", astuple(message), signer, signature)


def revoke_many_signed(message: SignedRevokeMany, signature: bytes) -> Call:
    fields = (message.owner, message.twin, [astuple(each) for each in message.slots], message.deadline)
    return _call("ConsentRegistry", "revokeManySigned", fields, signature)


def revoke_all_signed(message: SignedRevokeAll, signature: bytes) -> Call:
    keep = [_regrant(each) for each in message.keep]
    fields = (message.owner, message.twin, keep, message.epoch, message.deadline)
    return _call("ConsentRegistry", "revokeAllSigned", fields, signature)


def block_signed(twin: int, grantee: Address, count: int, deadline: int, signature: bytes) -> Call:
    return _call("ConsentRegistry", "blockSigned", twin, grantee, count, deadline, signature)


def unblock_signed(twin: int, grantee: Address, count: int, deadline: int, signature: bytes) -> Call:
    return _call("ConsentRegistry", "unblockSigned", twin, grantee, count, deadline, signature)


def open_emergency(twin: int, grantee: Address, number: int, cause: int, text: Digest) -> Call:
    """`cause` is a number of `Cause`; `text` the digest of sealed words, or zeros."""
    return _call("ConsentRegistry", "openEmergency", twin, grantee, number, cause, text)


def review_emergency(opening: int, finding: int, text: Digest) -> Call:
    """`finding` is a number of `Finding`; `text` the digest of sealed words, or zeros."""
    return _call("ConsentRegistry", "reviewEmergency", opening, finding, text)


# snapshots -------------------------------------------------------------------------------------------------------


def anchor_batch(root: Digest, count: int, index: Digest) -> Call:
    return _call("SnapshotLedger", "anchorBatch", root, count, index)


def anchor_batch_signed(
    sender: Address, root: Digest, count: int, index: Digest, previous: Digest, deadline: int, signature: bytes
) -> Call:
    """`previous` is the sender's history (`View.history_of`) that the batch goes on from."""
    return _call("SnapshotLedger", "anchorBatchSigned", sender, root, count, index, previous, deadline, signature)


# receipts --------------------------------------------------------------------------------------------------------


def anchor_receipts(root: Digest, count: int, last: Digest) -> Call:
    return _call("ReceiptLedger", "anchorReceipts", root, count, last)


# block memory ----------------------------------------------------------------------------------------------------


def remember() -> Call:
    """Have the block before the one that takes this remembered."""
    return _call("BlockMemory", "remember")


# models ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a site's update is for and what the site says of it, as `contracts/types/Contribution.sol` packs it.

    `cohort` is the number of twins that it was trained on, `epsilon` the privacy that it spends, in thousandths.
    """

    model: int
    round: int
    cohort: int
    epsilon: int

    def pack(self) -> int:
        """The word of 128 bits.

        Raises:
            ValueError: a field does not fit in 32 bits.
        """
        word = 0
        for value in astuple(self):
            if not 0 <= value < 1 << 32:
                raise ValueError(f"{self} does not fit in its word")
            word = word << 32 | value
        return word

    @classmethod
    def unpack(cls, word: int) -> Contribution:
        return cls(*(word >> shift & 0xFFFFFFFF for shift in (96, 64, 32, 0)))


def register_model(purpose: int, categories: int, minimum_cohort: int, budget: int, card: Digest) -> Call:
    """`categories` is a mask of the vocabulary's numbers; `budget` is ε in thousandths."""
    return _call("ModelLedger", "register", purpose, categories, minimum_cohort, budget, card)


def open_round(model: int, parent: Digest) -> Call:
    return _call("ModelLedger", "openRound", model, parent)


def commit_update(update: Digest, parent: Digest, consents: Digest, record: Digest, contribution: Contribution) -> Call:
    return _call("ModelLedger", "commitUpdate", update, parent, consents, record, contribution.pack())


def finalise_aggregate(model: int, number: int, aggregate: Digest, record: Digest, updates: int) -> Call:
    """`number` is the round's; `updates` is how many updates it has."""
    return _call("ModelLedger", "finaliseAggregate", model, number, aggregate, record, updates)


def retrain(model: int, first: int, record: Digest) -> Call:
    """`first` is the round that the next one starts over from."""
    return _call("ModelLedger", "retrain", model, first, record)


def accept(model: int, first: int, record: Digest) -> Call:
    """`first` is the first of the rounds whose aggregates stay in use; the newest that is finalised is the last."""
    return _call("ModelLedger", "accept", model, first, record)
