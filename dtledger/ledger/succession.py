"""What a twin that came from another deployment was there: its past in this one.

Two deployments of one line stand on one chain, so their blocks are one row. Before the block in which a twin arrived it
is as its predecessor had it; from that block on nothing of that holds but what this deployment says anew.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from .records import Timeline, Timelines

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def continue_from(before: Timelines, lines: Timelines, twin: int, block: int) -> None:
    """Put a twin's past before what is known of it here; it arrived in `block`."""
    _join(before.owners, lines.owners, twin, block)
    _join(before.states, lines.states, twin, block)
    _join(before.cards, lines.cards, twin, block, then=before.cards[twin].at(block))
    records = [each for each in before.card_records.get(twin, ()) if each.block <= block]
    lines.card_records[twin] = records + lines.card_records.get(twin, [])
    for giver in [each for each in {**before.epochs, **lines.epochs} if each[1] == twin]:
        _join(before.epochs, lines.epochs, giver, block, then=0)
    for barred in [each for each in before.blocks if each[0] == twin]:
        _join(before.blocks, lines.blocks, barred, block, then=0)
    for giver in [each for each in {**before.slots, **lines.slots} if each[1] == twin]:
        for slot in {**before.slots.get(giver, {}), **lines.slots[giver]}:
            lines.slots[giver].setdefault(slot)
            _join(before.grants, lines.grants, slot, block, then=None)


def _join(before: dict[K, Timeline[V]], lines: dict[K, Timeline[V]], key: K, block: int, **then: V) -> None:
    """The past of one thing, and from `block` on what stood here until then, or else `then`."""
    joined, here = before.get(key, Timeline[V]()).until(block - 1), lines.get(key)
    standing = here.last if here else None
    if standing is not None:
        joined.set(block, standing)
    elif then:
        joined.set(block, then["then"])
    lines[key] = joined
