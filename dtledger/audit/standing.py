"""Storage beside events: what the contracts hold at the head must be what their events add up to.

Counters in storage count what was ever written, so an event that is left out is missed.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import IntegrityError
from ..ledger import View
from ..ledger.messages import card_chain
from ..types import ZERO_DIGEST, Address
from ..vocabulary.numbers import number_of
from .chain import Chain
from .facts import StoredFacts


def require_owner(chain: Chain, view: View, twin: int, name: Callable[[Address], str]) -> str:
    """Pass if storage has the owner and the state that the twin's events lead to; every write of that state is counted.

    Raises:
        IntegrityError: it has others.
    """
    facts = StoredFacts(chain, chain.head.number)
    owner, owners = facts.owner(twin), view.owners(twin)
    if owner is None or owner != view.owner(twin):
        raise IntegrityError(f"storage has {owner or 'nobody'} as the owner, the events {view.owner(twin)}")
    state, told = facts.state(twin), view.state(twin)
    for what, stored, said in (
        ("counter", state["counter"], told.counter),
        ("retirement", state["retireAt"], told.retire_at),
        ("freeze", state["frozenUntil"], told.frozen_until),
    ):
        if stored != said:
            raise IntegrityError(f"storage has {stored} as the twin's {what}, the events {said}")
    moved = f", moved {number_of(len(owners) - 1, 'time')}" if len(owners) > 1 else ""
    return f"minted for {name(owners[0])}{moved}; owned by {name(owner)}"


def require_cards(chain: Chain, view: View, twin: int) -> str:
    """Pass if the cards since the last move make the digest that storage has.

    Raises:
        IntegrityError: they do not: one is missing, or was never set.
    """
    stored = StoredFacts(chain, chain.head.number).card(twin)
    owner, digest, count = view.owner(twin), ZERO_DIGEST, 0
    if view.card(twin) is not None:
        for record in view.cards(twin):
            if record.owner == owner:
                digest, count = card_chain(digest, record.card), count + 1
    if digest != stored:
        raise IntegrityError("the cards are not those that storage has the digest of", block=stored.hex())
    return f"{number_of(count, 'card')} by the present owner" if count else "no card"


def require_state(chain: Chain, view: View, twin: int) -> str:
    """Pass if storage has the slots, the epoch and the counts of blocks that the events say.

    Raises:
        IntegrityError: it does not.
    """
    facts, count = StoredFacts(chain, chain.head.number), 0
    parties: set[Address] = set()
    for owner in view.owners(twin):
        if facts.epoch(owner, twin) != view.epoch(owner, twin):
            raise IntegrityError(f"storage has another epoch for {owner} than the events say")
        records = list(view.records(owner, twin))
        facts.gather_grants([each.slot for each in records])
        for record in records:
            slot = record.slot
            if facts.grant(owner, twin, slot.grantee, slot.number) != record.grant:
                raise IntegrityError(f"storage has another grant in {twin}/{slot.grantee}/{slot.number}")
            parties.add(slot.grantee)
            count += 1
    for who in sorted(parties):
        if facts.block_count(twin, who) != view.block_count(twin, who):
            raise IntegrityError(f"storage has another count of blocks of {who} than the events say")
    return (
        f"{number_of(count, 'slot')}, {number_of(len(parties), 'count')} of blocks and every epoch, as storage has them"
    )
