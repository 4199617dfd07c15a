"""What storage counts: on a chain that is looked at in part, an event that is left out is missed by a number.

Each write of a member raises the count of its changes, of a twin's state its counter, of a slot its revision, of all
that an owner granted the epoch, of a block its count. Cards name the one before them, rounds are numbered, and each
says how many updates it had. So the events at hand are all, if these run without a gap up to what storage has at the
head, which is proved.

A signed denial may skip numbers: it names one above every other that was ever signed (`contracts/base/SignedConsents.
sol`). Between it and the event before, a grant and its end may lie that are not at hand: a `Gap`, in which nothing that
it bears on can be checked. A block of who is blocked already, and an unblock of who is not, raise the count by two, as
both together do: between them may lie one that is not at hand.

Warning: storage is asked about somebody by name. Whether an owner ever granted something to a person whom no event at
hand names, it does not tell; nor does it count what coordinators accepted after a withdrawal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from ..errors import CannotCheckError, IntegrityError
from ..ledger import View
from ..ledger import events as e
from ..ledger.events import Logged
from ..ledger.messages import card_chain
from ..policy import MAX_EPOCH, MAX_REVISION, SLOTS
from ..types import ZERO_ADDRESS, ZERO_DIGEST, Address, Digest
from ..vocabulary.numbers import number_of
from .chain import Chain
from .facts import StoredFacts

_MAX_COUNT = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Gap:
    """After one block and before another something may have been written about `who` (about everybody, if that is
    nobody) of which nothing is at hand."""

    after: int
    before: int
    who: Address | None = None

    def covers(self, block: int, parties: Collection[Address | None]) -> bool:
        """Whether what stood at the end of a block is in doubt for one of these."""
        return self.after < block < self.before and (self.who is None or self.who in parties)


@dataclass(frozen=True, slots=True)
class Life:
    """What a deployment leaves of a twin to the one that comes after: its counter, the digest of its cards, and the
    consents that were ever written, for those that come over have the numbers that they had."""

    counter: int = 0
    card: Digest = ZERO_DIGEST
    consents: frozenset[tuple[object, ...]] = frozenset()


NEW = Life()
"""Of a twin that was minted where it lives."""


def require_members(chain: Chain, logged: Iterable[Logged], who: Collection[Address]) -> None:
    """Pass if every change of these members is told.

    Raises:
        IntegrityError: one is not.
    """
    facts, told = StoredFacts(chain, chain.head.number), Counter[Address]()
    belongs: dict[Address, Address] = {}
    for each in logged:
        event = each.event
        if isinstance(event, e.Enrolled | e.CardUpdated):
            belongs[event.member] = event.organisation
        elif isinstance(event, e.Dismissed) and belongs.get(event.member) == event.organisation:
            belongs[event.member] = ZERO_ADDRESS
        elif not isinstance(event, e.KindsSet | e.Suspended | e.Reinstated):
            continue
        told[event.member] += 1
    facts.gather_members(who)
    for member in sorted(who):
        count = facts.changes(member)
        if count != told[member]:
            raise IntegrityError(
                f"storage counts {number_of(count, 'change')} of the member {member}, {told[member]} are told"
            )


def require_twin(
    chain: Chain, logged: Sequence[Logged], view: View, twin: int, parties: Collection[Address], former: Life = NEW
) -> tuple[Life, list[Gap]]:
    """Pass if every event of the twin is told that bears on these: its life, and the gaps that are left.

    Args:
        former: what the deployment before left of it, if it came from there.

    Raises:
        IntegrityError: one is not.
    """
    events = [each for each in logged if getattr(each.event, "twin", None) == twin]
    life = _require_life(events, twin, former)
    facts, owners = StoredFacts(chain, chain.head.number), view.owners(twin)
    for owner in owners:
        facts.gather_slots(owner, twin, parties)
        for who in parties:
            for number in range(SLOTS):
                if facts.grant(owner, twin, who, number) != view.grant(owner, twin, who, number):
                    raise IntegrityError(f"storage has another grant in {twin}/{who}/{number} than what is told")
        if facts.epoch(owner, twin) != view.epoch(owner, twin):
            raise IntegrityError(f"storage has another epoch of {owner} than what is told")
    for who in parties:
        if facts.block_count(twin, who) != view.block_count(twin, who):
            raise IntegrityError(f"storage has another count of blocks of {who} than what is told")
    for opening in view.openings():
        if opening.slot.twin == twin and facts.reviewed(opening.number) is not bool(view.review(opening.number)):
            raise IntegrityError(f"that emergency {opening.number} was reviewed is not told")
    return life, _gaps(events, former.consents)


def moves_in_doubt(chain: Chain, logged: Iterable[Logged], twin: int, former: Life = NEW) -> list[int]:
    """The blocks of a twin's moves before which its former owner may have set a card that is not told: the move leaves
    no trace of it in storage, and the state before is not to be had.

    Raises:
        IntegrityError: one was set.
    """
    doubtful: list[int] = []
    cards: list[tuple[int, e.CardSet]] = []
    came: bytes = former.card
    for each in logged:
        event, block = each.event, each.place.block
        if isinstance(event, e.CardSet) and event.twin == twin:
            cards.append((block, event))
        elif isinstance(event, e.Moved) and event.twin == twin:
            told = [card for at, card in cards if at < block and card.owner == event.sender]
            last, came = card_chain(told[-1].previous, told[-1].card) if told else came, ZERO_DIGEST
            try:
                stored = StoredFacts(chain, block - 1).card(twin)
            except CannotCheckError:
                doubtful.append(block)
                continue
            if stored != last:
                raise IntegrityError(f"a card that was set before block {block} is not told")
    return doubtful


def require_model(chain: Chain, logged: Iterable[Logged], view: View, model: int) -> None:
    """Pass if every round and update of a model is told, and each retraining.

    Raises:
        IntegrityError: one is not.
    """
    stored, rounds = StoredFacts(chain, chain.head.number).model(model), view.rounds(model)
    if [each.number for each in rounds] != list(range(1, stored["round"] + 1)):
        raise IntegrityError(f"storage counts {stored['round']} rounds of model {model}, {len(rounds)} are told")
    for each in rounds:
        made, updates = view.aggregate(model, each.number), len(view.updates(model, each.number))
        is_open = bool(stored["open"]) and each.number == stored["round"]
        counted = stored["updates"] if is_open else made.updates if made else -1
        if is_open is not (made is None) or updates != counted:
            raise IntegrityError(f"not every update of round {each.number} of model {model} is told, or not its end")
    if _present(logged, model) != stored["aggregate"].to_bytes(32):
        raise IntegrityError(f"storage has another present aggregate of model {model} than what is told leads to")


def _require_life(events: Iterable[Logged], twin: int, former: Life) -> Life:
    """Pass if the twin's counter, owners and cards run on without a break."""
    counter, owner, card = former.counter, ZERO_ADDRESS, former.card
    consents: set[tuple[object, ...]] = set()
    for each in events:
        event = each.event
        consents |= {_consent(event)} - {()}
        if isinstance(event, e.Transfer):
            if event.sender != owner:
                raise IntegrityError(f"a move of twin {twin}, or its mint, is not told")
            owner = event.to
        elif isinstance(event, e.CardSet):
            if event.previous != card:
                raise IntegrityError(f"a card of twin {twin} is not told")
            card = card_chain(card, event.card)
        elif hasattr(event, "counter"):
            counter += not isinstance(event, e.Arrived)
            if event.counter != counter:
                raise IntegrityError(f"what happened to twin {twin} as the {counter}th is not told")
            card = ZERO_DIGEST if isinstance(event, e.Moved) else card
    return Life(counter, Digest(card), frozenset(consents))


def _consent(event: e.Event) -> tuple[object, ...]:
    """What comes over of an event, if that does; empty if not."""
    match event:
        case e.Granted():
            return event.owner, event.grantee, event.number, event.grant
        case e.AllRevoked() | e.Carried():
            return "epoch", event.owner, event.epoch
        case e.Blocked():
            return "blocks", event.grantee, event.count
    return ()


def _gaps(events: Sequence[Logged], came: Collection[tuple[object, ...]]) -> list[Gap]:
    """Where numbers were skipped, or may have been. Only a denial does that, a block or unblock that changes nothing,
    and what came over with the twin.

    Raises:
        IntegrityError: something else does.
    """
    gaps: list[Gap] = []
    last: dict[tuple[object, ...], tuple[int, int]] = {}
    who: Address | None
    arrived = {each.place.block for each in events if isinstance(each.event, e.Arrived)}
    for each in events:
        event, block = each.event, each.place.block
        comes = block in arrived and _consent(event) in came
        match event:
            case e.Granted() | e.Revoked():
                key: tuple[object, ...] = (event.owner, event.grantee, event.number)
                number, who, final = event.grant.revision, event.grantee, MAX_REVISION
                denies = isinstance(event, e.Revoked)
            case e.AllRevoked():
                key, number, who, final, denies = ("epoch", event.owner), event.epoch, None, MAX_EPOCH, True
            case e.Carried():
                key, number, who, final, denies = ("epoch", event.owner), event.epoch, None, MAX_EPOCH, False
                comes = comes or number == last.get(key, (0, 0))[0]
            case e.Blocked() | e.Unblocked():
                key, number, who, final = ("blocks", event.grantee), event.count, event.grantee, _MAX_COUNT
                denies = isinstance(event, e.Blocked)
            case _:
                continue
        before, after = last.get(key, (0, 0))
        step = 1 if key[0] != "blocks" or (before % 2 == 0) is denies else 2
        if not comes and number != min(before + step, final):
            if not denies or number <= before:
                raise IntegrityError(f"a consent that was written before block {block} is not told")
            gaps.append(Gap(after, block, who))
        elif step == 2 and not comes:
            gaps.append(Gap(after, block, who))
        last[key] = (number, block)
    return gaps


def _present(logged: Iterable[Logged], model: int) -> Digest:
    """The aggregate that a model's next round would start from, by what is told.

    Raises:
        IntegrityError: a round starts from another one.
    """
    present, parents = ZERO_DIGEST, dict[int, Digest]()
    for each in logged:
        event = each.event
        if getattr(event, "model", None) != model:
            continue
        if isinstance(event, e.RoundOpened):
            if parents and event.parent != present:
                raise IntegrityError(f"that model {model} was retrained before round {event.round} is not told")
            present = parents[event.round] = event.parent
        elif isinstance(event, e.AggregateFinalised):
            present = event.aggregate
        elif isinstance(event, e.Remediated) and event.retrained:
            present = parents[event.first]
    return present
