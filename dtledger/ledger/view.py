"""The ledger's state at the end of one block: it answers every question of the rule, and what clients ask besides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from ..policy import EMPTY, SLOTS, Grant, Member
from ..types import ZERO_DIGEST, Address, Digest
from ..vocabulary import Action
from . import events as e
from .records import (
    Aggregate,
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


class View:
    """The ledger's state at the end of one block. A `policy.Facts`, and what clients ask besides.

    A history goes on while another thread looks at a view of it, so what is gone through is a copy.
    """

    __slots__ = ("_lines", "block")

    def __init__(self, lines: Timelines, block: int) -> None:
        self._lines = lines
        self.block = block

    def __repr__(self) -> str:
        return f"View(block={self.block})"

    def earlier(self, block: int) -> View:
        """The state at the end of an earlier block."""
        return View(self._lines, min(block, self.block))

    # what the rule asks

    def owner(self, twin: int) -> Address | None:
        line = self._lines.owners.get(twin)
        return line.at(self.block) if line else None

    def owners(self, twin: int) -> list[Address]:
        """Everyone who owned the twin up to here, the first first."""
        line = self._lines.owners.get(twin)
        return list(dict.fromkeys(line.values_until(self.block))) if line else []

    def was_owner(self, twin: int, who: Address) -> bool:
        """Whether the twin was moved away from them: it never goes back."""
        return who in self.owners(twin) and self.owner(twin) != who

    def retired(self, twin: int) -> bool:
        return self.state(twin).retire_at != 0

    def frozen_until(self, twin: int) -> int:
        """When the twin's freeze ends or ended (unix seconds); 0 if it never was frozen, or guardians ended that."""
        return self.state(twin).frozen_until

    def member(self, who: Address) -> Member | None:
        line = self._lines.members.get(who)
        return line.at(self.block) if line else None

    def blocked(self, twin: int, who: Address) -> bool:
        return self.block_count(twin, who) % 2 == 1

    def grant(self, owner: Address, twin: int, grantee: Address, number: int) -> Grant:
        record = self.record(Slot(owner, twin, grantee, number))
        return record.grant if record else EMPTY

    def epoch(self, owner: Address, twin: int) -> int:
        line = self._lines.epochs.get((owner, twin))
        return (line.at(self.block) if line else None) or 0

    def closes_at(self, owner: Address, twin: int, grantee: Address, number: int, opener: Address) -> int:
        slot = Slot(owner, twin, grantee, number)
        line = self._lines.closings.get((slot, self.grant(owner, twin, grantee, number).revision, opener))
        return (line.at(self.block) if line else None) or 0

    # what clients ask besides

    def retire_at(self, twin: int) -> int:
        """When an announced retirement becomes final (unix seconds); 0 if none is announced, as of a twin that left."""
        state = self.state(twin)
        return 0 if state.successor else state.retire_at

    def ended(self, at: int) -> list[int]:
        """The twins whose retirement is final at that time (unix seconds)."""
        return [twin for twin in list(self._lines.states) if 0 < self.retire_at(twin) <= at]

    def successor(self, twin: int) -> Address | None:
        """The ConsentRegistry of the deployment that the twin left for."""
        return self.state(twin).successor

    def twins(self) -> list[int]:
        """Every twin that is or was here, by number."""
        return sorted(each for each in list(self._lines.owners) if self.owner(each) is not None)

    def blocked_on(self, twin: int) -> list[Address]:
        """All who are blocked on the twin."""
        return [who for each, who in list(self._lines.blocks) if each == twin and self.blocked(twin, who)]

    def counter(self, twin: int) -> int:
        return self.state(twin).counter

    def state(self, twin: int) -> TwinState:
        """The twin's retirement, guardians, freeze and announced move."""
        line = self._lines.states.get(twin)
        return (line.at(self.block) if line else None) or TwinState()

    def block_count(self, twin: int, who: Address) -> int:
        line = self._lines.blocks.get((twin, who))
        return (line.at(self.block) if line else None) or 0

    def card(self, twin: int) -> e.Card | None:
        line = self._lines.cards.get(twin)
        return line.at(self.block) if line else None

    def cards(self, twin: int) -> list[CardRecord]:
        """Every card the twin ever had up to here, oldest first."""
        return [record for record in self._lines.card_records.get(twin, ()) if record.block <= self.block]

    def twins_of(self, owner: Address) -> list[int]:
        return sorted(twin for twin in list(self._lines.held.get(owner, ())) if self.owner(twin) == owner)

    def members(self) -> list[Address]:
        return [who for who in list(self._lines.members) if self.member(who) is not None]

    def key_digest(self, who: Address) -> Digest | None:
        """The digest of a member's public key block."""
        line = self._lines.keys.get(who)
        return line.at(self.block) if line else None

    def keyring(self, organisation: Address) -> Digest | None:
        line = self._lines.keyrings.get(organisation)
        return line.at(self.block) if line else None

    def record(self, slot: Slot) -> GrantRecord | None:
        line = self._lines.grants.get(slot)
        return line.at(self.block) if line else None

    def records(self, owner: Address, twin: int) -> list[GrantRecord]:
        """Every slot that `owner` ever wrote on `twin`, as it stands."""
        slots = list(self._lines.slots.get((owner, twin), ()))
        return [record for slot in slots if (record := self.record(slot)) is not None]

    def slots_of(self, owner: Address, twin: int, grantee: Address) -> list[GrantRecord]:
        """What `owner` gave one grantee on `twin`, by number."""
        slots = (Slot(owner, twin, grantee, number) for number in range(SLOTS))
        return [record for slot in slots if (record := self.record(slot)) is not None]

    def received(self, grantees: Collection[Address]) -> list[GrantRecord]:
        """Every slot that the present owner of some twin wrote for one of these, as it stands."""
        return [
            record
            for (owner, twin), slots in list(self._lines.slots.items())
            if self.owner(twin) == owner
            for slot in list(slots)
            if slot.grantee in grantees and (record := self.record(slot)) is not None
        ]

    def openings(self) -> list[Opening]:
        """Every emergency that was opened up to here, in order."""
        return [each for each in list(self._lines.openings.values()) if each.block <= self.block]

    def opening(self, number: int) -> Opening | None:
        found = self._lines.openings.get(number)
        return found if found and found.block <= self.block else None

    def review(self, opening: int) -> Review | None:
        found = self._lines.reviews.get(opening)
        return found if found and found.block <= self.block else None

    def unreviewed(self, opener: Address) -> list[Opening]:
        """A member's openings that nobody has reviewed."""
        return [each for each in self.openings() if each.opener == opener and self.review(each.number) is None]

    def writers(self, twin: int) -> list[Address]:
        """Everyone who anchored a batch up to here and could ever have written to the twin: its owners, grantees of
        a WRITE grant, and members of such an organisation. Whether a snapshot counts is judged for each of them."""
        owners = set(self.owners(twin))
        granted = {
            slot.grantee
            for owner in owners
            for slot in list(self._lines.slots.get((owner, twin), ()))
            if any(
                record is not None and record.grant.actions & Action.WRITE.mask
                for record in self._lines.grants[slot].values_until(self.block)
            )
        }
        return [
            sender
            for sender in self.senders()
            if sender in owners
            or sender in granted
            or any(member.organisation in granted for member in self._memberships(sender))
        ]

    def _memberships(self, who: Address) -> list[Member]:
        line = self._lines.members.get(who)
        return line.values_until(self.block) if line else []

    def batches(self, sender: Address) -> list[Batch]:
        return [batch for batch in self._lines.batches.get(sender, ()) if batch.block <= self.block]

    def history_of(self, sender: Address) -> Digest:
        """The contract's digest over all that a sender anchored: what a signed batch of theirs goes on from."""
        history = ZERO_DIGEST
        for batch in self.batches(sender):
            history = batch.anchored.after(history)
        return history

    def newest_batch(self, sender: Address) -> Batch | None:
        batches = self.batches(sender)
        return batches[-1] if batches else None

    def batch(self, sender: Address, root: Digest) -> Batch | None:
        found = self._lines.roots.get((sender, root))
        return found if found and found.block <= self.block else None

    def senders(self) -> Iterator[Address]:
        """Everyone who ever anchored a batch up to here."""
        return (sender for sender in list(self._lines.batches) if self.newest_batch(sender))

    def receipt_anchor(self, custodian: Address) -> ReceiptAnchor | None:
        """The newest anchor of a custodian's receipt log."""
        line = self._lines.receipts.get(custodian)
        return line.at(self.block) if line else None

    def models(self) -> list[Model]:
        """Every model registered up to here, by number."""
        return [model for model in list(self._lines.models.values()) if model.block <= self.block]

    def model(self, number: int) -> Model | None:
        found = self._lines.models.get(number)
        return found if found and found.block <= self.block else None

    def rounds(self, model: int) -> list[Round]:
        """Every round opened up to here, by number."""
        return [each for each in self._lines.rounds.get(model, ()) if each.block <= self.block]

    def round(self, model: int, number: int) -> Round | None:
        return next((each for each in self.rounds(model) if each.number == number), None)

    def updates(self, model: int, number: int) -> list[Update]:
        """What sites committed to in a round up to here, in the order of the ledger."""
        return [update for update in self._lines.updates.get((model, number), ()) if update.block <= self.block]

    def aggregate(self, model: int, number: int) -> Aggregate | None:
        """What a round was made into; None while it is open."""
        found = self._lines.aggregates.get((model, number))
        return found if found and found.block <= self.block else None

    def present(self, model: int) -> Present | None:
        """What the model's next round starts from, or its open one did; None before the first."""
        line = self._lines.presents.get(model)
        return line.at(self.block) if line else None

    def remediations(self, model: int) -> list[Remediation]:
        """What its coordinator said became of rounds up to here, in order."""
        return [each for each in self._lines.remediations.get(model, ()) if each.block <= self.block]

    # since when something is so: the first block from which on it held without a break; None if it does not hold

    def owner_since(self, twin: int) -> int | None:
        """Since when the twin is its present owner's."""
        line, present = self._lines.owners.get(twin), self.owner(twin)
        return line.since(self.block, lambda owner: owner == present) if line else None

    def retired_since(self, twin: int) -> int | None:
        """Since when the twin's retirement is announced; one that left for another deployment is none."""
        line = self._lines.states.get(twin)
        return line.since(self.block, lambda state: state.retire_at != 0 and not state.successor) if line else None

    def blocked_since(self, twin: int, who: Address) -> int | None:
        line = self._lines.blocks.get((twin, who))
        return line.since(self.block, lambda count: count % 2 == 1) if line else None

    def epoch_since(self, owner: Address, twin: int, epoch: int) -> int | None:
        """Since when the owner's epoch is above `epoch`: grants of that epoch were revoked with everything."""
        line = self._lines.epochs.get((owner, twin))
        return line.since(self.block, lambda present: present > epoch) if line else None

    def slot_since(self, slot: Slot, holds: Callable[[Grant], bool]) -> int | None:
        """Since when a slot's word is such that `holds`."""
        line = self._lines.grants.get(slot)
        return line.since(self.block, lambda record: holds(record.grant if record else EMPTY)) if line else None

    def spent(self, model: int, site: Address) -> int:
        """The privacy that a site's updates to a model spent up to here: ε in thousandths."""
        every = (update for each in self.rounds(model) for update in self.updates(model, each.number))
        return sum(update.epsilon for update in every if update.site == site)
