"""The state of the ledger at any block, folded from its events.

`History` takes events in the order of the chain; `History.at(block)` answers every question of the rule (it is a
`policy.Facts`) as of the end of that block. No archive node is needed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from ..policy import EMPTY, SLOTS, Grant, Member
from ..types import ZERO_ADDRESS, ZERO_DIGEST, Address, Digest
from ..vocabulary import Action
from . import events as e

V = TypeVar("V")


class Timeline(Generic[V]):
    """The values that one thing had, each from the end of a block on."""

    __slots__ = ("_blocks", "_values")

    def __init__(self) -> None:
        self._blocks: list[int] = []
        self._values: list[V] = []

    def set(self, block: int, value: V) -> None:
        if self._blocks and self._blocks[-1] == block:
            self._values[-1] = value
        else:
            self._blocks.append(block)
            self._values.append(value)

    def at(self, block: int) -> V | None:
        place = bisect_right(self._blocks, block)
        return self._values[place - 1] if place else None

    def values_until(self, block: int) -> list[V]:
        return self._values[: bisect_right(self._blocks, block)]

    @property
    def last(self) -> V | None:
        return self._values[-1] if self._values else None


@dataclass(frozen=True, slots=True)
class Batch:
    """One anchored batch: `index` names the sender's index block as of then."""

    sender: Address
    root: Digest
    count: int
    index: Digest
    block: int
    at: int


@dataclass(frozen=True, slots=True)
class CardRecord:
    """A twin card, who set it and when."""

    card: e.Card
    owner: Address
    block: int
    at: int


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a grant stands."""

    owner: Address
    twin: int
    grantee: Address
    number: int


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """A slot's present word, the package that its newest grant names, and when that was written."""

    slot: Slot
    grant: Grant
    package: Digest
    block: int
    at: int


class History:
    """Everything the contracts ever said, in order."""

    def __init__(self) -> None:
        self.logged: list[e.Logged] = []
        self._owners: dict[int, Timeline[Address]] = defaultdict(Timeline)
        self._cards: dict[int, Timeline[e.Card | None]] = defaultdict(Timeline)
        self._card_records: dict[int, list[CardRecord]] = defaultdict(list)
        self._retired: dict[int, Timeline[tuple[int, int]]] = defaultdict(Timeline)
        self._members: dict[Address, Timeline[Member]] = defaultdict(Timeline)
        self._keys: dict[Address, Timeline[Digest]] = defaultdict(Timeline)
        self._keyrings: dict[Address, Timeline[Digest]] = defaultdict(Timeline)
        self._blocks: dict[tuple[int, Address], Timeline[int]] = defaultdict(Timeline)
        self._epochs: dict[tuple[Address, int], Timeline[int]] = defaultdict(Timeline)
        self._grants: dict[Slot, Timeline[GrantRecord]] = defaultdict(Timeline)
        self._slots: dict[tuple[Address, int], dict[Slot, None]] = defaultdict(dict)
        self._batches: dict[Address, list[Batch]] = defaultdict(list)
        self._roots: dict[tuple[Address, Digest], Batch] = {}
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
            e.Granted: self._granted,
            e.Revoked: self._revoked,
            e.AllRevoked: self._all_revoked,
            e.Blocked: self._blocked,
            e.Unblocked: self._blocked,
            e.BatchAnchored: self._batch_anchored,
        }

    def add(self, logged: e.Logged) -> None:
        """Take the chain's next event."""
        if self.logged and logged.place <= self.logged[-1].place:
            raise ValueError(f"events must come in the chain's order: {logged.place} after {self.logged[-1].place}")
        self.logged.append(logged)
        tell = self._tell.get(type(logged.event))
        if tell is not None:
            tell(logged, logged.event)

    def at(self, block: int) -> View:
        """The state at the end of `block`."""
        return View(self, block)

    # members -------------------------------------------------------------------------------------------------

    def _change(self, block: int, who: Address, **changes: object) -> None:
        present = self._members[who].last
        assert present is not None, "a member's event before its enrolment"
        self._members[who].set(block, replace(present, **changes))  # type: ignore[arg-type]

    def _enrolled(self, log: e.Logged, event: e.Enrolled) -> None:
        self._members[event.member].set(log.place.block, Member(event.kinds, _none(event.organisation), 1))
        self._keys[event.member].set(log.place.block, event.key)

    def _card_updated(self, log: e.Logged, event: e.CardUpdated) -> None:
        self._change(log.place.block, event.member, organisation=_none(event.organisation), version=event.version)
        self._keys[event.member].set(log.place.block, event.key)

    def _kinds_set(self, log: e.Logged, event: e.KindsSet) -> None:
        self._change(log.place.block, event.member, kinds=event.kinds)

    def _suspended(self, log: e.Logged, event: e.Suspended) -> None:
        self._change(log.place.block, event.member, suspended=True)

    def _reinstated(self, log: e.Logged, event: e.Reinstated) -> None:
        self._change(log.place.block, event.member, suspended=False)

    def _dismissed(self, log: e.Logged, event: e.Dismissed) -> None:
        """Anyone may say it of anyone, to end an agreement; it moves only those who belong to the sender."""
        present = self._members[event.member].last
        if present is not None and present.organisation == event.organisation:
            self._change(log.place.block, event.member, organisation=None)

    def _keyring_set(self, log: e.Logged, event: e.KeyringSet) -> None:
        self._keyrings[event.organisation].set(log.place.block, event.digest)

    # twins ---------------------------------------------------------------------------------------------------

    def _transfer(self, log: e.Logged, event: e.Transfer) -> None:
        self._owners[event.twin].set(log.place.block, event.to)

    def _card_set(self, log: e.Logged, event: e.CardSet) -> None:
        self._cards[event.twin].set(log.place.block, event.card)
        self._card_records[event.twin].append(CardRecord(event.card, event.owner, log.place.block, log.at))

    def _retirement_announced(self, log: e.Logged, event: e.RetirementAnnounced) -> None:
        self._retired[event.twin].set(log.place.block, (event.retire_at, event.counter))

    def _retirement_cancelled(self, log: e.Logged, event: e.RetirementCancelled) -> None:
        self._retired[event.twin].set(log.place.block, (0, event.counter))

    def _moved(self, log: e.Logged, event: e.Moved) -> None:
        self._retired[event.twin].set(log.place.block, (0, event.counter))
        self._cards[event.twin].set(log.place.block, None)

    # consents ------------------------------------------------------------------------------------------------

    def _granted(self, log: e.Logged, event: e.Granted) -> None:
        self._write_slot(log, Slot(event.owner, event.twin, event.grantee, event.number), event.grant, event.package)

    def _revoked(self, log: e.Logged, event: e.Revoked) -> None:
        self._write_slot(log, Slot(event.owner, event.twin, event.grantee, event.number), event.grant, ZERO_DIGEST)

    def _write_slot(self, log: e.Logged, slot: Slot, grant: Grant, package: Digest) -> None:
        self._grants[slot].set(log.place.block, GrantRecord(slot, grant, package, log.place.block, log.at))
        self._slots[slot.owner, slot.twin][slot] = None

    def _all_revoked(self, log: e.Logged, event: e.AllRevoked) -> None:
        self._epochs[event.owner, event.twin].set(log.place.block, event.epoch)

    def _blocked(self, log: e.Logged, event: e.Blocked | e.Unblocked) -> None:
        self._blocks[event.twin, event.grantee].set(log.place.block, event.count)

    # snapshots -----------------------------------------------------------------------------------------------

    def _batch_anchored(self, log: e.Logged, event: e.BatchAnchored) -> None:
        batch = Batch(event.sender, event.root, event.count, event.index, log.place.block, log.at)
        self._batches[event.sender].append(batch)
        self._roots[event.sender, event.root] = batch


def _none(address: Address) -> Address | None:
    return None if address == ZERO_ADDRESS else address


class View:
    """The ledger's state at the end of one block. A `policy.Facts`, and what clients ask besides."""

    __slots__ = ("_history", "block")

    def __init__(self, history: History, block: int) -> None:
        self._history = history
        self.block = block

    def __repr__(self) -> str:
        return f"View(block={self.block})"

    def earlier(self, block: int) -> View:
        """The state at the end of an earlier block."""
        return View(self._history, min(block, self.block))

    # what the rule asks

    def owner(self, twin: int) -> Address | None:
        line = self._history._owners.get(twin)
        return line.at(self.block) if line else None

    def retired(self, twin: int) -> bool:
        return self.retire_at(twin) != 0

    def member(self, who: Address) -> Member | None:
        line = self._history._members.get(who)
        return line.at(self.block) if line else None

    def blocked(self, twin: int, who: Address) -> bool:
        return self.block_count(twin, who) % 2 == 1

    def grant(self, owner: Address, twin: int, grantee: Address, number: int) -> Grant:
        record = self.record(Slot(owner, twin, grantee, number))
        return record.grant if record else EMPTY

    def epoch(self, owner: Address, twin: int) -> int:
        line = self._history._epochs.get((owner, twin))
        return (line.at(self.block) if line else None) or 0

    # what clients ask besides

    def retire_at(self, twin: int) -> int:
        """When an announced retirement becomes final (unix seconds); 0 if none is announced."""
        return self._state(twin)[0]

    def counter(self, twin: int) -> int:
        return self._state(twin)[1]

    def _state(self, twin: int) -> tuple[int, int]:
        line = self._history._retired.get(twin)
        return (line.at(self.block) if line else None) or (0, 0)

    def block_count(self, twin: int, who: Address) -> int:
        line = self._history._blocks.get((twin, who))
        return (line.at(self.block) if line else None) or 0

    def card(self, twin: int) -> e.Card | None:
        line = self._history._cards.get(twin)
        return line.at(self.block) if line else None

    def cards(self, twin: int) -> list[CardRecord]:
        """Every card the twin ever had up to here, oldest first."""
        return [record for record in self._history._card_records.get(twin, ()) if record.block <= self.block]

    def twins_of(self, owner: Address) -> list[int]:
        return sorted(twin for twin in self._history._owners if self.owner(twin) == owner)

    def members(self) -> list[Address]:
        return [who for who in self._history._members if self.member(who) is not None]

    def key_digest(self, who: Address) -> Digest | None:
        """The digest of a member's public key block."""
        line = self._history._keys.get(who)
        return line.at(self.block) if line else None

    def keyring(self, organisation: Address) -> Digest | None:
        line = self._history._keyrings.get(organisation)
        return line.at(self.block) if line else None

    def record(self, slot: Slot) -> GrantRecord | None:
        line = self._history._grants.get(slot)
        return line.at(self.block) if line else None

    def records(self, owner: Address, twin: int) -> list[GrantRecord]:
        """Every slot that `owner` ever wrote on `twin`, as it stands."""
        slots = self._history._slots.get((owner, twin), ())
        return [record for slot in slots if (record := self.record(slot)) is not None]

    def slots_of(self, owner: Address, twin: int, grantee: Address) -> list[GrantRecord]:
        """What `owner` gave one grantee on `twin`, by number."""
        slots = (Slot(owner, twin, grantee, number) for number in range(SLOTS))
        return [record for slot in slots if (record := self.record(slot)) is not None]

    def writers(self, twin: int) -> list[Address]:
        """Everyone who anchored a batch up to here and could ever have written to the twin: its owners, grantees of
        a WRITE grant, and members of such an organisation. Whether a snapshot counts is judged for each of them."""
        line = self._history._owners.get(twin)
        owners = set(line.values_until(self.block)) if line else set()
        granted = {
            slot.grantee
            for owner in owners
            for slot in self._history._slots.get((owner, twin), ())
            if any(
                record.grant.actions & Action.WRITE.mask
                for record in self._history._grants[slot].values_until(self.block)
            )
        }
        return [
            sender
            for sender in self.senders()
            if sender in owners
            or sender in granted
            or any(member.organisation in granted for member in self._history._members[sender].values_until(self.block))
        ]

    def batches(self, sender: Address) -> list[Batch]:
        return [batch for batch in self._history._batches.get(sender, ()) if batch.block <= self.block]

    def newest_batch(self, sender: Address) -> Batch | None:
        batches = self.batches(sender)
        return batches[-1] if batches else None

    def batch(self, sender: Address, root: Digest) -> Batch | None:
        found = self._history._roots.get((sender, root))
        return found if found and found.block <= self.block else None

    def senders(self) -> Iterator[Address]:
        """Everyone who ever anchored a batch up to here."""
        return (sender for sender in self._history._batches if self.newest_batch(sender))
