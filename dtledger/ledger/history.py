"""The fold: `History` takes events in the order of the chain, and `History.at(block)` is the state as of a block.

No archive node is needed, and no state is ever read from a node for a decision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

from ..policy import Grant, Member
from ..types import ZERO_ADDRESS, ZERO_DIGEST, Address, Digest
from . import events as e
from .records import (
    Aggregate,
    AnnouncedMove,
    Batch,
    CardRecord,
    GrantRecord,
    Model,
    Opening,
    Present,
    ReceiptAnchor,
    Remediation,
    Review,
    Round,
    Slot,
    Timelines,
    TwinState,
    Update,
)
from .succession import continue_from
from .view import View


class History:
    """Everything the contracts ever said, in order."""

    """
    Args:
        before: all that the deployment before said, at least up to where this one is told.
    """

    def __init__(self, before: Callable[[], History] | None = None) -> None:
        self._before = before
        self.logged: list[e.Logged] = []
        self._lines = Timelines()
        self._tell: dict[type, Callable[..., None]] = {
            e.Enrolled: self._enrolled,
            e.CardUpdated: self._card_updated,
            e.KindsSet: self._kinds_set,
            e.Suspended: self._suspended,
            e.Reinstated: self._reinstated,
            e.Dismissed: self._dismissed,
            e.KeyringSet: self._keyring_set,
            e.Transfer: self._transfer,
            e.CardSet: self._card_set,
            e.RetirementAnnounced: self._retirement_announced,
            e.RetirementCancelled: self._retirement_cancelled,
            e.Moved: self._moved,
            e.Departed: self._departed,
            e.Arrived: self._arrived,
            e.GuardiansSet: self._guardians_set,
            e.Frozen: self._frozen,
            e.Unfrozen: self._unfrozen,
            e.MoveAnnounced: self._move_announced,
            e.MoveVetoed: self._move_vetoed,
            e.Granted: self._granted,
            e.Revoked: self._revoked,
            e.AllRevoked: self._epoch_set,
            e.Carried: self._epoch_set,
            e.Blocked: self._blocked,
            e.Unblocked: self._blocked,
            e.EmergencyOpened: self._emergency_opened,
            e.EmergencyReviewed: self._emergency_reviewed,
            e.BatchAnchored: self._batch_anchored,
            e.ReceiptsAnchored: self._receipts_anchored,
            e.ModelRegistered: self._model_registered,
            e.RoundOpened: self._round_opened,
            e.UpdateCommitted: self._update_committed,
            e.AggregateFinalised: self._aggregate_finalised,
            e.Remediated: self._remediated,
        }

    def add(self, logged: e.Logged) -> None:
        """Take the chain's next event. Raises ValueError: it is not after the last."""
        if self.logged and logged.place <= self.logged[-1].place:
            raise ValueError(f"events must come in the chain's order: {logged.place} after {self.logged[-1].place}")
        self.logged.append(logged)
        tell = self._tell.get(type(logged.event))
        if tell is not None:
            tell(logged, logged.event)

    @property
    def before(self) -> History | None:
        """All that the deployment before said; None for a first one."""
        return self._before() if self._before else None

    def at(self, block: int) -> View:
        """The state at the end of `block`."""
        return View(self._lines, block)

    # members -------------------------------------------------------------------------------------------------

    def _change(self, block: int, who: Address, **changes: object) -> None:
        present = self._lines.members[who].last
        assert present is not None, "a member's event before its enrolment"
        self._lines.members[who].set(block, replace(present, **changes))  # type: ignore[arg-type]

    def _enrolled(self, log: e.Logged, event: e.Enrolled) -> None:
        self._lines.members[event.member].set(log.place.block, Member(event.kinds, _none(event.organisation), 1))
        self._lines.keys[event.member].set(log.place.block, event.key)

    def _card_updated(self, log: e.Logged, event: e.CardUpdated) -> None:
        self._change(log.place.block, event.member, organisation=_none(event.organisation), version=event.version)
        self._lines.keys[event.member].set(log.place.block, event.key)

    def _kinds_set(self, log: e.Logged, event: e.KindsSet) -> None:
        self._change(log.place.block, event.member, kinds=event.kinds)

    def _suspended(self, log: e.Logged, event: e.Suspended) -> None:
        self._change(log.place.block, event.member, suspended=True)

    def _reinstated(self, log: e.Logged, event: e.Reinstated) -> None:
        self._change(log.place.block, event.member, suspended=False)

    def _dismissed(self, log: e.Logged, event: e.Dismissed) -> None:
        """Anyone may say it of anyone, to end an agreement; it moves only those who belong to the sender."""
        present = self._lines.members[event.member].last
        if present is not None and present.organisation == event.organisation:
            self._change(log.place.block, event.member, organisation=None)

    def _keyring_set(self, log: e.Logged, event: e.KeyringSet) -> None:
        self._lines.keyrings[event.organisation].set(log.place.block, event.digest)

    # twins ---------------------------------------------------------------------------------------------------

    def _transfer(self, log: e.Logged, event: e.Transfer) -> None:
        self._lines.owners[event.twin].set(log.place.block, event.to)
        self._lines.held[event.to].add(event.twin)

    def _card_set(self, log: e.Logged, event: e.CardSet) -> None:
        self._lines.cards[event.twin].set(log.place.block, event.card)
        self._lines.card_records[event.twin].append(CardRecord(event.card, event.owner, log.place.block, log.at))

    def _retirement_announced(self, log: e.Logged, event: e.RetirementAnnounced) -> None:
        self._change_twin(log, event.twin, counter=event.counter, retire_at=event.retire_at)

    def _retirement_cancelled(self, log: e.Logged, event: e.RetirementCancelled) -> None:
        self._change_twin(log, event.twin, counter=event.counter, retire_at=0)

    def _moved(self, log: e.Logged, event: e.Moved) -> None:
        self._lines.states[event.twin].set(log.place.block, TwinState(counter=event.counter))
        self._lines.cards[event.twin].set(log.place.block, None)

    def _departed(self, log: e.Logged, event: e.Departed) -> None:
        changes = {"retire_at": log.at, "move": None, "successor": event.successor}
        self._change_twin(log, event.twin, counter=event.counter, **changes)

    def _arrived(self, log: e.Logged, event: e.Arrived) -> None:
        if self._before is not None:
            continue_from(self._before()._lines, self._lines, event.twin, log.place.block)
        state = TwinState(event.counter, 0, event.guardians, event.recovery_delay, event.frozen_at)
        self._lines.states[event.twin].set(log.place.block, state)

    def _guardians_set(self, log: e.Logged, event: e.GuardiansSet) -> None:
        changes = {"guardians": event.guardians, "recovery_delay": event.recovery_delay, "move": None}
        self._change_twin(log, event.twin, counter=event.counter, **changes)

    def _frozen(self, log: e.Logged, event: e.Frozen) -> None:
        changes = {"frozen_at": log.at, "frozen_until": event.frozen_until, "retire_at": event.retire_at}
        self._change_twin(log, event.twin, counter=event.counter, **changes)

    def _unfrozen(self, log: e.Logged, event: e.Unfrozen) -> None:
        self._change_twin(log, event.twin, counter=event.counter, frozen_until=0)

    def _move_announced(self, log: e.Logged, event: e.MoveAnnounced) -> None:
        move = AnnouncedMove(event.to, event.ready_at, event.binding)
        self._change_twin(log, event.twin, counter=event.counter, frozen_until=event.frozen_until, move=move)

    def _move_vetoed(self, log: e.Logged, event: e.MoveVetoed) -> None:
        self._change_twin(log, event.twin, counter=event.counter, move=None)

    def _change_twin(self, log: e.Logged, twin: int, **changes: object) -> None:
        present = self._lines.states[twin].last or TwinState()
        self._lines.states[twin].set(log.place.block, replace(present, **changes))  # type: ignore[arg-type]

    # consents ------------------------------------------------------------------------------------------------

    def _granted(self, log: e.Logged, event: e.Granted) -> None:
        self._write_slot(log, Slot(event.owner, event.twin, event.grantee, event.number), event.grant, event.package)

    def _revoked(self, log: e.Logged, event: e.Revoked) -> None:
        self._write_slot(log, Slot(event.owner, event.twin, event.grantee, event.number), event.grant, ZERO_DIGEST)

    def _write_slot(self, log: e.Logged, slot: Slot, grant: Grant, package: Digest) -> None:
        self._lines.grants[slot].set(log.place.block, GrantRecord(slot, grant, package, log.place.block, log.at))
        self._lines.slots[slot.owner, slot.twin][slot] = None

    def _epoch_set(self, log: e.Logged, event: e.AllRevoked | e.Carried) -> None:
        self._lines.epochs[event.owner, event.twin].set(log.place.block, event.epoch)

    def _blocked(self, log: e.Logged, event: e.Blocked | e.Unblocked) -> None:
        self._lines.blocks[event.twin, event.grantee].set(log.place.block, event.count)

    # emergencies ---------------------------------------------------------------------------------------------

    def _emergency_opened(self, log: e.Logged, event: e.EmergencyOpened) -> None:
        said, block = event.emergency, log.place.block
        slot = Slot(said.owner, event.twin, said.grantee, said.number)
        self._lines.openings[event.opening] = Opening(
            number=event.opening,
            slot=slot,
            opener=event.opener,
            revision=said.revision,
            cause=said.cause,
            text=said.text,
            closes_at=said.closes_at,
            review_by=said.review_by,
            block=block,
            at=log.at,
        )
        self._lines.closings[slot, said.revision, event.opener].set(block, said.closes_at)

    def _emergency_reviewed(self, log: e.Logged, event: e.EmergencyReviewed) -> None:
        review = Review(event.reviewer, event.finding, event.text, log.place.block, log.at)
        self._lines.reviews[event.opening] = review

    # snapshots -----------------------------------------------------------------------------------------------

    def _batch_anchored(self, log: e.Logged, event: e.BatchAnchored) -> None:
        batches = self._lines.batches[event.sender]
        before = batches[-1].after if batches else ZERO_DIGEST
        batch = Batch(event.sender, event.root, event.count, event.index, log.place.block, log.at, len(batches), before)
        batches.append(batch)
        self._lines.roots[event.sender, event.root] = batch

    # receipts ------------------------------------------------------------------------------------------------

    def _receipts_anchored(self, log: e.Logged, event: e.ReceiptsAnchored) -> None:
        anchor = ReceiptAnchor(**asdict(event), block=log.place.block, at=log.at)
        self._lines.receipts[event.custodian].set(log.place.block, anchor)

    # models --------------------------------------------------------------------------------------------------

    def _model_registered(self, log: e.Logged, event: e.ModelRegistered) -> None:
        self._lines.models[event.model] = Model(
            number=event.model,
            coordinator=event.coordinator,
            purpose=event.purpose,
            categories=event.categories,
            minimum_cohort=event.minimum_cohort,
            budget=event.budget,
            card=event.card,
            block=log.place.block,
            at=log.at,
        )

    def _round_opened(self, log: e.Logged, event: e.RoundOpened) -> None:
        present = self._lines.presents[event.model].last
        base = present.base if present else 0
        opened = Round(event.model, event.round, event.parent, log.place.block, log.at, base)
        self._lines.rounds[event.model].append(opened)
        self._lines.presents[event.model].set(log.place.block, Present(base, event.parent))

    def _update_committed(self, log: e.Logged, event: e.UpdateCommitted) -> None:
        update = Update(**asdict(event), block=log.place.block, at=log.at)
        self._lines.updates[event.model, event.round].append(update)

    def _aggregate_finalised(self, log: e.Logged, event: e.AggregateFinalised) -> None:
        made = Aggregate(event.aggregate, event.record, event.updates, log.place.block, log.at)
        self._lines.aggregates[event.model, event.round] = made
        self._lines.presents[event.model].set(log.place.block, Present(event.round, event.aggregate))

    def _remediated(self, log: e.Logged, event: e.Remediated) -> None:
        self._lines.remediations[event.model].append(Remediation(**asdict(event), block=log.place.block, at=log.at))
        for each in self._lines.rounds[event.model]:
            if event.retrained and each.number == event.first:
                self._lines.presents[event.model].set(log.place.block, Present(each.base, each.parent))


def _none(address: Address) -> Address | None:
    return None if address == ZERO_ADDRESS else address
