"""Attacks on an audit: each changes what a node, a store or a custodian answers, or what a writer anchored.

`fails` are the claims, by name, that must fail; every other one must not. `mended` makes the same change without its
fault, after which every claim passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import rlp
from trie import HexaryTrie

from dtledger.audit import Asked, Given, Question, Receipts
from dtledger.audit.chain import Chain
from dtledger.audit.proofs import Header
from dtledger.audit.source import Source
from dtledger.client import Terms
from dtledger.custody import AccessReceipt, ReceiptMap
from dtledger.custody.receipts import NOTHING_BEFORE
from dtledger.encoding import CID
from dtledger.errors import CannotCheckError
from dtledger.ledger.events import Granted, Revoked
from dtledger.store import BlockMissingError
from dtledger.testing import MemoryStore
from dtledger.types import Address, Digest, Period
from dtledger.vocabulary import Action, Purpose
from tests.attacks.forging import Scribe, honest, lie, put
from tests.audit.chain_world import DAY, ChainWorld

OTHER = Digest(b"\7" * 32)


@dataclass
class Evidence:
    """What an audit is made from."""

    world: ChainWorld
    asked: Asked
    source: Source
    store: Any


Make = Callable[[Evidence, bool], Evidence | None]


@dataclass(frozen=True)
class Attack:
    """`cannot` are claims that cannot be checked when it is made."""

    make: Make
    fails: frozenset[str]
    cannot: frozenset[str] = frozenset()


ATTACKS: dict[str, Attack] = {}


def attack(name: str, fails: str, cannot: str = "") -> Callable[[Make], Make]:
    """Keeps what it decorates: given evidence, and whether the fault is made."""

    def keep(make: Make) -> Make:
        assert name not in ATTACKS
        ATTACKS[name] = Attack(make, frozenset(fails.split()), frozenset(cannot.split()))
        return make

    return keep


class Lying:
    """A source in the place of another one, but for the methods that are given."""

    def __init__(self, source: Source, **methods: Callable[..., Any]) -> None:
        self._source = source
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


# a lying node ------------------------------------------------------------------------------------------------------


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


def _reforged(header: bytes, place: int, value: bytes) -> bytes:
    fields = rlp.decode(header)
    fields[place] = value
    return rlp.encode(fields)


@attack("a node follows another fork than the head that is pinned", "chain")
def _(evidence: Evidence, told: bool) -> Evidence:
    head = evidence.source.head()
    given = _reforged(head, 11, b"\x01") if told else head
    return replace(evidence, source=Lying(evidence.source, head=lambda: given), asked=_pinned(evidence))


def _headers(evidence: Evidence, told: bool, change: Callable[[list[bytes]], list[bytes]]) -> Evidence:
    def headers(first: int, last: int) -> Sequence[bytes]:
        found = list(evidence.source.headers(first, last))
        return change(found) if told else found

    return replace(evidence, source=Lying(evidence.source, headers=headers))


for how, line in {
    "with a block of another fork": lambda line: [*line[:5], _reforged(line[5], 11, b"\1"), *line[6:]],
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
    line[0] = _reforged(line[0], 12, b"another")
    for place in range(1, len(line)):
        line[place] = _reforged(line[place], 0, Header.read(line[place - 1]).hash)
    source = Lying(evidence.source, head=lambda: line[-1], headers=lambda first, last: line[first : last + 1])
    return replace(evidence, source=source)


# snapshots ---------------------------------------------------------------------------------------------------------


def _second_manifest(evidence: Evidence) -> CID:
    world = evidence.world
    return next(iter(world.patient.snapshots.list(world.twin, unnamed=True)))[1].found.row.manifest


def _copy(store: MemoryStore) -> MemoryStore:
    copy = MemoryStore()
    copy._blocks.update(store._blocks)
    return copy


@attack("the store gives a snapshot edited", "stream", "writer category")
def _(evidence: Evidence, told: bool) -> Evidence:
    store = _copy(evidence.world.store)
    if told:
        store.damage(_second_manifest(evidence))
    return replace(evidence, store=store)


class _Lacking(MemoryStore):
    def __init__(self, store: MemoryStore, cid: CID) -> None:
        super().__init__()
        self._blocks.update(store._blocks)
        self._cid = cid

    def get(self, cid: CID) -> bytes:
        if cid == self._cid:
            raise BlockMissingError(cid, self.describe())
        return super().get(cid)


@attack("a snapshot is gone from the store", "", "stream writer category")
def _(evidence: Evidence, told: bool) -> Evidence:
    return replace(evidence, store=_Lacking(evidence.world.store, _second_manifest(evidence))) if told else evidence


def _written(evidence: Evidence, told: bool, change: Any, more: Any = None) -> Evidence:
    """A gateway writes, then once more with the lie; the audit is of what the ledger is then."""
    world = evidence.world
    scribe = Scribe(world)
    scribe.write()
    if more is not None:
        more(scribe, told)
    else:
        scribe.write(change if told else honest, groups=scribe.groups(1))
    named = evidence.asked.given.named
    given = replace(world.given(), named=named)
    return replace(evidence, source=world.source(), asked=replace(evidence.asked, given=given))


for how, claim, cannot, change in (
    ("cut short", "stream", "writer category", lie("rows", lambda rows: rows[:1])),
    ("without a stream that it had", "index", "", lie("index", put(streams=[]))),
    (
        "with two snapshots exchanged",
        "stream",
        "writer category",
        lie("rows", lambda rows: [rows[1], rows[0], *rows[2:]]),
    ),
    ("with one snapshot twice", "stream", "writer category", lie("rows", lambda rows: [rows[0], rows[0], *rows[2:]])),
    (
        "with a snapshot that it never anchored",
        "stream",
        "writer category",
        lie("leaf", lambda leaf: replace(leaf, manifest=OTHER)),
    ),
    ("with a snapshot of another twin", "stream", "writer category", lie("manifest", put(twin=99))),
):
    attack(f"a writer anchors an index {how}", claim, cannot)(
        lambda evidence, told, change=change: _written(evidence, told, change)
    )


@attack("a writer goes on after its grant was revoked", "writer category")
def _(evidence: Evidence, told: bool) -> Evidence:
    def more(scribe: Scribe, told: bool) -> None:
        # an index counts if its writer might write when it anchored it: so it writes what an older grant covers
        world = scribe.world
        if told:
            world.patient.consents.revoke(scribe.slot)
            scribe.write(groups=scribe.groups(1))
            terms = world.ledger.view().earlier(world.ledger.head().number - 2).record(scribe.slot)
            assert terms is not None
            from dtledger.client import writing_terms

            first = world.readings[0].minute
            writing = writing_terms(["glucose"], world.clock(), 30 * 86_400, back_to=first)
            world.patient.consents.grant(world.twin, scribe.address, writing)
        scribe.write(groups=scribe.groups(1))

    return _written(evidence, told, honest, more)


# receipts ----------------------------------------------------------------------------------------------------------


def _lists(evidence: Evidence, told: bool, change: Callable[[Receipts], Receipts]) -> Evidence:
    given: Given = evidence.asked.given
    custodian = next(iter(given.lists))
    lists: Mapping[Address, Any] = {**given.lists, custodian: change(given.lists[custodian])}  # type: ignore[arg-type]
    return replace(evidence, asked=replace(evidence.asked, given=replace(given, lists=lists))) if told else evidence


for how, several in {
    "edited": lambda first, *rest: (replace(first, count=first.count + 1), *rest),
    "removed from the beginning": lambda first, *rest: rest,
    "removed from the end": lambda *every: every[:-1],
    "exchanged": lambda first, second, *rest: (second, first, *rest),
    "duplicated": lambda first, *rest: (first, first, *rest),
}.items():
    attack(f"a custodian gives receipts {how}", "receipts")(
        lambda evidence, told, several=several: _lists(
            evidence, told, lambda said: replace(said, receipts=several(*said.receipts))
        )
    )

for how, every in {
    "with a digest changed": lambda first, *rest: ((OTHER, *first[1:]), *rest),
    "with a digest left out": lambda first, *rest: (first[1:], *rest),
    "with a digest twice": lambda first, *rest: ((first[0], *first), *rest),
    "with a digest more": lambda first, *rest: ((*first, OTHER), *rest),
    "beside no receipt": lambda *lists: (*lists, lists[0]),
}.items():
    attack(f"a custodian gives a list of what was asked for {how}", "digests")(
        lambda evidence, told, every=every: _lists(evidence, told, lambda said: replace(said, asked=every(*said.asked)))
    )


@attack("a custodian keeps to itself what was asked for", "", "digests")
def _(evidence: Evidence, told: bool) -> Evidence:
    return _lists(evidence, told, lambda said: replace(said, asked=CannotCheckError("It is not to be had.")))


@attack("a custodian shows no proof of its anchored map", "receipts")
def _(evidence: Evidence, told: bool) -> Evidence:
    return _lists(evidence, told, lambda said: replace(said, proof=None))


@attack("a custodian proves the list of another twin", "receipts")
def _(evidence: Evidence, told: bool) -> Evidence:
    def other(said: Receipts) -> Receipts:
        made = ReceiptMap.of([(9, 0, NOTHING_BEFORE)])
        return replace(said, proof=made.proof(9))

    return _lists(evidence, told, other)


def _invented(evidence: Evidence, told: bool, **lies: Any) -> Evidence:
    """The first custodian adds a receipt of its own; honest is one that it had cause for."""
    world = evidence.world
    custodian = world.custodians[0]
    given = evidence.asked.given
    said = given.lists[custodian.address]
    assert isinstance(said, Receipts)
    last = said.receipts[-1]
    after: dict[str, Any] = {
        "number": last.number + 1,
        "previous": last.hash,
        "twin_number": last.twin_number + 1,
        "twin_previous": last.hash,
    }
    made: AccessReceipt = replace(said.receipts[0], **after, **(lies if told else {}))
    signature = custodian._key.sign_digest(made.to_sign(world.deployment))
    assert isinstance(said.asked, tuple)
    more = replace(
        said, receipts=(*said.receipts, replace(made, signature=signature)), asked=(*said.asked, said.asked[0])
    )
    lists = {**given.lists, custodian.address: more}
    return replace(evidence, asked=replace(evidence.asked, given=replace(given, lists=lists)))


@attack("a custodian opened what was revoked", "consent")
def _(evidence: Evidence, told: bool) -> Evidence:
    head = Header.read(evidence.source.head())
    return _invented(evidence, told, block=head.number, block_hash=head.hash, at=head.at)


@attack("a custodian opened to somebody who had no grant", "consent")
def _(evidence: Evidence, told: bool) -> Evidence:
    return _invented(evidence, told, requester=evidence.world.gateway.address)


def _opened_under(evidence: Evidence, told: bool, **lies: Any) -> Evidence:
    """A grant is given, and the first custodian opens under it what it opened before."""
    world = evidence.world
    terms = Terms(**{**_terms_of_what_was_read(world), **(lies if told else {})})
    slot, _ = world.patient.consents.grant(world.twin, world.clinician.address, terms, 1)
    source = world.source()
    head = Header.read(source.head())
    made = _invented(evidence, True, slot=slot.number, block=head.number, block_hash=head.hash, at=head.at)
    return replace(made, source=source)


def _terms_of_what_was_read(world: ChainWorld) -> dict[str, Any]:
    now, first = world.clock(), world.readings[0].minute
    return {
        "categories": ("glucose",),
        "purposes": (Purpose.TREAT,),
        "actions": (Action.READ,),
        "not_before_at": now - 3600,
        "expires_at": now + DAY,
        "data": Period(first, now // 60),
    }


@attack("a custodian opened what the grant is not for: another category", "consent")
def _(evidence: Evidence, told: bool) -> Evidence:
    return _opened_under(evidence, told, categories=("meals", "sleep"))


@attack("a custodian opened what the grant is not for: an older period", "consent")
def _(evidence: Evidence, told: bool) -> Evidence:
    now = evidence.world.clock() // 60
    return _opened_under(evidence, told, data=Period(now, now + 60))


@attack("a custodian decided on a block of another chain", "consent")
def _(evidence: Evidence, told: bool) -> Evidence:
    return _invented(evidence, told, block_hash=OTHER)


__all__ = ["ATTACKS", "Attack", "Evidence", "Question"]
