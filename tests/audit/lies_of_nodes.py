"""Lies that a node can tell an audit: of events, of the state, of the chain itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import rlp
from trie import HexaryTrie

from dtledger.audit import Asked
from dtledger.audit.chain import Chain
from dtledger.audit.proofs import Header
from dtledger.ledger.events import Granted, Revoked
from dtledger.types import Address
from tests.audit.attacks import Evidence, Lying, attack


def _block_of(evidence: Evidence, kind: type[Any]) -> int:
    logged = evidence.world.ledger.history().logged
    return next(each.place.block for each in logged if isinstance(each.event, kind))


def _with_receipts(evidence: Evidence, kind: type[Any], change: Callable[[list[Any]], Any]) -> Evidence:
    """The receipts of the first block with such an event, decoded, changed and encoded again."""
    block, source = _block_of(evidence, kind), evidence.source

    def receipts(number: int) -> Sequence[bytes]:
        if number != block:
            return source.receipts(number)
        heap: dict[bytes, bytes] = {}
        trie = HexaryTrie(heap)
        for place, each in enumerate(change(_receipts_of(evidence, number))):
            trie[rlp.encode(place)] = each
        return [node for node in heap.values() if node != rlp.encode(b"")]

    return replace(evidence, source=Lying(source, receipts=receipts))


def _receipts_of(evidence: Evidence, number: int) -> list[bytes]:
    chain = Chain(evidence.source, evidence.world.deployment)
    chain.nodes.add(evidence.source.receipts(number))
    found = []
    while each := chain.nodes.look_up(chain.header(number).receipts_root, rlp.encode(len(found))):
        found.append(each)
    return found


def _logs_changed(receipts: list[bytes], change: Callable[[list[Any]], list[Any]]) -> list[bytes]:
    kind, body = receipts[0][:1], rlp.decode(receipts[0][1:])
    return [kind + rlp.encode([*body[:3], change(list(body[3]))]), *receipts[1:]]


def _edited(logs: list[Any]) -> list[Any]:
    address, topics, data = logs[0]
    return [[address, topics, bytes([data[0] ^ 1]) + data[1:]], *logs[1:]]


for word, kind in (("grant", Granted), ("revocation", Revoked)):
    for how, change in (
        ("edited", _edited),
        ("removed", lambda logs: logs[1:]),
        ("duplicated", lambda logs: logs * 2),
        ("invented", lambda logs: [*logs, *_edited(logs)]),
    ):

        def _make(evidence: Evidence, told: bool, kind: Any = kind, change: Any = change) -> Evidence:
            return _with_receipts(
                evidence, kind, lambda receipts: _logs_changed(receipts, change if told else lambda logs: logs)
            )

        attack(f"a node gives a {word} {how}", "events")(_make)


@attack("a node says that a block has no receipts", "events")
def _(evidence: Evidence, told: bool) -> Evidence:
    return _with_receipts(evidence, Granted, lambda receipts: [] if told else receipts)


def _proofs(evidence: Evidence, told: bool, change: Callable[..., Sequence[bytes]]) -> Evidence:
    source = evidence.source
    return replace(evidence, source=Lying(source, proof=change if told else source.proof))


STATE = "code owner card state denied"


@attack("a node proves the state of another block", STATE)
def _(evidence: Evidence, told: bool) -> Evidence:
    return _proofs(evidence, told, lambda number, where, slots: evidence.source.proof(number - 9, where, slots))


@attack("a node proves the state of another contract", STATE)
def _(evidence: Evidence, told: bool) -> Evidence:
    other = evidence.world.operator.address
    return _proofs(evidence, told, lambda number, where, slots: evidence.source.proof(number, other, slots))


@attack("a node proves other words of the storage: those of another twin", "owner card state denied")
def _(evidence: Evidence, told: bool) -> Evidence:
    return _proofs(
        evidence, told, lambda number, where, slots: evidence.source.proof(number, where, [each + 1 for each in slots])
    )


@attack("a node gives other words of storage than the state has", "denied owner card state code")
def _(evidence: Evidence, told: bool) -> Evidence:
    def changed(number: int, where: Address, slots: Sequence[int]) -> Sequence[bytes]:
        return [each[:-1] + bytes([each[-1] ^ 1]) for each in evidence.source.proof(number, where, slots)]

    return _proofs(evidence, told, changed)


@attack("a node gives other code", "code")
def _(evidence: Evidence, told: bool) -> Evidence:
    def code(contract: Address) -> bytes:
        found = evidence.source.code(contract)
        return found + b"\0" if told else found

    return replace(evidence, source=Lying(evidence.source, code=code))


def _pinned(evidence: Evidence) -> Asked:
    return replace(evidence.asked, pinned=Header.read(evidence.source.head()).hash)


@attack("a node stands still at an older block", "chain")
def _(evidence: Evidence, told: bool) -> Evidence:
    number = Header.read(evidence.source.head()).number

    def head() -> bytes:
        return evidence.source.headers(number - told, number - told)[0]

    return replace(evidence, source=Lying(evidence.source, head=head), asked=_pinned(evidence))


def reforged(header: bytes, place: int, value: bytes) -> bytes:
    fields = rlp.decode(header)
    fields[place] = value
    return rlp.encode(fields)


@attack("a node follows another fork than the head that is pinned", "chain")
def _(evidence: Evidence, told: bool) -> Evidence:
    head = evidence.source.head()
    given = reforged(head, 11, b"\x01") if told else head
    return replace(evidence, source=Lying(evidence.source, head=lambda: given), asked=_pinned(evidence))


def _headers(evidence: Evidence, told: bool, change: Callable[[list[bytes]], list[bytes]]) -> Evidence:
    def headers(first: int, last: int) -> Sequence[bytes]:
        found = list(evidence.source.headers(first, last))
        return change(found) if told else found

    return replace(evidence, source=Lying(evidence.source, headers=headers))


for how, line in {
    "with a block of another fork": lambda line: [*line[:5], reforged(line[5], 11, b"\1"), *line[6:]],
    "with a block left out": lambda line: [*line[:5], *line[6:]],
    "with a block twice": lambda line: [*line[:5], line[5], *line[5:]],
    "with two blocks exchanged": lambda line: [*line[:5], line[6], line[5], *line[7:]],
}.items():
    attack(f"a node gives a chain {how}", "chain")(lambda evidence, told, line=line: _headers(evidence, told, line))


@attack("a node is of a chain with another genesis", "chain consent")
def _(evidence: Evidence, told: bool) -> Evidence:
    """The whole chain is made anew over another first block."""
    if not told:
        return evidence
    number = Header.read(evidence.source.head()).number
    line = [*evidence.source.headers(0, number)]
    line[0] = reforged(line[0], 12, b"another")
    for place in range(1, len(line)):
        line[place] = reforged(line[place], 0, Header.read(line[place - 1]).hash)
    source = Lying(evidence.source, head=lambda: line[-1], headers=lambda first, last: line[first : last + 1])
    return replace(evidence, source=source)
