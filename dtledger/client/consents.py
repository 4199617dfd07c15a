"""Consents from the owner's side: grant, revoke, block, and what each would do.

A grant is first a `Terms`, which can be shown, then a package in the store, then a word on the ledger, in that
order: an interrupted grant leaves a package that nothing names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..crypto.bits import BitMap
from ..crypto.tags import link_key
from ..errors import InputError, IntegrityError, KeyFileError, UnreachableError
from ..ledger import GrantRecord, Receipt, Slot, View, calls
from ..ledger.events import Granted
from ..policy import SLOTS, Grant
from ..snapshots.package import narrow, seal_package
from ..snapshots.research import Research
from ..types import MAX_MINUTE, ZERO_DIGEST, Address, Digest, Period
from ..vocabulary import Action, Purpose
from .context import Context
from .deciding import grantees_of
from .keyrings import granted_keys, owner_keys
from .requests import Asking
from .research import research_of, understood
from .terms import GrantState, Terms, in_order


def slot_of(event: Granted) -> Slot:
    """The slot that an event is about."""
    return Slot(event.owner, event.twin, event.grantee, event.number)


@dataclass(frozen=True, slots=True)
class RevokedAll:
    """What became of everything: `kept` was granted again; `skipped` was to be, and ended with the rest."""

    receipt: Receipt
    kept: tuple[Slot, ...]
    skipped: tuple[Slot, ...]


class Consents(Asking):
    """What an owner (or, for `revoke`, a grantee) does with grants; and asking for them, which is `Asking`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    # granting ------------------------------------------------------------------------------------------------

    def grant(self, twin: int, grantee: Address, terms: Terms, number: int | None = None) -> tuple[Slot, Receipt]:
        """Give `grantee` a grant; without a number the first free slot is taken.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError: all eight slots are taken.
            CannotCheckError: the grantee has no key to seal to.
        """
        slot = self.slot(twin, grantee, number)
        word, package = self._prepare(slot, terms)
        call = calls.grant(twin, grantee, slot.number, word, package)
        receipt = self._context.send(call)
        receipt.the(Granted)
        return slot, receipt

    def grant_many(self, twin: int, grantees: Sequence[Address], terms: Terms) -> tuple[list[Slot], Receipt]:
        """Give several grantees the same terms in one transaction, each once. Raises as `grant`."""
        slots = [self.slot(twin, grantee, None) for grantee in dict.fromkeys(grantees)]
        prepared = [self._prepare(slot, terms) for slot in slots]
        recipients = [
            calls.Recipient(slot.grantee, slot.number, package)
            for slot, (_, package) in zip(slots, prepared, strict=True)
        ]
        call = calls.grant_many(twin, prepared[0][0], recipients)
        return slots, self._context.send(call)

    def reseal(self, slot: Slot) -> Receipt:
        """Seal a grant's package anew (for a grantee with a new key) and grant the same word again."""
        record = self._standing(slot)
        terms = self.terms_of(record)
        word, package = self._prepare(slot, terms)
        call = calls.grant(slot.twin, slot.grantee, slot.number, word, package)
        return self._context.send(call)

    def renew(self, slot: Slot, expires_at: int, data_until: int | None = None) -> Receipt:
        """Grant the terms that `renewed` gives. Raises as `renewed` and `grant`."""
        word, package = self._prepare(slot, self.renewed(slot, expires_at, data_until))
        call = calls.grant(slot.twin, slot.grantee, slot.number, word, package)
        return self._context.send(call)

    def renewed(self, slot: Slot, expires_at: int, data_until: int | None = None) -> Terms:
        """The terms of a grant that lasts until `expires_at`, its data period with it if that ended with the grant; a
        period that ended at another time stays as it is, unless `data_until` (a unix minute) says otherwise.

        Raises:
            InputError: there is no grant in the slot, or its data would end before they begin.
        """
        record = self._standing(slot)
        old = self.terms_of(record)
        moves = data_until is None and old.data.end == old.expires_at // 60
        end = expires_at // 60 if moves else old.data.end if data_until is None else data_until
        if end < old.data.start:
            raise InputError("The data would end before they begin.", hint="Revoke the grant instead.")
        data = Period(old.data.start, min(end, MAX_MINUTE))
        return Terms(old.categories, old.purposes, old.actions, old.not_before_at, expires_at, data, old.research)

    def _prepare(self, slot: Slot, terms: Terms) -> tuple[Grant, Digest]:
        """The word of the terms, and the digest of the package, which is in the store afterwards."""
        return self.word(slot.twin, terms), self.package(slot, terms)

    def package(self, slot: Slot, terms: Terms) -> Digest:
        """The digest of a package for that slot with every generation's keys, which is in the store afterwards.

        Raises:
            CannotCheckError: the grantee has no key to seal to.
        """
        context = self._context
        secrets = context.key.secrets.twin(context.deployment.origin, slot.twin)
        link = link_key(secrets.generations[secrets.latest], secrets.latest, slot.twin, slot.grantee)
        keys = narrow(owner_keys(secrets), list(terms.categories), terms.data, link)
        if Action.TRAIN in terms.actions:
            keys = replace(keys, research=Research.draw(map(str, terms.research)))
        public, own = context.public_key(slot.grantee), context.key.seal_key.public
        block = seal_package(context.deployment, slot, keys, public, own)
        return context.store.put(block, "dag-cbor").digest

    def word(self, twin: int, terms: Terms) -> Grant:
        """The terms as the ledger holds them: categories by the twin's permuted bits. What begins now begins at the
        ledger's now, whose clock may stand a little behind ours: else it could not be used at once."""
        now, head = self._context.clock(), self._context.ledger.head().at
        begins = min(terms.not_before_at, head) if terms.not_before_at <= now else terms.not_before_at
        secrets = self._context.key.secrets.twin(self._context.deployment.origin, twin)
        return Grant(
            categories=secrets.bits.mask(terms.categories),
            purposes=sum(purpose.mask for purpose in set(terms.purposes)),
            not_before_at=begins,
            expires_at=terms.expires_at,
            data=terms.data,
            actions=sum(action.mask for action in set(terms.actions)),
        )

    def terms_of(self, record: GrantRecord) -> Terms:
        """A word on the ledger in words; the owner's own bit names are used."""
        bits = self._context.key.secrets.twin(self._context.deployment.origin, record.slot.twin).bits
        return Terms(
            categories=in_order(bits.names_in(record.grant.categories)),
            purposes=tuple(each for each in Purpose if record.grant.purposes & each.mask),
            actions=tuple(each for each in Action if record.grant.actions & each.mask),
            not_before_at=record.grant.not_before_at,
            expires_at=record.grant.expires_at,
            data=record.grant.data,
            research=understood(research_of(self._context, record)),
        )

    def slot(self, twin: int, grantee: Address, number: int | None = None) -> Slot:
        """The slot that a grant of that number would take: without one, the grantee's first free. Raises as `grant`."""
        view = self._context.view()
        owner = self._context.key.address
        self._context.require_owner(twin, view)
        if number is not None:
            return Slot(owner, twin, grantee, number)
        epoch, now = view.epoch(owner, twin), self._context.clock()
        for free in range(SLOTS):
            held = view.grant(owner, twin, grantee, free)
            if not held.given or held.epoch != epoch or held.expires_at <= now:
                return Slot(owner, twin, grantee, free)
        raise InputError(
            f"All {SLOTS} slots of this grantee are in use.", hint="Revoke one, or name it with --slot to replace it."
        )

    def _standing(self, slot: Slot) -> GrantRecord:
        """The grant in a slot, whatever its time."""
        record = self._found(slot)
        if record is None:
            raise InputError("There is no grant in that slot.", hint="Look with `dtledger consent list`.")
        return record

    def _found(self, slot: Slot) -> GrantRecord | None:
        record = self._context.view().record(slot)
        if record is None or record.package == ZERO_DIGEST or self.state(record) is GrantState.REVOKED:
            return None
        return record

    # taking back ---------------------------------------------------------------------------------------------

    def revoke(self, slot: Slot) -> Receipt:
        """End a grant, as its owner or its grantee. An empty slot is raised too: no message can fill it later."""
        call = calls.revoke(slot.owner, slot.twin, slot.grantee, slot.number)
        return self._context.send(call)

    def revoke_many(self, twin: int, slots: Sequence[Slot]) -> Receipt:
        """As the owner, end several grants on one twin in one transaction."""
        call = calls.revoke_many(twin, [(slot.grantee, slot.number) for slot in slots])
        return self._context.send(call)

    def revoke_all(self, twin: int, keep: Sequence[Slot] = ()) -> RevokedAll:
        """End every grant on the twin at once; those in `keep` are given again in the same transaction.

        A grantee may change its own slot at any time, and cannot stop this by it: a grant that is to be kept and does
        not stand any more as it was looked at is skipped, and ends with the rest.

        Raises:
            InputError: one that is to be kept was not given by this key, or on another twin.
        """
        wanted = tuple(dict.fromkeys(keep))
        if any((slot.owner, slot.twin) != (self._context.key.address, twin) for slot in wanted):
            raise InputError(f"Only what this key gave on twin {twin} can be kept.", hint="Leave the others out.")
        standing = [record for slot in wanted if (record := self._found(slot))]
        regrants = [
            calls.Regrant(each.slot.grantee, each.slot.number, each.grant.revision, each.grant.terms, each.package)
            for each in standing
        ]
        receipt = self._context.send(calls.revoke_all(twin, regrants))
        granted = {slot_of(event) for event in receipt.events if isinstance(event, Granted)}
        kept = tuple(slot for slot in wanted if slot in granted)
        return RevokedAll(receipt, kept, tuple(slot for slot in wanted if slot not in granted))

    def writers(self, twin: int) -> list[Slot]:
        """The live grants that let somebody write: what `revoke_all` stops unless they are kept."""
        return [
            record.slot
            for record in self.records(twin)
            if record.grant.actions & Action.WRITE.mask and self.is_live(record)
        ]

    def block(self, twin: int, grantee: Address) -> Receipt:
        """Refuse a grantee everything on this twin, whatever it was granted, until unblocked."""
        return self._context.send(calls.block_grantee(twin, grantee))

    def unblock(self, twin: int, grantee: Address) -> Receipt:
        """Lift a block: what the grantee still holds counts again."""
        return self._context.send(calls.unblock_grantee(twin, grantee))

    # looking -------------------------------------------------------------------------------------------------

    def records(self, twin: int) -> list[GrantRecord]:
        """Every slot that the twin's present owner ever wrote, as it stands."""
        view = self._context.view()
        owner = view.owner(twin)
        return view.records(owner, twin) if owner else []

    def received(self) -> list[GrantRecord]:
        """Every slot that the present owner of some twin ever wrote for this key or its organisation."""
        view = self._context.view()
        return view.received(grantees_of(view, self._context.key.address))

    def last_given(self, slot: Slot) -> GrantRecord | None:
        """The slot as its newest grant wrote it, whether or not it was revoked since."""
        for each in reversed(self._context.ledger.history().logged):
            if isinstance(event := each.event, Granted) and slot_of(event) == slot:
                return GrantRecord(slot, event.grant, event.package, each.place.block, each.at)
        return None

    def state(self, record: GrantRecord, view: View | None = None) -> GrantState:
        """How a grant stands now (as of `view`, which spares a look at the ledger for each of many). BLOCKED is said of
        one that would be in force but for its grantee's being blocked."""
        grant, slot = record.grant, record.slot
        view, now = view or self._context.view(), self._context.clock()
        if not grant.given or grant.epoch != view.epoch(slot.owner, slot.twin):
            return GrantState.REVOKED
        if now >= grant.expires_at:
            return GrantState.ENDED
        if view.blocked(slot.twin, slot.grantee):
            return GrantState.BLOCKED
        return GrantState.LIVE if now >= grant.not_before_at else GrantState.SLEEPING

    def is_live(self, record: GrantRecord, view: View | None = None) -> bool:
        """Given, not revoked with everything, its grantee not blocked, and within its time."""
        return self.state(record, view) is GrantState.LIVE

    def needs_reseal(self, record: GrantRecord, view: View | None = None) -> bool:
        """Whether the grantee has another key than the one that the package was sealed to."""
        view, grantee = view or self._context.view(), record.slot.grantee
        return view.key_digest(grantee) != view.earlier(record.block).key_digest(grantee)

    def names(self, record: GrantRecord) -> tuple[str, ...]:
        """The categories of a grant, where a key at hand names them; else `bit 13`."""
        return self.names_of(record.slot, record.grant.categories)

    def names_of(self, slot: Slot, mask: int) -> tuple[str, ...]:
        """As `names`, of any mask of bits."""
        try:
            return in_order(self.bits(slot).names_in(mask)) if mask else ()
        except (InputError, KeyFileError, IntegrityError, UnreachableError):
            return tuple(f"bit {bit}" for bit in range(mask.bit_length()) if mask >> bit & 1)

    def bits(self, slot: Slot) -> BitMap:
        """What the bits of a grant mean, as its owner or its grantee knows. Raises as `granted_keys`."""
        context = self._context
        if slot.owner == context.key.address:
            return context.key.secrets.twin(context.deployment.origin, slot.twin).bits
        return granted_keys(context, self._standing(slot)).bits
