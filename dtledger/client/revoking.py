"""What a revocation brought about: since when each custodian refuses, and what had been fetched before.

In force, for everything not yet fetched, as soon as fewer custodians than the threshold are dishonest or have not seen
the revocation's block: their signed replies to the owner's probe say who has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..custody import Probe, ProbeReply
from ..custody.lateness import CATCH_UP_SECONDS, PAUSE_SECONDS
from ..encoding import CID
from ..errors import AccessDeniedError, DtledgerError, UnreachableError
from ..ledger import Receipt, Slot
from ..snapshots.blame import blaming
from ..snapshots.roster import Roster
from ..types import ZERO_DIGEST, Address
from .access import Access, Look
from .context import Context
from .custody_state import digest_of
from .twins import Twins


@dataclass(frozen=True, slots=True)
class Fetched:
    """Requests under one slot that opened something, newest first, also by an earlier grant in it; `silent` counts
    custodians without an account."""

    looks: tuple[Look, ...]
    silent: int

    @property
    def snapshots(self) -> int:
        """Openings in all: a snapshot that was fetched twice counts twice."""
        return sum(each.opened for each in self.looks)

    @classmethod
    def under(cls, access: Access, slot: Slot) -> Fetched:
        """What was opened under the grant in a slot, by what custodians account for."""
        looks = tuple(
            each for each in access.looks if each.opened and (each.grantee, each.slot) == (slot.grantee, slot.number)
        )
        return cls(looks, len(access.faults))


@dataclass(frozen=True, slots=True)
class RevocationReceipt:
    """The end of one grant: in which block, and what custodians signed since, of the twin's present roster and of those
    before it that snapshots may still stand under (`rosters`, the present one first).

    `refusals` are those that refuse everything under it; `faults` says of each other one why it does not count: it is
    silent (UnreachableError), has not seen the block (UnreachableError too), lies (IntegrityError), or opens still
    (AccessDeniedError with its signed reply in `.evidence["reply"]`).
    """

    slot: Slot
    receipt: Receipt
    rosters: tuple[Roster, ...]
    refusals: Mapping[Address, ProbeReply]
    faults: Mapping[Address, DtledgerError]
    access: Access

    @property
    def asked(self) -> int:
        return len(self.refusals) + len(self.faults)

    @property
    def in_force(self) -> bool:
        """Whether too few custodians of any roster are left to open anything, if those that refused are honest."""
        return all(len(self.faults.keys() & {*each.custodians}) < each.threshold for each in self.rosters)

    @property
    def threshold(self) -> int:
        """How many custodians of the present roster open something."""
        return self.rosters[0].threshold

    @property
    def fetched(self) -> Fetched:
        """What had been fetched under the grant, by the custodians' access receipts."""
        return Fetched.under(self.access, self.slot)


class Revoking:
    """An owner's probes."""

    def __init__(self, context: Context, twins: Twins, pause: Callable[[float], None] = time.sleep) -> None:
        self._context = context
        self._twins = twins
        self._pause = pause

    def account(
        self, twin: int, slots: Sequence[Slot], receipt: Receipt, patience: float = CATCH_UP_SECONDS
    ) -> dict[Slot, RevocationReceipt]:
        """The receipts of grants of this owner's on one twin that ended by one transaction.

        One whose node lacks the block is asked again for `patience` seconds.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError, UnreachableError: its roster is not to be had.
        """
        rosters = self._rosters(twin)
        custodians = list(dict.fromkeys(custodian for roster in rosters for custodian in roster.custodians))
        access = self._twins.who_looked(twin)
        told = {}
        for slot in slots:
            answered = {each: self._ask(each, slot, receipt.block, patience) for each in custodians}
            refusals = {each: answer for each, answer in answered.items() if isinstance(answer, ProbeReply)}
            faults = {each: answer for each, answer in answered.items() if isinstance(answer, DtledgerError)}
            told[slot] = RevocationReceipt(slot, receipt, rosters, refusals, faults, access)
        return told

    def _rosters(self, twin: int) -> tuple[Roster, ...]:
        """The roster in force, and those before it back to when custody was last shared anew."""
        context = self._context
        digests = {digest_of(self._twins.roster(twin)): None}
        cards = [record.card for record in context.view().cards(twin)]
        for before, card in reversed([*pairwise(cards)]):
            if card.custody_index not in (ZERO_DIGEST, before.custody_index):
                break
            digests[before.roster] = None
        return tuple(Roster.decode(context.deployment, context.store.get(CID(each))) for each in digests)

    def _ask(self, custodian: Address, slot: Slot, block: int, patience: float) -> ProbeReply | DtledgerError:
        """A custodian's refusal at that block or later, or what ails it."""
        waited = 0.0
        while True:
            try:
                reply = self._probe(custodian, slot)
            except DtledgerError as error:
                return error
            if reply.block >= block:
                break
            if waited >= patience:
                return UnreachableError(f"Its node stands at block {reply.block}, before the revocation's ({block}).")
            self._pause(PAUSE_SECONDS)
            waited += PAUSE_SECONDS
        if reply.refuses:
            return reply
        return AccessDeniedError(
            f"It says, signed, that it opens still ({reply.reason.name}).", reason=reply.reason, reply=reply
        )

    def _probe(self, custodian: Address, slot: Slot) -> ProbeReply:
        context = self._context
        port = context.custodian(custodian)
        probe = Probe(slot, context.clock())
        signed = probe.signed(context.key.sign_digest(probe.to_sign(context.deployment, custodian)))
        reply = port.probe(signed)
        with blaming(custodian):
            return reply.verify(context.deployment, custodian, slot)


__all__ = ["Fetched", "RevocationReceipt", "Revoking"]
