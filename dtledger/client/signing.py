"""A call of one's own as a message that anyone may carry: what is signed, what it will bring about, what it denies.

Each message names the present value of what it changes (design section 4), so that one that is held back never permits
what a newer decision denies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..ledger import Call, calls, guardian_calls, guardians, messages
from ..ledger import events as e
from ..ledger.calls import Regrant
from ..ledger.events import Card, Event
from ..ledger.signed import (
    SignedGrant,
    SignedGrantMany,
    SignedRecipient,
    SignedRevoke,
    SignedRevokeAll,
    SignedRevokeMany,
    SignedSlot,
)
from ..policy import Grant
from ..types import Address, Digest
from .context import Context

MOST_REVISIONS = 2**16 - 1


@dataclass(frozen=True, slots=True)
class Denial:
    """What a signed denial is about, and the value that it names: a slot's revision (`number` is one), the owner's
    epoch (no grantee), or a grantee's block count. It may land until `deadline`."""

    twin: int
    grantee: Address | None
    number: int | None
    named: int
    deadline: int


@dataclass(frozen=True, slots=True)
class Signed:
    """A call that carries a message. `brings` says of an event whether it is what the message brings about; what else
    comes with it, `beside` knows. `denials` are what it denies, `permits` the twin and grantees of what it permits."""

    call: Call
    brings: Callable[[Event], bool]
    denials: tuple[Denial, ...] = ()
    permits: tuple[int, tuple[Address, ...]] | None = None
    beside: Callable[[Event], bool] = lambda event: False


def sign(context: Context, call: Call) -> Signed | None:
    """The signed form of one of this key's calls; None if there is none."""
    make = _FORMS.get((call.contract, call.function))
    return make(context, *call.arguments) if make else None


def _grant(context: Context, twin: int, grantee: Address, number: int, terms: int, package: Digest) -> Signed:
    view, me, deadline = context.view(), context.key.address, context.deadline()
    revision, epoch = view.grant(me, twin, grantee, number).revision, view.epoch(me, twin)
    message = SignedGrant(me, twin, grantee, number, Grant.unpack(terms), package, revision, epoch, deadline)
    signature = context.key.sign_digest(messages.grant(context.deployment, message))

    def brings(event: Event) -> bool:
        return isinstance(event, e.Granted) and (
            (event.owner, event.twin, event.grantee, event.number, event.package)
            == (me, twin, grantee, number, package)
        )

    return Signed(calls.grant_signed(message, signature), brings, permits=(twin, (grantee,)))


def _grant_many(context: Context, twin: int, terms: int, rows: list[tuple[Address, int, Digest]]) -> Signed:
    view, me = context.view(), context.key.address
    recipients = tuple(
        SignedRecipient(to, number, package, view.grant(me, twin, to, number).revision) for to, number, package in rows
    )
    epoch = view.epoch(me, twin)
    message = SignedGrantMany(me, twin, Grant.unpack(terms), recipients, epoch, context.deadline())
    signature = context.key.sign_digest(messages.grant_many(context.deployment, message))
    packages = {each.package for each in recipients}

    def brings(event: Event) -> bool:
        return isinstance(event, e.Granted) and (event.owner, event.twin) == (me, twin) and event.package in packages

    grantees = tuple(each.grantee for each in recipients)
    return Signed(calls.grant_many_signed(message, signature), brings, permits=(twin, grantees))


def _above(context: Context, owner: Address, twin: int, grantee: Address, number: int) -> int:
    """A revision above every one that a signed grant for the slot ever named: those named what was present then."""
    return min(context.view().grant(owner, twin, grantee, number).revision + 1, MOST_REVISIONS)


def _revoke(context: Context, owner: Address, twin: int, grantee: Address, number: int) -> Signed:
    named, deadline = _above(context, owner, twin, grantee, number), context.deadline()
    message = SignedRevoke(owner, twin, grantee, number, named, deadline)
    signature = context.key.sign_digest(messages.revoke(context.deployment, message))

    def brings(event: Event) -> bool:
        return isinstance(event, e.Revoked) and (
            (event.owner, event.twin, event.grantee, event.number) == (owner, twin, grantee, number)
        )

    denial = Denial(twin, grantee, number, named, deadline)
    return Signed(calls.revoke_signed(message, context.key.address, signature), brings, (denial,))


def _revoke_many(context: Context, twin: int, rows: list[tuple[Address, int]]) -> Signed:
    me, deadline = context.key.address, context.deadline()
    slots = tuple(SignedSlot(to, number, _above(context, me, twin, to, number)) for to, number in rows)
    message = SignedRevokeMany(me, twin, slots, deadline)
    signature = context.key.sign_digest(messages.revoke_many(context.deployment, message))
    wanted = {(each.grantee, each.number) for each in slots}

    def brings(event: Event) -> bool:
        return isinstance(event, e.Revoked) and (
            (event.owner, event.twin) == (me, twin) and (event.grantee, event.number) in wanted
        )

    denials = tuple(Denial(twin, each.grantee, each.number, each.revision, deadline) for each in slots)
    return Signed(calls.revoke_many_signed(message, signature), brings, denials)


def _revoke_all(context: Context, twin: int, rows: list[tuple[Any, ...]]) -> Signed:
    me, deadline = context.key.address, context.deadline()
    epoch = context.view().epoch(me, twin)
    keep = tuple(
        Regrant(to, number, revision, Grant.unpack(word), package) for to, number, revision, word, package in rows
    )
    message = SignedRevokeAll(me, twin, keep, epoch, deadline)
    signature = context.key.sign_digest(messages.revoke_all(context.deployment, message))

    def brings(event: Event) -> bool:
        return isinstance(event, e.AllRevoked) and (event.owner, event.twin) == (me, twin)

    def beside(event: Event) -> bool:
        return isinstance(event, e.Granted) and (event.owner, event.twin) == (me, twin)

    permits = (twin, tuple(each.grantee for each in keep)) if keep else None
    denials = (Denial(twin, None, None, epoch, deadline),)
    return Signed(calls.revoke_all_signed(message, signature), brings, denials, permits, beside)


def _block(context: Context, twin: int, grantee: Address) -> Signed:
    count, deadline = context.view().block_count(twin, grantee), context.deadline()
    signature = context.key.sign_digest(messages.block(context.deployment, twin, grantee, count, deadline))

    def brings(event: Event) -> bool:
        return isinstance(event, e.Blocked) and (event.twin, event.grantee) == (twin, grantee)

    denial = Denial(twin, grantee, None, count, deadline)
    return Signed(calls.block_signed(twin, grantee, count, deadline, signature), brings, (denial,))


def _unblock(context: Context, twin: int, grantee: Address) -> Signed:
    count, deadline = context.view().block_count(twin, grantee), context.deadline()
    signature = context.key.sign_digest(messages.unblock(context.deployment, twin, grantee, count, deadline))

    def brings(event: Event) -> bool:
        return isinstance(event, e.Unblocked) and (event.twin, event.grantee) == (twin, grantee)

    call = calls.unblock_signed(twin, grantee, count, deadline, signature)
    return Signed(call, brings, permits=(twin, (grantee,)))


def _set_card(context: Context, twin: int, previous: Digest, fields: tuple[Any, ...]) -> Signed:
    card, deadline = Card(*fields), context.deadline()
    signature = context.key.sign_digest(messages.set_card(context.deployment, twin, previous, card, deadline))

    def brings(event: Event) -> bool:
        return isinstance(event, e.CardSet) and (event.twin, event.previous, event.card) == (twin, previous, card)

    return Signed(calls.set_card_signed(twin, previous, card, deadline, signature), brings)


def _retire(context: Context, twin: int) -> Signed:
    counter, deadline = context.view().counter(twin), context.deadline()
    digest = messages.announce_retirement(context.deployment, twin, counter, deadline)
    call = calls.announce_retirement_signed(twin, counter, deadline, context.key.sign_digest(digest))
    return Signed(call, lambda event: isinstance(event, e.RetirementAnnounced) and event.twin == twin)


def _cancel(context: Context, twin: int) -> Signed:
    counter, deadline = context.view().counter(twin), context.deadline()
    digest = messages.cancel_retirement(context.deployment, twin, counter, deadline)
    call = calls.cancel_retirement_signed(twin, counter, deadline, context.key.sign_digest(digest))
    return Signed(call, lambda event: isinstance(event, e.RetirementCancelled) and event.twin == twin)


def _move(
    context: Context, twin: int, to: Address, counter: int, deadline: int, own: bytes, recipient: bytes
) -> Signed:
    owner = own or context.key.sign_digest(messages.move(context.deployment, twin, to, counter, deadline))

    def brings(event: Event) -> bool:
        return isinstance(event, e.Moved) and (event.twin, event.to, event.counter) == (twin, to, counter + 1)

    return Signed(calls.move(twin, to, counter, deadline, owner, recipient), brings)


def _set_guardians(context: Context, twin: int, chosen: Digest, delay: int) -> Signed:
    counter, deadline = context.view().counter(twin), context.deadline()
    digest = guardians.set_guardians(context.deployment, twin, chosen, delay, counter, deadline)
    signature = context.key.sign_digest(digest)

    def brings(event: Event) -> bool:
        return isinstance(event, e.GuardiansSet) and (
            (event.twin, event.guardians, event.recovery_delay, event.counter) == (twin, chosen, delay, counter + 1)
        )

    call = guardian_calls.set_guardians_signed(twin, chosen, delay, counter, deadline, signature)
    return Signed(call, brings)


def _veto_move(context: Context, twin: int) -> Signed:
    counter, deadline = context.view().counter(twin), context.deadline()
    digest = guardians.counted(context.deployment, "VetoMove", twin, counter, deadline)
    call = guardian_calls.veto_move_signed(twin, counter, deadline, context.key.sign_digest(digest))
    return Signed(call, lambda event: isinstance(event, e.MoveVetoed) and event.twin == twin)


def _update_card(context: Context, card: tuple[Any, ...], signature: bytes, agreement: bytes) -> Signed:
    fields = calls.MemberCard(*card)
    own = signature or context.key.sign_digest(messages.member_card(context.deployment, fields))

    def brings(event: Event) -> bool:
        return isinstance(event, e.CardUpdated) and (event.member, event.key) == (fields.member, fields.key)

    return Signed(calls.update_card(fields, own, agreement), brings)


def _signed_already(context: Context, fields: tuple[Any, ...], signature: bytes) -> Signed:
    owner, twin, _, rows, *_ = fields
    packages = {row[2] for row in rows}

    def brings(event: Event) -> bool:
        return isinstance(event, e.Granted) and (event.owner, event.twin) == (owner, twin) and event.package in packages

    permits = (twin, tuple(row[0] for row in rows))
    return Signed(Call("ConsentRegistry", "grantManySigned", (fields, signature)), brings, permits=permits)


def _keyring(context: Context, digest: Digest, previous: Digest) -> Signed:
    me, deadline = context.key.address, context.deadline()
    signature = context.key.sign_digest(messages.keyring(context.deployment, me, digest, previous, deadline))

    def brings(event: Event) -> bool:
        return isinstance(event, e.KeyringSet) and (event.organisation, event.digest) == (me, digest)

    return Signed(calls.set_keyring_signed(me, digest, previous, deadline, signature), brings)


def _carry(context: Context, fields: tuple[Any, ...], blocked: list[Address], signature: bytes) -> Signed:
    twin = fields[0]

    def brings(event: Event) -> bool:
        return isinstance(event, e.Carried) and event.twin == twin

    def beside(event: Event) -> bool:
        return isinstance(event, e.Granted | e.Blocked | e.Arrived) and event.twin == twin

    return Signed(Call("ConsentRegistry", "carry", (fields, blocked, signature)), brings, beside=beside)


def _anchor(context: Context, root: Digest, count: int, index: Digest) -> Signed:
    me, deadline = context.key.address, context.deadline()
    fields = (me, root, count, index, context.view().history_of(me), deadline)
    signature = context.key.sign_digest(messages.anchor_batch(context.deployment, *fields))

    def brings(event: Event) -> bool:
        return isinstance(event, e.BatchAnchored) and (event.sender, event.root) == (me, root)

    return Signed(calls.anchor_batch_signed(*fields, signature), brings)


_FORMS: dict[tuple[str, str], Callable[..., Signed]] = {
    ("ConsentRegistry", "grant"): _grant,
    ("ConsentRegistry", "grantMany"): _grant_many,
    ("ConsentRegistry", "revoke"): _revoke,
    ("ConsentRegistry", "revokeMany"): _revoke_many,
    ("ConsentRegistry", "revokeAll"): _revoke_all,
    ("ConsentRegistry", "blockGrantee"): _block,
    ("ConsentRegistry", "unblockGrantee"): _unblock,
    ("TwinRegistry", "setCard"): _set_card,
    ("TwinRegistry", "announceRetirement"): _retire,
    ("TwinRegistry", "cancelRetirement"): _cancel,
    ("TwinRegistry", "move"): _move,
    ("TwinRegistry", "setGuardians"): _set_guardians,
    ("TwinRegistry", "vetoMove"): _veto_move,
    ("MemberRegistry", "setKeyring"): _keyring,
    ("MemberRegistry", "updateCard"): _update_card,
    ("ConsentRegistry", "grantManySigned"): _signed_already,
    ("ConsentRegistry", "carry"): _carry,
    ("SnapshotLedger", "anchorBatch"): _anchor,
}
