"""What an insider gets by asking: every custodian, for every snapshot, under every grant, its own or not."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator

from dtledger import encoding
from dtledger.client import Client
from dtledger.crypto import seal
from dtledger.custody import RELEASE_CONTEXT, ReadRequest, SealedShare, ShareHeader, decode_release
from dtledger.errors import DtledgerError
from dtledger.ledger.events import Granted
from dtledger.snapshots.custody_block import CustodyBlock
from dtledger.testing import World, WorldCustodian
from dtledger.types import Address, Digest
from dtledger.vocabulary import Action, Purpose

from .attacker import Loot

QUESTIONS = [
    (Action.READ, Purpose.TREAT),
    (Action.READ, Purpose.ETREAT),
    (Action.READ, Purpose.PATRQT),
    (Action.TRAIN, Purpose.HRESCH),
]


def given_to(world: World, *people: Client) -> Loot:
    """What the world's custodians, who keep their word, give to these."""
    asked = [*_asked(world)]
    shares = tuple(
        pair
        for who in people
        for slot in _slots(world, who)
        for action, purpose in QUESTIONS
        for custodian, sealed in asked
        for pair in _ask(world, who, slot, action, purpose, custodian, sealed)
    )
    return Loot(shares=shares)


def _slots(world: World, who: Client) -> Iterable[tuple[Address, int]]:
    """Grantee and number of every grant there ever was on the twin, and of an owner's own."""
    events = [each.event for each in world.ledger.history().logged if isinstance(each.event, Granted)]
    return {(each.grantee, each.number) for each in events if each.twin == world.twin} | {(who.address, 0)}


def _asked(world: World) -> Iterator[tuple[WorldCustodian, list[SealedShare]]]:
    """Each custodian that has pairs, with every share that was ever sealed to it, those of one roster at a time."""
    shares: dict[tuple[str, int], dict[Digest, SealedShare]] = {}
    for cid in world.store._blocks:
        value = encoding.decode(world.store.get(cid)) if cid.codec == "dag-cbor" else None
        if isinstance(value, dict) and isinstance(value.get("body"), dict) and "threshold" in value["body"]:
            block, _ = CustodyBlock.read(world.ledger.deployment, world.store.get(cid))
            for each in block.shares:
                sealed = SealedShare(block.digest, each.sealed, each.hash)
                shares.setdefault((each.custodian, block.roster), {})[block.digest] = sealed
    for custodian in world.custodians:
        for (address, _), asked in shares.items():
            if address == custodian.address and custodian._twin_keys.all_of(world.twin):
                yield custodian, [*asked.values()]


def _ask(
    world: World,
    who: Client,
    slot: tuple[Address, int],
    action: Action,
    purpose: Purpose,
    custodian: WorldCustodian,
    shares: list[SealedShare],
) -> list[tuple[ShareHeader, bytes]]:
    key, at = seal.SealKey.generate(), world.clock()
    digests = tuple(each.digest for each in shares)
    nonce = secrets.token_bytes(32)
    request = ReadRequest(world.twin, slot[0], slot[1], action, purpose, digests, key.public, nonce, at)
    signed = request.signed(who.context.key.sign_digest(request.to_sign(world.ledger.deployment)))
    try:
        return decode_release(seal.open_(key, custodian.open(signed, shares).sealed, RELEASE_CONTEXT))
    except DtledgerError:
        return []
