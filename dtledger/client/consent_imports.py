"""A consent from elsewhere becomes blocks, revocations and grants on a twin, in that order: what denies comes first, so
that an import cut short permits nothing that the consent denies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import InputError
from ..fhir import Box, Consent, Party, Window, denied, permitted, shut_out
from ..fhir.moments import seconds_of
from ..ledger import GrantRecord, Receipt, Slot, View
from ..policy import SLOTS
from ..types import Address
from ..vocabulary import Action, Purpose, UseTerm
from .consents import Consents
from .context import Context
from .terms import Terms, in_order


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do: whom it blocks, which standing grants the consent denies, and what is granted."""

    twin: int
    blocks: tuple[Address, ...]
    revokes: tuple[Slot, ...]
    grants: tuple[tuple[Address, Terms], ...]

    def __bool__(self) -> bool:
        return bool(self.blocks or self.revokes or self.grants)


class ConsentImports:
    """Carries consents over to twins that this key owns."""

    def __init__(self, context: Context, consents: Consents) -> None:
        self._context = context
        self._consents = consents

    def plan(
        self, twin: int, consent: Consent, wanted: Terms, grantees: Sequence[Address], actors: Mapping[str, Address]
    ) -> ImportPlan:
        """What carries the consent over, as far as it permits what is wanted.

        Args:
            wanted: what its owner would grant; the consent makes it less.
            grantees: to whom.
            actors: who stands behind the references in the consent.

        Raises:
            AccessDeniedError: this key does not own the twin.
            InputError: it takes more slots than a grantee has, or leaves no purpose for the terms of research.
        """
        view = self._context.view()
        slots = {each: self._consents.slot(twin, each) for each in dict.fromkeys(grantees)}
        known = frozenset(actors)
        parties = {each: self._party(view, each, actors) for each in slots}
        box = Box(
            frozenset(parties.values()),
            frozenset(wanted.actions) & {Action.READ, Action.TRAIN},
            frozenset(wanted.purposes),
            frozenset(wanted.categories),
            Window(wanted.not_before_at, wanted.expires_at),
            seconds_of(wanted.data),
        )
        now = self._context.clock()
        boxes = [each for each in permitted(consent, box, known) if each.held.end > now]
        grants = tuple((who, terms) for each in boxes for who, terms in _grants(each, parties, wanted.research))
        for who, count in Counter(who for who, _ in grants).items():
            if count > SLOTS - slots[who].number:
                raise InputError(
                    f"The consent takes {count} grants to {who}, and there are {SLOTS} slots.",
                    hint="Ask for less: fewer categories, or a shorter period.",
                )
        out = [actors[each] for each in sorted(shut_out(consent)) if each in actors]
        blocks = tuple(each for each in dict.fromkeys(out) if not view.blocked(twin, each))
        return ImportPlan(twin, blocks, tuple(self._against(twin, consent, actors, view)), grants)

    def carry_out(self, plan: ImportPlan) -> tuple[list[Slot], list[Receipt]]:
        """Do what was planned; the new grants' slots, and a receipt for each transaction. Raises as `Consents`."""
        consents = self._consents
        receipts = [consents.block(plan.twin, each) for each in plan.blocks]
        if plan.revokes:
            receipts.append(consents.revoke_many(plan.twin, plan.revokes))
        slots = []
        for who, terms in plan.grants:
            slot, receipt = consents.grant(plan.twin, who, terms)
            slots.append(slot)
            receipts.append(receipt)
        return slots, receipts

    def _against(self, twin: int, consent: Consent, actors: Mapping[str, Address], view: View) -> Iterator[Slot]:
        """The standing grants of which the consent denies some in so many words."""
        known = frozenset(actors)
        for record in self._consents.records(twin):
            if record.grant.given and record.grant.epoch == view.epoch(record.slot.owner, twin):
                box = self._box(record, self._party(view, record.slot.grantee, actors))
                if denied(consent, box, known):
                    yield record.slot

    def _box(self, record: GrantRecord, party: Party) -> Box:
        grant = record.grant
        reads = grant.actions & (Action.READ.mask | Action.EMERGENCY.mask)
        actions = ({Action.READ} if reads else set()) | ({Action.TRAIN} if grant.actions & Action.TRAIN.mask else set())
        purposes = frozenset(each for each in Purpose if grant.purposes & each.mask)
        return Box(
            frozenset({party}),
            frozenset(actions),
            purposes or frozenset({Purpose.ETREAT} if grant.actions & Action.EMERGENCY.mask else ()),
            frozenset(self._consents.names(record)),
            Window(max(grant.not_before_at, self._context.clock()), grant.expires_at),
            seconds_of(grant.data),
        )

    def _party(self, view: View, who: Address, actors: Mapping[str, Address]) -> Party:
        """Somebody with the references that stand for it, and for its organisation and its members."""
        member = view.member(who)
        near = {each for each in view.members() if (one := view.member(each)) and one.organisation == who}
        near |= {member.organisation} if member and member.organisation else set()
        return Party(
            who,
            frozenset(name for name, address in actors.items() if address == who),
            frozenset(name for name, address in actors.items() if address in near),
        )


def _grants(
    box: Box, parties: Mapping[Address, Party], research: tuple[UseTerm, ...]
) -> Iterator[tuple[Address, Terms]]:
    """Raises:
    InputError: the terms of research that its owner names do not go with the purposes that the consent leaves.
    """
    period = box.period
    assert period is not None, "boxes without a whole minute of data are left out"
    terms = Terms(
        in_order(tuple(box.categories)),
        tuple(sorted(box.purposes)),
        tuple(sorted(box.actions)),
        box.held.start,
        box.held.end,
        period,
        research if Action.TRAIN in box.actions else (),
    )
    for who, party in parties.items():
        if party in box.who:
            yield who, terms
