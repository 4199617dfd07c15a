"""Whose keys open what: an owner's whole tree, a grantee's package, an organisation's keyring.

An organisation's packages are sealed to its own key. Its keyring, a public block, seals that key's seed to each
active member, so that any of them can use the organisation's grants; a leaver keeps the seed, and custody refuses.
Whoever changed its key to seal to still opens what was sealed to the former ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from .. import encoding
from ..crypto import keytree, seal
from ..crypto.seal import SEED_BYTES
from ..encoding import CID
from ..errors import CannotCheckError, InputError, IntegrityError
from ..keys import TwinSecrets
from ..ledger import GrantRecord, Receipt, View, calls
from ..policy import Member
from ..snapshots.blame import blaming
from ..snapshots.package import Keys, open_package
from ..types import MAX_MINUTE, ZERO_DIGEST, Address, Period
from ..vocabulary import CATEGORIES, Kind
from .context import Context

T = TypeVar("T")

ALL_TIME = Period(0, MAX_MINUTE)


def owner_keys(secrets: TwinSecrets) -> Keys:
    """Everything that an owner can derive of a twin."""
    return Keys(
        covers={
            generation: {each.number: (keytree.root(secret, generation, each.number),) for each in CATEGORIES}
            for generation, secret in secrets.generations.items()
        },
        tags={each.number: secrets.tag_keys[each.number] for each in CATEGORIES},
        bits=secrets.bits,
    )


def granted_keys(context: Context, record: GrantRecord) -> Keys:
    """The keys of a grant's package, opened with this key or through its organisation's keyring.

    Raises:
        IntegrityError: the package is not what its owner put, or not sealed to us for this grant: its owner's fault.
        CannotCheckError: we are in an organisation whose keyring does not hold us.
    """
    cid = CID(record.package)
    block = context.store.get(cid)
    grantee = record.slot.grantee
    own = grantee == context.key.address
    keys = context.key.secrets.seal_keys if own else organisation_keys(context, grantee)
    with blaming(record.slot.owner, cid):
        return with_any(keys, lambda key: open_package(context.deployment, record.slot, block, key))


def organisation_keys(context: Context, organisation: Address) -> tuple[seal.SealKey, ...]:
    """The organisation's keys to open seals with, newest first, from its keyring.

    Raises:
        CannotCheckError: there is no keyring, or it does not hold this member.
        IntegrityError: it is malformed, or what it holds for this member does not open.
    """
    digest = context.view().keyring(organisation)
    if digest is None:
        raise CannotCheckError(
            f"The organisation {organisation} has published no keyring.",
            hint="Let it run `dtledger member keyring`.",
        )
    cid = CID(digest)
    with blaming(organisation, cid):
        sealed = _members(context.store.get(cid)).get(context.key.address)
    if sealed is None:
        raise CannotCheckError(
            f"The keyring of {organisation} does not hold this member.",
            hint="Let the organisation publish it anew: `dtledger member keyring`.",
        )
    bound = _context_of(context, organisation)
    with blaming(organisation, cid):
        seeds = with_any(context.key.secrets.seal_keys, lambda key: seal.open_(key, sealed, bound))
        if not seeds or len(seeds) % SEED_BYTES:
            raise IntegrityError("a keyring holds no whole key")
    return tuple(seal.SealKey(seeds[place : place + SEED_BYTES]) for place in range(0, len(seeds), SEED_BYTES))


def _members(keyring: bytes) -> dict[str, bytes]:
    """Member → the organisation's seeds, sealed to that member.

    Raises:
        IntegrityError: the block is no keyring.
    """
    match encoding.decode(keyring):
        case {"members": [*rows], **rest} if not rest:
            members = {}
            for row in rows:
                match row:
                    case [str(member), bytes(sealed)]:
                        members[member] = sealed
            if len(members) == len(rows):
                return members
    raise IntegrityError("a keyring is malformed")


def with_any(keys: Sequence[seal.SealKey], open_: Callable[[seal.SealKey], T]) -> T:
    """What the first of these keys opens; if none does, the error of the present one."""
    first: IntegrityError | None = None
    for key in keys:
        try:
            return open_(key)
        except IntegrityError as error:
            first = first or error
    assert first is not None, "there is always a present key"
    raise first


def publish_keyring(context: Context, members: Sequence[Address]) -> Receipt:
    """As an organisation, seal the own keys' seeds to these members and put the keyring's digest on the ledger.

    Raises:
        InputError: one of them is not an active member of the organisation.
    """
    organisation = context.key.address
    view = context.view()
    for member in members:
        found = view.member(member)
        if found is None or found.suspended or found.organisation != organisation:
            raise InputError(f"{member} is not an active member of this organisation.")
        if not may_hold(view, organisation, found):
            raise InputError(
                f"{member} is no EMERGENCY member.", hint="An emergency organisation's keyring holds nobody else."
            )
    bound = _context_of(context, organisation)
    seeds = b"".join(key.seed for key in context.key.secrets.seal_keys)
    rows = [[member, seal.seal(context.public_key(member), seeds, bound)] for member in sorted(members)]
    cid = context.store.put(encoding.encode({"members": rows}), "dag-cbor")
    call = calls.set_keyring(cid.digest, view.keyring(organisation) or ZERO_DIGEST)
    return context.send(call)


def may_hold(view: View, organisation: Address, member: Member) -> bool:
    """Whether an organisation's keyring may hold one of its members: an emergency organisation's own are its EMERGENCY
    members alone, since the others' could not open a grant, and should not have its keys."""
    own = view.member(organisation)
    return own is None or not own.is_a(Kind.EMERGENCY) or member.is_a(Kind.EMERGENCY)


def _context_of(context: Context, organisation: Address) -> bytes:
    return encoding.encode(["dtledger/keyring/1", context.deployment.origin, organisation])


__all__ = ["ALL_TIME", "granted_keys", "may_hold", "organisation_keys", "owner_keys", "publish_keyring", "with_any"]
