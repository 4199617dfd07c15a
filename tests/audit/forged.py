"""Chains that were never made: headers, state and code put together by hand, so that any of them can be a lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import rlp
from trie.hexary import HexaryTrie

from dtledger._backend.runtimes import shipped
from dtledger.audit import Asked, Bundle, Claim, Given, Question, Verdict, verify
from dtledger.audit.facts import _grant, _owner
from dtledger.audit.ground import source_digests
from dtledger.audit.layout import mapped
from dtledger.audit.proofs import EMPTY_ROOT
from dtledger.encoding import address, keccak
from dtledger.ledger import CONTRACTS, Deployment
from dtledger.ledger.messages import domain, word
from dtledger.policy import Grant
from dtledger.types import Address, Digest, Period
from dtledger.vocabulary import Action, Kind, Purpose

Storage = dict[int, int]

CHAIN = 31_337
TWIN = 7
HOUR = 3600


def number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8)


def account(which: int) -> Address:
    return address("0x" + which.to_bytes(20).hex())


def header(block: int, parent: bytes, state_root: bytes, at: int = 1000) -> bytes:
    fields = [parent, bytes(32), bytes(20), state_root, bytes(32), EMPTY_ROOT, bytes(256)]
    return bytes(rlp.encode([*fields, b"", number(block), b"", b"", number(at), b"", bytes(32), bytes(8)]))


OWNER, READER = account(1000), account(2000)
FIRST = header(0, bytes(32), bytes(32))
GENESIS = keccak(FIRST)
MADE = Deployment(CHAIN, GENESIS, {name: account(place) for place, name in enumerate(CONTRACTS, start=1)})


def trie(content: Mapping[bytes, bytes]) -> tuple[bytes, list[bytes]]:
    """Root and nodes."""
    nodes: dict[bytes, bytes] = {}
    made = HexaryTrie(nodes)
    for key, value in content.items():
        made[keccak(key)] = value
    return made.root_hash, [each for each in nodes.values() if each != rlp.encode(b"")]


def code(contract: str, deployment: Deployment) -> bytes:
    """With all built in that the contract is made with, each in the places of one immutable."""
    said, contracts = word(deployment.chain_id), deployment.contracts
    members, twins = word(contracts["MemberRegistry"]), word(contracts["TwinRegistry"])
    salted = [deployment.genesis, said, domain(deployment, contract)]
    first = word(0)  # of a predecessor, where there is none
    built_in = {
        "MemberRegistry": salted,
        "TwinRegistry": [*salted, word(HOUR), first, first],
        "ConsentRegistry": [*salted, members, twins, word(HOUR), word(HOUR), first],
        "SnapshotLedger": salted,
        "ModelLedger": [members],
    }
    runtime = shipped()[contract]
    made = bytearray(runtime.code)
    for places, value in zip(runtime.immutables, built_in.get(contract, []), strict=True):
        for start, length in places:
            made[start : start + length] = value
    return bytes(made)


def clinician() -> Storage:
    """A member in the members' registry."""
    from dtledger._backend.artifacts import layout

    fields, place = layout("MemberRegistry")["_members"].fields, mapped("MemberRegistry", "_members", READER)
    said = {"kinds": Kind.CLINICIAN.mask, "version": 1}
    return {place: sum(value << 8 * fields[name].offset for name, value in said.items())}


GRANT = Grant(1, Purpose.TREAT.mask, 0, 10**6, Period(0, 100), Action.READ.mask, 1, 0)


@dataclass(frozen=True)
class Forged:
    """Two blocks. `deployment` is what a bundle of it says, `storage` what contracts hold, by address."""

    deployment: Deployment = MADE
    storage: Mapping[Address, Storage] = field(default_factory=dict)
    codes: Mapping[Address, bytes] = field(default_factory=dict)
    at: int = 1000
    height: int = 1

    @classmethod
    def granted(cls) -> Forged:
        """One in which READER may read the twin."""
        where = cls().deployment.contracts
        return cls(
            storage={
                where["TwinRegistry"]: {_owner(TWIN): int(OWNER, 16)},
                where["MemberRegistry"]: clinician(),
                where["ConsentRegistry"]: {_grant(OWNER, TWIN, READER, 0): GRANT.pack()},
            }
        )

    @cached_property
    def _state(self) -> tuple[bytes, list[bytes], dict[Address, bytes]]:
        codes = {self.deployment.contracts[each]: code(each, self.deployment) for each in CONTRACTS} | dict(self.codes)
        accounts, nodes = {}, []
        for who in {*codes, *self.storage}:
            held = {each.to_bytes(32): rlp.encode(number(value)) for each, value in self.storage.get(who, {}).items()}
            root, below = trie(held)
            nodes += below
            accounts[bytes.fromhex(who[2:])] = rlp.encode([b"\1", b"", root, keccak(codes.get(who, b""))])
        root, above = trie(accounts)
        return root, nodes + above, codes

    @property
    def head(self) -> bytes:
        return header(self.height, GENESIS, self._state[0], self.at)

    def bundle(self, question: Question, **other: object) -> Bundle:
        """A file of all of it, and of no more contracts than a deployment has."""
        _, nodes, codes = self._state
        shown = {who: codes[who] for who in self.deployment.contracts.values()}
        made = Bundle(
            question, Given(), self.deployment, {0: FIRST, self.height: self.head}, nodes, shown, {}, source_digests()
        )
        return replace(made, **other)  # type: ignore[arg-type]

    def claims(self, question: Question, known: Deployment | None = None) -> list[Claim]:
        """What the file is found to say, by an auditor who pinned the head."""
        made = self.bundle(question)
        pinned = Digest(keccak(self.head))
        return verify(made, Asked(question, made.given, made.deployment, pinned, known=known))


def verdicts(claims: list[Claim], name: str) -> list[Verdict]:
    return [each.verdict for each in claims if each.name == name]
